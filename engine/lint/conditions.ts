import type { Rule } from '../rules/chain.ts';
import {
  NFT_CT_EXPIRATION,
  NFT_CT_MARK,
  NFT_CT_STATE,
  NFT_CT_STATUS,
  NFT_CT_ZONE,
} from '../rules/ct-keys.ts';
import type { AskedPorts, Expr } from '../rules/expr.ts';
import { registerOffset } from '../rules/expr.ts';
import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import { ByteorderExpr } from '../rules/expr-byteorder.ts';
import { CmpExpr, NFT_CMP_EQ, NFT_CMP_GT, NFT_CMP_GTE, NFT_CMP_LT, NFT_CMP_NEQ } from '../rules/expr-cmp.ts';
import { CtExpr } from '../rules/expr-ct.ts';
import { LookupExpr } from '../rules/expr-lookup.ts';
import { MetaExpr } from '../rules/expr-meta.ts';
import { NFT_PAYLOAD_TRANSPORT_HEADER, PayloadExpr } from '../rules/expr-payload.ts';
import { NFT_RANGE_EQ, RangeExpr } from '../rules/expr-range.ts';
import {
  NFT_META_IIF,
  NFT_META_LEN,
  NFT_META_MARK,
  NFT_META_OIF,
  NFT_META_PRANDOM,
  NFT_META_PRIORITY,
} from '../rules/meta-keys.ts';
import { complement, intersect, normalised, type Ranges } from './ranges.ts';

/** Fields are compared as numbers of this many bits, left-aligned, so that a prefix is a range of its field. */
export const FIELD_BITS = 128;
const BITS = BigInt(FIELD_BITS);
const MOST = (1n << BITS) - 1n;

/** Key of the ct state in {@link Conditions.fields}. */
export const CT_STATE_FIELD: string = `ct ${NFT_CT_STATE} -1`;
/** The bits of `ct state`, of which a packet has one: invalid, established, related, new, untracked. */
export const CT_STATES: Readonly<
  Record<'invalid' | 'established' | 'related' | 'new' | 'untracked', bigint>
> = {
  invalid: 1n,
  established: 2n,
  related: 4n,
  new: 8n,
  untracked: 64n,
};

const STATE_POINTS: Ranges = Object.values(CT_STATES).map((bit) => [bit, bit] as const);

/** Numbers in the machine's byte order. All others are bytes as they stand in packets, or names. */
const HOST_META = new Set([NFT_META_LEN, NFT_META_PRIORITY, NFT_META_MARK, NFT_META_IIF, NFT_META_OIF]);
const HOST_CT = new Set([NFT_CT_STATE, NFT_CT_STATUS, NFT_CT_MARK, NFT_CT_EXPIRATION, NFT_CT_ZONE]);

/** Expressions that neither match nor decide. */
const SILENT = new Set(['counter', 'log', 'last', 'notrack', 'immediate', 'target']);
/** Expressions whose answer is not the same for equal packets. */
const STATEFUL = new Set([
  'limit',
  'quota',
  'connlimit',
  'dynset',
  'numgen',
  'objref',
  'unknown',
  'synproxy',
]);
/** Matches of xtables of which the same is true. */
const STATEFUL_MATCH =
  /^(! )?-m (hashlimit|limit|recent|statistic|connlimit|quota|rateest|connbytes|time|set|nfacct|bpf|cpu)\b/;

/** What a packet must be like for a rule to match it. */
export interface Conditions {
  /** By field; a packet's value must be in the ranges. */
  readonly fields: ReadonlyMap<string, Ranges>;
  /** Text of conditions that are not looked into. */
  readonly opaque: ReadonlySet<string>;
  /** Whether equal packets may be treated differently (limits, counts, chance), or something is unknown. */
  readonly fickle: boolean;
}

/** What a register holds. */
interface Loaded {
  readonly key: string;
  /** Whether its number has the machine's byte order. */
  readonly host: boolean;
  /** Bits of it that count, null for all. */
  readonly mask: Uint8Array | null;
}

