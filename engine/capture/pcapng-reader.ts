import type { Decoder } from './decoder.ts';
import {
  BLOCK_ENHANCED,
  BLOCK_INTERFACE,
  BLOCK_PACKET,
  BLOCK_SECTION,
  BLOCK_SIMPLE,
  BYTE_ORDER_MAGIC,
  MAX_BLOCK,
} from './format.ts';
import type { CaptureInput } from './input.ts';
import { CaptureInterface } from './interface.ts';
import { readInterfaceOptions } from './pcapng-interface.ts';
import { OptionCursor, readComment } from './pcapng-options.ts';
import { type CaptureRecord, setTime } from './record.ts';

// Bytes of each block around its variable part: 8 of type and length, the fixed fields, 4 of length again.
const ANY_BLOCK = 12;
const SECTION_BLOCK = 28;
const INTERFACE_BLOCK = 20;
const SIMPLE_BLOCK = 16;
const PACKET_BLOCK = 32;

/**
 * Decoder of pcapng files: sections of either byte order, any number of interfaces of any link type, Enhanced,
 * Simple and (obsolete) Packet Blocks; all other blocks are passed over without being kept.
 */
export class PcapngDecoder implements Decoder {
  readonly #input: CaptureInput;
  readonly #interfaces: CaptureInterface[];
  #little = true;
  #section = -1;
  /** Row of the section's first interface. */
  #firstInterface = 0;
  #number = 0;
  /** Time of the last packet that had one. */
  #seconds = 0;
  #nanoseconds = 0;
  /** Options of the last packet, as positions in the window. */
  #optionsFrom = 0;
  #optionsEnd = 0;
  /** The block being passed over: its length, its file offset and its bytes still to come; length 0: none. */
  #passTotal = 0;
  #passOffset = 0;
  #passLeft = 0;

  /**
   * @param input positioned on a Section Header Block
   * @param interfaces gets the interfaces, in the order of the file, as they come
   */
  constructor(input: CaptureInput, interfaces: CaptureInterface[]) {
    this.#input = input;
    this.#interfaces = interfaces;
  }

