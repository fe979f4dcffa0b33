import { type BaseChain, Chain, Rule, type RulePart, type RuleTable } from '../rules/chain.ts';
import type { Expr } from '../rules/expr.ts';
import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import { CmpExpr, NFT_CMP_EQ, NFT_CMP_NEQ } from '../rules/expr-cmp.ts';
import { MetaExpr } from '../rules/expr-meta.ts';
import { NFT_PAYLOAD_NETWORK_HEADER, PayloadExpr } from '../rules/expr-payload.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import { NF_INET_LOCAL_OUT, NFPROTO_IPV4 } from '../rules/family.ts';
import { NFT_META_IIFNAME, NFT_META_L4PROTO, NFT_META_OIFNAME } from '../rules/meta-keys.ts';
import { NF_ACCEPT, NF_DROP, NF_QUEUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from '../rules/verdict.ts';
import { maskLength, wordBytes, type XtAddress } from './address.ts';
import type { XtLowering } from './extension.ts';
import { type Negatable, ruleContext, type XtRule, type XtRuleSpec, type XtTarget } from './rule.ts';
import { ruleParts, type SaveScope } from './save.ts';
import type { XtChain, XtTable } from './table.ts';

/** What the kernel gets when a table is lowered. */
export interface LowerScope extends SaveScope {
  readonly backend: 'nft' | 'legacy';
}

/** The register that all tests use, as iptables-nft does. */
const REG = 1;
/** What no device is called: iptables-nft compares with it where a test can never hold. */
const NO_DEVICE = 'INVAL/D';
const VERDICTS = { ACCEPT: NF_ACCEPT, DROP: NF_DROP, RETURN: NFT_RETURN, QUEUE: NF_QUEUE };

function cmp(test: Negatable<unknown>, data: Uint8Array): CmpExpr {
  return new CmpExpr(REG, test.inverted ? NFT_CMP_NEQ : NFT_CMP_EQ, data);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** -i, -o: `eth+` compares the bytes before the +, a whole name also the zero behind it. */
function deviceExprs(test: Negatable<string> | null, key: number): Expr[] {
  if (test === null) return [];
  const { value, inverted } = test;
  if (value === '+') {
    if (!inverted) return [];
    return [new MetaExpr(REG, key), new CmpExpr(REG, NFT_CMP_EQ, ascii(`${NO_DEVICE}\0`))];
  }
  return [new MetaExpr(REG, key), cmp(test, ascii(value.endsWith('+') ? value.slice(0, -1) : `${value}\0`))];
}

/** -s, -d: a prefix of whole bytes is compared as it is, all else after masking. */
function addressExprs(test: Negatable<XtAddress> | null, offset: number): Expr[] {
  if (test === null) return [];
  const { addr, mask } = test.value;
  const bytes = wordBytes(addr);
  const length = maskLength(mask);
  if (length !== undefined && length > 0 && length % 8 === 0) {
    const count = length / 8;
    return [
      new PayloadExpr(REG, NFT_PAYLOAD_NETWORK_HEADER, offset, count),
      cmp(test, bytes.slice(0, count)),
    ];
  }
  return [
    new PayloadExpr(REG, NFT_PAYLOAD_NETWORK_HEADER, offset, bytes.length),
    new BitwiseExpr(REG, REG, bytes.length, wordBytes(mask), new Uint8Array(bytes.length)),
    cmp(test, bytes),
  ];
}

function fragmentExprs(test: Negatable<true> | null): Expr[] {
  if (test === null) return [];
  return [
    new PayloadExpr(REG, NFT_PAYLOAD_NETWORK_HEADER, 6, 2),
    new BitwiseExpr(REG, REG, 2, Uint8Array.of(0x1f, 0xff), new Uint8Array(2)),
    new CmpExpr(REG, test.inverted ? NFT_CMP_EQ : NFT_CMP_NEQ, new Uint8Array(2)),
  ];
}

function protocolExprs(test: Negatable<number> | null): Expr[] {
  return test === null ? [] : [new MetaExpr(REG, NFT_META_L4PROTO), cmp(test, Uint8Array.of(test.value))];
}

function targetExprs(target: XtTarget, ctx: XtLowering, chains: ReadonlyMap<string, Chain>): readonly Expr[] {
  switch (target.kind) {
    case 'none':
      return [];
    case 'verdict':
      return [new VerdictExpr(VERDICTS[target.name])];
    case 'chain':
      return [new VerdictExpr(target.goto ? NFT_GOTO : NFT_JUMP, chains.get(target.name)!)];
    default:
      return target.use.ext.lower(target.use.spec, ctx);
  }
}

/** The tests of iptables itself, in the order in which iptables-nft makes them (measured). */
function ownTests(spec: XtRuleSpec, family: number): [Partial<XtRuleSpec>, Expr[]][] {
  const [source, destination] = family === NFPROTO_IPV4 ? [12, 16] : [8, 24];
  return [
    [{ inDevice: spec.inDevice }, deviceExprs(spec.inDevice, NFT_META_IIFNAME)],
    [{ outDevice: spec.outDevice }, deviceExprs(spec.outDevice, NFT_META_OIFNAME)],
    [{ proto: spec.proto }, protocolExprs(spec.proto)],
    [{ src: spec.src }, addressExprs(spec.src, source)],
    [{ dst: spec.dst }, addressExprs(spec.dst, destination)],
    [{ fragment: spec.fragment }, fragmentExprs(spec.fragment)],
  ];
}

const EMPTY: XtRuleSpec = {
  src: null,
  dst: null,
  inDevice: null,
  outDevice: null,
  proto: null,
  fragment: null,
  matches: [],
  target: { kind: 'none' },
};

/** A rule as it runs. */
export function lowerRule(rule: XtRule, ctx: XtLowering, chains: ReadonlyMap<string, Chain>): Rule {
  const { spec } = rule;
  const exprs: Expr[] = [];
  const parts: RulePart[] = [];
  const part = (only: Partial<XtRuleSpec>, what: readonly Expr[]): void => {
    if (what.length === 0) return;
    parts.push({ first: exprs.length, text: ruleParts({ ...EMPTY, ...only }, ctx).join(' ') });
    exprs.push(...what);
  };
  for (const [only, what] of ownTests(spec, ctx.family)) part(only, what);
  for (const use of spec.matches) part({ matches: [use] }, use.ext.lower(use.spec, ctx));
  part({ target: spec.target }, targetExprs(spec.target, ctx, chains));
  const out = new Rule(exprs, rule.at, parts);
  out.counters = rule.counters;
  return out;
}

function baseOf(chain: XtChain, table: string): BaseChain | null {
  if (chain.builtin === null) return null;
  const { hook, priority } = chain.builtin;
  const route = table === 'mangle' && hook === NF_INET_LOCAL_OUT;
  const type = table === 'nat' ? 'nat' : route ? 'route' : 'filter';
  return { type, hook, priority, policy: chain.policy === 'DROP' ? NF_DROP : NF_ACCEPT, devices: [] };
}

/** A table as it runs. What was lowered before is kept where it says the same, and with it what it remembers. */
export function lowerTable(table: XtTable, scope: LowerScope): RuleTable {
  const chains = new Map<string, Chain>();
  const out: RuleTable = { family: scope.family, name: table.name, backend: scope.backend, chains };
  for (const chain of table.chains.values()) {
    const made = new Chain(out, chain.name, baseOf(chain, table.name));
    made.at = chain.at;
    chains.set(chain.name, made);
  }
  for (const chain of table.chains.values()) {
    const lowered = chains.get(chain.name)!;
    if (chain.builtin !== null) lowered.policyCounters = chain.counters;
    lowered.rules = chain.rules.map((rule) => {
      const base = ruleContext(
        { family: scope.family, table: table.name, world: scope.world },
        rule.spec.proto,
      );
      const ctx: XtLowering = { ...base, backend: scope.backend, chain: chain.name };
      if (rule.lowered === null || rule.spec.target.kind === 'chain')
        rule.lowered = lowerRule(rule, ctx, chains);
      return rule.lowered;
    });
  }
  return out;
}
