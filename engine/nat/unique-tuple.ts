import { jhash, reciprocalScale } from '../base/jhash.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import * as F from '../conntrack/flow-table.ts';
import { IPS_DYING, IPS_FIXED_TIMEOUT, IPS_NAT_MASK, IPS_SRC_NAT } from '../conntrack/status.ts';
import * as T from '../conntrack/tuple.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TCP_SYN_SENT, TCP_TIME_WAIT } from '../proto/tcp-states.ts';
import { S_END, W_SIDE, W_STATE } from '../proto/tcp-words.ts';
import * as C from './choice.ts';
import { getKey, isKeyProtocol, portWindow, putKey, windowScratch } from './port-window.ts';
import * as R from './range.ts';

/** At most this many ports are tried in a row; then fewer, from another place. */
const MOST_ATTEMPTS = 128;
/** With so few attempts left none is tried anew. */
const LEAST_ATTEMPTS = 16;
/** Within the last so many attempts a closed flow may be evicted. */
const HARDER = 32;

const replyScratch: T.Tuple = new Int32Array(T.TUPLE_WORDS);
const wordsScratch: Int32Array = new Int32Array(4);
const hashBytes: Uint8Array = new Uint8Array(16);
const hashView: DataView = new DataView(hashBytes.buffer);

/** What {@link uniqueTuple} chose. */
export interface Choice {
  /** NAT_*: how. */
  why: number;
  /** A closed flow that has to go because of it, 0 for none. */
  victim: number;
}

/**
 * Finds the tuple that a flow's packets get by a translation (the kernel's get_unique_tuple; order and limits measured,
 * tests/kernel/nat-*.test.ts): one that lies in the range and whose answers no other flow has.
 * @param t of the original direction as it is so far; becomes the tuple chosen. An address that comes from the range
 *   is in the pool but not held: hold it before anything else is done
 */
export function uniqueTuple(
  ct: Conntrack,
  flow: number,
  t: T.Tuple,
  range: R.NatRange,
  manip: number,
  out: Choice,
): void {
  out.victim = 0;
  out.why = choose(ct, flow, t, range, manip, out);
}

/** @returns NAT_* */
function choose(
  ct: Conntrack,
  flow: number,
  t: T.Tuple,
  range: R.NatRange,
  manip: number,
  out: Choice,
): number {
  const isRandom = (range.flags & R.NF_NAT_RANGE_PROTO_RANDOM_ALL) !== 0;
  if (manip === R.NF_NAT_MANIP_SRC && !isRandom) {
    if (isInRange(ct, t[T.T_SRC]!, t, range)) {
      if (!isUsedByOther(ct, flow, t)) return C.NAT_KEPT;
    } else if (likeSameSource(ct, flow, t, range)) return C.NAT_SAME_SOURCE;
  }
  bestAddress(ct, flow, t, range, manip);
  if (!isRandom) {
    if ((range.flags & R.NF_NAT_RANGE_PROTO_SPECIFIED) === 0) {
      if (!isUsed(ct, flow, t)) return C.NAT_ADDRESS;
    } else if ((range.flags & R.NF_NAT_RANGE_PROTO_OFFSET) === 0 && isPortInRange(t, range, manip)) {
      if (range.minPort === range.maxPort) return C.NAT_ONE_PORT;
      if (!isUsed(ct, flow, t)) return C.NAT_KEPT;
    }
  }
  return freePort(ct, flow, t, range, manip, out);
}

/** Whether a source, with its port, lies in the range. @param source IPv4 word or handle */
function isInRange(ct: Conntrack, source: number, t: T.Tuple, range: R.NatRange): boolean {
  if ((range.flags & R.NF_NAT_RANGE_MAP_IPS) !== 0) {
    const words = readWords(ct, source, t[T.T_KIND]! >>> 8);
    if (compare(words, range.minAddress!) < 0 || compare(words, range.maxAddress!) > 0) return false;
  }
  return (range.flags & R.NF_NAT_RANGE_PROTO_SPECIFIED) === 0 || isPortInRange(t, range, R.NF_NAT_MANIP_SRC);
}

