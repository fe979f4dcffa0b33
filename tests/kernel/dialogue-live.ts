/**
 * Ends that hear what reaches them: a dialogue is played through keepstate while it is made, so that each end answers
 * what was really delivered to it, translated addresses, shifted sequence numbers and all. What was made is then
 * compared with the kernel (dialogue.ts), which shows wherever the two go different ways.
 */
import { type Dialogue, DialogueRun } from './dialogue.ts';
import { ACK, addressText, FIN, PSH, payloadBytes, SYN, tcpPacket, udpPacket } from './dialogue-tcp.ts';
import { EngineRules } from './rules-engine.ts';
import type { Entry, RulePacket, Source } from './rules-types.ts';

const NOW = 1_700_000_000_000;

/** Rules with packets that grow one by one. */
export class LiveDialogue implements Dialogue {
  readonly sources: readonly Source[];
  readonly packets: RulePacket[] = [];
  readonly run: DialogueRun;

  /** @throws if keepstate refuses the rules */
  constructor(sources: readonly Source[]) {
    this.sources = sources;
    const rules = new EngineRules();
    for (const source of sources) {
      const errors = source.kind === 'shell' ? [] : rules.load(source);
      if (errors.length > 0) throw new Error(String(errors[0]));
    }
    this.run = new DialogueRun(rules);
  }

  /** Sends a packet. @returns what left because of it, in order */
  send(from: Entry, bytes: Uint8Array): Buffer[] {
    const packet = { from, bytes };
    this.packets.push(packet);
    return this.run.play(packet, NOW).left.map((hex) => Buffer.from(hex, 'hex'));
  }
}

/** Where packets of one side enter, and which address and port it speaks from and to, as it sees them. */
export interface Side {
  readonly from: Entry;
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
}

/** A TCP segment that was delivered. */
interface Delivered {
  readonly src: string;
  readonly dst: string;
  readonly sport: number;
  readonly dport: number;
  /** The number behind its last byte, SYN and FIN counted. */
  readonly next: number;
  readonly payload: Buffer;
}

/** Reads a delivered packet; null if it is not of that protocol. */
function delivered(bytes: Buffer, proto: number): Delivered | null {
  const v6 = bytes[0]! >> 4 === 6;
  if ((v6 ? bytes[6] : bytes[9]) !== proto) return null;
  const l4 = v6 ? 40 : 20;
  const [from, size] = v6 ? [8, 16] : [12, 4];
  const payload = bytes.subarray(proto === 6 ? l4 + (bytes[l4 + 12]! >> 4) * 4 : l4 + 8);
  const flags = bytes[l4 + 13]!;
  const counted = payload.length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
  return {
    src: addressText(bytes.subarray(from, from + size)),
    dst: addressText(bytes.subarray(from + size, from + 2 * size)),
    sport: bytes.readUInt16BE(l4),
    dport: bytes.readUInt16BE(l4 + 2),
    next: proto === 6 ? (bytes.readUInt32BE(l4 + 4) + counted) >>> 0 : 0,
    payload,
  };
}

interface Peer {
  side: Side | null;
  /** Next number to send. */
  seq: number;
  /** Next number that it expects of the other. */
  ack: number;
}

/** A TCP connection between two ends that hear each other. End 0 opens it. */
export class LiveTcp {
  private readonly dialogue: LiveDialogue;
  private readonly peers: readonly [Peer, Peer];
  private readonly serverFrom: Entry;

  constructor(dialogue: LiveDialogue, client: Side, serverFrom: Entry, seq: readonly [number, number]) {
    this.dialogue = dialogue;
    this.serverFrom = serverFrom;
    this.peers = [
      { side: client, seq: seq[0], ack: 0 },
      { side: null, seq: seq[1], ack: 0 },
    ];
  }

  /** Addresses as an end sees them, its own first; null before anything reached it. */
  side(end: 0 | 1): Side | null {
    return this.peers[end].side;
  }

  /** Next sequence number of an end. */
  next(end: 0 | 1): number {
    return this.peers[end].seq >>> 0;
  }

  /** Number behind what an end heard of the other. */
  heard(end: 0 | 1): number {
    return this.peers[end].ack;
  }

  /** Opens it. @returns whether all three packets came through */
  open(options: readonly number[] = []): boolean {
    return (
      this.send(0, SYN, '', { options }) !== null &&
      this.send(1, SYN | ACK, '', { options }) !== null &&
      this.send(0, ACK) !== null
    );
  }

  /** An end says something. @returns the payload as it came through, null if it did not */
  say(end: 0 | 1, payload: string | Uint8Array): Buffer | null {
    return this.send(end, PSH | ACK, payload);
  }

  /**
   * A segment. What does not come through is not counted: whatever is sent next stands in its place.
   * @param other.seq another number than the next one; it is not counted either
   * @returns the payload as it came through, null if it did not
   */
  send(
    end: 0 | 1,
    flags: number,
    payload: string | Uint8Array = '',
    other: {
      readonly seq?: number;
      readonly options?: readonly number[];
      readonly isLost?: boolean;
    } = {},
  ): Buffer | null {
    const own = this.peers[end];
    const peer = this.peers[end === 0 ? 1 : 0];
    const { side } = own;
    if (side === null) return null;
    const { src, sport, dst, dport } = side;
    const ack = (flags & ACK) === 0 ? 0 : own.ack;
    const seq = other.seq ?? own.seq;
    const options = other.options ?? [];
    const bytes = tcpPacket(src, sport, dst, dport, { flags, seq, ack, payload, options });
    const left = this.dialogue.send(side.from, bytes).map((one) => delivered(one, 6));
    const came = left.find((one) => one !== null && one.payload !== undefined) ?? null;
    if (came === null) return null;
    const counted = payloadBytes(payload).length + ((flags & (SYN | FIN)) !== 0 ? 1 : 0);
    if (other.seq === undefined) own.seq = (own.seq + counted) >>> 0;
    // What never arrives is never acknowledged.
    if (other.isLost !== true) this.hear(end === 0 ? 1 : 0, peer, came);
    return came.payload;
  }

  private hear(end: 0 | 1, peer: Peer, came: Delivered): void {
    peer.side ??= {
      from: end === 1 ? this.serverFrom : this.peers[0].side!.from,
      src: came.dst,
      sport: came.dport,
      dst: came.src,
      dport: came.sport,
    };
    if (((came.next - peer.ack) | 0) > 0 || peer.ack === 0) peer.ack = came.next;
  }
}

/** A UDP packet from one side. @returns the payloads that left, each with the addresses it left with */
export function liveUdp(
  dialogue: LiveDialogue,
  side: Side,
  payload: string | Uint8Array,
): readonly Omit<Delivered, 'next'>[] {
  const { from, src, sport, dst, dport } = side;
  return dialogue
    .send(from, udpPacket(src, sport, dst, dport, payload))
    .flatMap((bytes) => delivered(bytes, 17) ?? []);
}

/** Whether chance decided anything from now on, as where a port is taken: what the kernel does then cannot be foretold. */
export function watchChance(live: LiveDialogue): () => boolean {
  const { random } = live.run.run.firewall.conntrack;
  let isDrawn = false;
  const word = random.word.bind(random);
  random.word = () => {
    isDrawn = true;
    return word();
  };
  return () => isDrawn;
}
