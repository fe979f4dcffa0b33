import type { RuleNode } from './ast.ts';
import { findRule } from './ruleset-find.ts';
import type { NftRule } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';

/**
 * The rules of a chain with those that a transaction deleted. Until it ends these keep their place: a handle finds them
 * still, and an index counts them (measured; not what was replaced).
 */
export class PastRules {
  readonly #all: NftRule[];
  readonly #gone: Set<NftRule> = new Set();
  readonly #replaced: Set<NftRule> = new Set();

  constructor(rules: readonly NftRule[]) {
    this.#all = [...rules];
  }

  delete(rule: NftRule): void {
    this.#gone.add(rule);
  }

  /** All are deleted. */
  clear(): void {
    for (const rule of this.#all) {
      this.#gone.add(rule);
    }
  }

  /** The new rule stands before the old one (measured). */
  replace(old: NftRule, by: NftRule): void {
    this.#all.splice(this.#all.indexOf(old), 0, by);
    this.#gone.add(old);
    this.#replaced.add(old);
  }

  /** Where the rule that a command names stands, among these. */
  find(t: Transaction, node: RuleNode): number {
    const list = node.index === undefined ? this.#all : this.#all.filter((one) => !this.#replaced.has(one));
    return this.#all.indexOf(list[findRule(t, list, node)]!);
  }

  /**
   * Takes a rule in.
   * @param place among these
   * @returns its place among the rules that are there
   */
  insert(rule: NftRule, place: number): number {
    let there = 0;
    for (let i = 0; i < place; i++) {
      if (!this.#gone.has(this.#all[i]!)) there++;
    }
    this.#all.splice(place, 0, rule);
    return there;
  }

  /** Takes a rule in behind all others. */
  push(rule: NftRule): void {
    this.#all.push(rule);
  }
}
