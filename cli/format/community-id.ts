import { createHash } from 'node:crypto';
import { type FlowRecord, parseAddress } from '@keepstate/engine';

const ICMP = 1;
const ICMPV6 = 58;
/** Protocols whose ports are hashed (TCP, UDP, SCTP); of all others but ICMP only the addresses are. */
const WITH_PORTS: readonly number[] = [6, 17, 132];

/** Requests and the replies that answer them (specification of Community ID, "ICMP flows"). */
const ICMP_PAIRS = [
  [8, 0],
  [13, 14],
  [15, 16],
  [10, 9],
  [17, 18],
] as const;
const ICMPV6_PAIRS = [
  [128, 129],
  [133, 134],
  [135, 136],
  [130, 131],
  [144, 145],
  [139, 140],
] as const;

/** What a Community ID is made of. */
export interface CommunityTuple {
  readonly src: string;
  readonly dst: string;
  readonly protonum: number;
  /** Port, or ICMP type. */
  readonly sport: number;
  /** Port, or ICMP code. */
  readonly dport: number;
}

function answerTo(protonum: number, type: number): number | undefined {
  for (const [request, reply] of protonum === ICMP ? ICMP_PAIRS : ICMPV6_PAIRS) {
    if (type === request) return reply;
    if (type === reply) return request;
  }
  return undefined;
}

function addressBytes(text: string): Buffer {
  const words = parseAddress(text) ?? [];
  const bytes = Buffer.alloc(words.length * 4);
  for (const [i, word] of words.entries()) bytes.writeInt32BE(word, i * 4);
  return bytes;
}

/**
 * The Community ID, version 1: the same for both directions of a flow, and for every tool that knows it (Zeek,
 * Suricata, Wireshark).
 * @param seed 0 unless a site agreed on another
 */
export function communityId(t: CommunityTuple, seed = 0): string {
  const icmp = t.protonum === ICMP || t.protonum === ICMPV6;
  const answer = icmp ? answerTo(t.protonum, t.sport) : undefined;
  const oneWay = icmp && answer === undefined;
  let ports: [number, number] = [t.sport, answer ?? t.dport];
  let ends: [Buffer, Buffer] = [addressBytes(t.src), addressBytes(t.dst)];
  const order = Buffer.compare(ends[0], ends[1]);
  if (!oneWay && (order > 0 || (order === 0 && ports[0] > ports[1]))) {
    ports = [ports[1], ports[0]];
    ends = [ends[1], ends[0]];
  }
  const head = Buffer.alloc(2);
  head.writeUInt16BE(seed);
  const hash = createHash('sha1')
    .update(head)
    .update(ends[0])
    .update(ends[1])
    .update(Buffer.from([t.protonum, 0]));
  if (icmp || WITH_PORTS.includes(t.protonum)) {
    const tail = Buffer.alloc(4);
    tail.writeUInt16BE(ports[0], 0);
    tail.writeUInt16BE(ports[1], 2);
    hash.update(tail);
  }
  return `1:${hash.digest('base64')}`;
}

/** The Community ID of a flow, by its original tuple. */
export function flowCommunityId(flow: FlowRecord): string {
  const { src, dst, sport, dport, type, code } = flow.original;
  return communityId({
    src,
    dst,
    protonum: flow.protonum,
    sport: sport ?? type ?? 0,
    dport: dport ?? code ?? 0,
  });
}
