import { ipPacket } from '../../engine/packet/build-ip.ts';
import { type TcpOptions, tcp, tcpOptions } from '../../engine/packet/build-tcp.ts';
import { TH_ACK, TH_CWR, TH_ECE, TH_FIN, TH_PUSH, TH_RST, TH_SYN, TH_URG } from '../../engine/packet/tcp.ts';
import type { Dice } from './dice.ts';

interface Side {
  readonly address: string;
  readonly port: number;
  /** Next sequence number it would send. */
  next: number;
  /** What it last sent, to send again. */
  sent: Uint8Array | null;
}

interface Connection {
  readonly sides: readonly [Side, Side];
  /** How far a well-behaved course has come. */
  step: number;
  readonly wscale: boolean;
  readonly sack: boolean;
}

const FLAGS: readonly number[] = [
  TH_SYN,
  TH_SYN | TH_ACK,
  TH_ACK,
  TH_ACK,
  TH_ACK | TH_PUSH,
  TH_FIN | TH_ACK,
  TH_RST,
  TH_RST | TH_ACK,
  TH_ACK | TH_URG,
  TH_SYN | TH_ECE | TH_CWR,
];
const WINDOWS: readonly number[] = [0, 1, 100, 512, 8192, 65535];
const LENGTHS: readonly number[] = [0, 0, 0, 1, 10, 100, 1400];
/** Distances from the right sequence number. */
const OFFSETS: readonly number[] = [
  0, 0, 0, 0, 1, -1, 2, 10, -10, 100, -100, 1400, -1400, 8192, -8192, 65535, -66000, -66001, -65999, 70000,
  1_000_000, -1_000_000,
];

/** TCP between few hosts and ports, so that tuples are used again; right, nearly right and wrong segments. */
export class TcpTraffic {
  private readonly dice: Dice;
  private readonly connections: Connection[];

  constructor(dice: Dice, connections = 24) {
    this.dice = dice;
    this.connections = Array.from({ length: connections }, (_, i) => this.connect(i));
  }

  /** The next packet, from its IP header on. */
  next(): Uint8Array {
    const { dice } = this;
    const index = dice.below(this.connections.length);
    if (dice.chance(0.5)) this.connections[index] = this.connect(index);
    const c = this.connections[index]!;
    const kind = dice.weighted({ course: 50, near: 25, wild: 10, again: 8, rst: 4, syn: 3 });
    switch (kind) {
      case 'course':
        return this.course(c);
      case 'near':
        return this.segment(c, dice.below(2), dice.pick(FLAGS), dice.pick(OFFSETS), dice.pick(OFFSETS));
      case 'wild':
        return this.wild(c);
      case 'again':
        return c.sides[dice.below(2)]!.sent ?? this.course(c);
      case 'rst':
        return this.segment(
          c,
          dice.below(2),
          dice.pick([TH_RST, TH_RST | TH_ACK]),
          dice.pick([0, 0, 1, -1, 100]),
          0,
        );
      case 'syn':
        return this.restart(c);
    }
  }

  private connect(index: number): Connection {
    const { dice } = this;
    const v6 = index % 4 === 3;
    const isn = (): number => dice.pick([dice.word(), 0xffffff00, 0, 0x7fffff80]);
    const side = (host: string, port: number): Side => ({ address: host, port, next: isn(), sent: null });
    const host = index % 8;
    const [a, b] = v6
      ? [`fd00:1::${host + 1}`, `fd00:2::${host + 1}`]
      : [`10.0.0.${host + 1}`, `10.1.0.${host + 1}`];
    return {
      sides: [side(a, 1000 + index), side(b, dice.pick([80, 21]))],
      step: 0,
      wscale: dice.chance(60),
      sack: dice.chance(60),
    };
  }

  /** What two well-behaved ends would do next. */
  private course(c: Connection): Uint8Array {
    const { dice } = this;
    const step = c.step++;
    if (step === 0) return this.segment(c, 0, TH_SYN, 0, 0);
    if (step === 1) return this.segment(c, 1, dice.chance(3) ? TH_SYN : TH_SYN | TH_ACK, 0, 0);
    if (step === 2) return this.segment(c, 0, TH_ACK, 0, 0);
    if (step > 8 && dice.chance(12)) return this.segment(c, dice.below(2), TH_FIN | TH_ACK, 0, 0);
    if (step > 30 && dice.chance(10)) {
      c.step = 0;
      return this.segment(c, dice.below(2), TH_RST, 0, 0);
    }
    return this.segment(c, dice.below(2), TH_ACK, 0, 0, dice.pick(LENGTHS));
  }

