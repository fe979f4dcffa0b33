import { MAGIC_MICRO, MAGIC_NANO, MAX_SNAPLEN, PCAP_HEADER, PCAP_RECORD_HEADER } from './format.ts';
import { type CaptureRecord, momentOf } from './record.ts';
import { TimeScale } from './timestamp.ts';

/** What a pcap file is to be like. */
export interface PcapOptions {
  /** LINKTYPE_ number of all its packets; 1 (Ethernet) if not given. */
  readonly linktype?: number;
  /** Most bytes captured of a packet, only stated, not enforced; 262 144 if not given. */
  readonly snaplen?: number;
  /** Timestamps in nanoseconds instead of microseconds. */
  readonly nanoseconds?: boolean;
  /** Byte order big-endian instead of little-endian. */
  readonly bigEndian?: boolean;
}

/** Makes the pieces of a pcap file (version 2.4): first `header()`, then a `record()` for each packet. */
export class PcapWriter {
  readonly #linktype: number;
  readonly #snaplen: number;
  readonly #little: boolean;
  readonly #scale: TimeScale;

  constructor(options: PcapOptions = {}) {
    this.#linktype = options.linktype ?? 1;
    this.#snaplen = options.snaplen ?? MAX_SNAPLEN;
    this.#little = options.bigEndian !== true;
    this.#scale = new TimeScale(options.nanoseconds === true ? 9 : 6, 0);
  }

  /** The file header, 24 bytes. */
  header(): Uint8Array {
    const view = new DataView(new ArrayBuffer(PCAP_HEADER));
    const little = this.#little;
    view.setUint32(0, this.#scale.tsresol === 9 ? MAGIC_NANO : MAGIC_MICRO, little);
    view.setUint16(4, 2, little);
    view.setUint16(6, 4, little);
    view.setUint32(16, this.#snaplen, little);
    view.setUint32(20, this.#linktype, little);
    return new Uint8Array(view.buffer);
  }

  /**
   * The record of a packet: a header of 16 bytes, then the packet. Its time is rounded to the file's unit.
   * @throws RangeError if the packet's link type is not the file's, or its time is before 1970 or after 2106
   */
  record(packet: CaptureRecord): Uint8Array {
    if (packet.linktype !== this.#linktype) {
      throw new RangeError(
        `a packet of link type ${packet.linktype} in a pcap file of type ${this.#linktype}`,
      );
    }
    const { seconds, nanoseconds } = momentOf(packet);
    const perSecond = this.#scale.perSecond;
    const units = Math.round((nanoseconds * perSecond) / 1e9);
    const carry = units === perSecond ? 1 : 0;
    if (!(seconds >= 0 && seconds + carry < 2 ** 32)) {
      throw new RangeError(`second ${seconds} does not fit in a pcap record`);
    }
    const bytes = new Uint8Array(PCAP_RECORD_HEADER + packet.caplen);
    const view = new DataView(bytes.buffer);
    const little = this.#little;
    view.setUint32(0, seconds + carry, little);
    view.setUint32(4, units - carry * perSecond, little);
    view.setUint32(8, packet.caplen, little);
    view.setUint32(12, packet.origlen, little);
    bytes.set(packet.bytes.subarray(packet.off, packet.off + packet.caplen), PCAP_RECORD_HEADER);
    return bytes;
  }
}
