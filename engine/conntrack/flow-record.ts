import { ipv4Text, ipv6Text } from '../packet/address.ts';
import { AF_INET } from '../packet/packet.ts';
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  protocolName,
} from '../packet/protocols.ts';
import type { Conntrack } from './conntrack.ts';
import * as F from './flow-table.ts';
import { IPS_MASK } from './status.ts';

/** One direction of a flow, for readers. Of the optional fields a protocol has those that it uses. */
export interface TupleRecord {
  /** Source address, canonical text. */
  readonly src: string;
  /** Destination address. */
  readonly dst: string;
  /** Source port (TCP, UDP, UDP-Lite, SCTP). */
  readonly sport?: number;
  /** Destination port. */
  readonly dport?: number;
  /** ICMP type. */
  readonly type?: number;
  /** ICMP code. */
  readonly code?: number;
  /** ICMP id. */
  readonly id?: number;
  /** GRE key of the source. */
  readonly srckey?: number;
  /** GRE key of the destination. */
  readonly dstkey?: number;
}

/** Packets and bytes (IP length) of one direction. */
export interface Counters {
  readonly packets: number;
  readonly bytes: number;
}

/** A flow as a plain object, for printing and for programs; a copy that outlives the flow. */
export interface FlowRecord {
  /** The id that users see; rows are used again, ids are not. */
  readonly flowId: number;
  /** AF_INET (2) or AF_INET6 (10). */
  readonly family: number;
  readonly protonum: number;
  /** As conntrack(8) prints it: `tcp`, `unknown` … */
  readonly protocol: string;
  /** Protocol state by the kernel's name, null where the protocol shows none. */
  readonly state: string | null;
  /** Milliseconds left. */
  readonly timeout: number;
  /** As the first packet came. */
  readonly original: TupleRecord;
  /** As answers come: behind translation. */
  readonly reply: TupleRecord;
  /** IPS_* bits. */
  readonly status: number;
  readonly mark: number;
  readonly zoneOriginal: number;
  readonly zoneReply: number;
  /** Id of the flow that expected it, null if none. */
  readonly master: number | null;
  /** Name of its helper, null if none. */
  readonly helper: string | null;
  /** How many refer to it, as `use=` of conntrack(8): 1 for itself, 1 for each flow that it is master of. */
  readonly uses: number;
  /** Null unless nf_conntrack_acct was on when the flow was made. */
  readonly counters: { readonly original: Counters; readonly reply: Counters } | null;
  /** When it was confirmed (ms), null unless nf_conntrack_timestamp was on. */
  readonly start: number | null;
}

/** Text of an address as tuples hold it. */
export function addressText(ct: Conntrack, family: number, word: number): string {
  if (family === AF_INET) return ipv4Text(word);
  const { pool } = ct;
  return ipv6Text(pool.word(word, 0), pool.word(word, 1), pool.word(word, 2), pool.word(word, 3));
}

/** What a port word stands for, by the protocol's number. */
export function portFields(proto: number, ports: number): Omit<TupleRecord, 'src' | 'dst'> {
  const high = ports >>> 16;
  const low = ports & 0xffff;
  switch (proto) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
      return { sport: high, dport: low };
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return { type: low >> 8, code: low & 255, id: high };
    case IPPROTO_GRE:
      return { srckey: high, dstkey: low };
    default:
      return {};
  }
}

function countersOf(ct: Conntrack, flow: number): FlowRecord['counters'] {
  const c = ct.table.counters;
  if (c === null || (ct.table.words[flow * F.ROW_WORDS + F.F_EVENTS]! & F.FLAG_ACCT) === 0) return null;
  const at = flow * 4;
  return {
    original: { packets: c[at]!, bytes: c[at + 1]! },
    reply: { packets: c[at + 2]!, bytes: c[at + 3]! },
  };
}

/**
 * Reads a flow out of the table.
 * @param flow a row that holds one; during a DESTROY event the row that is leaving
 */
export function readFlow(ct: Conntrack, flow: number): FlowRecord {
  const w = ct.table.words;
  const at = flow * F.ROW_WORDS;
  const kind = w[at + F.F_KIND]!;
  const family = kind >>> 8;
  const protonum = kind & 255;
  // Without SCTP and GRE trackers (classic profiles) their flows have no ports to show.
  const shown = ct.tracker(protonum).name === 'unknown' ? -1 : protonum;
  const tuple = (dir: number): TupleRecord => ({
    src: addressText(ct, family, w[at + dir * 3 + F.F_SRC]!),
    dst: addressText(ct, family, w[at + dir * 3 + F.F_DST]!),
    ...portFields(shown, w[at + dir * 3 + F.F_PORTS]!),
  });
  const master = w[at + F.F_MASTER]!;
  const starts = ct.table.starts;
  return {
    flowId: w[at + F.F_ID]! >>> 0,
    family,
    protonum,
    protocol: protocolName(protonum),
    state: ct.tracker(protonum).state(ct, flow),
    timeout: ct.left(flow),
    original: tuple(0),
    reply: tuple(1),
    status: w[at + F.F_STATUS]! & IPS_MASK,
    mark: w[at + F.F_MARK]! >>> 0,
    zoneOriginal: w[at + F.F_ZONES]! & 0xffff,
    zoneReply: w[at + F.F_ZONES]! >>> 16,
    master: master === 0 ? null : w[master * F.ROW_WORDS + F.F_ID]! >>> 0,
    helper: ct.extension(flow)?.helper?.name ?? null,
    uses: ct.uses(flow),
    counters: countersOf(ct, flow),
    start: starts !== null && (w[at + F.F_EVENTS]! & F.FLAG_TSTAMP) !== 0 ? starts[flow]! : null,
  };
}
