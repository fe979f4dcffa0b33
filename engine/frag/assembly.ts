import type { Packet } from '../packet/packet.ts';
import type { FragQueue } from './queue.ts';

/** Bytes of the largest datagram: an IPv6 header and the most that its length field can say. */
const LARGEST = 40 + 65535;

/** The buffer that datagrams are put together in. It holds the last one until the next is put there. */
export class Assembly {
  readonly bytes: Uint8Array = new Uint8Array(LARGEST);
  readonly view: DataView = new DataView(this.bytes.buffer);
  /** Size of the largest fragment of the last datagram, in bytes of IP packet. */
  maxSize = 0;
  /** How the last datagram came: bytes of the headers in front of each fragment's data, and of that data. */
  head = 0;
  sizes: readonly number[] = [];
  /** How many of its first bytes were brought together since, by whoever changed them. */
  linear = 0;
  /** IPv6: the byte in those headers that names what follows them. */
  nextHeaderAt = 0;

  /** Writes the headers and the data of a complete queue, one behind the other. */
  write(queue: FragQueue): void {
    this.bytes.set(queue.head);
    queue.copyTo(this.bytes, queue.head.length);
  }

  /** Points a packet at the datagram. Its mark is the first fragment's, as in Linux (measured). */
  adopt(pkt: Packet, length: number, queue: FragQueue): void {
    pkt.bytes = this.bytes;
    pkt.view = this.view;
    pkt.off = 0;
    pkt.end = length;
    pkt.mark = queue.mark;
    this.maxSize = queue.maxSize;
    this.head = queue.head.length;
    this.sizes = queue.sizes();
    this.linear = 0;
    this.nextHeaderAt = queue.nextHeaderAt;
  }
}
