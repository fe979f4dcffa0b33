import { NFT_CT_DIRECTION, NFT_CT_MARK, NFT_CT_STATE, NFT_CT_STATUS } from './ct-keys.ts';
import { IFNAMSIZ } from './device-name.ts';
import type { Expr } from './expr.ts';
import { BitwiseExpr } from './expr-bitwise.ts';
import { ByteorderExpr } from './expr-byteorder.ts';
import {
  CmpExpr,
  NFT_CMP_EQ,
  NFT_CMP_GT,
  NFT_CMP_GTE,
  NFT_CMP_LT,
  NFT_CMP_LTE,
  NFT_CMP_NEQ,
} from './expr-cmp.ts';
import { CtExpr } from './expr-ct.ts';
import { LookupExpr } from './expr-lookup.ts';
import { MetaExpr } from './expr-meta.ts';
import {
  NFT_PAYLOAD_INNER_HEADER,
  NFT_PAYLOAD_LL_HEADER,
  NFT_PAYLOAD_NETWORK_HEADER,
  PayloadExpr,
} from './expr-payload.ts';
import { NFT_RANGE_EQ, RangeExpr } from './expr-range.ts';
import * as M from './meta-keys.ts';
import type { RuleSet } from './set.ts';
import * as S from './source.ts';