/** Whether the port of the translated end lies in the range; protocols without any always do. */
function isPortInRange(t: T.Tuple, range: R.NatRange, manip: number): boolean {
  const proto = t[T.T_KIND]! & 255;
  if (!isKeyProtocol(proto)) return true;
  const port = getKey(t[T.T_PORTS]!, proto, manip);
  return port >= range.minPort && port <= range.maxPort;
}

function readWords(ct: Conntrack, address: number, family: number): Int32Array {
  const words = wordsScratch;
  if (family === AF_INET) words[0] = address;
  else for (let i = 0; i < 4; i++) words[i] = ct.pool.word(address, i);
  return words;
}

/** Compares addresses as unsigned numbers; below 0, 0, above 0. */
function compare(words: Int32Array, other: readonly number[]): number {
  for (let i = 0; i < other.length; i++) {
    const difference = (words[i]! >>> 0) - (other[i]! >>> 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether no other flow has the answers of a tuple. @param t of the original direction */
export function isFree(ct: Conntrack, flow: number, t: T.Tuple): boolean {
  return !isUsed(ct, flow, t);
}

/** Whether another flow answers to a tuple's answers. Two flows with the same original tuple are one that raced itself. */
function isUsed(ct: Conntrack, flow: number, t: T.Tuple): boolean {
  const other = holderOf(ct, flow, t);
  return other !== 0 && !sameOriginal(ct, flow, other);
}

/** The flow that has the answers of a tuple, in either direction; 0 for none. Answers come in the flow's reply zone. */
function holderOf(ct: Conntrack, flow: number, t: T.Tuple): number {
  const r = replyScratch;
  const zones = ct.table.words[flow * F.ROW_WORDS + F.F_ZONES]!;
  r[T.T_SRC] = t[T.T_DST]!;
  r[T.T_DST] = t[T.T_SRC]!;
  r[T.T_PORTS] = ct.tracker(t[T.T_KIND]! & 255).invert(t[T.T_PORTS]!);
  r[T.T_KIND] = t[T.T_KIND]!;
  r[T.T_ZONE] = zones >>> 16;
  const hit = ct.get(r);
  // Of two flows in zones of one direction only, the zones of the same direction are compared.
  if ((hit & 1) === 0 && zones >>> 16 !== (zones & 0xffff)) return 0;
  return hit >> 1;
}

function sameOriginal(ct: Conntrack, flow: number, other: number): boolean {
  const w = ct.table.words;
  const a = flow * F.ROW_WORDS;
  const b = other * F.ROW_WORDS;
  return (
    w[a + F.F_SRC] === w[b + F.F_SRC] &&
    w[a + F.F_DST] === w[b + F.F_DST] &&
    w[a + F.F_PORTS] === w[b + F.F_PORTS] &&
    w[a + F.F_ZONES] === w[b + F.F_ZONES]
  );
}

/**
 * As {@link isUsed}, but a flow that is the new one the other way round, untranslated, does not count: both sides
 * opened at once, and it is for confirmation to settle that.
 */
function isUsedByOther(ct: Conntrack, flow: number, t: T.Tuple): boolean {
  if (!isUsed(ct, flow, t)) return false;
  const other = holderOf(ct, flow, t);
  const w = ct.table.words;
  const a = flow * F.ROW_WORDS;
  const b = other * F.ROW_WORDS;
  if ((w[b + F.F_STATUS]! & IPS_NAT_MASK) !== 0) return true;
  return !(crosses(w, a, b) && crosses(w, b, a));
}

/** Whether the original tuple of the row at `a` is the reply tuple of the one at `b`. */
function crosses(w: Int32Array, a: number, b: number): boolean {
  return (
    w[a + F.F_SRC] === w[b + F.F_RSRC] &&
    w[a + F.F_DST] === w[b + F.F_RDST] &&
    w[a + F.F_PORTS] === w[b + F.F_RPORTS]
  );
}

/** Whether a flow of the same source has a translated source in the range, and it is free with this destination. */
function likeSameSource(ct: Conntrack, flow: number, t: T.Tuple, range: R.NatRange): boolean {
  const w = ct.table.words;
  const src = t[T.T_SRC]!;
  const ports = t[T.T_PORTS]!;
  const kind = t[T.T_KIND]!;
  let other = ct.bySource.first(src, ports >>> 16, kind, t[T.T_ZONE]!);
  for (; other !== 0; other = ct.bySource.after(other)) {
    const at = other * F.ROW_WORDS;
    if (w[at + F.F_SRC] !== src || w[at + F.F_PORTS]! >>> 16 !== ports >>> 16) continue;
    if (w[at + F.F_KIND] !== kind || (w[at + F.F_ZONES]! & 0xffff) !== t[T.T_ZONE]) continue;
    // Its packets as they leave; the rest of the tuple is the new flow's own.
    const theirs = ct.tracker(kind & 255).invert(w[at + F.F_RPORTS]!);
    t[T.T_SRC] = w[at + F.F_RDST]!;
    t[T.T_PORTS] = (theirs & 0xffff0000) | (ports & 0xffff);
    // The first that suits decides, free or not (measured).
    if (isInRange(ct, t[T.T_SRC]!, t, range)) {
      if (!isUsed(ct, flow, t)) return true;
      break;
    }
  }
  t[T.T_SRC] = src;
  t[T.T_PORTS] = ports;
  return false;
}

/** A word as this machine has it in memory. */
function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

/** Whether a range of addresses is one address. */
function isOne(min: readonly number[], max: readonly number[]): boolean {
  for (let i = 0; i < min.length; i++) if (min[i] !== max[i]) return false;
  return true;
}

/**
 * Puts the address of the range into the tuple that belongs to its source, and, unless it is to be persistent, to its
 * destination: of many flows each address gets its share (find_best_ips_proto).
 */
function bestAddress(ct: Conntrack, flow: number, t: T.Tuple, range: R.NatRange, manip: number): void {
  if ((range.flags & R.NF_NAT_RANGE_MAP_IPS) === 0) return;
  const min = range.minAddress!;
  const max = range.maxAddress!;
  const end = manip === R.NF_NAT_MANIP_SRC ? T.T_SRC : T.T_DST;
  if (isOne(min, max)) {
    t[end] = ct.addressWord(min);
    return;
  }
  const family = t[T.T_KIND]! >>> 8;
  const isPersistent = (range.flags & R.NF_NAT_RANGE_PERSISTENT) !== 0;
  hashBytes.fill(0);
  readWords(ct, t[T.T_SRC]!, family);
  for (let i = 0; i < min.length; i++) hashView.setInt32(4 * i, wordsScratch[i]!);
  const to = [...readWords(ct, t[T.T_DST]!, family)];
  const last = min.length - 1;
  const zones = ct.table.words[flow * F.ROW_WORDS + F.F_ZONES]!;
  const zone = (zones | (zones >>> 16)) & 0xffff;
  let j = jhash(hashBytes, 0, 16, isPersistent ? 0 : swapBytes(to[last]!) ^ zone);
  let isFree = false;
  const out = min.map((low, i) => {
    const from = isFree ? 0 : low >>> 0;
    // All of a word is 2^32 addresses, which come to 0 in the kernel's 32 bits.
    const distance = isFree ? 0xffffffff : ((max[i]! >>> 0) - from + 1) >>> 0;
    const word = (from + reciprocalScale(j, distance)) | 0;
    if (word !== (max[i]! | 0)) isFree = true;
    // Of a destination it is the word just chosen that goes in (measured with ranges of IPv6).
    if (!isPersistent) j ^= swapBytes(manip === R.NF_NAT_MANIP_SRC ? to[i]! : word);
    return word;
  });
  t[end] = ct.addressWord(out);
}

/** Looks for a port that is free (nf_nat_l4proto_unique_tuple). */
function freePort(
  ct: Conntrack,
  flow: number,
  t: T.Tuple,
  range: R.NatRange,
  manip: number,
  out: Choice,
): number {
  const proto = t[T.T_KIND]! & 255;
  const window = windowScratch;
  const hasMaster = ct.table.words[flow * F.ROW_WORDS + F.F_MASTER] !== 0;
  if (!portWindow(t[T.T_PORTS]!, proto, hasMaster, range, manip, window)) return C.NAT_ADDRESS;
  const { min, size } = window;
  const why = reasonFor(range);
  const isOffset = (range.flags & R.NF_NAT_RANGE_PROTO_OFFSET) !== 0;
  const isRandom = (range.flags & R.NF_NAT_RANGE_PROTO_RANDOM_ALL) !== 0 || manip !== R.NF_NAT_MANIP_DST;
  let from = 0;
  if (isOffset) from = (getKey(t[T.T_PORTS]!, proto, manip) - range.basePort) & 0xffff;
  else if (isRandom && size > 1) from = ct.random.below(65536);
  let attempts = Math.min(size, MOST_ATTEMPTS);
  for (;;) {
    for (let i = 0; i < attempts; i++, from = (from + 1) & 0xffff) {
      t[T.T_PORTS] = putKey(t[T.T_PORTS]!, proto, manip, min + (from % size));
      if (!isUsedHarder(ct, flow, t, attempts - i, out)) return why;
    }
    if (attempts >= size || attempts < LEAST_ATTEMPTS) return C.NAT_EXHAUSTED;
    attempts >>= 1;
    from = ct.random.below(65536);
  }
}

function reasonFor({ flags }: R.NatRange): number {
  if ((flags & R.NF_NAT_RANGE_PROTO_OFFSET) !== 0) return C.NAT_PORT_OFFSET;
  if ((flags & R.NF_NAT_RANGE_PROTO_RANDOM_ALL) !== 0) return C.NAT_PORT_RANDOM;
  return (flags & R.NF_NAT_RANGE_PROTO_SPECIFIED) !== 0 ? C.NAT_PORT_RANGE : C.NAT_PORT_TAKEN;
}

/**
 * As {@link isUsed}, but among the last attempts for a new TCP flow one that is over, was itself translated, and used
 * lower sequence numbers gives its port away.
 * @param left how many attempts there are, this one included
 */
function isUsedHarder(ct: Conntrack, flow: number, t: T.Tuple, left: number, out: Choice): boolean {
  const w = ct.table.words;
  const isNewTcp =
    (t[T.T_KIND]! & 255) === IPPROTO_TCP && (w[flow * F.ROW_WORDS + W_STATE]! & 0xff) === TCP_SYN_SENT;
  if (left > HARDER || !isNewTcp) return isUsed(ct, flow, t);
  const other = holderOf(ct, flow, t);
  if (other === 0) return false;
  if (!mayEvict(w, flow, other)) return true;
  out.victim = other;
  return false;
}

function mayEvict(w: Int32Array, flow: number, other: number): boolean {
  const at = other * F.ROW_WORDS;
  const status = w[at + F.F_STATUS]!;
  if ((w[at + W_STATE]! & 0xff) < TCP_TIME_WAIT) return false;
  if ((status & (IPS_FIXED_TIMEOUT | IPS_DYING)) !== 0 || (status & IPS_SRC_NAT) === 0) return false;
  const before = w[at + W_SIDE + S_END]!;
  return ((w[flow * F.ROW_WORDS + W_SIDE + S_END]! - before) | 0) > 0;
}
