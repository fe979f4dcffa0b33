import type { Span } from '../base/error.ts';
import type { Rule, RuleCounters } from '../rules/chain.ts';
import type { XtAddress } from './address.ts';
import type { XtContext, XtLowering, XtUse } from './extension.ts';

/** A test that may be negated. */
export interface Negatable<T> {
  readonly value: T;
  readonly inverted: boolean;
}

/** What a rule does with a packet that it matches. */
export type XtTarget =
  /** Nothing but count. */
  | { readonly kind: 'none' }
  | { readonly kind: 'verdict'; readonly name: 'ACCEPT' | 'DROP' | 'RETURN' | 'QUEUE' }
  /** -j or -g to a user's chain. */
  | { readonly kind: 'chain'; readonly name: string; readonly goto: boolean }
  | { readonly kind: 'extension'; readonly use: XtUse };

/** What a rule says: one combination of addresses, the matches in their order, the target. */
export interface XtRuleSpec {
  readonly src: Negatable<XtAddress> | null;
  readonly dst: Negatable<XtAddress> | null;
  /** -i, with a + behind as wildcard; null if not given. */
  readonly inDevice: Negatable<string> | null;
  /** -o */
  readonly outDevice: Negatable<string> | null;
  /** -p, null if not given or all. */
  readonly proto: Negatable<number> | null;
  /** -f: second and further fragments. */
  readonly fragment: Negatable<true> | null;
  readonly matches: readonly XtUse[];
  readonly target: XtTarget;
}

/** A rule in its chain. */
export class XtRule {
  readonly spec: XtRuleSpec;
  readonly at: Span | null;
  readonly counters: RuleCounters;
  /** As it runs, once it was asked for; jumps are bound to chains, so it goes with the table's chains. */
  lowered: Rule | null = null;
  /** As it is listed without its chain, once it was asked for. */
  text: string | null = null;

  constructor(spec: XtRuleSpec, at: Span | null, counters: RuleCounters) {
    this.spec = spec;
    this.at = at;
    this.counters = counters;
  }
}

/** The context that a rule's extensions see. */
export function ruleContext(
  base: Pick<XtContext, 'family' | 'table' | 'world' | 'backend'>,
  proto: Negatable<number> | null,
): XtContext {
  return {
    family: base.family,
    table: base.table,
    world: base.world,
    backend: base.backend,
    proto: proto?.value ?? 0,
    protoInverted: proto?.inverted ?? false,
  };
}

/** The same of a rule that is lowered. Field by field: V8 makes a class of its own for each object that is spread here. */
export function loweringContext(
  base: Pick<XtContext, 'family' | 'table' | 'world' | 'backend'>,
  proto: Negatable<number> | null,
  chain: string,
): XtLowering {
  return {
    family: base.family,
    table: base.table,
    world: base.world,
    backend: base.backend,
    proto: proto?.value ?? 0,
    protoInverted: proto?.inverted ?? false,
    chain,
  };
}
