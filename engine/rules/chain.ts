import type { Span } from '../base/error.ts';
import type { Expr } from './expr.ts';
import type { ChainProgram } from './program.ts';

/** Where and when a base chain is called. */
export interface BaseChain {
  /** 'filter', 'nat' or 'route'. */
  readonly type: 'filter' | 'nat' | 'route';
  /** NF_INET_* of family.ts. */
  readonly hook: number;
  /** NF_IP_PRI_*: lower ones come first. */
  readonly priority: number;
  /** NF_ACCEPT or NF_DROP: what becomes of a packet that no rule decides. */
  policy: number;
  /** Names of the devices of a netdev chain (or of inet's ingress), empty for any. */
  readonly devices: readonly string[];
}

/** A stretch of a rule as its author wrote it: one match, one statement, one target. */
export interface RulePart {
  /** First of its expressions in {@link Rule.exprs}; it goes on to the next part's first. */
  readonly first: number;
  /** Its text as the real tool lists it: `tcp dport 22`, `-m limit --limit 5/min`. */
  readonly text: string;
}

/** A rule as it runs. What it says in its language stands in the language's own tree. */
export class Rule {
  readonly exprs: readonly Expr[];
  /** Where it was written; null for a rule that has no source (JSON without positions, built by a program). */
  readonly at: Span | null;
  private written: readonly RulePart[] | (() => readonly RulePart[]);
  /** The handle (nft), or 0. */
  handle = 0;
  /** Its own counters, where the language counts every rule (iptables); null where it does not (nft). */
  counters: RuleCounters | null = null;

  /** @param parts a function where making the texts costs more than most rules are worth: called at the first look */
  constructor(
    exprs: readonly Expr[],
    at: Span | null,
    parts: readonly RulePart[] | (() => readonly RulePart[]),
  ) {
    this.exprs = exprs;
    this.at = at;
    this.written = parts;
  }

  /** Which expressions belong to which part of its text, in order. */
  get parts(): readonly RulePart[] {
    if (typeof this.written === 'function') this.written = this.written();
    return this.written;
  }
}

/** Packets and bytes, as iptables counts them at rules and policies. */
export interface RuleCounters {
  packets: number;
  bytes: number;
}

/** A chain: a list of rules, called by a hook or by other chains. */
export class Chain {
  readonly table: RuleTable;
  readonly name: string;
  /** Null for a chain that only rules jump to. */
  readonly base: BaseChain | null;
  /** Replaced as a whole when the chain changes, so that whoever compiled it can tell. */
  rules: readonly Rule[] = [];
  /** Where it was declared, null if nobody wrote it down (built-in chains without a policy line). */
  at: Span | null = null;
  /** What fell through to the policy, where the language counts it (iptables). */
  policyCounters: RuleCounters | null = null;
  /** What the runner made of its rules; nobody else's. */
  program: ChainProgram | null = null;

  constructor(table: RuleTable, name: string, base: BaseChain | null) {
    this.table = table;
    this.name = name;
    this.base = base;
  }
}

/** A table as it runs: its chains, and by which tool it was made. */
export interface RuleTable {
  /** NFPROTO_* of family.ts. */
  readonly family: number;
  readonly name: string;
  /** 'nft', or 'legacy' for what iptables-legacy would hold; the order at equal priority and the traces differ. */
  readonly backend: 'nft' | 'legacy';
  /** By name, in the order in which they were made. */
  readonly chains: ReadonlyMap<string, Chain>;
}
