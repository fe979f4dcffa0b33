/**
 * TCP connections as bad networks make them: what an end says comes in pieces of any length, late, twice, overlapping and
 * in another order, with the acknowledgements and SACK blocks of one that hears what really came through.
 */
import type { Dice } from '../traffic/dice.ts';
import type { LiveDialogue, Side } from './dialogue-live.ts';
import { ACK, addressText, FIN, PSH, SYN, tcpPacket } from './dialogue-tcp.ts';

/** Options of both SYNs. */
const SYN_OPTIONS: readonly (readonly number[])[] = [
  [],
  [2, 4, 5, 0xb4],
  [2, 4, 5, 0xb4, 4, 2, 1, 1, 1, 3, 3, 7],
  [2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 2],
];
/** The longest segment. */
const MSS = 1400;

/** From, and to before. */
type Range = readonly [number, number];

interface Heard {
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  readonly seq: number;
  readonly length: number;
}

function heardIn(bytes: Buffer): Heard | null {
  const v6 = bytes[0]! >> 4 === 6;
  if ((v6 ? bytes[6] : bytes[9]) !== 6) return null;
  const [l4, from, size] = v6 ? [40, 8, 16] : [20, 12, 4];
  const header = (bytes[l4 + 12]! >> 4) * 4;
  const control = bytes[l4 + 13]! & (SYN | FIN);
  return {
    src: addressText(bytes.subarray(from, from + size)),
    dst: addressText(bytes.subarray(from + size, from + 2 * size)),
    sport: bytes.readUInt16BE(l4),
    dport: bytes.readUInt16BE(l4 + 2),
    seq: bytes.readUInt32BE(l4 + 4),
    length: bytes.length - l4 - header + (control === 0 ? 0 : 1),
  };
}

function word(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}

/** One end: what it says, and what it heard. */
class End {
  side: Side | null;
  readonly first: number;
  /** All that it says, from its first number on. */
  said: Buffer = Buffer.alloc(0);
  /** Where its messages end. */
  readonly marks: number[] = [];
  /** Where new bytes begin. */
  sent = 0;
  /** Ranges that were not sent in their turn. */
  late: Range[] = [];
  /** The number of the other's first byte, as it came here. */
  base: number | null = null;
  got: Range[] = [];

  constructor(side: Side | null, isn: number) {
    this.side = side;
    this.first = (isn + 1) >>> 0;
  }

  /** What all before came of, behind {@link base}. */
  edge(): number {
    const [first] = this.got;
    return first !== undefined && first[0] <= 0 ? Math.max(0, first[1]) : 0;
  }

  hear({ seq, length }: Heard): void {
    this.base ??= (seq + length) >>> 0;
    const at = (seq - this.base) | 0;
    if (length === 0) return;
    const all = [...this.got, [at, at + length] as Range].sort((a, b) => a[0] - b[0]);
    this.got = [];
    for (const [from, to] of all) {
      const last = this.got.at(-1);
      if (last === undefined || from > last[1]) this.got.push([from, to]);
      else this.got[this.got.length - 1] = [last[0], Math.max(last[1], to)];
    }
  }
}

/** Both ends, and what is between them. End 0 opens it. */
export class ScrambledTcp {
  private readonly dialogue: LiveDialogue;
  private readonly dice: Dice;
  private readonly ends: readonly [End, End];
  private readonly facing: 'eth0' | 'eth1';
  private readonly options: readonly number[];

  constructor(dialogue: LiveDialogue, dice: Dice, client: Side) {
    this.dialogue = dialogue;
    this.dice = dice;
    this.facing = client.from === 'eth1' ? 'eth0' : 'eth1';
    const isn = (): number => dice.pick([1000, 0xffffff00, 0x7fffffe0, dice.below(1 << 30)]);
    this.ends = [new End(client, isn()), new End(null, isn())];
    this.options = dice.pick(SYN_OPTIONS);
  }

  /** Addresses as an end sees them; null before anything reached it. */
  side(end: 0 | 1): Side | null {
    return this.ends[end].side;
  }

  /** Three packets. @returns whether they came through */
  open(): boolean {
    const [a, b] = this.ends;
    this.segment(0, SYN, a.first - 1, Buffer.alloc(0), this.options);
    if (b.side === null) return false;
    this.segment(1, SYN | ACK, b.first - 1, Buffer.alloc(0), this.options);
    if (a.base === null) return false;
    this.acknowledge(0);
    return true;
  }

