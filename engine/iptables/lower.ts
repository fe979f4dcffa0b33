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
import { ProtocolMatch } from './match-protocol.ts';
import { loweringContext, type Negatable, type XtRule, type XtRuleSpec, type XtTarget } from './rule.ts';
import { ruleParts, type SaveScope } from './save.ts';
import type { XtChain, XtTable } from './table.ts';

/** The register that all tests use, as iptables-nft does. */
const REG = 1;
/** What no device is called: iptables-nft compares with it where a test can never hold. */
const NO_DEVICE = 'INVAL/D';
const VERDICTS = { ACCEPT: NF_ACCEPT, DROP: NF_DROP, RETURN: NFT_RETURN, QUEUE: NF_QUEUE };

// What remembers nothing is made once and stands in many rules.
const LOAD_IIFNAME = new MetaExpr(REG, NFT_META_IIFNAME);
const LOAD_OIFNAME = new MetaExpr(REG, NFT_META_OIFNAME);
const LOAD_L4PROTO = new MetaExpr(REG, NFT_META_L4PROTO);
const ADDRESS_LOADS = new Map<number, PayloadExpr>();
const PROTOCOLS = new Map<number, CmpExpr>();
const ACCEPT = new VerdictExpr(NF_ACCEPT);
const DROP = new VerdictExpr(NF_DROP);

function loadAddress(offset: number, length: number): PayloadExpr {
  const key = offset * 64 + length;
  let load = ADDRESS_LOADS.get(key);
  if (load === undefined) {
    load = new PayloadExpr(REG, NFT_PAYLOAD_NETWORK_HEADER, offset, length);
    ADDRESS_LOADS.set(key, load);
  }
  return load;
}

