import { IPPROTO_TCP } from '@keepstate/engine';
import type { Random } from '../engine/base/random.ts';
import type { PcapFile } from './pcap-file.ts';

const FIN = 0x01;
const SYN = 0x02;
const PSH = 0x08;
const ACK = 0x10;
/** MSS 1460, SACK permitted, timestamp, NOP, window scale 7: what Linux sends. */
const SYN_OPTIONS: readonly number[] = [0x020405b4, 0x0402080a, 0, 0, 0x01030307];
/** The same without timestamps. */
const SYN_PLAIN: readonly number[] = [0x020405b4, 0x04020103, 0x03070000];
const TIMESTAMP = 0x0101080a;

/** Who speaks to whom in a connection. */
export interface Ends {
  readonly family: number;
  /** As in Datagram. */
  readonly client: number;
  readonly server: number;
  readonly clientPort: number;
  readonly serverPort: number;
}

/**
 * A TCP connection without loss: SYN, SYN+ACK, ACK, then data and ACK by turns, both ways, then FIN, FIN, ACK;
 * with the options that Linux sends, timestamps in three of four.
 */
export class TcpConnection {
  private readonly ends: Ends;
  private readonly random: Random;
  private readonly timestamps: boolean;
  /** Next sequence number of client and server. */
  private readonly seq: [number, number];
  private exchanges: number;
  private step = 0;
  private sender = 0;
  private clock = 1000;

  /** @param exchanges how often data and its ACK are sent; Infinity for a connection that does not end */
  constructor(ends: Ends, random: Random, exchanges: number) {
    this.ends = ends;
    this.random = random;
    this.exchanges = exchanges;
    this.timestamps = random.below(4) !== 0;
    this.seq = [random.word(), random.word()];
  }

  /**
   * Writes the connection's next packet.
   * @param gap microseconds since the frame before
   * @returns false if that was its last
   */
  write(file: PcapFile, gap: number): boolean {
    switch (this.step++) {
      case 0:
        this.segment(file, gap, 0, SYN, 0);
        return true;
      case 1:
        this.segment(file, gap, 1, SYN | ACK, 0);
        return true;
      case 2:
        this.segment(file, gap, 0, ACK, 0);
        return true;
      case 3:
        this.sender = this.random.below(2);
        this.segment(file, gap, this.sender, PSH | ACK, 1 + this.random.below(140));
        return true;
      case 4:
        this.segment(file, gap, 1 - this.sender, ACK, 0);
        if (--this.exchanges > 0) this.step = 3;
        return true;
      case 5:
        this.segment(file, gap, 0, FIN | ACK, 0);
        return true;
      case 6:
        this.segment(file, gap, 1, FIN | ACK, 0);
        return true;
      default:
        this.segment(file, gap, 0, ACK, 0);
        return false;
    }
  }

  private segment(file: PcapFile, gap: number, dir: number, flags: number, data: number): void {
    const { ends, seq } = this;
    const syn = (flags & SYN) !== 0;
    const options = syn ? (this.timestamps ? SYN_OPTIONS : SYN_PLAIN).length * 4 : this.timestamps ? 12 : 0;
    const d = {
      family: ends.family,
      proto: IPPROTO_TCP,
      src: dir === 0 ? ends.client : ends.server,
      dst: dir === 0 ? ends.server : ends.client,
      length: 20 + options + data,
    };
    const l4 = file.begin(d, gap);
    const { view } = file;
    view.setUint16(l4, dir === 0 ? ends.clientPort : ends.serverPort);
    view.setUint16(l4 + 2, dir === 0 ? ends.serverPort : ends.clientPort);
    view.setInt32(l4 + 4, seq[dir]!);
    if ((flags & ACK) !== 0) view.setInt32(l4 + 8, seq[1 - dir]!);
    view.setUint8(l4 + 12, (20 + options) << 2);
    view.setUint8(l4 + 13, flags);
    view.setUint16(l4 + 14, syn ? 64240 : 502);
    this.options(view, l4 + 20, syn);
    file.finish(d, 16, true);
    seq[dir] = (seq[dir]! + data + (syn ? 1 : 0) + (flags & FIN)) | 0;
  }

  private options(view: DataView, at: number, syn: boolean): void {
    if (syn) {
      const words = this.timestamps ? SYN_OPTIONS : SYN_PLAIN;
      for (const [i, word] of words.entries()) view.setUint32(at + i * 4, word);
      if (this.timestamps) view.setUint32(at + 8, this.clock++);
    } else if (this.timestamps) {
      view.setUint32(at, TIMESTAMP);
      view.setUint32(at + 4, this.clock++);
      view.setUint32(at + 8, this.clock - 2);
    }
  }
}