  /** See `Decoder.next`. Allocates nothing but interfaces. */
  next(out: CaptureRecord): boolean {
    const input = this.#input;
    this.#optionsEnd = 0;
    for (;;) {
      if (this.#passTotal !== 0 && !this.#pass()) return false;
      if (input.end - input.pos < 8 && !input.fill(8)) return false;
      const type = input.view.getUint32(input.pos, this.#little);
      switch (type) {
        case BLOCK_ENHANCED:
        case BLOCK_PACKET: {
          const total = this.#block(PACKET_BLOCK);
          if (total === 0) return false;
          this.#readPacket(out, total, type === BLOCK_PACKET);
          return true;
        }
        case BLOCK_SIMPLE: {
          const total = this.#block(SIMPLE_BLOCK);
          if (total === 0) return false;
          this.#readSimple(out, total);
          return true;
        }
        case BLOCK_INTERFACE: {
          const total = this.#block(INTERFACE_BLOCK);
          if (total === 0) return false;
          this.#readInterface(total);
          break;
        }
        case BLOCK_SECTION:
          if (!this.#readSection()) return false;
          break;
        default:
          this.#startPass();
      }
    }
  }

  /** See `Decoder.comment`. */
  comment(): string | null {
    if (this.#optionsEnd === 0) return null;
    const { bytes, view } = this.#input;
    return readComment(bytes, new OptionCursor(view, this.#optionsFrom, this.#optionsEnd, this.#little));
  }

  /** See `Decoder.forget`. */
  forget(): void {
    this.#optionsEnd = 0;
  }

  /** See `Decoder.end`. */
  end(): void {
    const input = this.#input;
    const have = input.end - input.pos;
    const passing = this.#passTotal !== 0;
    if (have === 0 && !passing) return;
    const offset = passing ? this.#passOffset : input.offset;
    const wanted = passing ? this.#passTotal : input.wanted;
    const expected = `${wanted} bytes, ${input.pushed - offset} are there`;
    input.fail(offset, `the file ends at byte ${input.pushed}, inside a block`, expected);
  }

  /**
   * Brings the whole block at `pos` into the window and checks its two lengths.
   * @param least the shortest it can be
   * @returns its length, or 0 if a further chunk must come first
   */
  #block(least: number): number {
    const input = this.#input;
    const total = input.view.getUint32(input.pos + 4, this.#little);
    if (total < least || total > MAX_BLOCK || (total & 3) !== 0) this.#badLength(total, least);
    if (input.end - input.pos < total && !input.fill(total)) return 0;
    const trailer = input.view.getUint32(input.pos + total - 4, this.#little);
    if (trailer !== total) this.#badTrailer(input.offset, total, trailer);
    return total;
  }

  /** Enhanced Packet Block, or the obsolete Packet Block, whose first field is a 16-bit interface and drops. */
  #readPacket(out: CaptureRecord, total: number, obsolete: boolean): void {
    const input = this.#input;
    const { view, pos } = input;
    const little = this.#little;
    const id = obsolete ? view.getUint16(pos + 8, little) : view.getUint32(pos + 8, little);
    const iface = this.#interface(id);
    const caplen = view.getUint32(pos + 20, little);
    if (caplen > iface.limit) this.#tooLong(caplen, iface.limit);
    const padded = (caplen + 3) & ~3;
    if (padded > total - PACKET_BLOCK) this.#doesNotFit(caplen, total);
    out.off = pos + 28;
    out.caplen = caplen;
    out.origlen = view.getUint32(pos + 24, little);
    iface.scale.read(view, pos + 12, little, out);
    this.#seconds = out.seconds;
    this.#nanoseconds = out.nanoseconds;
    this.#deliver(out, iface);
    this.#optionsFrom = pos + 28 + padded;
    this.#optionsEnd = pos + total - 4;
    input.pos = pos + total;
  }

  /** Simple Packet Block: first interface of the section, no timestamp, captured length left to be inferred. */
  #readSimple(out: CaptureRecord, total: number): void {
    const input = this.#input;
    const pos = input.pos;
    const iface = this.#interface(0);
    const origlen = input.view.getUint32(pos + 8, this.#little);
    const caplen = Math.min(origlen, iface.limit, iface.snaplen === 0 ? iface.limit : iface.snaplen);
    if (caplen > total - SIMPLE_BLOCK) this.#doesNotFit(caplen, total);
    out.off = pos + 12;
    out.caplen = caplen;
    out.origlen = origlen;
    // libpcap says 1970. Tracking would then run its clock back by decades, so the clock stands still instead.
    setTime(out, this.#seconds, this.#nanoseconds);
    this.#deliver(out, iface);
    input.pos = pos + total;
  }

  #deliver(out: CaptureRecord, iface: CaptureInterface): void {
    const input = this.#input;
    out.bytes = input.bytes;
    out.view = input.view;
    out.linktype = iface.linktype;
    out.iface = iface.index;
    out.offset = input.base + input.pos;
    out.number = ++this.#number;
  }

  #interface(id: number): CaptureInterface {
    const index = this.#firstInterface + id;
    if (index < this.#interfaces.length) return this.#interfaces[index];
    const count = this.#interfaces.length - this.#firstInterface;
    const input = this.#input;
    return input.fail(
      input.offset,
      `a packet of interface ${id} in a section that has ${count}`,
      'one of them',
    );
  }

  #readInterface(total: number): void {
    const input = this.#input;
    const { view, pos } = input;
    const linktype = view.getUint16(pos + 8, this.#little);
    const snaplen = view.getUint32(pos + 12, this.#little);
    const index = this.#interfaces.length;
    const iface = new CaptureInterface(index, this.#section, index - this.#firstInterface, linktype, snaplen);
    readInterfaceOptions(input, total, this.#little, iface);
    this.#interfaces.push(iface);
    input.pos = pos + total;
  }

  #readSection(): boolean {
    const input = this.#input;
    if (input.end - input.pos < 12 && !input.fill(12)) return false;
    const little = input.view.getUint32(input.pos + 8, true) === BYTE_ORDER_MAGIC;
    if (!little && input.view.getUint32(input.pos + 8, false) !== BYTE_ORDER_MAGIC) {
      input.fail(input.offset, 'a section header without the byte-order magic', '1a2b3c4d or 4d3c2b1a');
    }
    this.#little = little;
    const total = this.#block(SECTION_BLOCK);
    if (total === 0) return false;
    const major = input.view.getUint16(input.pos + 12, little);
    const minor = input.view.getUint16(input.pos + 14, little);
    // 1.2 is 1.0 with more block types, which does not matter to a reader (draft-ietf-opsawg-pcapng, 4.1).
    if (major !== 1 || (minor !== 0 && minor !== 2)) {
      input.fail(input.offset, `pcapng version ${major}.${minor} is unknown`, 'version 1.0 or 1.2');
    }
    this.#section++;
    this.#firstInterface = this.#interfaces.length;
    // The section length (often -1, unknown) is for jumping to the next section; walking the blocks finds it too.
    input.pos += total;
    return true;
  }

  #startPass(): void {
    const input = this.#input;
    const total = input.view.getUint32(input.pos + 4, this.#little);
    if (total < ANY_BLOCK || total > MAX_BLOCK || (total & 3) !== 0) this.#badLength(total, ANY_BLOCK);
    this.#passTotal = total;
    this.#passOffset = input.offset;
    this.#passLeft = total - ANY_BLOCK;
    input.pos += 8;
  }

  /** Passes over a block that holds no packet; false if a further chunk must come first. */
  #pass(): boolean {
    const input = this.#input;
    this.#passLeft -= input.skip(this.#passLeft);
    if (this.#passLeft > 0) return false;
    if (input.end - input.pos < 4 && !input.fill(4)) return false;
    const trailer = input.view.getUint32(input.pos, this.#little);
    if (trailer !== this.#passTotal) this.#badTrailer(this.#passOffset, this.#passTotal, trailer);
    input.pos += 4;
    this.#passTotal = 0;
    return true;
  }

  #badLength(total: number, least: number): never {
    const input = this.#input;
    const expected = `a multiple of 4 from ${least} to ${MAX_BLOCK}`;
    return input.fail(input.offset, `block says it is ${total} bytes long`, expected);
  }

  #badTrailer(offset: number, total: number, trailer: number): never {
    const problem = `block says it is ${total} bytes long at its front and ${trailer} at its end`;
    return this.#input.fail(offset, problem, 'the same length twice');
  }

  #tooLong(caplen: number, limit: number): never {
    const input = this.#input;
    const problem = `block says ${caplen} bytes were captured, more than the limit of ${limit}`;
    return input.fail(input.offset, problem, 'a sound packet block');
  }

  #doesNotFit(caplen: number, total: number): never {
    const input = this.#input;
    const problem = `block of ${total} bytes says ${caplen} bytes were captured`;
    return input.fail(input.offset, problem, 'a packet that fits in its block');
  }
}