  private restart(c: Connection): Uint8Array {
    for (const side of c.sides) side.next = this.dice.word();
    c.step = 1;
    return this.segment(c, 0, TH_SYN, 0, 0);
  }

  /** A segment `seqOff` and `ackOff` away from the right one; what is right moves on. */
  private segment(
    c: Connection,
    dir: number,
    flags: number,
    seqOff: number,
    ackOff: number,
    length?: number,
  ): Uint8Array {
    const { dice } = this;
    const from = c.sides[dir]!;
    const to = c.sides[1 - dir]!;
    const syn = (flags & TH_SYN) !== 0;
    const payload = syn && dice.chance(97) ? 0 : (length ?? dice.pick(LENGTHS));
    const seq = from.next + seqOff;
    const ack = (flags & TH_ACK) !== 0 ? to.next + ackOff : 0;
    const segment = tcp({
      src: from.address,
      dst: to.address,
      sport: from.port,
      dport: to.port,
      flags,
      seq,
      ack,
      window: dice.pick(WINDOWS),
      payload,
      options: dice.chance(3) ? this.wildOptions() : this.options(c, syn, to),
    });
    const packet = ipPacket({ src: from.address, dst: to.address }, 6, segment);
    if (seqOff === 0) {
      from.next = (seq + payload + (syn ? 1 : 0) + (flags & TH_FIN)) >>> 0;
      from.sent = packet;
    }
    return packet;
  }

  private options(c: Connection, syn: boolean, to: Side): TcpOptions | Uint8Array {
    const { dice } = this;
    if (syn) {
      return {
        mss: 1460,
        ...(c.wscale && dice.chance(95) ? { wscale: dice.pick([0, 3, 7, 14, 15, 255]) } : {}),
        ...(c.sack ? { sackPermitted: true } : {}),
        ...(dice.chance(50) ? { timestamps: [1, 2] as const } : {}),
      };
    }
    if (dice.chance(10)) {
      const left = to.next + dice.pick([0, 100, 1400, -1000]);
      const sack: [number, number][] = [[left, left + dice.pick([1, 100, 1400, 100_000])]];
      if (dice.chance(30)) sack.push([left + 5000, left + 6000]);
      return { sack, ...(dice.chance(50) ? { timestamps: [3, 4] as const } : {}) };
    }
    return dice.chance(40) ? { timestamps: [5, 6] as const } : {};
  }

  /** Options that are cut short, of length 0 or 1, too long, or in odd order. */
  private wildOptions(): Uint8Array {
    const { dice } = this;
    const good = tcpOptions({ mss: 1460, sackPermitted: true, wscale: 5 });
    const bytes = dice.pick([
      dice.bytes(dice.between(1, 40)),
      Uint8Array.of(3, 0, 7, 1),
      Uint8Array.of(3, 1, 7, 1),
      Uint8Array.of(1, 1, 1, 3),
      Uint8Array.of(3, 3, 9, 3, 3, 2, 0, 0),
      Uint8Array.of(0, 3, 3, 7),
      Uint8Array.of(4, 2, 3, 40),
      Uint8Array.of(5, 10, ...dice.bytes(8), 5, 2),
      Uint8Array.of(5, 9, ...dice.bytes(7), 5, 10, ...dice.bytes(8)),
      Uint8Array.of(5, 18, ...dice.bytes(16), 4, 2),
    ]);
    if (dice.chance(30)) return good;
    return bytes.length > 40 ? bytes.slice(0, 40) : bytes;
  }

  /** Any flags, damaged checksums, data offsets and lengths. */
  private wild(c: Connection): Uint8Array {
    const { dice } = this;
    const dir = dice.below(2);
    const from = c.sides[dir]!;
    const to = c.sides[1 - dir]!;
    const ends = { src: from.address, dst: to.address };
    const segment = tcp({
      ...ends,
      sport: from.port,
      dport: to.port,
      flags: dice.below(256),
      seq: dice.pick([from.next, dice.word(), 0]),
      ack: dice.pick([to.next, dice.word(), 0]),
      window: dice.pick(WINDOWS),
      payload: dice.pick(LENGTHS),
      ...(dice.chance(20) ? { checksum: dice.below(65536) } : {}),
      ...(dice.chance(20) ? { dataOffset: dice.below(16) } : {}),
    });
    const cut = dice.chance(10) ? dice.below(24) : segment.length;
    return ipPacket(ends, 6, segment.slice(0, cut));
  }
}
