import type { Counters, TupleRecord } from '@keepstate/engine';
import * as N from './ctnetlink-names.ts';
import { NO_TUPLE, readTuple } from './ctnetlink-tuple.ts';
import {
  attributeFrom,
  attributeLength,
  attributeText,
  attributeTo,
  attributeType,
  be64At,
  isAttribute,
  messageEnd,
  messageFamily,
  NFNL_HEADER,
  nextAttribute,
} from './netlink.ts';

/** A flow as the kernel tells it. What a message left out is null: events do not have all that listings have. */
export interface KernelFlow {
  /** AF_INET (2) or AF_INET6 (10). */
  readonly family: number;
  readonly protonum: number;
  readonly id: number;
  readonly original: TupleRecord;
  readonly reply: TupleRecord;
  readonly zoneOriginal: number;
  readonly zoneReply: number;
  /** IPS_* bits. */
  readonly status: number;
  /** Seconds left. */
  readonly timeout: number | null;
  /** Number of the state that TCP or SCTP has. */
  readonly state: number | null;
  /** SCTP's verification tags, as conntrack(8) has them: read as little endian numbers. */
  readonly vtags: { readonly original: number; readonly reply: number } | null;
  readonly mark: number | null;
  readonly counters: { readonly original: Counters; readonly reply: Counters } | null;
  /** Nanoseconds since the epoch. */
  readonly start: bigint | null;
  readonly stop: bigint | null;
  readonly helper: string | null;
  /** Security context, as SELinux names it. */
  readonly secctx: string | null;
  /** References to it. */
  readonly uses: number | null;
  /** Its connlabels: numbers of the bits. */
  readonly labels: readonly number[] | null;
  /** Original tuple of the flow that expected it. */
  readonly master: TupleRecord | null;
}

type Flow = { -readonly [K in keyof KernelFlow]: KernelFlow[K] };

/** Reads an attribute at `at`, `from` being where its payload begins and `length` its bytes. */
type Reader = (
  flow: Flow,
  bytes: Uint8Array,
  view: DataView,
  at: number,
  from: number,
  length: number,
) => void;

function readProtoinfo(flow: Flow, view: DataView, start: number, end: number): void {
  for (let at = start; isAttribute(view, at, end); at = nextAttribute(view, at)) {
    const sctp = attributeType(view, at) === N.CTA_PROTOINFO_SCTP;
    const to = attributeTo(view, at);
    let original: number | null = null;
    let reply: number | null = null;
    for (let i = attributeFrom(at); isAttribute(view, i, to); i = nextAttribute(view, i)) {
      const type = attributeType(view, i);
      const length = attributeLength(view, i);
      if (type === N.CTA_PROTOINFO_STATE && length > 0) flow.state = view.getUint8(attributeFrom(i));
      else if (!sctp || length < 4) continue;
      else if (type === N.CTA_PROTOINFO_SCTP_VTAG_ORIGINAL) original = view.getUint32(attributeFrom(i), true);
      else if (type === N.CTA_PROTOINFO_SCTP_VTAG_REPLY) reply = view.getUint32(attributeFrom(i), true);
    }
    if (original !== null && reply !== null) flow.vtags = { original, reply };
  }
}

/** CTA_COUNTERS_PACKETS and _BYTES: 64 bits each, exact up to 2^53. */
function readCounters(view: DataView, start: number, end: number): Counters {
  const counters = { packets: 0, bytes: 0 };
  for (let at = start; isAttribute(view, at, end); at = nextAttribute(view, at)) {
    if (attributeLength(view, at) < 8) continue;
    const type = attributeType(view, at);
    if (type === 1) counters.packets = be64At(view, attributeFrom(at));
    else if (type === 2) counters.bytes = be64At(view, attributeFrom(at));
  }
  return counters;
}

const NO_COUNTERS: Counters = { packets: 0, bytes: 0 };

/** Bit n is bit n % 8 of byte n / 8 (the kernel's longs, little endian). */
function readLabels(bytes: Uint8Array, from: number, length: number): number[] {
  const bits: number[] = [];
  for (let i = 0; i < length; i++) {
    for (let bit = 0; bit < 8; bit++) if (((bytes[from + i]! >> bit) & 1) !== 0) bits.push(i * 8 + bit);
  }
  return bits;
}

/** The text inside of a nested attribute, in its first. */
function nestedText(bytes: Uint8Array, view: DataView, at: number): string | null {
  const inner = attributeFrom(at);
  return isAttribute(view, inner, attributeTo(view, at)) ? attributeText(bytes, view, inner) : null;
}

