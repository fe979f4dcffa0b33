import { because, FRAG_MORE, type Packet } from '../packet/packet.ts';
import { FRAG_DROP } from './fates.ts';
import type { FragQueue } from './queue.ts';

/** Bytes of the largest datagram: an IPv6 header and the most that its length field can say. */
const LARGEST = 40 + 65535;

/** The buffer that datagrams are put together in. It holds the last one until the next is put there. */
export class Assembly {
  readonly bytes: Uint8Array = new Uint8Array(LARGEST);
  readonly view: DataView = new DataView(this.bytes.buffer);
  /** Size of the largest fragment of the last datagram, in bytes of IP packet. */
  maxSize = 0;

  /** Writes headers and data of a complete queue. @returns bytes of the datagram */
  write(queue: FragQueue): number {
    const header = queue.head.length;
    this.bytes.set(queue.head);
    queue.copyTo(this.bytes, header);
    return header + queue.length;
  }

  /** Points a packet at the datagram. A mark is that of the first fragment, as in Linux (measured). */
  adopt(pkt: Packet, length: number, queue: FragQueue): void {
    pkt.bytes = this.bytes;
    pkt.view = this.view;
    pkt.off = 0;
    pkt.end = length;
    pkt.frag = 0;
    pkt.mark = queue.mark;
    this.maxSize = Math.max(queue.maxSize, queue.maxDfSize);
  }
}

/** Drops a packet and says why. @returns FRAG_DROP */
export function drop(pkt: Packet, reason: number, a = 0): number {
  because(pkt, reason, a);
  return FRAG_DROP;
}
