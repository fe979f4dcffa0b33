import { encodeUtf8 } from '../base/utf8.ts';
import {
  BLOCK_ENHANCED,
  BLOCK_INTERFACE,
  BLOCK_SECTION,
  BYTE_ORDER_MAGIC,
  IF_DESCRIPTION,
  IF_NAME,
  IF_TSOFFSET,
  IF_TSRESOL,
  OPT_COMMENT,
  SHB_USERAPPL,
} from './format.ts';
import { type CaptureRecord, momentOf } from './record.ts';
import { isResolution, TimeScale } from './timestamp.ts';

/** What a pcapng file is to be like. */
export interface PcapngOptions {
  /** Byte order big-endian instead of little-endian. */
  readonly bigEndian?: boolean;
  /** The program that writes the file (shb_userappl). */
  readonly application?: string;
}

/** An interface to be written; a `CaptureInterface` of a reader is one, too. */
export interface PcapngInterface {
  /** LINKTYPE_ number of its packets. */
  readonly linktype: number;
  /** Most bytes captured of a packet, only stated, not enforced; 0 (no limit) if not given. */
  readonly snaplen?: number;
  /** Its name; none if not given or empty. */
  readonly name?: string;
  /** Its description; none if not given or empty. */
  readonly description?: string;
  /** The if_tsresol byte: 10^-n s, or 2^-n s if the upper bit is set; 6 (microseconds) if not given. */
  readonly tsresol?: number;
  /** Seconds to be added to every timestamp in the file; 0 if not given. */
  readonly tsoffset?: number;
}

/**
 * Makes the pieces of a pcapng file of one section: first `header()`, then an `interface()` for each interface,
 * numbered from 0, and a `record()` for each packet, after the interface it belongs to. To copy a capture, write
 * the reader's `interfaces` in their order: the packets' `iface` then fits.
 */
export class PcapngWriter {
  readonly #little: boolean;
  readonly #application: string;
  readonly #linktypes: number[] = [];
  readonly #scales: TimeScale[] = [];

  constructor(options: PcapngOptions = {}) {
    this.#little = options.bigEndian !== true;
    this.#application = options.application ?? '';
  }

  /** Number of interfaces written so far: the `iface` of the next. */
  get interfaces(): number {
    return this.#linktypes.length;
  }

  /** The Section Header Block. */
  header(): Uint8Array {
    const fixed = new DataView(new ArrayBuffer(16));
    fixed.setUint32(0, BYTE_ORDER_MAGIC, this.#little);
    fixed.setUint16(4, 1, this.#little);
    // Section length -1: not known yet.
    fixed.setInt32(8, -1);
    fixed.setInt32(12, -1);
    const options = this.#application === '' ? [] : [this.#text(SHB_USERAPPL, this.#application)];
    return this.#block(BLOCK_SECTION, [new Uint8Array(fixed.buffer), ...this.#options(options)]);
  }

  /**
   * An Interface Description Block.
   * @throws RangeError if the resolution of timestamps is none
   */
  interface(iface: PcapngInterface): Uint8Array {
    const { linktype, snaplen = 0, name = '', description = '', tsresol = 6, tsoffset = 0 } = iface;
    if (!isResolution(tsresol)) throw new RangeError(`${tsresol} is no if_tsresol`);
    this.#linktypes.push(linktype);
    this.#scales.push(new TimeScale(tsresol, tsoffset));
    const fixed = new DataView(new ArrayBuffer(8));
    fixed.setUint16(0, linktype, this.#little);
    fixed.setUint32(4, snaplen, this.#little);
    const options: Uint8Array[] = [];
    if (name !== '') options.push(this.#text(IF_NAME, name));
    if (description !== '') options.push(this.#text(IF_DESCRIPTION, description));
    if (tsresol !== 6) options.push(this.#option(IF_TSRESOL, new Uint8Array([tsresol])));
    if (tsoffset !== 0) {
      const value = new DataView(new ArrayBuffer(8));
      value.setBigInt64(0, BigInt(tsoffset), this.#little);
      options.push(this.#option(IF_TSOFFSET, new Uint8Array(value.buffer)));
    }
    return this.#block(BLOCK_INTERFACE, [new Uint8Array(fixed.buffer), ...this.#options(options)]);
  }

  /**
   * The Enhanced Packet Block of a packet. Its time is rounded to the interface's unit.
   * @param comment a comment (opt_comment); of one longer than 65 535 bytes in UTF-8 the rest is lost
   * @throws RangeError if its interface has not been written, is of another link type, or cannot hold its time
   */
  record(packet: CaptureRecord, comment: string | null = null): Uint8Array {
    const { iface, linktype, off, caplen } = packet;
    if (iface >= this.#linktypes.length) throw new RangeError(`interface ${iface} has not been written`);
    if (linktype !== this.#linktypes[iface]) {
      throw new RangeError(`a packet of link type ${linktype} on interface ${iface}, which is of another`);
    }
    const { seconds, nanoseconds } = momentOf(packet);
    const units = this.#scales[iface].units(seconds, nanoseconds);
    const fixed = new DataView(new ArrayBuffer(20));
    fixed.setUint32(0, iface, this.#little);
    fixed.setUint32(4, Number(units >> 32n), this.#little);
    fixed.setUint32(8, Number(units & 0xffff_ffffn), this.#little);
    fixed.setUint32(12, caplen, this.#little);
    fixed.setUint32(16, packet.origlen, this.#little);
    const options = comment === null ? [] : [this.#text(OPT_COMMENT, comment)];
    const data = packet.bytes.subarray(off, off + caplen);
    return this.#block(BLOCK_ENHANCED, [new Uint8Array(fixed.buffer), data, ...this.#options(options)]);
  }

  /** A block: type, length, the parts, each padded to a multiple of 4, and the length again. */
  #block(type: number, parts: readonly Uint8Array[]): Uint8Array {
    let total = 12;
    for (const part of parts) total += (part.length + 3) & ~3;
    const bytes = new Uint8Array(total);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, type, this.#little);
    view.setUint32(4, total, this.#little);
    let at = 8;
    for (const part of parts) {
      bytes.set(part, at);
      at += (part.length + 3) & ~3;
    }
    view.setUint32(at, total, this.#little);
    return bytes;
  }

  /** Options with the opt_endofopt that ends them; none without any, which the format allows. */
  #options(options: readonly Uint8Array[]): readonly Uint8Array[] {
    return options.length === 0 ? options : [...options, new Uint8Array(4)];
  }

  #text(code: number, text: string): Uint8Array {
    return this.#option(code, encodeUtf8(text).subarray(0, 0xffff));
  }

  #option(code: number, value: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(4 + value.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, code, this.#little);
    view.setUint16(2, value.length, this.#little);
    bytes.set(value, 4);
    return bytes;
  }
}
