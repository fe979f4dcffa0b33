import { type XtArg, XtError } from './extension.ts';
import { RATE_UNITS, readRate } from './rate.ts';
import { readUint } from './values.ts';

/** XT_HASHLIMIT_SCALE_v2: parts of a second that times are counted in. */
export const SCALE = 1_000_000;
const U32_MAX = 0xffffffff;
/** Most packets of a burst. */
export const BURST_MAX = 1_000_000;
/** Bytes are counted in sixteens (XT_HASHLIMIT_BYTE_SHIFT). */
const BYTE_SHIFT = 4;

/** What letters behind a number mean. Measured: a g means nothing, 1gb is one byte. */
const MULTIPLIERS: ReadonlyMap<string, number> = new Map([
  ['m', 1 << 20],
  ['k', 1 << 10],
]);
/** Units of a listing, the greatest first. */
const UNITS: readonly (readonly [string, number])[] = [
  ['mb', 1 << 20],
  ['kb', 1 << 10],
];

/** What `--hashlimit-upto` and `-above` say. */
export interface HashRate {
  /** Time for a packet in 1/{@link SCALE} s, or what sixteen bytes cost. */
  readonly period: number;
  readonly bytes: boolean;
  /** ms after which an idle bucket goes, if the rule does not say. */
  readonly expire: number;
  /** As written: how many in how many seconds. */
  readonly count: number;
  readonly seconds: number;
}

/** The cost of sixteen bytes at a rate. */
function costOf(bytes: number): number {
  if (bytes >= 2 ** 64) return 0;
  // Measured: sixteens are cut to 32 bits, not the bytes.
  const sixteens = Math.floor(bytes / (1 << BYTE_SHIFT)) % (U32_MAX + 1);
  return Math.floor(U32_MAX / (sixteens + 1));
}

/** The rate of a cost. */
export function bytesOf(cost: number): number {
  const rate = cost === 0 ? U32_MAX : Math.floor(U32_MAX / cost);
  return (rate - 1) * (1 << BYTE_SHIFT);
}

/** `512kb/s` */
function readByteRate(text: string): HashRate | undefined {
  const m = /^(\d+)(gb|mb|kb|b)\/s/.exec(text);
  if (m === null) return undefined;
  const bytes = Number(m[1]) * (MULTIPLIERS.get(m[2]![0]!) ?? 1);
  return { period: costOf(bytes), bytes: true, expire: 0, count: bytes, seconds: 1 };
}

/** @throws XtError */
export function readHashRate(arg: XtArg): HashRate {
  const bytes = readByteRate(arg.text);
  if (bytes !== undefined && bytes.count > 0) return bytes;
  // Measured: of `512kb` and `1000kb/min` only the number counts, as packets.
  const text = arg.text.replace(/^(\d+)[a-zA-Z]+/, '$1');
  const slash = text.indexOf('/');
  const word = slash < 0 ? 's' : text.slice(slash + 1).toLowerCase();
  const unit = word === '' ? undefined : RATE_UNITS.find((known) => known.word.startsWith(word));
  const count = Number.parseInt(text, 10);
  if (unit === undefined || !(count > 0))
    throw new XtError(
      `hashlimit: Bad value for "--${arg.name}" option: "${arg.text}"`,
      'such as 5/sec or 512kb/s',
      0,
    );
  const { seconds } = unit;
  return { period: readRate(text, SCALE), bytes: false, expire: seconds * 1000, count, seconds };
}

/**
 * `512kb`: in the greatest unit that says the rate so that it reads back to the same cost (measured: 5000304 bytes
 * are listed as 4883kb, 3000048 as 3000048b).
 * @param cost of the rate
 */
export function bytesText(cost: number): string {
  const bytes = bytesOf(cost);
  for (const [name, unit] of UNITS) {
    const whole = Math.floor(bytes / unit);
    // Measured: only 32 bits are read back.
    if (whole > 0 && costOf((whole * unit) % 2 ** 32) === cost) return `${whole}${name}`;
  }
  return `${bytes}b`;
}

/** A burst of bytes: in the greatest unit that it is no less than, what is over cut off (measured). */
export function burstText(bytes: number): string {
  for (const [name, unit] of UNITS) if (bytes >= unit) return `${Math.floor(bytes / unit)}${name}`;
  return `${bytes}b`;
}

/** A burst: packets, or bytes with a unit, of which the first letter counts (measured). @throws XtError */
export function readBurst(arg: XtArg): number {
  const number = readUint(arg.text, 1, BURST_MAX);
  if (number !== undefined) return number;
  const m = /^(\d+)([a-zA-Z])/.exec(arg.text);
  const bytes = m === null ? Number.POSITIVE_INFINITY : Number(m[1]) * (MULTIPLIERS.get(m[2]!) ?? 1);
  if (bytes < 2 ** 64) return bytes;
  const message = `bad value for option "--hashlimit-burst", or out of range (1-${BURST_MAX})`;
  throw new XtError(message, undefined, 0);
}