function number(bytes: Uint8Array, reversed: boolean): bigint {
  let value = 0n;
  for (const byte of reversed ? [...bytes].reverse() : bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** A span of values of so many bytes as a span of the field, which may be longer. */
function leftAligned(lo: bigint, hi: bigint, bytes: number): readonly [bigint, bigint] {
  const shift = BITS - BigInt(8 * bytes);
  return [lo << shift, (hi << shift) | ((1n << shift) - 1n)];
}

/** Number of bits of a mask that is a prefix, -1 if it is none. */
function prefixLength(mask: Uint8Array): number {
  const bits = [...mask].map((b) => b.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.replace(/0/g, '').length : -1;
}

class Reader {
  readonly fields: Map<string, Ranges> = new Map();
  readonly opaque: Set<string> = new Set();
  fickle = false;
  private readonly rule: Rule;
  private readonly loaded: Map<number, Loaded | null> = new Map();
  private part = 0;

  constructor(rule: Rule) {
    this.rule = rule;
  }

  read(): void {
    const { exprs, parts } = this.rule;
    for (const [i, expr] of exprs.entries()) {
      while (parts[this.part + 1] !== undefined && parts[this.part + 1]!.first <= i) this.part++;
      this.one(expr);
    }
  }

  private one(expr: Expr): void {
    if (expr instanceof PayloadExpr) this.load(expr.dreg, `payload ${expr.base} ${expr.offset}`, false);
    else if (expr instanceof MetaExpr) {
      if (expr.key === NFT_META_PRANDOM) this.fickle = true;
      this.load(expr.dreg, `meta ${expr.key}`, HOST_META.has(expr.key));
    } else if (expr instanceof CtExpr)
      this.load(expr.dreg, `ct ${expr.key} ${expr.dir}`, HOST_CT.has(expr.key));
    else if (expr instanceof ByteorderExpr) this.reorder(expr);
    else if (expr instanceof BitwiseExpr) this.masked(expr);
    else if (expr instanceof CmpExpr) this.compared(expr);
    else if (expr instanceof RangeExpr) this.ranged(expr);
    else if (expr instanceof LookupExpr) this.lookedUp(expr);
    else this.other(expr);
  }

  private load(reg: number, key: string, host: boolean): void {
    this.loaded.set(registerOffset(reg), { key, host, mask: null });
  }

  private other(expr: Expr): void {
    if (SILENT.has(expr.name)) return;
    if (expr.askedPorts !== undefined) {
      this.portsAsked(expr.askedPorts);
      return;
    }
    const text = this.rule.parts[this.part]?.text ?? '';
    if (STATEFUL.has(expr.name) || STATEFUL_MATCH.test(text)) this.fickle = true;
    const { dreg } = expr as { dreg?: number };
    if (dreg !== undefined) this.loaded.set(registerOffset(dreg), null);
    else this.hide();
  }

  private portsAsked({ offset, ranges, inverted }: AskedPorts): void {
    const asked = normalised(ranges.map(([from, to]) => leftAligned(BigInt(from), BigInt(to), 2)));
    const key = `payload ${NFT_PAYLOAD_TRANSPORT_HEADER} ${offset}`;
    this.restrict(key, inverted ? complement(asked, MOST) : asked);
  }

  /** A condition that is not looked into. */
  private hide(): void {
    this.opaque.add(this.rule.parts[this.part]?.text ?? '');
  }

  private reorder(expr: ByteorderExpr): void {
    const from = this.loaded.get(registerOffset(expr.sreg)) ?? null;
    this.loaded.set(registerOffset(expr.dreg), from && { ...from, host: !from.host });
  }

  private masked(expr: BitwiseExpr): void {
    const from = this.loaded.get(registerOffset(expr.sreg)) ?? null;
    const plain = from !== null && from.mask === null && expr.xor.every((b) => b === 0);
    this.loaded.set(registerOffset(expr.dreg), plain ? { ...from, mask: expr.mask } : null);
  }

  private compared({ sreg, op, data }: CmpExpr): void {
    const from = this.loaded.get(registerOffset(sreg)) ?? null;
    if (from === null || data.length > 16) this.hide();
    else if (from.mask === null) this.comparedWhole(from, op, data, data.length * 8);
    else if (from.key === CT_STATE_FIELD) this.states(from.mask, op, data);
    else if (from.host || prefixLength(from.mask) < 0) this.maskedValue(from, op, data);
    else this.comparedWhole(from, op, data, prefixLength(from.mask));
  }

  /** @param prefix bits that count, from the left */
  private comparedWhole(from: Loaded, op: number, data: Uint8Array, prefix: number): void {
    const value = number(data, from.host && from.mask === null);
    const rest = (1n << BigInt(8 * data.length - prefix)) - 1n;
    const [lo, hi] = leftAligned(value, value | rest, data.length);
    this.restrict(from.key, ordered(op, lo, hi));
  }

  /** `ct state & mask` against nothing: one of the states, or none of them. */
  private states(mask: Uint8Array, op: number, data: Uint8Array): void {
    const bits = number(mask, true);
    const some = op === NFT_CMP_NEQ;
    if (number(data, true) !== 0n || (op !== NFT_CMP_EQ && !some)) this.hide();
    else this.restrictStates(STATE_POINTS.filter(([bit]) => ((bits & bit) !== 0n) === some));
  }

  /** Bits in the middle of a field are a field of their own. */
  private maskedValue(from: Loaded, op: number, data: Uint8Array): void {
    const key = `${from.key} & ${from.mask!.join('.')}`;
    const [lo, hi] = leftAligned(number(data, false), number(data, false), data.length);
    if (op === NFT_CMP_EQ || op === NFT_CMP_NEQ) this.restrict(key, ordered(op, lo, hi));
    else this.hide();
  }

  private ranged({ sreg, op, from: lo, to: hi }: RangeExpr): void {
    const from = this.loaded.get(registerOffset(sreg)) ?? null;
    if (from === null || from.mask !== null || lo.length > 16) {
      this.hide();
      return;
    }
    const one = leftAligned(number(lo, from.host), number(hi, from.host), lo.length);
    this.restrict(from.key, op === NFT_RANGE_EQ ? [one] : complement([one], MOST));
  }

  private lookedUp(expr: LookupExpr): void {
    const from = this.loaded.get(registerOffset(expr.sreg)) ?? null;
    const { spec } = expr.set;
    const anonymous = spec.name.startsWith('__');
    const several = (spec.fields?.length ?? 1) > 1;
    if (
      expr.dreg !== null ||
      from === null ||
      from.mask !== null ||
      several ||
      spec.keyLen > 16 ||
      !anonymous
    ) {
      this.hide();
      return;
    }
    const found = normalised(
      expr.set.elements(0).map((e) => {
        const end = e.keyEnd ?? e.key;
        return leftAligned(number(e.key, from.host), number(end, from.host), e.key.length);
      }),
    );
    this.restrict(from.key, expr.invert ? complement(found, MOST) : found);
  }

  private restrictStates(points: Ranges): void {
    this.fields.set(CT_STATE_FIELD, intersect(this.fields.get(CT_STATE_FIELD) ?? STATE_POINTS, points));
  }

  private restrict(key: string, ranges: Ranges): void {
    if (key !== CT_STATE_FIELD) {
      this.fields.set(key, intersect(this.fields.get(key) ?? [[0n, MOST]], ranges));
      return;
    }
    const shift = BITS - 32n;
    this.restrictStates(
      STATE_POINTS.filter(([bit]) => ranges.some(([lo, hi]) => lo <= bit << shift && bit << shift <= hi)),
    );
  }
}

/** The values for which `value op [lo, hi]` holds. */
function ordered(op: number, lo: bigint, hi: bigint): Ranges {
  if (op === NFT_CMP_EQ) return [[lo, hi]];
  if (op === NFT_CMP_NEQ) return complement([[lo, hi]], MOST);
  if (op === NFT_CMP_LT) return lo === 0n ? [] : [[0n, lo - 1n]];
  if (op === NFT_CMP_GT) return hi === MOST ? [] : [[hi + 1n, MOST]];
  return op === NFT_CMP_GTE ? [[lo, MOST]] : [[0n, hi]];
}

/** What a packet must be like for a rule to match it, as far as its expressions can be looked into. */
export function conditionsOf(rule: Rule): Conditions {
  const reader = new Reader(rule);
  reader.read();
  return reader;
}

/** Whether the only value of a field that a rule lets through is this one, of so many bytes. */
export function isOnly(conditions: Conditions, key: string, value: number, bytes: number): boolean {
  const ranges = conditions.fields.get(key);
  const [lo, hi] = leftAligned(BigInt(value), BigInt(value), bytes);
  return ranges?.length === 1 && ranges[0]![0] === lo && ranges[0]![1] === hi;
}

/** Whether a rule lets a value of a field through, of so many bytes; true if it does not look at the field. */
export function lets(conditions: Conditions, key: string, value: number, bytes: number): boolean {
  const [lo, hi] = leftAligned(BigInt(value), BigInt(value), bytes);
  const ranges = conditions.fields.get(key);
  return ranges === undefined || intersect(ranges, [[lo, hi]]).length > 0;
}
