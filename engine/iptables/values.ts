import { type XtArg, XtError } from './extension.ts';

/**
 * A number as the C library reads it: decimal, 0x hexadecimal or 0 octal, blanks and a plus sign in front allowed.
 * @returns the number and where it ended, null if there is none or it is over 2^64 - 1; never negative
 */
export function scanUint(text: string, from = 0): { value: number; end: number } | null {
  const m = /^[ \t\n\v\f\r]*\+?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)/.exec(text.slice(from));
  if (m === null) return null;
  const digits = m[1]!;
  const octal = digits.length > 1 && digits[0] === '0' && (digits[1] ?? '') <= '7' && !/^0[xX]/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  return value >= 2 ** 64 ? null : { value, end: from + m[0].length };
}

/** A whole word as a number of min to max, undefined if it is none. Bases as {@link scanUint}. */
export function readUint(text: string, min = 0, max = 0xffffffff): number | undefined {
  const got = scanUint(text);
  if (got === null || got.end !== text.length || got.value < min || got.value > max) return undefined;
  return got.value;
}

/** The greatest number of 64 bits. */
export const UINT64_MAX: bigint = 2n ** 64n - 1n;

/** A whole word as a number of 64 bits, undefined if it is none: decimal, 0x hexadecimal or 0 octal, and nothing else. */
export function readUint64(text: string): bigint | undefined {
  if (!/^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.test(text)) return undefined;
  const value = BigInt(/^0\d/.test(text) ? `0o${text.slice(1)}` : text);
  return value <= UINT64_MAX ? value : undefined;
}

/**
 * The option's word as a number.
 * @throws XtError 'bad value for option "--x", or out of range (min-max)'
 */
export function uintArg(arg: XtArg, min = 0, max = 0xffffffff): number {
  const value = readUint(arg.text, min, max);
  if (value === undefined)
    throw new XtError(
      `${arg.owner}: bad value for option "--${arg.name}", or out of range (${min}-${max})`,
      undefined,
      0,
    );
  return value;
}

/** A value and which of its bits count. */
export interface ValueMask {
  readonly value: number;
  readonly mask: number;
}

/**
 * The option's word as `value[/mask]`, both 32 bits, unsigned; without a mask all bits count.
 * @throws XtError
 */
export function valueMaskArg(arg: XtArg): ValueMask {
  const value = scanUint(arg.text);
  if (value === null || value.value > 0xffffffff)
    throw badMask(arg, 'bad integer value for option', ', or out of range');
  if (value.end === arg.text.length) return { value: value.value, mask: 0xffffffff };
  if (arg.text[value.end] !== '/') throw badMask(arg, 'trailing garbage after value for option', '');
  const mask = scanUint(arg.text, value.end + 1);
  if (mask === null || mask.value > 0xffffffff)
    throw badMask(arg, 'bad integer value for option', ', or out of range');
  if (mask.end !== arg.text.length) throw badMask(arg, 'trailing garbage after value for option', '');
  return { value: value.value, mask: mask.value };
}

function badMask(arg: XtArg, what: string, tail: string): XtError {
  return new XtError(`${arg.owner}: ${what} "--${arg.name}"${tail}`, undefined, 0);
}

/** `0x2a` or `0x2a/0xff`: a mask of all bits is not shown. */
export function valueMaskText(value: number, mask: number): string {
  return mask >>> 0 === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`;
}

/** `0x2a`, with so many digits at least. */
export function hex(value: number, digits: number = 1): string {
  return `0x${hexDigits(value, digits)}`;
}

/** The same without `0x`. */
export function hexDigits(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}

/**
 * Two numbers with a separator between, `a`, `a:b`, `a:` or `:b`; what is missing is min or max.
 * @returns undefined if either is no number of min to max; whether the first is greater is not looked at
 */
function readRange(text: string, separator: string, min: number, max: number): [number, number] | undefined {
  const at = text.indexOf(separator);
  const lowText = at < 0 ? text : text.slice(0, at);
  const highText = at < 0 ? text : text.slice(at + 1);
  const low = lowText === '' && at >= 0 ? min : readUint(lowText, min, max);
  const high = highText === '' && at >= 0 ? max : readUint(highText, min, max);
  return low === undefined || high === undefined ? undefined : [low, high];
}

/**
 * The option's word as a range of numbers.
 * @throws XtError
 */
export function rangeArg(arg: XtArg, separator: string, min: number, max: number): [number, number] {
  const range = readRange(arg.text, separator, min, max);
  if (range === undefined)
    throw new XtError(
      `${arg.owner}: bad value for option "--${arg.name}", or out of range (${min}-${max})`,
      undefined,
      0,
    );
  return range;
}

/** Characters that a saved word may hold without quotes, as the real tool has it (measured). */
const PLAIN_WORD = /^[-_0-9A-Za-z]+$/;

/**
 * A word as the real tool saves free text (log prefixes, comments): in double quotes if anything but plain characters
 * is in it, with a backslash before quotes and backslashes.
 */
export function quote(text: string): string {
  if (PLAIN_WORD.test(text)) return text;
  return `"${text.replace(/["'\\]/g, (c) => `\\${c}`)}"`;
}

const LOG_LEVELS: ReadonlyMap<string, number> = new Map([
  ['emerg', 0],
  ['panic', 0],
  ['alert', 1],
  ['crit', 2],
  ['error', 3],
  ['warning', 4],
  ['notice', 5],
  ['info', 6],
  ['debug', 7],
]);

/** syslog's level of a number of 0 to 7 or one of iptables' names, undefined for any other word. */
export function readLogLevel(text: string): number | undefined {
  return readUint(text, 0, 7) ?? LOG_LEVELS.get(text);
}

/** The names that {@link readLogLevel} knows. */
export const LOG_LEVEL_NAMES: readonly string[] = [...LOG_LEVELS.keys()];
