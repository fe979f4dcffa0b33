/** Rulesets as nft's text and as what they mean, side by side, without a parser in between. */
import { Chain, Rule, type RuleTable } from '../../engine/rules/chain.ts';
import { NFT_CT_STATE } from '../../engine/rules/ct-keys.ts';
import type { Expr } from '../../engine/rules/expr.ts';
import { BitwiseExpr } from '../../engine/rules/expr-bitwise.ts';
import { CmpExpr, NFT_CMP_EQ, NFT_CMP_NEQ } from '../../engine/rules/expr-cmp.ts';
import { CtExpr } from '../../engine/rules/expr-ct.ts';
import { LogExpr } from '../../engine/rules/expr-log.ts';
import { MetaExpr } from '../../engine/rules/expr-meta.ts';
import { NotrackExpr } from '../../engine/rules/expr-notrack.ts';
import { NFT_PAYLOAD_TRANSPORT_HEADER, PayloadExpr } from '../../engine/rules/expr-payload.ts';
import { RejectExpr } from '../../engine/rules/expr-reject.ts';
import { VerdictExpr } from '../../engine/rules/expr-verdict.ts';
import { NFPROTO_INET } from '../../engine/rules/family.ts';
import { NFT_META_L4PROTO } from '../../engine/rules/meta-keys.ts';
import { NF_ACCEPT, NF_DROP } from '../../engine/rules/verdict.ts';

/** One rule both ways. */
export interface RulePair {
  readonly text: string;
  readonly exprs: readonly Expr[];
}

/** A base chain both ways. */
export interface ChainPair {
  readonly name: string;
  readonly type: 'filter' | 'nat';
  readonly hook: 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
  readonly rules: readonly RulePair[];
}

const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting'];
/** NF_CT_STATE_BIT. */
const STATES: Readonly<Record<string, number>> = {
  invalid: 1,
  established: 2,
  related: 4,
  new: 8,
  untracked: 64,
};

/** `log prefix "…"`. */
export function log(prefix: string): RulePair {
  return { text: `log prefix "${prefix} "`, exprs: [new LogExpr({ prefix: `${prefix} ` })] };
}

/** `ct state … log prefix "…"`. */
export function logState(state: string, prefix: string): RulePair {
  const exprs = [
    new CtExpr(1, NFT_CT_STATE),
    new BitwiseExpr(1, 1, 4, Uint8Array.of(STATES[state]!, 0, 0, 0), new Uint8Array(4)),
    new CmpExpr(1, NFT_CMP_NEQ, new Uint8Array(4)),
    new LogExpr({ prefix: `${prefix} ` }),
  ];
  return { text: `ct state ${state} log prefix "${prefix} "`, exprs };
}

/** All states that log themselves. */
export function logStates(prefix: string): RulePair[] {
  return Object.keys(STATES).map((state) => logState(state, `${prefix}-${state}`));
}

/** A statement that ends or changes the packet's way. */
export function statement(text: string): RulePair {
  const codes: Readonly<Record<string, number>> = {
    'no-route': 0,
    'port-unreachable': 1,
    'host-unreachable': 2,
    'admin-prohibited': 3,
  };
  const exprs: Readonly<Record<string, () => Expr>> = {
    accept: () => new VerdictExpr(NF_ACCEPT),
    drop: () => new VerdictExpr(NF_DROP),
    notrack: () => new NotrackExpr(),
    'reject with tcp reset': () => new RejectExpr(1, 0),
  };
  const make = exprs[text] ?? (() => new RejectExpr(2, codes[text.split(' ').at(-1)!]!));
  return { text, exprs: [make()] };
}

/** A rule for one in four packets of a protocol, by the low bits of its destination port (or ICMP's checksum). */
export function sometimes(proto: number, remainder: number, then: RulePair): RulePair {
  return {
    text: `meta l4proto ${proto} @th,16,16 & 0x3 == ${remainder} ${then.text}`,
    exprs: [
      new MetaExpr(1, NFT_META_L4PROTO),
      new CmpExpr(1, NFT_CMP_EQ, Uint8Array.of(proto)),
      new PayloadExpr(1, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2),
      new BitwiseExpr(1, 1, 2, Uint8Array.of(0, 3), new Uint8Array(2)),
      new CmpExpr(1, NFT_CMP_EQ, Uint8Array.of(0, remainder)),
      ...then.exprs,
    ],
  };
}

/** The table `inet t` as nft reads it. */
export function textOf(chains: readonly ChainPair[]): string {
  const lines = chains.map(
    ({ name, type, hook, priority, policy, rules }) =>
      `chain ${name} {\n type ${type} hook ${hook} priority ${priority}; policy ${policy};\n${rules
        .map(({ text }) => ` ${text}\n`)
        .join('')}}\n`,
  );
  return `table inet t {\n${lines.join('')}}\n`;
}

/** The same as keepstate runs it. */
export function tableOf(chains: readonly ChainPair[]): RuleTable {
  const made = new Map<string, Chain>();
  const table: RuleTable = { family: NFPROTO_INET, name: 't', backend: 'nft', chains: made };
  for (const { name, type, hook, priority, policy, rules } of chains) {
    const base = {
      type,
      hook: HOOKS.indexOf(hook),
      priority,
      policy: policy === 'accept' ? NF_ACCEPT : NF_DROP,
      devices: [],
    };
    const chain = new Chain(table, name, base);
    chain.rules = rules.map(({ exprs }) => new Rule(exprs, null, []));
    made.set(name, chain);
  }
  return table;
}
