import type { Span } from '../base/error.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { timeoutPolicy } from '../proto/timeout-policy.ts';
import type { BaseChain, RulePart, RuleTable } from '../rules/chain.ts';
import { Chain, Rule } from '../rules/chain.ts';
import type { Expr } from '../rules/expr.ts';
import { UnknownExpr } from '../rules/expr.ts';
import { CtExpectExpr } from '../rules/expr-ct-expect.ts';
import { CtHelperExpr } from '../rules/expr-ct-helper.ts';
import { CtTimeoutExpr } from '../rules/expr-ct-timeout.ts';
import { IgnoredExpr } from '../rules/expr-ignored.ts';
import {
  NF_EGRESS,
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_INGRESS,
  NFPROTO_ARP,
  NFPROTO_BRIDGE,
  NFPROTO_INET,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  NFPROTO_NETDEV,
} from '../rules/family.ts';
import type { RuleObject } from '../rules/rule-object.ts';
import { NF_ACCEPT, NF_DROP } from '../rules/verdict.ts';
import type {
  CounterNode,
  CtExpectationNode,
  CtHelperNode,
  CtTimeoutNode,
  Family,
  LimitNode,
  QuotaNode,
  SynproxyNode,
} from './ast.ts';
import type { StmtNode } from './ast-stmt.ts';
import { addressFamilies, ctProtocol } from './ct-object.ts';
import { innerPlan } from './eval.ts';
import { type CanonicalPart, canonicalParts } from './eval-canonical.ts';
import { mergePayloads } from './eval-merge.ts';
import { statementsOf } from './eval-validate.ts';
import { listStatement } from './list-ruleset.ts';
import { lowerNamedSet } from './lower-set.ts';
import { limitExpr, quotaExpr, stateful } from './lower-stateful.ts';
import { lowerMerged, lowerStatement, synproxyExpr } from './lower-stmt.ts';
import type { LoweredSet, LowerTable, Out } from './lower-table.ts';
import type { NftBase, NftChain, NftObject, NftRule, NftState, NftTable } from './ruleset-state.ts';
import { Running } from './running.ts';

const FAMILIES: Readonly<Record<Family, number>> = {
  inet: NFPROTO_INET,
  ip: NFPROTO_IPV4,
  arp: NFPROTO_ARP,
  netdev: NFPROTO_NETDEV,
  bridge: NFPROTO_BRIDGE,
  ip6: NFPROTO_IPV6,
};
const HOOKS: Readonly<Record<string, number>> = {
  prerouting: NF_INET_PRE_ROUTING,
  input: NF_INET_LOCAL_IN,
  forward: NF_INET_FORWARD,
  output: NF_INET_LOCAL_OUT,
  postrouting: NF_INET_POST_ROUTING,
  ingress: NF_INGRESS,
  egress: NF_EGRESS,
};

/**
 * The tables as they run (NftHooks.lower). What nft marks dormant is left out.
 * @param running what was made of the same ruleset before: what did not change goes on, what is made is noted there
 */
export function lower(state: NftState, running: Running = new Running()): RuleTable[] {
  const out: RuleTable[] = [];
  for (const table of state.tables.values())
    if (!table.flags.includes('dormant')) out.push(lowerTable(table, running));
  return out;
}

function lowerTable(source: NftTable, running: Running): RuleTable {
  const chains = new Map<string, Chain>();
  const table: RuleTable = { family: FAMILIES[source.family], name: source.name, backend: 'nft', chains };
  const sets = new Map<string, LoweredSet>();
  const objects = new Map<string, RuleObject>();
  const about: LowerTable = {
    table,
    chains,
    sets,
    objects,
    running,
    anonymous: 0,
    constants: new Map(),
    inner: (rules) => {
      const chain = new Chain(table, `__chain${about.anonymous++}`, null);
      chain.rules = rules.map((rule) =>
        lowerStatements(about, innerPlan(rule).statements, null, source.family),
      );
      return chain;
    },
  };
  for (const chain of source.chains.values()) chains.set(chain.name, lowerChain(table, chain));
  for (const [key, object] of source.objects)
    objects.set(
      key,
      running.object(object, () => objectExpr(object, source.family)),
    );
  for (const set of source.sets.values())
    if (set.plan !== null) sets.set(set.name, lowerNamedSet(about, set));
  for (const chain of source.chains.values())
    chains.get(chain.name)!.rules = chain.rules.map((rule) => lowerRule(about, rule, source.family));
  return table;
}

