const NO_BYTES = new Uint8Array(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/**
 * One packet of a capture: a reusable window on the chunk it was read from, nothing is copied.
 * What the reader put in is valid until the reader's next `next()` or `push()`.
 */
export class CaptureRecord {
  /** The chunk which holds the packet. */
  bytes: Uint8Array = NO_BYTES;
  /** A view of the same bytes as `bytes`, so that `off` counts in both. */
  view: DataView = NO_VIEW;
  /** First byte of the packet in `bytes`. */
  off = 0;
  /** Bytes of the packet that were captured and are here. */
  caplen = 0;
  /** Bytes the packet had on the wire, as the file says; some programs write less than `caplen`. */
  origlen = 0;
  /** Milliseconds since the epoch; at today's dates a double is good for a quarter of a microsecond. */
  time = 0;
  /** The exact time, first half: whole seconds since the epoch, rounded down. */
  seconds = 0;
  /** The exact time, second half: nanoseconds in the second, 0 to 999 999 999. */
  nanoseconds = 0;
  /** LINKTYPE_ number of the bytes (1 = Ethernet, 101 = raw IP). */
  linktype = 0;
  /** Row of the interface in the reader's `interfaces`. */
  iface = 0;
  /** Byte offset in the (uncompressed) file of the record or block that holds the packet. */
  offset = 0;
  /** Count of the packet in the file, from 1. */
  number = 0;

  /**
   * Makes this the record of a whole packet that comes from no file, say to write it to one; on interface 0.
   * @param bytes the packet; kept, not copied
   * @param time milliseconds since the epoch
   * @param linktype LINKTYPE_ number of the bytes
   */
  packet(bytes: Uint8Array, time: number, linktype = 1): this {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.off = 0;
    this.caplen = bytes.length;
    this.origlen = bytes.length;
    this.time = time;
    const { seconds, nanoseconds } = momentOf(this);
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    this.linktype = linktype;
    this.iface = 0;
    this.offset = 0;
    this.number = 0;
    return this;
  }
}

/** Sets the three time fields of a record from whole seconds and nanoseconds. */
export function setTime(out: CaptureRecord, seconds: number, nanoseconds: number): void {
  out.seconds = seconds;
  out.nanoseconds = nanoseconds;
  out.time = seconds * 1000 + nanoseconds / 1e6;
}

/** A moment, exact: whole seconds since the epoch and nanoseconds in the second. */
export interface Moment {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/**
 * The moment of a record for writing: its seconds and nanoseconds, unless somebody has set another `time`
 * since; then that, to the nearest nanosecond.
 */
export function momentOf(record: CaptureRecord): Moment {
  const { seconds, nanoseconds, time } = record;
  if (seconds * 1000 + nanoseconds / 1e6 === time) return { seconds, nanoseconds };
  const whole = Math.floor(time / 1000);
  const rest = Math.round((time - whole * 1000) * 1e6);
  return rest < 1e9 ? { seconds: whole, nanoseconds: rest } : { seconds: whole + 1, nanoseconds: rest - 1e9 };
}
