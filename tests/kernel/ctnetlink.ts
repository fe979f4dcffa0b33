/** ctnetlink: dumps and flushes the conntrack table and decodes its entries and events. */
import {
  attribute,
  eachAttribute,
  message,
  type NetlinkMessage,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  nest,
} from './netlink.ts';
import type { KernelCounters, KernelEntry, KernelEvent, KernelSeqAdj, KernelTuple } from './types.ts';

const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_NEW = 0;
const IPCTNL_MSG_CT_GET = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const NFNLGRP_CONNTRACK_NEW = 1;
const NFNLGRP_CONNTRACK_UPDATE = 2;
const NFNLGRP_CONNTRACK_DESTROY = 3;
const CTA_TUPLE_ORIG = 1;
const CTA_ZONE = 18;
/** Where the payload of the tuple stands in a request: behind the headers (20 bytes) and its own (4). */
const REQUEST_TUPLE = 24;
const AF_INET = 2;
const AF_INET6 = 10;
const EVENT_RECEIVE_BYTES = 1 << 26;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Text of an address of 4 or 16 bytes; IPv6 in the short form of RFC 5952. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  let best = 0;
  let bestLength = 1; // a single zero group is not shortened
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) [best, bestLength] = [start, length];
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (bestLength === 1) return hex(groups);
  return `${hex(groups.slice(0, best))}::${hex(groups.slice(best + bestLength))}`;
}

/** Decodes a CTA_TUPLE_* attribute: buffer[start, end) is its payload. */
export function decodeTuple(buffer: Buffer, start: number, end: number): KernelTuple {
  const tuple: Mutable<KernelTuple> = {
    src: '',
    dst: '',
    protocol: 0,
    sport: null,
    dport: null,
    icmpType: null,
    icmpCode: null,
    icmpId: null,
    zone: null,
  };
  const ip = (type: number, from: number, to: number): void => {
    if (type === 1 || type === 3) tuple.src = addressText(buffer.subarray(from, to));
    else if (type === 2 || type === 4) tuple.dst = addressText(buffer.subarray(from, to));
  };
  // CTA_PROTO_*: number, two ports, then id, type, code for ICMP (4 to 6) and for ICMPv6 (7 to 9)
  const proto = (type: number, from: number): void => {
    if (type === 1) tuple.protocol = buffer[from]!;
    else if (type === 2) tuple.sport = buffer.readUInt16BE(from);
    else if (type === 3) tuple.dport = buffer.readUInt16BE(from);
    else if (type === 4 || type === 7) tuple.icmpId = buffer.readUInt16BE(from);
    else if (type === 5 || type === 8) tuple.icmpType = buffer[from]!;
    else if (type === 6 || type === 9) tuple.icmpCode = buffer[from]!;
  };
  eachAttribute(buffer, start, end, (type, from, to) => {
    if (type === 1) eachAttribute(buffer, from, to, ip);
    else if (type === 2) eachAttribute(buffer, from, to, proto);
    else if (type === 3) tuple.zone = buffer.readUInt16BE(from);
  });
  return tuple;
}

type Setter = (entry: Mutable<KernelEntry>, buffer: Buffer, from: number, to: number) => void;

const decodeProtoinfo: Setter = (entry, buffer, start, end) => {
  eachAttribute(buffer, start, end, (protocol, from, to) => {
    const values = new Map<number, number>();
    eachAttribute(buffer, from, to, (type, at, past) => {
      values.set(type, past - at >= 4 ? buffer.readUInt32BE(at) : buffer[at]!);
    });
    const state = values.get(1) ?? 0;
    const pair = (first: number): readonly [number, number] | null =>
      values.has(first) ? [values.get(first)!, values.get(first + 1) ?? 0] : null;
    if (protocol === 1) entry.tcp = { state, scale: pair(2), flags: pair(4) };
    else if (protocol === 3) entry.sctp = { state, vtag: pair(2) };
  });
};