/** A test of one source: (source & mask) lies in one of the ranges, or in none. */
export interface SourceTest {
  readonly slot: number;
  readonly mask: number;
  /** Pairs of lowest and highest number, unsigned, in order and apart. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly invert: boolean;
}

/** Expressions that were understood together: all tests must hold, or (`anyDiffers`) not all of them. */
export interface FusedTest {
  readonly tests: readonly SourceTest[];
  readonly anyDiffers: boolean;
  /** How many expressions it stands for. */
  readonly length: number;
}

/** A set of more elements than this is looked up rather than compared one by one. */
const SMALL_SET = 8;

/** What a load puts into its register: sources of up to four bytes, one behind the other. */
interface Loaded {
  readonly slots: readonly number[];
  readonly len: number;
  /** The register holds numbers in the kernel's own byte order. */
  readonly host: boolean;
}

const META_HOST: ReadonlySet<number> = new Set([
  M.NFT_META_LEN,
  M.NFT_META_PRIORITY,
  M.NFT_META_MARK,
  M.NFT_META_IIF,
  M.NFT_META_OIF,
]);
const META_BYTE: ReadonlySet<number> = new Set([M.NFT_META_NFPROTO, M.NFT_META_L4PROTO, M.NFT_META_PKTTYPE]);

function loadedBy(expr: Expr): Loaded | null {
  if (expr instanceof PayloadExpr) return loadedPayload(expr);
  if (expr instanceof MetaExpr) {
    const { key } = expr;
    if (META_HOST.has(key)) return one(S.SOURCE_META, key, 4, true);
    if (META_BYTE.has(key)) return one(S.SOURCE_META, key, 1, false);
    if (key === M.NFT_META_PROTOCOL) return one(S.SOURCE_META, key, 2, false);
    return null;
  }
  if (expr instanceof CtExpr) {
    const { key } = expr;
    if (key === NFT_CT_STATE || key === NFT_CT_STATUS || key === NFT_CT_MARK)
      return one(S.SOURCE_CT, key, 4, true);
    if (key === NFT_CT_DIRECTION) return one(S.SOURCE_CT, key, 1, false);
  }
  return null;
}

function one(kind: number, key: number, len: number, host: boolean): Loaded {
  return { slots: [S.sourceSlot(kind, key, len)], len, host };
}

function loadedPayload(expr: PayloadExpr): Loaded | null {
  const { base, offset, len } = expr;
  if (base >= NFT_PAYLOAD_INNER_HEADER || len > 16) return null;
  const kind =
    base === NFT_PAYLOAD_LL_HEADER
      ? S.SOURCE_LINK
      : base === NFT_PAYLOAD_NETWORK_HEADER
        ? S.SOURCE_NETWORK
        : S.SOURCE_TRANSPORT;
  const slots: number[] = [];
  for (let at = 0; at < len; at += 4) slots.push(S.sourceSlot(kind, offset + at, Math.min(4, len - at)));
  return { slots, len, host: false };
}

/** Bytes `at` to `at` + `len` of data as the number that their source has. */
function numberAt(bytes: Uint8Array, at: number, len: number, host: boolean): number {
  let out = 0;
  for (let i = 0; i < len; i++) {
    const byte = bytes[host ? at + len - 1 - i : at + i] ?? 0;
    out = out * 256 + byte;
  }
  return out;
}

/** The largest number of so many bytes. */
function most(len: number): number {
  return 256 ** len - 1;
}

/**
 * Understands a load, what is done to its value, and the comparison behind it as tests of sources.
 * @param exprs of a rule, `first` the load's place
 * @returns null if they are to be evaluated one by one
 */
export function fuse(exprs: readonly Expr[], first: number): FusedTest | null {
  const load = exprs[first]!;
  const name = fuseName(exprs, first);
  if (name !== null) return name;
  const loaded = loadedBy(load);
  if (loaded === null) return null;
  let reg = (load as PayloadExpr | MetaExpr | CtExpr).dreg;
  let at = first + 1;
  let bitwise: BitwiseExpr | null = null;
  let { host } = loaded;
  for (; at < exprs.length; at++) {
    const expr = exprs[at]!;
    if (expr instanceof BitwiseExpr && expr.sreg === reg && bitwise === null && expr.len === loaded.len) {
      // A mask behind a change of byte order is one of the changed value; no tool makes that.
      if (host !== loaded.host) return null;
      bitwise = expr;
      reg = expr.dreg;
    } else if (expr instanceof ByteorderExpr && expr.sreg === reg && host && expr.size === loaded.len) {
      host = false;
      reg = expr.dreg;
    } else break;
  }
  const last = exprs[at];
  if (last === undefined || (last as CmpExpr).sreg !== reg) return null;
  const value: Value = { loaded, bitwise, host, swapped: host !== loaded.host };
  const tests = testsOf(last, value);
  if (tests === null || isReadAgain(exprs, at + 1)) return null;
  // Not spread: V8 makes a class of its own for each object that is.
  return { tests: tests.tests, anyDiffers: tests.anyDiffers, length: at - first + 1 };
}

interface Value {
  readonly loaded: Loaded;
  readonly bitwise: BitwiseExpr | null;
  /** Whether the register that is compared is in the kernel's own byte order. */
  readonly host: boolean;
  readonly swapped: boolean;
}

type Tests = Omit<FusedTest, 'length'>;

function testsOf(expr: Expr, value: Value): Tests | null {
  if (expr instanceof CmpExpr) {
    if (expr.op === NFT_CMP_EQ || expr.op === NFT_CMP_NEQ) return equalTests(expr, value);
    return single(value, orderRange(expr, value), false);
  }
  if (expr instanceof RangeExpr) {
    if (value.host || expr.from.length !== value.loaded.len || value.loaded.slots.length > 1) return null;
    const { len } = value.loaded;
    const range: [number, number] = [numberAt(expr.from, 0, len, false), numberAt(expr.to, 0, len, false)];
    return single(value, [range], expr.op !== NFT_RANGE_EQ);
  }
  if (expr instanceof LookupExpr && expr.dreg === null)
    return single(value, setRanges(expr.set, value), expr.invert);
  return null;
}

/** Equality, word by word. */
function equalTests(expr: CmpExpr, value: Value): Tests | null {
  const { loaded, bitwise, host } = value;
  const { length } = expr.data;
  if (length > loaded.len || (length !== loaded.len && bitwise !== null)) return null;
  const tests: SourceTest[] = [];
  for (let i = 0; i * 4 < length; i++) {
    const whole = Math.min(4, loaded.len - i * 4);
    const len = Math.min(4, length - i * 4);
    if (len !== whole && host) return null;
    // Of a value that is compared in part only the bytes in front count.
    const shift = 256 ** (whole - len);
    let mask = most(len) * shift;
    let wanted = numberAt(expr.data, i * 4, len, host) * shift;
    if (bitwise !== null) {
      mask = numberAt(bitwise.mask, i * 4, len, loaded.host);
      wanted = (wanted ^ numberAt(bitwise.xor, i * 4, len, loaded.host)) >>> 0;
    }
    tests.push({ slot: loaded.slots[i]!, mask, ranges: [[wanted, wanted]], invert: false });
  }
  if (expr.op === NFT_CMP_EQ) return { tests, anyDiffers: false };
  if (tests.length > 1) return { tests, anyDiffers: true };
  return { tests: [{ ...tests[0]!, invert: true }], anyDiffers: false };
}

function orderRange(expr: CmpExpr, value: Value): [number, number][] | null {
  const { len } = value.loaded;
  if (value.host || expr.data.length !== len || len > 4) return null;
  const bound = numberAt(expr.data, 0, len, false);
  switch (expr.op) {
    case NFT_CMP_LT:
      return bound === 0 ? [] : [[0, bound - 1]];
    case NFT_CMP_LTE:
      return [[0, bound]];
    case NFT_CMP_GT:
      return bound === most(len) ? [] : [[bound + 1, most(len)]];
    case NFT_CMP_GTE:
      return [[bound, most(len)]];
    default:
      return null;
  }
}

/** The elements of a small set that never changes, as ranges; null if it is to be looked up. */
function setRanges(set: RuleSet, value: Value): [number, number][] | null {
  const { spec } = set;
  if (spec.constant !== true || set.size > SMALL_SET || spec.map !== undefined) return null;
  if (spec.keyLen !== value.loaded.len || (spec.interval === true && value.host)) return null;
  const elements = set.elements(Number.NEGATIVE_INFINITY);
  if (elements.some((e) => e.catchall || e.timeout > 0 || e.exprs.length > 0)) return null;
  const ranges = elements.map(({ key, keyEnd }): [number, number] => [
    numberAt(key, 0, spec.keyLen, value.host),
    numberAt(keyEnd ?? key, 0, spec.keyLen, value.host),
  ]);
  return ranges.sort((a, b) => a[0] - b[0]);
}

/** A test of a value that fits one source. */
function single(value: Value, ranges: readonly [number, number][] | null, invert: boolean): Tests | null {
  const { loaded, bitwise } = value;
  if (ranges === null || loaded.slots.length > 1) return null;
  let mask = most(loaded.len);
  if (bitwise !== null) {
    if (bitwise.xor.some((byte) => byte !== 0)) return null;
    mask = numberAt(bitwise.mask, 0, loaded.len, loaded.host);
  }
  return { tests: [{ slot: loaded.slots[0]!, mask, ranges, invert }], anyDiffers: false };
}

/** `iifname` and `oifname` against a whole name: one comparison of numbers. */
function fuseName(exprs: readonly Expr[], first: number): FusedTest | null {
  const load = exprs[first];
  const cmp = exprs[first + 1];
  if (!(load instanceof MetaExpr) || !(cmp instanceof CmpExpr) || cmp.sreg !== load.dreg) return null;
  if (load.key !== M.NFT_META_IIFNAME && load.key !== M.NFT_META_OIFNAME) return null;
  if (cmp.data.length !== IFNAMSIZ || cmp.op > NFT_CMP_NEQ || isReadAgain(exprs, first + 2)) return null;
  const end = cmp.data.indexOf(0);
  const name = String.fromCharCode(...cmp.data.subarray(0, end < 0 ? IFNAMSIZ : end));
  const kind = load.key === M.NFT_META_IIFNAME ? S.SOURCE_IIFNAME : S.SOURCE_OIFNAME;
  const number = S.nameNumber(name);
  const slot = S.sourceSlot(kind, 0, 4);
  const test = { slot, mask: most(4), ranges: [[number, number]] as const, invert: cmp.op === NFT_CMP_NEQ };
  return { tests: [test], anyDiffers: false, length: 2 };
}

/** Expressions that put something new into registers. */
function writes(expr: Expr): boolean {
  return typeof (expr as { dreg?: unknown }).dreg === 'number';
}

/**
 * Whether a later expression of the rule may read a register that no expression before it has filled. Tools load
 * anew for every test; a program that does not gets its expressions evaluated one by one.
 */
function isReadAgain(exprs: readonly Expr[], from: number): boolean {
  const next = exprs[from];
  if (next === undefined || (writes(next) && !reads(next))) return false;
  for (let i = from; i < exprs.length; i++) {
    if (reads(exprs[i]!)) return true;
    if (writes(exprs[i]!)) return false;
  }
  return false;
}

function reads(expr: Expr): boolean {
  for (const key in expr)
    if (key.startsWith('sreg') && typeof (expr as unknown as Record<string, unknown>)[key] === 'number')
      return true;
  return false;
}