function readTimes(flow: Flow, view: DataView, start: number, end: number): void {
  for (let at = start; isAttribute(view, at, end); at = nextAttribute(view, at)) {
    if (attributeLength(view, at) < 8) continue;
    const time = view.getBigUint64(attributeFrom(at));
    if (attributeType(view, at) === 1) flow.start = time;
    else if (attributeType(view, at) === 2) flow.stop = time;
  }
}

/** An attribute of 32 bits in network order. */
function word(put: (flow: Flow, value: number) => void): Reader {
  return (flow, _bytes, view, _at, from, length) => {
    if (length >= 4) put(flow, view.getUint32(from));
  };
}

function counters(dir: 'original' | 'reply'): Reader {
  return (flow, _bytes, view, _at, from, length) => {
    const { original, reply } = flow.counters ?? { original: NO_COUNTERS, reply: NO_COUNTERS };
    const read = readCounters(view, from, from + length);
    flow.counters = dir === 'original' ? { original: read, reply } : { original, reply: read };
  };
}

/** How each CTA_* is read; those that are not here (NAT's, sequence adjustment …) are skipped. */
const READERS: Readonly<Record<number, Reader>> = {
  [N.CTA_TUPLE_ORIG]: (flow, _bytes, view, at) => {
    const { tuple, protonum, zone } = readTuple(view, at);
    flow.original = tuple;
    flow.protonum = protonum;
    if (zone !== 0) flow.zoneOriginal = zone;
  },
  [N.CTA_TUPLE_REPLY]: (flow, _bytes, view, at) => {
    const { tuple, zone } = readTuple(view, at);
    flow.reply = tuple;
    if (zone !== 0) flow.zoneReply = zone;
  },
  [N.CTA_TUPLE_MASTER]: (flow, _bytes, view, at) => {
    flow.master = readTuple(view, at).tuple;
  },
  [N.CTA_STATUS]: word((flow, value) => {
    flow.status = value;
  }),
  [N.CTA_TIMEOUT]: word((flow, value) => {
    flow.timeout = value;
  }),
  [N.CTA_MARK]: word((flow, value) => {
    flow.mark = value;
  }),
  [N.CTA_USE]: word((flow, value) => {
    flow.uses = value;
  }),
  [N.CTA_ID]: word((flow, value) => {
    flow.id = value;
  }),
  [N.CTA_COUNTERS_ORIG]: counters('original'),
  [N.CTA_COUNTERS_REPLY]: counters('reply'),
  [N.CTA_PROTOINFO]: (flow, _bytes, view, _at, from, length) =>
    readProtoinfo(flow, view, from, from + length),
  [N.CTA_TIMESTAMP]: (flow, _bytes, view, _at, from, length) => readTimes(flow, view, from, from + length),
  [N.CTA_HELP]: (flow, bytes, view, at) => {
    flow.helper = nestedText(bytes, view, at);
  },
  [N.CTA_SECCTX]: (flow, bytes, view, at) => {
    flow.secctx = nestedText(bytes, view, at);
  },
  [N.CTA_LABELS]: (flow, bytes, _view, _at, from, length) => {
    flow.labels = readLabels(bytes, from, length);
  },
  [N.CTA_ZONE]: (flow, _bytes, view, _at, from, length) => {
    if (length < 2) return;
    flow.zoneOriginal = view.getUint16(from);
    flow.zoneReply = flow.zoneOriginal;
  },
};

/** Reads the flow in the CT_NEW or CT_DELETE message at `at` of a datagram. What is damaged in it is left out. */
export function readKernelFlow(bytes: Uint8Array, view: DataView, at: number): KernelFlow {
  const flow: Flow = {
    family: messageFamily(view, at),
    protonum: 0,
    id: 0,
    original: NO_TUPLE.tuple,
    reply: NO_TUPLE.tuple,
    zoneOriginal: 0,
    zoneReply: 0,
    status: 0,
    timeout: null,
    state: null,
    vtags: null,
    mark: null,
    counters: null,
    start: null,
    stop: null,
    helper: null,
    secctx: null,
    uses: null,
    labels: null,
    master: null,
  };
  const end = messageEnd(view, at);
  for (let i = at + NFNL_HEADER; isAttribute(view, i, end); i = nextAttribute(view, i)) {
    READERS[attributeType(view, i)]?.(flow, bytes, view, i, attributeFrom(i), attributeLength(view, i));
  }
  return flow;
}
