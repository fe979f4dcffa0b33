import { type CaptureRecord, setTime } from './record.ts';

const TWO_16 = 2 ** 16;
const TWO_32 = 2 ** 32;
/** From here on 64-bit timestamps are no exact doubles any more, by their upper half. */
const INEXACT_HIGH = 2 ** 21;

/**
 * How the timestamps of one interface count: a pcapng if_tsresol byte and an if_tsoffset, worked out once
 * so that turning a 64-bit timestamp into seconds and nanoseconds needs neither BigInt nor allocation.
 */
export class TimeScale {
  /** The if_tsresol byte: units of 10^-n s, or of 2^-n s if the upper bit is set. */
  readonly tsresol: number;
  /** Seconds to add to every timestamp. */
  readonly tsoffset: number;
  /** Timestamp units in a second; a power of 10 or 2, exact in a double. */
  readonly perSecond: number;
  /** Nanoseconds of a unit; exact but for powers of 10 above 10^9. */
  readonly #nanoseconds: number;
  /** Seconds of a unit, if units are of 2^-14 to 2^-30 s, the ones `read` is quick with; else 0. */
  readonly #inverse: number;

  /**
   * @param tsresol an if_tsresol byte; must be `isResolution`
   * @param tsoffset seconds to add to every timestamp
   */
  constructor(tsresol: number, tsoffset: number) {
    const binary = tsresol >= 0x80;
    const perSecond = binary ? 2 ** (tsresol - 0x80) : 10 ** tsresol;
    this.tsresol = tsresol;
    this.tsoffset = tsoffset;
    this.perSecond = perSecond;
    this.#nanoseconds = 1e9 / perSecond;
    this.#inverse = perSecond >= 2 ** 14 && perSecond <= 2 ** 30 ? 1 / perSecond : 0;
  }

  /**
   * Reads a 64-bit timestamp (upper half first, as in pcapng) into the time of a record, rounding down to whole
   * nanoseconds. Exact up to 2^37 units a second; finer ones (10^-12 s …) are good for 20 ns.
   * @param view bytes that hold the timestamp
   * @param pos its first byte
   * @param little byte order of each half
   */
  read(view: DataView, pos: number, little: boolean, out: CaptureRecord): void {
    const high = view.getUint32(pos, little);
    const low = view.getUint32(pos + 4, little);
    if (this.#inverse === 0) {
      this.#readAny(high, low, out);
      return;
    }
    // Multiplying is several times faster than dividing. The product is off by at most 1 (as 2^50 seconds are
    // never reached), and then so many units remain that they fit in 32 bits, where multiplying is exact.
    const unit = this.perSecond;
    let seconds = Math.floor((high * TWO_32 + low) * this.#inverse);
    let rest = (low - Math.imul(seconds, unit)) | 0;
    if (rest < 0) {
      seconds--;
      rest += unit;
    } else if (rest >= unit) {
      seconds++;
      rest -= unit;
    }
    setTime(out, seconds + this.tsoffset, Math.floor(rest * this.#nanoseconds));
  }

  /** `read` for the units that are rare: coarser than 2^-14 s, finer than 2^-30 s. */
  #readAny(high: number, low: number, out: CaptureRecord): void {
    const unit = this.perSecond;
    let seconds: number;
    let rest: number;
    if (high >= INEXACT_HIGH && unit <= 2 ** 37) {
      // Long division by hand, 16 bits at a time, so that every intermediate stays below 2^53.
      const q0 = Math.floor(high / unit);
      const middle = (high - q0 * unit) * TWO_16 + (low >>> 16);
      const q1 = Math.floor(middle / unit);
      const lowest = (middle - q1 * unit) * TWO_16 + (low & 0xffff);
      const q2 = Math.floor(lowest / unit);
      seconds = q0 * TWO_32 + q1 * TWO_16 + q2;
      rest = lowest - q2 * unit;
    } else {
      // Exact below 2^53: the quotient of two such integers, correctly rounded, never reaches the next one.
      const units = high * TWO_32 + low;
      seconds = Math.floor(units / unit);
      rest = units - seconds * unit;
    }
    setTime(out, seconds + this.tsoffset, Math.floor(rest * this.#nanoseconds));
  }

  /**
   * The reverse of `read`, to the nearest unit: the 64-bit timestamp of a moment.
   * @throws RangeError if the moment lies outside the 64 bits
   */
  units(seconds: number, nanoseconds: number): bigint {
    // Writing is not the hot path: here BigInt is the plain way.
    const perSecond = BigInt(this.perSecond);
    const fraction = (BigInt(nanoseconds) * perSecond + 500_000_000n) / 1_000_000_000n;
    const units = BigInt(seconds - this.tsoffset) * perSecond + fraction;
    if (units < 0n || units >= 1n << 64n) {
      throw new RangeError(`second ${seconds} does not fit in 64 bits at ${this.perSecond} units a second`);
    }
    return units;
  }
}

/**
 * Says whether a timestamp of 64 bits can hold a second at this resolution, as libpcap demands: 10^-19 and
 * 2^-63 are the finest.
 * @param tsresol an if_tsresol byte
 */
export function isResolution(tsresol: number): boolean {
  return tsresol >= 0x80 ? tsresol <= 0x80 + 63 : tsresol <= 19;
}
