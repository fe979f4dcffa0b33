import { type XtArg, XtError } from './extension.ts';
import { RATE_UNITS, readRate } from './rate.ts';
import { readUint } from './values.ts';

/** XT_HASHLIMIT_SCALE_v2: parts of a second that times are counted in. */
export const SCALE = 1_000_000;
const U32_MAX = 0xffffffff;
/** Bytes are counted in sixteens (XT_HASHLIMIT_BYTE_SHIFT). */
const BYTE_SHIFT = 4;

const MULTIPLIERS: readonly (readonly [string, number])[] = [
  ['gb', 1 << 30],
  ['mb', 1 << 20],
  ['kb', 1 << 10],
  ['b', 1],
];

/** What `--hashlimit-upto` and `-above` say. */
export interface HashRate {
  /** Time for a packet in 1/{@link SCALE} s, or what sixteen bytes cost. */
  readonly period: number;
  readonly bytes: boolean;
  /** ms after which an idle bucket goes, if the rule does not say. */
  readonly expire: number;
}

/** The cost of sixteen bytes at a rate. */
function costOf(bytes: number): number {
  return Math.floor(U32_MAX / ((bytes >>> BYTE_SHIFT) + 1));
}

/** The rate of a cost. */
export function bytesOf(cost: number): number {
  const rate = cost === 0 ? U32_MAX : Math.floor(U32_MAX / cost);
  return ((rate - 1) << BYTE_SHIFT) >>> 0;
}

/** `512kb/s` */
function readByteRate(text: string): HashRate | undefined {
  const m = /^(\d+)(gb|mb|kb|b)\/s/.exec(text);
  if (m === null) return undefined;
  const unit = MULTIPLIERS.find(([name]) => name === m[2])![1];
  // Measured: what does not fit into 32 bits after rounding is a rate of zero.
  const bytes = Number(m[1]) * unit;
  return { period: bytes >= 2 ** 30 ? U32_MAX : costOf(bytes), bytes: true, expire: 0 };
}

/** @throws XtError */
export function readHashRate(arg: XtArg): HashRate {
  const bytes = readByteRate(arg.text);
  if (bytes !== undefined) return bytes;
  // Measured: of `512kb` and `1000kb/min` only the number counts, as packets.
  const text = arg.text.replace(/^(\d+)[a-zA-Z]+/, '$1');
  const slash = text.indexOf('/');
  const word = slash < 0 ? 's' : text.slice(slash + 1).toLowerCase();
  const unit = word === '' ? undefined : RATE_UNITS.find((known) => known.word.startsWith(word));
  if (unit === undefined || !(Number.parseInt(text, 10) > 0))
    throw new XtError(
      `hashlimit: Bad value for "--${arg.name}" option: "${arg.text}"`,
      'such as 5/sec or 512kb/s',
      0,
    );
  return { period: readRate(text, SCALE), bytes: false, expire: unit.seconds * 1000 };
}

/**
 * `512kb`: in the greatest unit that says the rate so that it reads back to the same cost (measured: 5000304 bytes
 * are listed as 4883kb, 3000048 as 3000048b).
 * @param cost of the rate
 * @param bytes the rate, or a burst as many times as large
 */
export function bytesText(cost: number, bytes: number): string {
  const tolerance = bytesOf(cost - 1) - bytesOf(cost);
  for (const [name, unit] of MULTIPLIERS) {
    if (name === 'gb' || bytes < unit) continue;
    const rest = bytes % unit;
    if (rest === 0 || rest < tolerance) return `${Math.floor(bytes / unit)}${name}`;
  }
  return `${bytes}b`;
}

/** A burst: packets, or bytes with a unit. @throws XtError */
export function readBurst(arg: XtArg): number {
  const m = /^(\d+)(gb|mb|kb|b)?$/.exec(arg.text);
  const number = m === null ? readUint(arg.text) : Number(m[1]);
  if (number === undefined || number >= 2 ** 64)
    throw new XtError('bad value for option "--hashlimit-burst", or out of range (1-1000000)', undefined, 0);
  return number * (MULTIPLIERS.find(([name]) => name === m?.[2])?.[1] ?? 1);
}
