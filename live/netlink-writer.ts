import { NLA_F_NESTED, NLA_HEADER, NLM_F_REQUEST, NLMSG_HEADER } from './netlink.ts';

/**
 * Writes messages one behind the other into a buffer that grows. A message is begun, gets attributes (nested ones are
 * opened and closed), and is ended; `bytes[0, length)` is the datagram. {@link reset} begins anew.
 */
export class MessageWriter {
  bytes: Uint8Array;
  view: DataView;
  /** Bytes written so far. */
  length = 0;
  private start = 0;

  /** @param size bytes to begin with */
  constructor(size = 4096) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets everything that was written. */
  reset(): void {
    this.length = 0;
  }

  /** Makes room for so many bytes more. */
  reserve(size: number): void {
    const needed = this.length + size;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  /**
   * Begins a message.
   * @param type NLMSG_*, RTM_*, or subsystem << 8 | number
   * @param flags NLM_F_* beside NLM_F_REQUEST, which is always set
   * @param sequence comes back in the answer
   */
  begin(type: number, flags: number, sequence: number): void {
    this.reserve(NLMSG_HEADER);
    const { view, length } = this;
    this.start = length;
    view.setUint32(length, NLMSG_HEADER, true);
    view.setUint16(length + 4, type, true);
    view.setUint16(length + 6, NLM_F_REQUEST | flags, true);
    view.setUint32(length + 8, sequence, true);
    view.setUint32(length + 12, 0, true);
    this.length = length + NLMSG_HEADER;
  }

  /**
   * Begins an nfnetlink message: {@link begin}, then nfgenmsg.
   * @param subsystem NFNL_SUBSYS_*
   * @param resource number of a queue or log group, else 0
   */
  beginNetfilter(
    subsystem: number,
    number: number,
    flags: number,
    sequence: number,
    family: number,
    resource: number,
  ): void {
    this.begin((subsystem << 8) | number, flags, sequence);
    this.u8(family);
    this.u8(0);
    this.be16(resource);
  }

  /** Ends the message: pads it, and writes its length into its header. */
  end(): void {
    this.view.setUint32(this.start, this.length - this.start, true);
    this.pad();
  }

  /** Opens a nested attribute. @returns what {@link close} needs */
  open(type: number): number {
    return this.head(type | NLA_F_NESTED);
  }

  /** Opens an attribute whose payload follows piece by piece. @returns what {@link close} needs */
  head(type: number): number {
    this.reserve(NLA_HEADER);
    const at = this.length;
    this.view.setUint16(at, NLA_HEADER, true);
    this.view.setUint16(at + 2, type, true);
    this.length = at + NLA_HEADER;
    return at;
  }

  /** Closes an attribute that was opened. */
  close(at: number): void {
    this.view.setUint16(at, this.length - at, true);
    this.pad();
  }

  /** An attribute of bytes[from, to). */
  attrBytes(type: number, bytes: Uint8Array, from: number, to: number): void {
    const at = this.head(type);
    this.copy(bytes, from, to);
    this.close(at);
  }

  /** An attribute of one byte. */
  attrU8(type: number, value: number): void {
    const at = this.head(type);
    this.u8(value);
    this.close(at);
  }

  /** An attribute of 16 bits in network order. */
  attrBe16(type: number, value: number): void {
    const at = this.head(type);
    this.be16(value);
    this.close(at);
  }

  /** An attribute of 32 bits in network order. */
  attrBe32(type: number, value: number): void {
    const at = this.head(type);
    this.be32(value);
    this.close(at);
  }

  /** An attribute of 32 bits in the machine's order. */
  attrU32(type: number, value: number): void {
    const at = this.head(type);
    this.u32(value);
    this.close(at);
  }

  /** An attribute of text (Latin 1) and a zero byte. */
  attrText(type: number, text: string): void {
    const at = this.head(type);
    this.reserve(text.length + 1);
    for (let i = 0; i < text.length; i++) this.bytes[this.length++] = text.charCodeAt(i);
    this.bytes[this.length++] = 0;
    this.close(at);
  }

  /** Bytes as they are. */
  copy(bytes: Uint8Array, from: number, to: number): void {
    this.reserve(to - from);
    // Short ones by hand: no view of a part need be made.
    if (to - from <= 256) for (let i = from; i < to; i++) this.bytes[this.length++] = bytes[i]!;
    else {
      this.bytes.set(bytes.subarray(from, to), this.length);
      this.length += to - from;
    }
  }

  u8(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** 16 bits in network order. */
  be16(value: number): void {
    this.reserve(2);
    this.view.setUint16(this.length, value);
    this.length += 2;
  }

  /** 32 bits in network order. */
  be32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value);
    this.length += 4;
  }

  /** 32 bits in the machine's order. */
  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** Writes zeros up to a multiple of four. */
  private pad(): void {
    this.reserve(3);
    while ((this.length & 3) !== 0) this.bytes[this.length++] = 0;
  }
}
