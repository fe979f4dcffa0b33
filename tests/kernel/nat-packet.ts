/** Packets that answer others, or are about them, as the host that sees those would make them. */
import { ipv4Text, ipv6Text } from '../../engine/packet/address.ts';
import { icmp, icmpError } from '../../engine/packet/build-icmp.ts';
import { icmpv6, icmpv6Error } from '../../engine/packet/build-icmpv6.ts';
import { ipPacket } from '../../engine/packet/build-ip.ts';
import { sctp, sctpData, sctpInit, sctpInitAck } from '../../engine/packet/build-sctp.ts';
import { tcp } from '../../engine/packet/build-tcp.ts';
import { udp, udplite } from '../../engine/packet/build-udp.ts';
import { TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import type { Dice } from '../traffic/dice.ts';

/** An IP packet taken apart; without options and extension headers. */
export interface Parsed {
  readonly v6: boolean;
  readonly src: string;
  readonly dst: string;
  readonly proto: number;
  /** Transport header and payload. */
  readonly body: Uint8Array;
}

function textAt(bytes: Uint8Array, at: number, v6: boolean): string {
  const view = viewOf(bytes);
  const word = (i: number): number => view.getInt32(at + 4 * i);
  return v6 ? ipv6Text(word(0), word(1), word(2), word(3)) : ipv4Text(word(0));
}

export function parse(bytes: Uint8Array): Parsed | null {
  const v6 = bytes[0]! >> 4 === 6;
  const head = v6 ? 40 : 20;
  if (bytes.length < head + 8 || (!v6 && (bytes[0] !== 0x45 || (bytes[6]! & 0x3f) !== 0))) return null;
  const [src, dst] = v6 ? [8, 24] : [12, 16];
  return {
    v6,
    src: textAt(bytes, src, v6),
    dst: textAt(bytes, dst, v6),
    proto: bytes[v6 ? 6 : 9]!,
    body: bytes.slice(head),
  };
}

function viewOf(body: Uint8Array): DataView {
  return new DataView(body.buffer, body.byteOffset, body.byteLength);
}

function wrap(
  { src, dst }: { src: string; dst: string },
  proto: number,
  body: Uint8Array,
  ttl = 64,
): Uint8Array {
  return ipPacket({ src, dst, ip: { ttl, id: 1 } as object }, proto, body);
}

/** What a host may answer to a packet; null for nothing. */
export function answerTo(dice: Dice, packet: Parsed): Uint8Array | null {
  const { proto, body, v6 } = packet;
  const ends = { src: packet.dst, dst: packet.src };
  const view = viewOf(body);
  const ports = { sport: view.getUint16(2), dport: view.getUint16(0) };
  switch (proto) {
    case 6:
      return answerTcp(dice, ends, ports, body);
    case 17: {
      const none = !v6 && dice.chance(20) ? { checksum: 0 } : {};
      return wrap(ends, 17, udp({ ...ends, ...ports, payload: dice.below(40), ...none }));
    }
    case 136:
      return wrap(ends, 136, udplite({ ...ends, ...ports, payload: 8, checksumAs: 'linux' }));
    case 132:
      return answerSctp(dice, ends, ports, body);
    case 1:
    case 58:
      return answerIcmp(ends, body, v6);
    default:
      return wrap(ends, proto, body);
  }
}

function answerIcmp(ends: { src: string; dst: string }, body: Uint8Array, v6: boolean): Uint8Array | null {
  const answer = new Map([
    [8, 0],
    [13, 14],
    [15, 16],
    [17, 18],
    [128, 129],
    [139, 140],
  ]).get(body[0]!);
  if (answer === undefined) return null;
  const view = viewOf(body);
  const fields = {
    type: answer,
    code: body[1]!,
    id: view.getUint16(4),
    seq: view.getUint16(6),
    payload: body.slice(8),
  };
  return wrap(ends, v6 ? 58 : 1, v6 ? icmpv6({ ...ends, ...fields }) : icmp(fields));
}

function answerTcp(
  dice: Dice,
  ends: { src: string; dst: string },
  ports: { sport: number; dport: number },
  body: Uint8Array,
): Uint8Array | null {
  if (body.length < 20) return null;
  const view = viewOf(body);
  const theirs = body[13]!;
  if ((theirs & TH_RST) !== 0) return null;
  const length = body.length - (body[12]! >> 4) * 4 + ((theirs & (TH_SYN | TH_FIN)) !== 0 ? 1 : 0);
  const ack = (view.getUint32(4) + length) >>> 0;
  const seq = (theirs & TH_ACK) !== 0 ? view.getUint32(8) : 5000;
  let flags = dice.pick([TH_ACK, TH_ACK, TH_ACK | TH_PUSH, TH_FIN | TH_ACK, TH_RST | TH_ACK]);
  if (theirs === TH_SYN) flags = dice.chance(90) ? TH_SYN | TH_ACK : TH_RST | TH_ACK;
  if (theirs === (TH_SYN | TH_ACK)) flags = TH_ACK;
  const payload = (flags & TH_PUSH) !== 0 ? dice.bytes(dice.below(30)) : 0;
  return wrap(ends, 6, tcp({ ...ends, ...ports, flags, seq, ack, payload }));
}

/** Tags that both sides of every association choose; it is INIT and INIT ACK that tell them. */
const TAG = 0x1234;

function answerSctp(
  dice: Dice,
  ends: { src: string; dst: string },
  ports: { sport: number; dport: number },
  body: Uint8Array,
): Uint8Array {
  const type = body[12];
  const chunks =
    type === 1
      ? [sctpInitAck({ tag: TAG })]
      : type === 2
        ? [{ type: 10, value: 8 }]
        : type === 10
          ? [{ type: 11 }]
          : [dice.chance(80) ? sctpData(dice.below(20)) : { type: 7, value: 4 }];
  return wrap(ends, 132, sctp({ ...ports, vtag: TAG, chunks }));
}

/** Who begins what with whom. */
export interface Opening {
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
}

/** The first packet of a flow. */
export function opening(dice: Dice, kind: string, o: Opening): Uint8Array {
  const { src, dst, sport, dport } = o;
  const v6 = src.includes(':');
  const ttl = dice.pick([64, 64, 64, 1, 2, 128]);
  switch (kind) {
    case 'tcp':
      return wrap(o, 6, tcp({ src, dst, sport, dport, flags: TH_SYN, seq: dice.word(), ack: 0 }), ttl);
    case 'ack':
      return wrap(
        o,
        6,
        tcp({ src, dst, sport, dport, flags: TH_ACK, seq: 9000, ack: 7000, payload: 3 }),
        ttl,
      );
    case 'udp': {
      const none = !v6 && dice.chance(20) ? { checksum: 0 } : {};
      const payload = dice.bytes(dice.pick([0, 1, 7, 32, 900]));
      return wrap(o, 17, udp({ src, dst, sport, dport, payload, ...none }), ttl);
    }
    case 'udplite': {
      const coverage = dice.pick([0, 8, 12]);
      return wrap(
        o,
        136,
        udplite({ src, dst, sport, dport, payload: 16, coverage, checksumAs: 'linux' }),
        ttl,
      );
    }
    case 'sctp':
      return wrap(o, 132, sctp({ sport, dport, vtag: 0, chunks: [sctpInit({ tag: TAG })] }), ttl);
    case 'icmp': {
      const fields = {
        type: v6 ? dice.pick([128, 128, 139]) : dice.pick([8, 8, 8, 13, 15, 17]),
        id: sport,
        seq: 1,
      };
      const payload = dice.bytes(dice.pick([4, 12, 30]));
      return wrap(
        o,
        v6 ? 58 : 1,
        v6 ? icmpv6({ src, dst, ...fields, payload }) : icmp({ ...fields, payload }),
        ttl,
      );
    }
    case 'gre':
      return wrap(o, 47, Uint8Array.of(0x20, 0, 8, 0, 0, 0, 0, 5, 1, 2, 3, 4), ttl);
    case 'pptp':
      return wrap(
        o,
        47,
        Uint8Array.of(0x30, 1, 0x88, 0x0b, 0, 4, sport >> 8, sport & 255, 0, 0, 0, 1, 9, 9, 9, 9),
        ttl,
      );
    default:
      return wrap(o, Number(kind), dice.bytes(12), ttl);
  }
}

/** An ICMP error about a packet, to its sender. */
export function errorAbout(dice: Dice, from: string, seen: Uint8Array, to: string): Uint8Array {
  const v6 = to.includes(':');
  const least = v6 ? 40 : 20;
  const quoteLength = dice.pick([seen.length, seen.length, least + 8, least + 20, least + dice.below(30)]);
  const ends = { src: from, dst: to };
  if (v6) {
    const [type, code] = dice.pick([
      [1, 4],
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 1],
    ] as const);
    return wrap(ends, 58, icmpv6Error({ ...ends, type, code, quoted: seen, quoteLength, rest: 1300 }));
  }
  const [type, code] = dice.pick([
    [3, 3],
    [3, 1],
    [3, 4],
    [11, 0],
    [12, 0],
    [4, 0],
    [5, 1],
  ] as const);
  return wrap(ends, 1, icmpError({ type, code, quoted: seen, quoteLength, rest: 1300 }));
}
