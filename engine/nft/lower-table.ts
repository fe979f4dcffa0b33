import type { Chain, RuleTable } from '../rules/chain.ts';
import type { Expr } from '../rules/expr.ts';
import type { RuleObject } from '../rules/rule-object.ts';
import type { RuleSet } from '../rules/set.ts';
import type { RuleBody } from './ast.ts';
import type { SetShape } from './eval-elements.ts';
import type { Info } from './eval-scope.ts';
import type { Running } from './running.ts';

/** A set as rules use it, and how its keys stand in registers. */
export interface LoweredSet {
  readonly set: RuleSet;
  /** Fields of numbers in this machine's order are turned round, so that ranges compare. */
  readonly swapped: boolean;
  readonly shape: SetShape;
  /** Its key where it runs: the shape's, but for interfaces, which may be held by name. */
  readonly key: Info;
  /** A map's values are ranges: the first value's bytes, then the last's. */
  readonly dataRanged: boolean;
}

/** What the lowering of a table's rules refers to. */
export interface LowerTable {
  readonly table: RuleTable;
  readonly chains: ReadonlyMap<string, Chain>;
  readonly sets: ReadonlyMap<string, LoweredSet>;
  /** By `kind name`. */
  readonly objects: ReadonlyMap<string, RuleObject>;
  /** What was made of the same tree before. */
  readonly running: Running;
  /** Sets without a name get a number. */
  anonymous: number;
  /** Sets in braces by what stands in them: the same set in many rules is made once. */
  readonly constants: Map<string, LoweredSet>;
  /** Makes a chain of rules in braces behind a jump. */
  inner(rules: readonly RuleBody[]): Chain;
}

/** Where the expressions of a rule are put. */
export interface Out {
  readonly exprs: Expr[];
  readonly about: LowerTable;
}

/** The number of the register that begins at a byte: 1 to 4 where sixteen bytes begin, else of four bytes. */
export function registerAt(byte: number): number {
  return (byte & 15) === 0 ? 1 + (byte >> 4) : 8 + (byte >> 2);
}
