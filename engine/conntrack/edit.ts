/**
 * Commands on the table as ctnetlink carries them out for conntrack(8): order, errors and events measured on Linux 6.18
 * (conntrack 1.4.7 in a namespace). The caller has told the table the time before ({@link Conntrack.comeTo}).
 */
import { parseAddress } from '../packet/address.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import type { Conntrack } from './conntrack.ts';
import * as E from './events.ts';
import { portWord } from './flow-find.ts';
import type { TupleRecord } from './flow-record.ts';
import * as F from './flow-table.ts';
import * as S from './status.ts';
import { NO_ANSWER, type ProtoChange } from './tracker.ts';
import * as T from './tuple.ts';

/** Why the kernel refuses a command, by the name of its error number. */
export type EditError =
  | 'EEXIST'
  | 'ENOENT'
  | 'EINVAL'
  | 'EPERM'
  | 'EBUSY'
  | 'EOPNOTSUPP'
  | 'ENOMEM'
  | 'EMFILE'
  | 'EALREADY';

/** A translation that is asked for with a new flow; the port is null where none is. */
export interface NatWish {
  readonly address: string;
  readonly port: number | null;
}

/** What is to change in a flow; what is left out stays. */
export interface FlowChange {
  /** Milliseconds left. */
  readonly timeout?: number;
  /** IPS_* bits to set besides those that are. */
  readonly status?: number;
  readonly mark?: number;
  /** State of the protocol. */
  readonly proto?: ProtoChange;
  /** Bits of its connlabel, in place of those that are. */
  readonly labels?: readonly number[];
  /** Name of its helper. */
  readonly helper?: string;
}

/** A flow to be made. */
export interface FlowSpec extends FlowChange {
  readonly protonum: number;
  readonly original: TupleRecord;
  /** Left out: what answers the original. */
  readonly reply?: TupleRecord;
  readonly zoneOriginal?: number;
  readonly zoneReply?: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly srcNat?: NatWish;
  readonly dstNat?: NatWish;
}

/** Bits that a command may set; it may not ask for REFUSED ones that are not set, and all others do not count. */
const SETTABLE: number = S.IPS_SEEN_REPLY | S.IPS_ASSURED | S.IPS_FIXED_TIMEOUT | S.IPS_HELPER;
const REFUSED: number = S.IPS_EXPECTED | S.IPS_DYING;
/** What a command's message to listeners says to be in it, whatever was changed. */
const TOLD: number = E.IPCT_REPLY | E.IPCT_ASSURED | E.IPCT_HELPER | E.IPCT_PROTOINFO | E.IPCT_MARK;
const LAST_LABEL = 127;

/** One direction as words. */
interface Ends {
  readonly src: readonly number[];
  readonly dst: readonly number[];
  readonly ports: number;
}

function endsOf(ct: Conntrack, protonum: number, t: TupleRecord): Ends | null {
  const src = parseAddress(t.src);
  const dst = parseAddress(t.dst);
  if (src === undefined || dst === undefined || src.length !== dst.length) return null;
  const ports = ct.tracker(protonum).name === 'unknown' ? 0 : portWord({ ...t, protonum });
  return { src, dst, ports };
}

/** The other direction, null if nothing can answer. */
function inverseOf(ct: Conntrack, protonum: number, { src, dst, ports }: Ends): Ends | null {
  const answer = ct.tracker(protonum).invert(ports);
  return answer === NO_ANSWER ? null : { src: dst, dst: src, ports: answer };
}

function isProtocol(protonum: number): boolean {
  return Number.isInteger(protonum) && protonum >= 0 && protonum <= 255;
}

