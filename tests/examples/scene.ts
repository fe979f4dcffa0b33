/** What an example is made of: packets with the time they come at, and what is to become of each. */
import { icmpPacket, tcpPacket, udpPacket } from '../../engine/packet/build.ts';
import { TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';

/** What becomes of a packet, in the words of `trace`. */
export type Expected = 'accept' | 'drop' | 'reject';

/** One packet of an example. */
export interface Step {
  /** Seconds after the first packet. */
  readonly at: number;
  /** From the IP header on. */
  readonly bytes: Uint8Array;
  /** What happens, in words. */
  readonly says: string;
  readonly expected: Expected;
}

/** TH_* bits by letter: `SA` is SYN with ACK. */
const LETTERS: Readonly<Record<string, number>> = {
  S: TH_SYN,
  A: TH_ACK,
  F: TH_FIN,
  R: TH_RST,
  P: TH_PUSH,
};

/** Writes down what happens on a wire. */
export class Scene {
  readonly steps: Step[] = [];
  private now = 0;
  private id = 0;

  /** Lets time pass. @param seconds how long nothing happens */
  wait(seconds: number): void {
    this.now += seconds;
  }

  /** A packet made elsewhere. */
  packet(bytes: Uint8Array, expected: Expected, says: string): void {
    this.steps.push({ at: this.now, bytes, says, expected });
    this.now += 0.01;
  }

  /** A UDP datagram of 20 bytes. */
  udp(src: string, sport: number, dst: string, dport: number, expected: Expected, says: string): void {
    this.packet(udpPacket({ src, sport, dst, dport, payload: 20, ip: { id: ++this.id } }), expected, says);
  }

  /** An ICMP message with an id: a request or its reply. */
  icmp(src: string, dst: string, type: number, id: number, expected: Expected, says: string): void {
    this.packet(
      icmpPacket({ src, dst, type, id, seq: 1, payload: 32, ip: { id: ++this.id } }),
      expected,
      says,
    );
  }

  /** A TCP connection between two sockets. */
  tcp(client: string, sport: number, server: string, dport: number): Connection {
    return new Connection(this, client, sport, server, dport);
  }

  /** The id of the next IP header. */
  nextId(): number {
    return ++this.id;
  }
}

/** One TCP connection, with right sequence numbers. A segment that is dropped still counts as sent. */
export class Connection {
  private readonly scene: Scene;
  private readonly ends: readonly [string, string];
  private readonly ports: readonly [number, number];
  private readonly next: [number, number] = [1000, 5000];

  constructor(scene: Scene, client: string, sport: number, server: string, dport: number) {
    this.scene = scene;
    this.ends = [client, server];
    this.ports = [sport, dport];
  }

  /** The client sends a segment. @param flags letters, @param data bytes of payload */
  client(flags: string, data: number, expected: Expected, says: string): void {
    this.send(0, flags, data, expected, says);
  }

  /** The server does. */
  server(flags: string, data: number, expected: Expected, says: string): void {
    this.send(1, flags, data, expected, says);
  }

  /** SYN, SYN/ACK, ACK, all of which pass. */
  open(): void {
    this.client('S', 0, 'accept', 'the client opens a connection');
    this.server('SA', 0, 'accept', 'the server answers');
    this.client('A', 0, 'accept', 'the handshake is done');
  }

  /** A request and its answer, which pass. */
  exchange(): void {
    this.client('PA', 100, 'accept', 'data of the client');
    this.server('PA', 400, 'accept', 'data of the server');
  }

  /** FIN/ACK both ways, which pass. */
  close(): void {
    this.client('FA', 0, 'accept', 'the client closes');
    this.server('FA', 0, 'accept', 'the server closes, too');
    this.client('A', 0, 'accept', 'the last acknowledgment');
  }

  private send(dir: 0 | 1, letters: string, data: number, expected: Expected, says: string): void {
    const flags = [...letters].reduce((bits, letter) => bits | LETTERS[letter]!, 0);
    const bytes = tcpPacket({
      src: this.ends[dir]!,
      dst: this.ends[1 - dir]!,
      sport: this.ports[dir]!,
      dport: this.ports[1 - dir]!,
      flags,
      seq: this.next[dir],
      ack: flags & TH_ACK ? this.next[1 - dir]! : 0,
      payload: data,
      ip: { id: this.scene.nextId(), df: true },
    });
    this.next[dir] += data + (flags & (TH_SYN | TH_FIN) ? 1 : 0);
    this.scene.packet(bytes, expected, says);
  }
}
