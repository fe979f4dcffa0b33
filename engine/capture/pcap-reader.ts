import type { Decoder } from './decoder.ts';
import { MAGIC_KUZNETSOV, MAGIC_NANO, PCAP_HEADER, PCAP_RECORD_HEADER } from './format.ts';
import type { CaptureInput } from './input.ts';
import { CaptureInterface, MICROSECONDS, NANOSECONDS } from './interface.ts';
import { type CaptureRecord, setTime } from './record.ts';

/** Record headers have caplen first, then origlen: all files of version 2.4. */
const CAPLEN_FIRST = 0;
/** Version 2.3: the order had just been changed, and some programs had not; the smaller one is caplen. */
const CAPLEN_SMALLER = 1;
/** Versions before 2.3, and 543.0 of DG/UX: origlen first. */
const CAPLEN_SECOND = 2;

/** Decoder of pcap files: both byte orders, microseconds or nanoseconds, versions 2.0 to 2.4, Kuznetsov's. */
export class PcapDecoder implements Decoder {
  private readonly input: CaptureInput;
  private readonly interfaces: CaptureInterface[];
  private readonly little: boolean;
  private readonly perSecond: number;
  private readonly nanosPerUnit: number;
  private readonly recordHeader: number;
  private lengths = CAPLEN_FIRST;
  private linktype = 0;
  private limit = 0;
  private number = 0;
  private headerRead = false;

  /**
   * @param input positioned on the file header
   * @param interfaces gets the one interface the file has
   * @param magic the file's magic number as read in its own byte order
   * @param little true if that is little-endian
   */
  constructor(input: CaptureInput, interfaces: CaptureInterface[], magic: number, little: boolean) {
    this.input = input;
    this.interfaces = interfaces;
    this.little = little;
    this.perSecond = magic === MAGIC_NANO ? 1e9 : 1e6;
    this.nanosPerUnit = magic === MAGIC_NANO ? 1 : 1000;
    this.recordHeader = magic === MAGIC_KUZNETSOV ? PCAP_RECORD_HEADER + 8 : PCAP_RECORD_HEADER;
  }

  /** See `Decoder.next`. Allocates nothing but the interface, once. */
  next(out: CaptureRecord): boolean {
    // Compared with true: V8 knows no field to be a boolean, and asks for all else that may be false otherwise (measured).
    if (this.headerRead !== true && !this.readHeader()) return false;
    const input = this.input;
    const header = this.recordHeader;
    if (input.end - input.pos < header && !input.fill(header)) return false;

    const little = this.little === true;
    let caplen = input.view.getUint32(input.pos + 8, little);
    let origlen = input.view.getUint32(input.pos + 12, little);
    const lengths = this.lengths;
    if (lengths !== CAPLEN_FIRST && (lengths === CAPLEN_SECOND || caplen > origlen)) {
      const first = caplen;
      caplen = origlen;
      origlen = first;
    }
    if (caplen > this.limit) this.tooLong(caplen);
    const size = header + caplen;
    if (input.end - input.pos < size && !input.fill(size)) return false;

    const pos = input.pos;
    const view = input.view;
    if (out.view !== view) {
      out.bytes = input.bytes;
      out.view = view;
    }
    out.off = pos + header;
    out.caplen = caplen;
    out.origlen = origlen;
    out.linktype = this.linktype;
    out.iface = 0;
    out.offset = input.base + pos;
    out.number = ++this.number;
    this.readTime(view.getUint32(pos, little), view.getUint32(pos + 4, little), out);
    input.pos = pos + size;
    return true;
  }

  /** pcap has no comments: null. */
  comment(): string | null {
    return null;
  }

  /** See `Decoder.forget`: nothing to do. */
  forget(): void {}

  /** See `Decoder.end`. */
  end(): void {
    const input = this.input;
    const have = input.end - input.pos;
    // Before the header is read, at least its magic number is there.
    if (have === 0) return;
    const inside = !this.headerRead
      ? 'the file header'
      : input.wanted === this.recordHeader
        ? 'a record header'
        : `packet ${this.number + 1}`;
    const expected = `${input.wanted} bytes, ${have} are there`;
    input.fail(input.offset, `the file ends at byte ${input.pushed}, inside ${inside}`, expected);
  }

  private readTime(seconds: number, fraction: number, out: CaptureRecord): void {
    const perSecond = this.perSecond;
    if (fraction < perSecond) {
      setTime(out, seconds, fraction * this.nanosPerUnit);
    } else {
      // Out of range, as broken writers leave it. libpcap hands it on, and the sum is what was meant.
      const carry = Math.floor(fraction / perSecond);
      setTime(out, seconds + carry, (fraction - carry * perSecond) * this.nanosPerUnit);
    }
  }

  private readHeader(): boolean {
    const input = this.input;
    if (input.end - input.pos < PCAP_HEADER && !input.fill(PCAP_HEADER)) return false;
    const { view, pos } = input;
    const little = this.little;
    this.lengths = this.readVersion(view.getUint16(pos + 4, little), view.getUint16(pos + 6, little));
    const snaplen = view.getUint32(pos + 16, little);
    // Upper bits: 4 bits FCS length in 16-bit words, 1 ignored, 1 "the FCS length is given", 10 zero bits.
    const link = view.getUint32(pos + 20, little);
    if ((link & 0x03ff_0000) !== 0) {
      input.fail(
        input.offset,
        `link type 0x${link.toString(16)} has reserved bits set`,
        'a link type of 16 bits',
      );
    }
    const iface = new CaptureInterface(0, 0, 0, link & 0xffff, snaplen);
    iface.scale = this.nanosPerUnit === 1 ? NANOSECONDS : MICROSECONDS;
    if ((link & 0x0400_0000) !== 0) iface.fcslen = 2 * (link >>> 28);
    this.interfaces.push(iface);
    this.linktype = iface.linktype;
    this.limit = iface.limit;
    input.pos = pos + PCAP_HEADER;
    this.headerRead = true;
    return true;
  }

  /** The order of the two lengths in record headers of this file version. */
  private readVersion(major: number, minor: number): number {
    if (major === 2 && minor <= 4) {
      if (minor === 4) return CAPLEN_FIRST;
      return minor === 3 ? CAPLEN_SMALLER : CAPLEN_SECOND;
    }
    if (major === 543 && minor === 0) return CAPLEN_SECOND;
    const input = this.input;
    return input.fail(input.offset, `pcap version ${major}.${minor} is unknown`, 'version 2.4 or older');
  }

  private tooLong(caplen: number): never {
    const input = this.input;
    const problem = `record says ${caplen} bytes were captured, more than the limit of ${this.limit}`;
    return input.fail(input.offset, problem, 'a sound record header');
  }
}