/** Takes a row for a flow. */
function rowOf(ct: Conntrack, spec: FlowSpec): number | EditError {
  const { protonum, zoneOriginal = 0, zoneReply = 0 } = spec;
  const original = isProtocol(protonum) ? endsOf(ct, protonum, spec.original) : null;
  if (original === null) return 'EINVAL';
  const answer = inverseOf(ct, protonum, original);
  const reply = spec.reply === undefined ? answer : endsOf(ct, protonum, spec.reply);
  if (answer === null || reply === null || reply.src.length !== original.src.length) return 'EINVAL';
  const isIpv4 = original.src.length === 1;
  // Measured: each family has its own ICMP.
  if (protonum === (isIpv4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) return 'EINVAL';
  const kind = protonum | ((isIpv4 ? AF_INET : AF_INET6) << 8);
  const t: T.Tuple = new Int32Array(T.TUPLE_WORDS);
  t[T.T_PORTS] = original.ports;
  t[T.T_KIND] = kind;
  t[T.T_ZONE] = zoneOriginal;
  if (!ct.makeRoom(t)) return 'ENOMEM';
  const flow = ct.takeRow({
    ...original,
    rsrc: reply.src,
    rdst: reply.dst,
    rports: reply.ports,
    kind,
    zones: zoneOriginal | (zoneReply << 16),
  });
  return flow;
}

/** Translates a new flow: the destination first, as packets' flows are; what is asked of one end decides both. */
function translate(ct: Conntrack, flow: number, { srcNat, dstNat }: FlowSpec): EditError | null {
  if (srcNat === undefined && dstNat === undefined) return null;
  if (ct.setupNat === null) return 'EOPNOTSUPP';
  const length = ct.addressOf(flow, 0, F.F_SRC).length;
  const wishes = [srcNat, dstNat].map((wish) => {
    if (wish === undefined) return null;
    const address = parseAddress(wish.address);
    return address === undefined || address.length !== length ? undefined : { address, port: wish.port };
  });
  if (wishes.includes(undefined)) return 'EINVAL';
  for (const manip of [1, 0]) ct.setupNat(flow, wishes[manip]!, manip);
  return null;
}

function giveHelper(ct: Conntrack, flow: number, name: string | undefined): EditError | null {
  const at = flow * F.ROW_WORDS;
  const kind = ct.table.words[at + F.F_KIND]!;
  if (name === undefined || name === '') {
    ct.assignAutomatically(flow);
    return null;
  }
  const helper = ct.findHelper(name, kind >>> 8, kind & 255);
  if (helper === null) return 'EOPNOTSUPP';
  ct.assignHelper(flow, helper);
  return null;
}

/** All that comes between the row and the table. */
function fill(ct: Conntrack, flow: number, spec: FlowSpec): EditError | null {
  const refused = giveHelper(ct, flow, spec.helper) ?? translate(ct, flow, spec);
  if (refused !== null) return refused;
  const { words, doubles } = ct.table;
  const at = flow * F.ROW_WORDS;
  words[at + F.F_EVENTS]! |= ct.flagsOfNew | F.FLAG_SYNPROXY;
  if ((ct.flagsOfNew & F.FLAG_ACCT) !== 0) ct.table.wantCounters().fill(0, flow * 4, flow * 4 + 4);
  doubles[(at + F.F_EXPIRES) / 2] = spec.timeout;
  const { timeout: _timer, helper: _helper, ...rest } = spec;
  return apply(ct, flow, rest) ?? (ct.isTaken(flow) ? 'EEXIST' : null);
}

/**
 * Makes a flow that no packet opened (`conntrack -I`), and tells listeners.
 * @returns its row, or why there is none
 */
export function createFlow(ct: Conntrack, spec: FlowSpec): number | EditError {
  if (isThere(ct, spec)) return 'EEXIST';
  const flow = rowOf(ct, spec);
  if (typeof flow === 'string') return flow;
  const refused = fill(ct, flow, spec);
  if (refused !== null) {
    ct.giveBack(flow);
    return refused;
  }
  ct.giveId(flow);
  ct.enroll(flow);
  ct.stats.insert++;
  ct.announce(flow, TOLD | (spec.labels === undefined ? 0 : E.IPCT_LABEL));
  return flow;
}

/** The kernel looks for the original tuple before it looks at anything else, and before another flow has to go. */
function isThere(ct: Conntrack, { protonum, original, zoneOriginal = 0 }: FlowSpec): boolean {
  const ends = isProtocol(protonum) ? endsOf(ct, protonum, original) : null;
  if (ends === null) return false;
  const isIpv4 = ends.src.length === 1;
  const word = (a: readonly number[]): number =>
    isIpv4 ? a[0]! | 0 : ct.pool.lookup(a[0]!, a[1]!, a[2]!, a[3]!);
  const t: T.Tuple = new Int32Array(T.TUPLE_WORDS);
  t[T.T_SRC] = word(ends.src);
  t[T.T_DST] = word(ends.dst);
  t[T.T_PORTS] = ends.ports;
  t[T.T_KIND] = protonum | ((isIpv4 ? AF_INET : AF_INET6) << 8);
  t[T.T_ZONE] = zoneOriginal;
  return ct.get(t) !== 0;
}

/** What follows the helper of a change, in the kernel's order: what comes before an error is done. */
function apply(ct: Conntrack, flow: number, change: FlowChange): EditError | null {
  const w = ct.table.words;
  const at = flow * F.ROW_WORDS;
  const status = w[at + F.F_STATUS]!;
  const { timeout, status: asked = 0, mark, proto, labels } = change;
  if (timeout !== undefined) {
    if ((status & S.IPS_FIXED_TIMEOUT) !== 0) return 'EPERM';
    ct.setTimeout(flow, timeout);
  }
  if ((asked & REFUSED & ~status) !== 0) return 'EBUSY';
  w[at + F.F_STATUS]! |= asked & SETTABLE;
  if (proto !== undefined) {
    const { edit } = ct.tracker(w[at + F.F_KIND]! & 255);
    if (edit !== undefined && !edit(ct, flow, proto)) return 'EINVAL';
  }
  if (mark !== undefined) w[at + F.F_MARK] = mark;
  if (labels !== undefined) setLabels(ct, flow, labels);
  return null;
}

/**
 * Changes a flow in the table (`conntrack -U`), and tells listeners.
 * @returns null, or why it was refused: what the kernel changes before it looks at what it refuses is changed then
 */
export function updateFlow(ct: Conntrack, flow: number, change: FlowChange): EditError | null {
  const { helper } = change;
  if (helper !== undefined) {
    const own = ct.extension(flow)?.helper?.name;
    if (own !== helper) return own === undefined ? 'EOPNOTSUPP' : 'EBUSY';
  }
  const refused = apply(ct, flow, change);
  if (refused !== null) return refused;
  ct.announce(flow, TOLD | (change.labels === undefined ? 0 : E.IPCT_LABEL));
  return null;
}

/** Sets the counters of a flow to 0 (`conntrack -L -z`). */
export function zeroCounters(ct: Conntrack, flow: number): void {
  if ((ct.table.words[flow * F.ROW_WORDS + F.F_EVENTS]! & F.FLAG_ACCT) === 0) return;
  ct.table.counters?.fill(0, flow * 4, flow * 4 + 4);
}

/** Bits of a flow's connlabel, in order. */
export function labelsOf(ct: Conntrack, flow: number): number[] {
  const words = ct.extension(flow)?.labels;
  if (words == null) return [];
  const bits: number[] = [];
  for (let bit = 0; bit <= LAST_LABEL; bit++)
    if (((words[bit >> 5]! >>> (bit & 31)) & 1) !== 0) bits.push(bit);
  return bits;
}

function setLabels(ct: Conntrack, flow: number, bits: readonly number[]): void {
  if (bits.length === 0 && ct.extension(flow)?.labels == null) return;
  const words = ct.labels(flow);
  words.fill(0);
  for (const bit of bits) if (bit >= 0 && bit <= LAST_LABEL) words[bit >> 5]! |= 1 << (bit & 31);
}
