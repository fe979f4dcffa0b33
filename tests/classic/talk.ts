/** Two ends of a conversation, with right sequence numbers. */
import { tcpPacket, udpPacket } from '../../engine/packet/build.ts';
import { TH_ACK, TH_FIN, TH_RST, TH_SYN } from '../../engine/packet/tcp.ts';
import type { Host, State } from './host.ts';

/** Who opens connections. */
export const CLIENT = '192.168.1.10';
/** Who answers. */
export const SERVER = '10.0.0.80';

/** TH_* bits by letter. */
const LETTERS: Readonly<Record<string, number>> = { S: TH_SYN, A: TH_ACK, F: TH_FIN, R: TH_RST };

/** One TCP connection. Flags are letters: `SA` is SYN with ACK, '' none at all. */
export class TcpTalk {
  private readonly host: Host;
  private readonly sport: number;
  private readonly dport: number;
  /** Next sequence number of the client and of the server. */
  private readonly next: [number, number] = [1000, 5000];

  constructor(host: Host, sport = 1025, dport = 80) {
    this.host = host;
    this.sport = sport;
    this.dport = dport;
  }

  /** The client sends a segment with so many bytes of data. */
  client(flags: string, data = 0): State {
    return this.host.send(this.segment(0, flags, data));
  }

  /** The server does. */
  server(flags: string, data = 0): State {
    return this.host.send(this.segment(1, flags, data));
  }

  /** The three segments of the handshake. */
  open(): State[] {
    return [this.client('S'), this.server('SA'), this.client('A')];
  }

  /** FIN/ACK, ACK, FIN/ACK, ACK. */
  close(first: 'client' | 'server'): State[] {
    const second = first === 'client' ? 'server' : 'client';
    return [this[first]('FA'), this[second]('A'), this[second]('FA'), this[first]('A')];
  }

  /**
   * A segment that is not sent.
   * @param dir 0 from the client, 1 from the server
   * @param skip distance of the sequence number from the right one
   */
  segment(dir: 0 | 1, flags: string, data = 0, skip = 0): Uint8Array {
    const bits = [...flags].reduce((sum, letter) => sum | LETTERS[letter]!, 0);
    const bytes = tcpPacket({
      ...this.ends(dir),
      flags: bits,
      seq: this.next[dir] + skip,
      ack: bits & TH_ACK ? this.next[1 - dir]! : 0,
      payload: data,
    });
    if (skip === 0) this.next[dir] += data + ((bits & TH_SYN) >> 1) + (bits & TH_FIN);
    return bytes;
  }

  private ends(dir: 0 | 1) {
    const client = { src: CLIENT, dst: SERVER, sport: this.sport, dport: this.dport };
    return dir === 0 ? client : { src: SERVER, dst: CLIENT, sport: this.dport, dport: this.sport };
  }
}

/** One UDP conversation. */
export class UdpTalk {
  private readonly host: Host;
  private readonly sport: number;

  constructor(host: Host, sport = 1026) {
    this.host = host;
    this.sport = sport;
  }

  /** The client sends. */
  client(): State {
    return this.host.send(this.datagram(0));
  }

  /** The server answers. */
  server(): State {
    return this.host.send(this.datagram(1));
  }

  /** A datagram that is not sent. */
  datagram(dir: 0 | 1, payload: string | number = 'hello'): Uint8Array {
    const { sport } = this;
    return dir === 0
      ? udpPacket({ src: CLIENT, dst: SERVER, sport, dport: 53, payload })
      : udpPacket({ src: SERVER, dst: CLIENT, sport: 53, dport: sport, payload });
  }
}
