import type { Span } from '../base/error.ts';
import type { RuleCounters } from '../rules/chain.ts';
import * as N from '../rules/family.ts';
import type { XtRule } from './rule.ts';

/** A chain that a hook calls. */
export interface BuiltinChain {
  readonly name: string;
  /** NF_INET_*. */
  readonly hook: number;
  /** NF_IP_PRI_*; lower.ts knows where the nft variant has another. */
  readonly priority: number;
}

const PREROUTING: [string, number] = ['PREROUTING', N.NF_INET_PRE_ROUTING];
const INPUT: [string, number] = ['INPUT', N.NF_INET_LOCAL_IN];
const FORWARD: [string, number] = ['FORWARD', N.NF_INET_FORWARD];
const OUTPUT: [string, number] = ['OUTPUT', N.NF_INET_LOCAL_OUT];
const POSTROUTING: [string, number] = ['POSTROUTING', N.NF_INET_POST_ROUTING];

function at(priority: number, ...chains: [string, number][]): readonly BuiltinChain[] {
  return chains.map(([name, hook]) => ({ name, hook, priority }));
}

/** The tables and their built-in chains, in the order in which iptables-save lists them (measured). */
export const BUILTIN: ReadonlyMap<string, readonly BuiltinChain[]> = new Map([
  ['mangle', at(-150, PREROUTING, INPUT, FORWARD, OUTPUT, POSTROUTING)],
  ['security', at(50, INPUT, FORWARD, OUTPUT)],
  ['raw', at(-300, PREROUTING, OUTPUT)],
  ['filter', at(0, INPUT, FORWARD, OUTPUT)],
  // NF_IP_PRI_NAT_DST is -100, NF_IP_PRI_NAT_SRC is 100.
  ['nat', [...at(-100, PREROUTING), ...at(100, INPUT), ...at(-100, OUTPUT), ...at(100, POSTROUTING)]],
]);

/** A chain. */
export class XtChain {
  readonly name: string;
  readonly builtin: BuiltinChain | null;
  policy: 'ACCEPT' | 'DROP' = 'ACCEPT';
  counters: RuleCounters = { packets: 0, bytes: 0 };
  /** Whether a policy was ever set: the nft variant counts in no other built-in chain (measured). */
  hasPolicy = false;
  rules: XtRule[] = [];
  /** Where it was made or its policy set, null for a built-in chain that nobody named. */
  at: Span | null = null;

  constructor(name: string, builtin: BuiltinChain | null) {
    this.name = name;
    this.builtin = builtin;
  }
}

/** A table: its chains by name, the built-in ones first. */
export class XtTable {
  readonly name: string;
  readonly chains: Map<string, XtChain> = new Map();
  /** Whether anything was ever put into it; iptables-save leaves out tables that do not exist. */
  exists = false;

  constructor(name: string) {
    this.name = name;
    for (const builtin of BUILTIN.get(name) ?? [])
      this.chains.set(builtin.name, new XtChain(builtin.name, builtin));
  }

  /** A copy to be changed; rules themselves are shared. */
  clone(): XtTable {
    const out = new XtTable(this.name);
    out.exists = this.exists;
    for (const chain of this.chains.values()) {
      const copy = new XtChain(chain.name, chain.builtin);
      copy.policy = chain.policy;
      copy.counters = chain.counters;
      copy.hasPolicy = chain.hasPolicy;
      copy.at = chain.at;
      copy.rules = chain.rules.slice();
      out.chains.set(chain.name, copy);
    }
    return out;
  }

  /** What the legacy iptables-restore begins with: no rules, no chains of users, no counters; policies stay. */
  emptied(): XtTable {
    const out = new XtTable(this.name);
    out.exists = this.exists;
    for (const chain of this.chains.values()) {
      const kept = out.chains.get(chain.name);
      if (kept === undefined) continue;
      kept.policy = chain.policy;
      kept.hasPolicy = chain.hasPolicy;
    }
    return out;
  }

  /** The chains as they are listed: built-in ones in the hooks' order, then users' by name. */
  listed(): XtChain[] {
    const all = [...this.chains.values()];
    const users = all.filter((chain) => chain.builtin === null);
    users.sort((a, b) => (a.name < b.name ? -1 : 1));
    return [...all.filter((chain) => chain.builtin !== null), ...users];
  }
}