function cmp(test: Negatable<unknown>, data: Uint8Array): CmpExpr {
  return new CmpExpr(REG, test.inverted ? NFT_CMP_NEQ : NFT_CMP_EQ, data);
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

/** -i, -o: `eth+` compares the bytes before the +, a whole name also the zero behind it. */
function deviceExprs(test: Negatable<string>, load: MetaExpr): Expr[] {
  const { value, inverted } = test;
  if (value === '+') {
    if (!inverted) return [];
    return [load, new CmpExpr(REG, NFT_CMP_EQ, ascii(`${NO_DEVICE}\0`))];
  }
  return [load, cmp(test, ascii(value.endsWith('+') ? value.slice(0, -1) : `${value}\0`))];
}

/** -s, -d: a prefix of whole bytes is compared as it is, all else after masking. */
function addressExprs(test: Negatable<XtAddress>, offset: number): Expr[] {
  const { addr, mask } = test.value;
  const bytes = wordBytes(addr);
  const length = maskLength(mask);
  if (length !== undefined && length > 0 && length % 8 === 0) {
    const count = length / 8;
    return [loadAddress(offset, count), cmp(test, count === bytes.length ? bytes : bytes.slice(0, count))];
  }
  return [
    loadAddress(offset, bytes.length),
    new BitwiseExpr(REG, REG, bytes.length, wordBytes(mask), new Uint8Array(bytes.length)),
    cmp(test, bytes),
  ];
}

function fragmentExprs(test: Negatable<true>): Expr[] {
  return [
    new PayloadExpr(REG, NFT_PAYLOAD_NETWORK_HEADER, 6, 2),
    new BitwiseExpr(REG, REG, 2, Uint8Array.of(0x1f, 0xff), new Uint8Array(2)),
    new CmpExpr(REG, test.inverted ? NFT_CMP_EQ : NFT_CMP_NEQ, new Uint8Array(2)),
  ];
}

function protocolExprs(test: Negatable<number>, ctx: XtLowering): Expr[] {
  if (ctx.backend === 'legacy' && ctx.family !== NFPROTO_IPV4)
    return [new ProtocolMatch(test.value, test.inverted)];
  if (test.inverted) return [LOAD_L4PROTO, cmp(test, Uint8Array.of(test.value))];
  let equals = PROTOCOLS.get(test.value);
  if (equals === undefined) {
    equals = cmp(test, Uint8Array.of(test.value));
    PROTOCOLS.set(test.value, equals);
  }
  return [LOAD_L4PROTO, equals];
}

function targetExprs(target: XtTarget, ctx: XtLowering, chains: ReadonlyMap<string, Chain>): readonly Expr[] {
  switch (target.kind) {
    case 'none':
      return [];
    case 'verdict':
      if (target.name === 'ACCEPT') return [ACCEPT];
      return [target.name === 'DROP' ? DROP : new VerdictExpr(VERDICTS[target.name])];
    case 'chain':
      return [new VerdictExpr(target.goto ? NFT_GOTO : NFT_JUMP, chains.get(target.name)!)];
    default:
      return target.use.ext.lower(target.use.spec, ctx);
  }
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

/** A part of a rule whose text is made when someone asks: few ever do. */
class XtPart implements RulePart {
  readonly first: number;
  private readonly only: Partial<XtRuleSpec>;
  private readonly ctx: XtLowering;

  constructor(first: number, only: Partial<XtRuleSpec>, ctx: XtLowering) {
    this.first = first;
    this.only = only;
    this.ctx = ctx;
  }

  get text(): string {
    return ruleParts({ ...EMPTY, ...this.only }, this.ctx).join(' ');
  }
}

/** A rule as it runs. */
export function lowerRule(rule: XtRule, ctx: XtLowering, chains: ReadonlyMap<string, Chain>): Rule {
  const { spec } = rule;
  const exprs: Expr[] = [];
  const parts: RulePart[] = [];
  const part = (only: Partial<XtRuleSpec>, what: readonly Expr[]): void => {
    if (what.length === 0) return;
    parts.push(new XtPart(exprs.length, only, ctx));
    exprs.push(...what);
  };
  // In the order in which iptables-nft makes the tests (measured).
  const { inDevice, outDevice, proto, src, dst, fragment } = spec;
  const [source, destination] = ctx.family === NFPROTO_IPV4 ? [12, 16] : [8, 24];
  if (inDevice !== null) part({ inDevice }, deviceExprs(inDevice, LOAD_IIFNAME));
  if (outDevice !== null) part({ outDevice }, deviceExprs(outDevice, LOAD_OIFNAME));
  // ip6tables-legacy looks for the protocol behind extension headers, and only after addresses and devices (measured).
  const late = ctx.backend === 'legacy' && ctx.family !== NFPROTO_IPV4;
  if (proto !== null && !late) part({ proto }, protocolExprs(proto, ctx));
  if (src !== null) part({ src }, addressExprs(src, source));
  if (dst !== null) part({ dst }, addressExprs(dst, destination));
  if (proto !== null && late) part({ proto }, protocolExprs(proto, ctx));
  if (fragment !== null) part({ fragment }, fragmentExprs(fragment));
  for (const use of spec.matches) part({ matches: [use] }, use.ext.lower(use.spec, ctx));
  part({ target: spec.target }, targetExprs(spec.target, ctx, chains));
  const out = new Rule(exprs, rule.at, parts);
  out.counters = rule.counters;
  return out;
}

/** Measured in 1.8.9: the nft variant puts `security` behind source translation, the kernel's own table stands before it. */
const NFT_SECURITY = 150;

function baseOf(chain: XtChain, table: string, backend: SaveScope['backend']): BaseChain | null {
  if (chain.builtin === null) return null;
  const { hook } = chain.builtin;
  const priority = table === 'security' && backend === 'nft' ? NFT_SECURITY : chain.builtin.priority;
  const route = table === 'mangle' && hook === NF_INET_LOCAL_OUT;
  const type = table === 'nat' ? 'nat' : route ? 'route' : 'filter';
  return { type, hook, priority, policy: chain.policy === 'DROP' ? NF_DROP : NF_ACCEPT, devices: [] };
}

/** A table as it runs. What was lowered before is kept where it says the same, and with it what it remembers. */
export function lowerTable(table: XtTable, scope: SaveScope): RuleTable {
  const chains = new Map<string, Chain>();
  const out: RuleTable = { family: scope.family, name: table.name, backend: scope.backend, chains };
  for (const chain of table.chains.values()) {
    const made = new Chain(out, chain.name, baseOf(chain, table.name, scope.backend));
    made.at = chain.at;
    chains.set(chain.name, made);
  }
  const about = { ...scope, table: table.name };
  for (const chain of table.chains.values()) {
    const lowered = chains.get(chain.name)!;
    if (chain.builtin !== null && (scope.backend === 'legacy' || chain.hasPolicy))
      lowered.policyCounters = chain.counters;
    lowered.rules = chain.rules.map((rule) => {
      if (rule.lowered === null || rule.spec.target.kind === 'chain')
        rule.lowered = lowerRule(rule, loweringContext(about, rule.spec.proto, chain.name), chains);
      return rule.lowered;
    });
  }
  return out;
}
