import type { At, U64 } from './ast-expr.ts';
import { longestAddress } from './lex-address.ts';
import { atOf } from './lex-source.ts';

/** The kinds of tokens. */
export const T_EOF = 0;
/** The end of a line. */
export const T_NEWLINE = 1;
/** A word without quotes: keyword, name, address, time (`1d2h`), class (`1:2`); a trailing `*` belongs to it. */
export const T_WORD = 2;
/** A quoted string; `text` is without the quotes. */
export const T_STRING = 3;
/** A number; its value is in `value`. */
export const T_NUMBER = 4;
/** Brackets, operators, separators. */
export const T_PUNCT = 5;
/** A character that begins nothing. */
export const T_JUNK = 6;

/** One token. */
export interface Token {
  readonly kind: number;
  readonly text: string;
  readonly value: U64;
  readonly at: At;
}

/** What a character may be: the first of a word, one further on in it, a sign of its own. */
const BEGINS_WORD = 1;
const IN_WORD = 2;
const SIGN = 4;
const CLASSES: Uint8Array = new Uint8Array(128);
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_.';
for (const c of LETTERS) CLASSES[c.charCodeAt(0)]! |= BEGINS_WORD | IN_WORD;
for (const c of '0123456789/-') CLASSES[c.charCodeAt(0)]! |= IN_WORD;
for (const c of '{}()[],:.+-*/=!<>&|^@$;') CLASSES[c.charCodeAt(0)]! |= SIGN;
const NUMBER = /0[xX][0-9a-fA-F]+|[0-9]+/y;
/** The two EtherTypes whose names begin with a digit. */
const VLAN_TYPE = /8021(?:ad|q)/y;
const TIME = /(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?/y;
/** A backslash at a line's end. */
const CONTINUED = /\\\n/y;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

/** The length of what a sticky expression matches at `i`; 0 for nothing. */
function matchLength(re: RegExp, text: string, i: number): number {
  re.lastIndex = i;
  return re.test(text) ? re.lastIndex - i : 0;
}

/** The length of the word that begins at `i`; 0 for none. A last `*`, also behind a backslash, belongs to it. */
function wordLength(text: string, i: number): number {
  if ((CLASSES[text.charCodeAt(i)]! & BEGINS_WORD) === 0) {
    return 0;
  }
  let end = i + 1;
  // Behind the text's end the code is NaN, which has no class.
  while ((CLASSES[text.charCodeAt(end)]! & IN_WORD) !== 0) {
    end++;
  }
  const star = text.charCodeAt(end) === 92 ? end + 1 : end;
  return (text.charCodeAt(star) === 42 ? star + 1 : end) - i;
}

/** The length of the operator, bracket or separator at `i`; 0 for none. */
function signLength(text: string, i: number, c: number): number {
  if ((CLASSES[c]! & SIGN) === 0) {
    return 0;
  }
  const next = text.charCodeAt(i + 1);
  const isDouble =
    next === 61 ? c === 61 || c === 33 || c === 60 || c === 62 : next === c && (c === 60 || c === 62);
  return isDouble ? 2 : 1;
}

/** A number as it is written: decimal, octal with a leading 0, hexadecimal. Null if it is none or is above 64 bits. */
export function parseNumber(text: string): U64 | null {
  const octal = text.length > 1 && text[0] === '0' && !/^0x/i.test(text);
  if (octal && !/^[0-7]+$/.test(text)) {
    return null;
  }
  const short = text.length <= 12;
  if (short) {
    return octal ? Number.parseInt(text, 8) : Number(text);
  }
  if (text.length > 80) {
    return null;
  }
  const big = BigInt(octal ? `0o${text.slice(1)}` : text);
  if (big > U64_MAX) {
    return null;
  }
  return big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
}

function isLetter(c: number): boolean {
  return (c >= 97 && c <= 122) || (c >= 65 && c <= 90);
}

/** Cuts a text into tokens, one at a time. Time and memory per token do not depend on the text's length. */
export class Lexer {
  readonly text: string;
  readonly #base: number;
  #pos = 0;
  #lineStart = true;

  /** @param base where the text's offset 0 lies among all sources */
  constructor(text: string, base: number) {
    this.text = text;
    this.#base = base;
  }

  /** The next token; T_EOF for ever at the end. */
  next(): Token {
    const text = this.text;
    this.#skipBlank();
    const i = this.#pos;
    if (i >= text.length) {
      return this.#token(T_EOF, 0);
    }
    const c = text.charCodeAt(i);
    if (c === 10) {
      this.#lineStart = true;
      return this.#token(T_NEWLINE, 1);
    }
    if (c === 34) {
      return this.#quoted(i);
    }
    return this.#wordOrNumber(i, c) ?? this.#punct(i, c);
  }

  /**
   * Skips blanks, continued line ends and comments. As for the real tool a line that holds a comment only is not
   * there at all, and a comment needs a newline behind it.
   */
  #skipBlank(): void {
    const text = this.text;
    let i = this.#pos;
    for (;;) {
      const c = text.charCodeAt(i);
      if (c === 32 || c === 9) {
        i++;
        continue;
      }
      if (c === 35) {
        const end = text.indexOf('\n', i);
        if (end < 0) {
          break;
        }
        i = this.#lineStart ? end + 1 : end;
        continue;
      }
      const continued = c === 92 ? matchLength(CONTINUED, text, i) : 0;
      if (continued === 0) {
        break;
      }
      this.#lineStart = false;
      i += continued;
    }
    this.#lineStart = false;
    this.#pos = i;
  }

  #token(kind: number, len: number, text?: string, value: U64 = 0): Token {
    const start = this.#pos;
    this.#pos += len;
    return {
      kind,
      text: text ?? this.text.slice(start, start + len),
      value,
      at: atOf(this.#base + start, len),
    };
  }

  #quoted(i: number): Token {
    const end = this.text.indexOf('"', i + 1);
    if (end < 0) {
      return this.#token(T_JUNK, 1);
    }
    return this.#token(T_STRING, end + 1 - i, this.text.slice(i + 1, end));
  }

  /** The longest of the things that letters and digits may be, the way nft chooses. */
  #wordOrNumber(i: number, c: number): Token | null {
    const text = this.text;
    const digit = c >= 48 && c <= 57;
    const word = digit ? 0 : wordLength(text, i);
    let best = word === 1 && c === 46 ? 0 : word;
    let kind = T_WORD;
    if (digit) {
      best = matchLength(NUMBER, text, i);
      kind = T_NUMBER;
      const vlan = c === 56 ? matchLength(VLAN_TYPE, text, i) : 0;
      if (vlan > 0) {
        return this.#token(T_WORD, vlan);
      }
      const time = isLetter(text.charCodeAt(i + best)) ? matchLength(TIME, text, i) : 0;
      if (time >= best) {
        best = time;
        kind = T_WORD;
      }
    }
    const address = longestAddress(text, i);
    if (address > best) {
      best = address;
      kind = T_WORD;
    }
    if (best === 0) {
      return null;
    }
    if (kind === T_NUMBER) {
      const value = parseNumber(text.slice(i, i + best));
      return value === null ? this.#token(T_WORD, best) : this.#token(T_NUMBER, best, undefined, value);
    }
    return this.#token(T_WORD, best);
  }

  #punct(i: number, c: number): Token {
    const text = this.text;
    if (c === 92 && text[i + 1] === '*') {
      return this.#token(T_WORD, 2);
    }
    const len = signLength(text, i, c);
    if (len > 0) {
      return this.#token(T_PUNCT, len);
    }
    const surrogate = c >= 0xd800 && c < 0xdc00 && i + 1 < text.length;
    return this.#token(T_JUNK, surrogate ? 2 : 1);
  }
}
