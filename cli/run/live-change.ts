/** What commands of conntrack(8) ask for, as the engine's table takes it. */
import {
  type EditError,
  type FlowChange,
  type FlowSpec,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  ips,
  type ProtoChange,
  type TupleRecord,
} from '@keepstate/engine';
import { type Change, type Entry, type NatTo, type NewEntry, TIMEOUT_MOST } from '../conntrack/table.ts';
import type { Errno } from '../conntrack/words.ts';

/** IP_CT_TCP_FLAG_SACK_PERM | BE_LIBERAL: measured, conntrack 1.4.7 sets both for both sides whenever it gives a state. */
const LIBERAL = 0x0a;
/** IP_CT_TCP_FLAG_CLOSE_INIT, which it adds from TIME_WAIT on: a SYN may reopen the flow. */
const CLOSE_INIT = 0x04;
const TIME_WAIT = 7;

/** The name of an error as conntrack(8) knows it. */
export function errnoOf(error: EditError): Errno {
  return error === 'EMFILE' || error === 'EALREADY' ? 'EBUSY' : error;
}

function millis(seconds: number): number {
  return Math.min(seconds * 1000, TIMEOUT_MOST);
}

type Tags = { readonly original: number | null; readonly reply: number | null } | null;

/** What is asked of a protocol's state. @param before the flow's tags and state, for what is not said */
function protoOf(
  protonum: number,
  state: number | null,
  vtags: Tags,
  before: ProtoChange,
): ProtoChange | undefined {
  if (protonum === IPPROTO_TCP && state !== null) {
    const flags = state >= TIME_WAIT ? LIBERAL | CLOSE_INIT : LIBERAL;
    return { state, flags, mask: flags };
  }
  if (protonum !== IPPROTO_SCTP || (state === null && vtags === null)) return undefined;
  if (vtags === null) return { state: state! };
  const wanted = state ?? before.state;
  const own = before.vtags;
  return {
    ...(wanted === undefined ? {} : { state: wanted }),
    vtags: { original: vtags.original ?? own?.original ?? 0, reply: vtags.reply ?? own?.reply ?? 0 },
  };
}

/** What -U asks for. @param state number of the flow's state, for what is not said */
export function changeOf(flow: Entry, change: Change, state: number | undefined): FlowChange {
  const before: ProtoChange = {
    ...(state === undefined ? {} : { state }),
    ...(flow.vtags === null ? {} : { vtags: flow.vtags }),
  };
  const proto = protoOf(flow.protonum, change.state ?? null, change.vtags ?? null, before);
  return {
    ...(change.timeout === undefined ? {} : { timeout: millis(change.timeout) }),
    ...(change.status === undefined ? {} : { status: change.status }),
    ...(change.mark === undefined ? {} : { mark: change.mark }),
    ...(change.labels === undefined ? {} : { labels: change.labels }),
    ...(proto === undefined ? {} : { proto }),
  };
}

/**
 * The reply before translation. Where the address of a translation stands in it already (as in what -o save prints),
 * conntrack(8) leaves it out, and the kernel puts it in.
 */
function replyOf(flow: NewEntry, original: TupleRecord): TupleRecord | undefined {
  const { reply, srcNat, dstNat } = flow;
  if (reply === null) return undefined;
  const is = (to: NatTo | null, text: string): boolean => to !== null && to.address === text;
  return {
    ...reply,
    src: is(dstNat, reply.src) ? original.dst : reply.src,
    dst: is(srcNat, reply.dst) ? original.src : reply.dst,
  };
}

/** What -I asks for. @param original its original tuple */
export function specOf(flow: NewEntry, original: TupleRecord): FlowSpec {
  const { protonum, zone, zoneOriginal, zoneReply, srcNat, dstNat, labels } = flow;
  const proto = protoOf(protonum, flow.state, flow.vtags, {});
  const reply = replyOf(flow, original);
  return {
    protonum,
    original,
    ...(reply === undefined ? {} : { reply }),
    zoneOriginal: zone ?? zoneOriginal ?? 0,
    zoneReply: zone ?? zoneReply ?? 0,
    timeout: millis(flow.timeout),
    status: flow.status & ~ips.IPS_CONFIRMED,
    mark: flow.mark,
    ...(labels.length === 0 ? {} : { labels }),
    ...(proto === undefined ? {} : { proto }),
    ...(srcNat === null ? {} : { srcNat }),
    ...(dstNat === null ? {} : { dstNat }),
  };
}
