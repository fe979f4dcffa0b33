import { encodeUtf8 } from '../base/utf8.ts';
import { parseCounter, parseNumber } from './parse-value.ts';
import { SetError } from './set-error.ts';
import type { SetOptions } from './set-type.ts';

/** The longest timeout (s). */
export const MAX_TIMEOUT = 2147483;
/** The longest comment (bytes). */
const MAX_COMMENT = 255;

/** What `add` says about an element; undefined where it says nothing. */
export interface Extras {
  timeout?: number;
  packets?: number;
  bytes?: number;
  comment?: string;
  skbmark?: number;
  skbmask?: number;
  skbprio?: number;
  skbqueue?: number;
  nomatch?: boolean;
  wildcard?: boolean;
  /** Of a list: the set that the new one goes before or after. */
  before?: string;
  after?: string;
}

type Read = (text: string, out: Extras) => void;

function skbmark(text: string, out: Extras): void {
  // Measured: the mask needs no 0x, and one of 0 is all bits.
  const m = /^(0[xX][0-9a-fA-F]{1,8})(?:\/(?:0[xX])?([0-9a-fA-F]{1,8}))?$/.exec(text);
  if (m === null)
    throw new SetError('invalid skbmark format, it should be MARK/MASK or MARK in hexadecimal', text);
  out.skbmark = Number(m[1]) | 0;
  out.skbmask = Number.parseInt(m[2] ?? '0', 16) | 0 || -1;
}

function skbprio(text: string, out: Extras): void {
  const m = /^(?:0[xX])?([0-9a-fA-F]{1,8}):(?:0[xX])?([0-9a-fA-F]{1,8})/.exec(text);
  if (m === null) throw new SetError('invalid skbprio format, it should be MAJOR:MINOR', text);
  // Of each half sixteen bits count (measured).
  out.skbprio = (Number.parseInt(m[1]!, 16) << 16) | (Number.parseInt(m[2]!, 16) & 0xffff);
}

function comment(text: string, out: Extras): void {
  if (text === '') throw new SetError("missing mandatory argument of option 'comment'");
  if (text.includes('"')) throw new SetError('" character is not permitted in comments', text);
  if (encodeUtf8(text).length > MAX_COMMENT)
    throw new SetError(`comment is longer than the maximum allowed ${MAX_COMMENT} characters`, text);
  out.comment = text;
}

/** Options of `add` that take a word. */
export const EXTRA_READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  [
    'timeout',
    (text, out) => {
      out.timeout = parseNumber(text, 0, MAX_TIMEOUT);
    },
  ],
  [
    'packets',
    (text, out) => {
      out.packets = parseCounter(text);
    },
  ],
  [
    'bytes',
    (text, out) => {
      out.bytes = parseCounter(text);
    },
  ],
  ['comment', comment],
  ['skbmark', skbmark],
  ['skbprio', skbprio],
  [
    'skbqueue',
    (text, out) => {
      out.skbqueue = parseNumber(text, 0, 65535);
    },
  ],
]);

/** What a set must have been created with for an option of `add`. */
const NEEDS: readonly (readonly [keyof Extras, keyof SetOptions, string])[] = [
  ['packets', 'counters', 'packet counter'],
  ['bytes', 'counters', 'byte counter'],
  ['comment', 'comment', 'comment'],
  ['skbmark', 'skbinfo', 'skbinfo mapping'],
  ['skbprio', 'skbinfo', 'skbinfo mapping'],
  ['skbqueue', 'skbinfo', 'skbinfo mapping'],
];

/** Refuses what the set has no room for. @throws SetError */
export function checkExtras(extras: Extras, options: SetOptions): void {
  if (extras.timeout !== undefined && options.timeout < 0)
    throw new SetError('timeout cannot be used: set was created without timeout support', 'timeout');
  for (const [extra, option, what] of NEEDS)
    if (extras[extra] !== undefined && options[option] !== true)
      throw new SetError(`${what} cannot be used: set was created without ${option} support`, extra);
}