function lowerChain(table: RuleTable, source: NftChain): Chain {
  const chain = new Chain(table, source.name, source.base === null ? null : baseChain(source.base));
  chain.at = source.at;
  return chain;
}

function baseChain(base: NftBase): BaseChain {
  return {
    type: base.type === 'nat' || base.type === 'route' ? base.type : 'filter',
    hook: HOOKS[base.hook] ?? NF_INET_PRE_ROUTING,
    priority: base.priority,
    policy: base.policy === 'drop' ? NF_DROP : NF_ACCEPT,
    devices: base.devices,
  };
}

function objectExpr(object: NftObject, family: Family): Expr {
  const { node } = object;
  switch (object.kind) {
    case 'counter': {
      const { packets, bytes } = node as CounterNode;
      return stateful({ counter: { packets, bytes } })!;
    }
    case 'quota': {
      const { quota } = node as QuotaNode;
      return quota === undefined ? new IgnoredExpr('quota') : quotaExpr(quota);
    }
    case 'limit': {
      const { limit } = node as LimitNode;
      return limit === undefined ? new IgnoredExpr('limit') : limitExpr(limit);
    }
    case 'ct helper': {
      const { type, protocol, l3proto } = node as CtHelperNode;
      return new CtHelperExpr(type ?? '', ctProtocol(protocol), addressFamilies(l3proto ?? family));
    }
    case 'ct timeout': {
      const { name, protocol, policy } = node as CtTimeoutNode;
      const proto = ctProtocol(protocol);
      const times = new Map(policy?.map(({ state, value }) => [state, value * 1000]));
      return new CtTimeoutExpr(name, proto, timeoutPolicy(proto, times));
    }
    case 'ct expectation': {
      const { protocol, dport, timeout, size, l3proto } = node as CtExpectationNode;
      return new CtExpectExpr({
        proto: ctProtocol(protocol),
        port: dport ?? 0,
        // The kernel takes nft's milliseconds for seconds (measured: "2m" is 120,000 s).
        timeout: Number(timeout ?? 0) * 1000,
        size: size ?? 0,
        family: (l3proto ?? family) === 'ip6' ? AF_INET6 : AF_INET,
      });
    }
    case 'synproxy': {
      const { synproxy } = node as SynproxyNode;
      return synproxy === undefined ? new UnknownExpr('synproxy without settings') : synproxyExpr(synproxy);
    }
    default:
      return new IgnoredExpr(object.kind);
  }
}

function lowerRule(about: LowerTable, source: NftRule, family: Family): Rule {
  const rule = lowerStatements(about, statementsOf(source), source.at, family);
  rule.handle = source.handle;
  return rule;
}

function lowerStatements(
  about: LowerTable,
  statements: readonly StmtNode[],
  at: Span | null,
  family: Family,
): Rule {
  const items = mergePayloads(statements);
  const out: Out = { exprs: [], about };
  let network: 'ip' | 'ip6' = 'ip';
  const firsts = items.map((item) => {
    const first = out.exprs.length;
    if ('merged' in item) lowerMerged(out, item.merged);
    else {
      network = networkAfter(item.stmt, network);
      lowerStatement(out, item.stmt, network);
    }
    return first;
  });
  // A copy: an array that was pushed to has room for many more.
  return new Rule(out.exprs.slice(), at, () =>
    ruleParts(canonicalParts(family, mergePayloads(statements)), firsts, family),
  );
}

/** Which addresses a statement's packets have, where it says so. */
function networkAfter(stmt: StmtNode, before: 'ip' | 'ip6'): 'ip' | 'ip6' {
  if (!('match' in stmt) || stmt.match.op !== '==') return before;
  const { left, right } = stmt.match;
  if ('payload' in left && left.payload.protocol === 'ip6') return 'ip6';
  if (!('meta' in left) || left.meta.key !== 'nfproto' || !('constant' in right)) return before;
  return right.constant.value === 10n ? 'ip6' : 'ip';
}

/** Texts with the expressions that they stand for; what is not listed belongs to what comes behind it. */
function ruleParts(parts: readonly CanonicalPart[], firsts: readonly number[], family: Family): RulePart[] {
  const out: { first: number; text: string }[] = [];
  let next = 0;
  let last = -1;
  for (const { stmt, item } of parts) {
    const text = listStatement(stmt, family);
    if (item === last) {
      const before = out.at(-1)!;
      before.text = `${before.text} ${text}`;
      continue;
    }
    out.push({ first: firsts[next] ?? 0, text });
    next = item + 1;
    last = item;
  }
  return out;
}