  /** An end has something to say; when and how it goes is chance. */
  write(end: 0 | 1, bytes: string | Uint8Array): void {
    const own = this.ends[end];
    const more = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    own.said = Buffer.concat([own.said, more]);
    own.marks.push(own.said.length);
  }

  /** Whether everything was sent once. */
  isDone(): boolean {
    return this.ends.every(({ said, sent, late }) => sent === said.length && late.length === 0);
  }

  /** Something of an end comes, or does not. */
  step(end: 0 | 1): void {
    const { dice } = this;
    const own = this.ends[end];
    if (own.side === null) return;
    const what = dice.weighted({ next: 50, skip: 8, late: 14, again: 10, overlap: 6, ack: 12 });
    if (what === 'skip') {
      if (own.sent < own.said.length) own.late.push(this.nextRange(own));
      return;
    }
    const range = this.rangeOf(what, own);
    if (range !== null) this.data(end, range);
    else if (what === 'next' || what === 'ack') this.acknowledge(end);
  }

  private rangeOf(what: string, own: End): Range | null {
    const { dice } = this;
    const hasNew = own.sent < own.said.length;
    if (what === 'next') return hasNew ? this.nextRange(own) : null;
    if (what === 'late') return own.late.splice(dice.below(Math.max(1, own.late.length)), 1)[0] ?? null;
    if (own.sent === 0) return null;
    if (what === 'again') {
      const from = dice.below(own.sent);
      return [from, from + 1 + dice.below(own.sent - from)];
    }
    // From what was sent into what is new.
    if (what !== 'overlap' || !hasNew) return null;
    const from = own.sent - 1 - dice.below(Math.min(own.sent, 40));
    const [, to] = this.nextRange(own);
    return [from, to];
  }

  /** A FIN of an end, behind all that it said. */
  finish(end: 0 | 1): void {
    const own = this.ends[end];
    if (own.side !== null) this.segment(end, FIN | ACK, own.first + own.said.length, Buffer.alloc(0));
  }

  private nextRange(own: End): Range {
    const left = own.said.length - own.sent;
    const size = Math.min(MSS, this.dice.chance(65) ? this.line(own) : 1 + this.dice.below(left), left);
    const range: Range = [own.sent, own.sent + size];
    own.sent += size;
    return range;
  }

  /** Length up to the end of a message or line, or all that there is. */
  private line(own: End): number {
    const { said, sent, marks } = own;
    const end = this.dice.chance(75) ? marks.find((mark) => mark > sent)! : said.indexOf('\n', sent) + 1;
    return end === 0 || this.dice.chance(15) ? said.length - sent : end - sent;
  }

  private data(end: 0 | 1, [from, to]: Range): void {
    const own = this.ends[end];
    this.segment(end, PSH | ACK, own.first + from, own.said.subarray(from, Math.min(to, from + MSS)));
  }

  private acknowledge(end: 0 | 1): void {
    const own = this.ends[end];
    this.segment(end, ACK, own.first + own.sent, Buffer.alloc(0));
  }

  /** SACK blocks of what lies behind a hole, the newest three. */
  private sack(own: End): readonly number[] {
    const { base } = own;
    if (base === null || !this.options.includes(4, 4)) return [];
    const beyond = own.got.filter(([from]) => from > own.edge()).slice(-3);
    if (beyond.length === 0) return [];
    return [
      1,
      1,
      5,
      2 + 8 * beyond.length,
      ...beyond.flatMap(([from, to]) => [...word(base + from), ...word(base + to)]),
    ];
  }

  private segment(
    end: 0 | 1,
    flags: number,
    seq: number,
    payload: Buffer,
    options?: readonly number[],
  ): void {
    const own = this.ends[end];
    const peer = this.ends[end === 0 ? 1 : 0];
    const { from, src, sport, dst, dport } = own.side!;
    const ack = (flags & ACK) === 0 ? 0 : ((own.base ?? 0) + own.edge()) >>> 0;
    const bytes = tcpPacket(src, sport, dst, dport, {
      flags,
      seq: seq >>> 0,
      ack,
      payload,
      options: options ?? this.sack(own),
      window: 0xffff,
    });
    for (const left of this.dialogue.send(from, bytes)) {
      const heard = heardIn(left);
      if (heard === null) continue;
      peer.side ??= {
        from: this.facing,
        src: heard.dst,
        sport: heard.dport,
        dst: heard.src,
        dport: heard.sport,
      };
      peer.hear(heard);
    }
  }
}