function decodeCounters(buffer: Buffer, start: number, end: number): KernelCounters {
  const counters = { packets: 0, bytes: 0 };
  eachAttribute(buffer, start, end, (type, from) => {
    if (type === 1) counters.packets = Number(buffer.readBigUInt64BE(from));
    else if (type === 2) counters.bytes = Number(buffer.readBigUInt64BE(from));
  });
  return counters;
}

function decodeSeqAdj(buffer: Buffer, start: number, end: number): KernelSeqAdj {
  const seqAdj = { correctionPos: 0, offsetBefore: 0, offsetAfter: 0 };
  eachAttribute(buffer, start, end, (type, from) => {
    if (type === 1) seqAdj.correctionPos = buffer.readUInt32BE(from);
    else if (type === 2) seqAdj.offsetBefore = buffer.readInt32BE(from);
    else if (type === 3) seqAdj.offsetAfter = buffer.readInt32BE(from);
  });
  return seqAdj;
}

const NO_COUNTERS: KernelCounters = { packets: 0, bytes: 0 };
const NO_SEQADJ: KernelSeqAdj = { correctionPos: 0, offsetBefore: 0, offsetAfter: 0 };

/** CTA_* attributes by number; those not listed (secmark, labels, timestamps ...) are left out. */
const SETTERS: Readonly<Record<number, Setter>> = {
  1: (entry, buffer, from, to) => {
    entry.original = decodeTuple(buffer, from, to);
    entry.protocol = entry.original.protocol;
  },
  2: (entry, buffer, from, to) => {
    entry.reply = decodeTuple(buffer, from, to);
  },
  3: (entry, buffer, from) => {
    entry.status = buffer.readUInt32BE(from);
  },
  4: decodeProtoinfo,
  5: (entry, buffer, start, end) => {
    eachAttribute(buffer, start, end, (type, from, to) => {
      if (type === 1) entry.helper = buffer.toString('latin1', from, to - 1);
    });
  },
  7: (entry, buffer, from) => {
    entry.timeout = buffer.readUInt32BE(from);
  },
  8: (entry, buffer, from) => {
    entry.mark = buffer.readUInt32BE(from);
  },
  9: (entry, buffer, from, to) => {
    entry.counters = [decodeCounters(buffer, from, to), entry.counters?.[1] ?? NO_COUNTERS];
  },
  10: (entry, buffer, from, to) => {
    entry.counters = [entry.counters?.[0] ?? NO_COUNTERS, decodeCounters(buffer, from, to)];
  },
  11: (entry, buffer, from) => {
    entry.use = buffer.readUInt32BE(from);
  },
  12: (entry, buffer, from) => {
    entry.id = buffer.readUInt32BE(from);
  },
  14: (entry, buffer, from, to) => {
    entry.master = decodeTuple(buffer, from, to);
  },
  15: (entry, buffer, from, to) => {
    entry.seqAdj = [decodeSeqAdj(buffer, from, to), entry.seqAdj?.[1] ?? NO_SEQADJ];
  },
  16: (entry, buffer, from, to) => {
    entry.seqAdj = [entry.seqAdj?.[0] ?? NO_SEQADJ, decodeSeqAdj(buffer, from, to)];
  },
  18: (entry, buffer, from) => {
    entry.zone = buffer.readUInt16BE(from);
  },
};

const NO_TUPLE: KernelTuple = decodeTuple(Buffer.alloc(0), 0, 0);

/** Decodes one CT_NEW or CT_DELETE message. */
function decodeEntry(received: NetlinkMessage): Mutable<KernelEntry> {
  const { buffer } = received;
  const entry: Mutable<KernelEntry> = {
    family: received.family === AF_INET6 ? 'ipv6' : 'ipv4',
    protocol: 0,
    original: NO_TUPLE,
    reply: NO_TUPLE,
    timeout: null,
    status: 0,
    mark: 0,
    zone: 0,
    id: 0,
    use: null,
    tcp: null,
    sctp: null,
    counters: null,
    helper: null,
    master: null,
    seqAdj: null,
  };
  eachAttribute(buffer, received.from, received.to, (type, from, to) => {
    SETTERS[type]?.(entry, buffer, from, to);
  });
  return entry;
}

/**
 * Request for the entry of a message, made of its own original tuple and zone. As latin1 text it also serves as a
 * key: two entries never have the same.
 */
export function entryRequest(received: NetlinkMessage): Buffer {
  const { buffer } = received;
  const attributes: Buffer[] = [];
  eachAttribute(buffer, received.from, received.to, (type, from, to) => {
    if (type === CTA_TUPLE_ORIG) attributes.unshift(nest(type, buffer.subarray(from, to)));
    else if (type === CTA_ZONE) attributes.push(attribute(type, buffer.subarray(from, to)));
  });
  return message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, 0, received.family, 0, ...attributes);
}

/** Whether the entry found has the original tuple asked for: the kernel also finds entries by their reply tuple. */
function isAskedFor(received: NetlinkMessage, request: Buffer): boolean {
  const { buffer } = received;
  let same = false;
  eachAttribute(buffer, received.from, received.to, (type, from, to) => {
    const past = REQUEST_TUPLE + to - from;
    if (type === CTA_TUPLE_ORIG) same = buffer.compare(request, REQUEST_TUPLE, past, from, to) === 0;
  });
  return same;
}

/** Reads and empties the conntrack table of the namespace it was made in. */
export class ConntrackTable {
  private readonly socket: NetlinkSocket = new NetlinkSocket();

  /** All entries, IPv4 and IPv6. `each` sees the message of each of them. */
  dump(each?: (received: NetlinkMessage) => void): KernelEntry[] {
    const entries: KernelEntry[] = [];
    const request = message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET, NLM_F_DUMP, 0, 0);
    this.socket.dump(request, 'dump conntrack table', (received) => {
      if (received.family !== AF_INET && received.family !== AF_INET6) return;
      entries.push(decodeEntry(received));
      each?.(received);
    });
    return entries;
  }

  /** The entry a request of `entryRequest` stands for; null if it is gone or another one took its tuple. */
  get(request: Buffer): KernelEntry | null {
    let entry: KernelEntry | null = null;
    this.socket.lookup(request, 'get conntrack entry', (received) => {
      if (!isAskedFor(received, request)) return;
      const found = decodeEntry(received);
      // The lookup itself holds a reference, a dump does not.
      if (found.use !== null) found.use--;
      entry = found;
    });
    return entry;
  }

  /** Removes all entries. */
  flush(): void {
    const request = message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, 0, 0);
    this.socket.transact([request], 1, 'flush conntrack table');
  }

  close(): void {
    this.socket.close();
  }
}

/** Subscribed to the NEW, UPDATE and DESTROY events of the namespace it was made in. */
export class EventReader {
  private readonly socket: NetlinkSocket = new NetlinkSocket(EVENT_RECEIVE_BYTES);

  constructor() {
    for (const group of [NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY]) {
      this.socket.join(group);
    }
  }

  /** Calls `each` for all waiting events. Throws when the kernel says that events were lost. */
  drain(each: (type: KernelEvent['type'], received: NetlinkMessage) => void): void {
    this.socket.drain('conntrack events', (received) => {
      if (received.subsystem !== NFNL_SUBSYS_CTNETLINK) return;
      if (received.type === IPCTNL_MSG_CT_DELETE) each('DESTROY', received);
      else if (received.type === IPCTNL_MSG_CT_NEW) {
        each((received.flags & (NLM_F_CREATE | NLM_F_EXCL)) !== 0 ? 'NEW' : 'UPDATE', received);
      }
    });
  }

  /** Appends all waiting events to `into`. */
  read(into: KernelEvent[], before: boolean): void {
    this.drain((type, received) => into.push({ type, entry: decodeEntry(received), before }));
  }

  close(): void {
    this.socket.close();
  }
}
