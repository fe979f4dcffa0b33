import {
  putIpv4,
  putIpv4Ends,
  putMicros,
  putPiece,
  putThree,
  putUint,
  putUintRight,
} from './line-writer-put.ts';
import { HEX_PAIRS, ZERO_RUNS } from './line-writer-tables.ts';

/** Room that is more than enough for any line about a packet, its file's name aside. */
export const LINE_ROOM = 4096;
/** Bytes behind the end that writing whole words may touch. */
export const SLACK = 24;

const COLON = 0x3a;

/** A piece of text made ready to be written: see {@link piece}. */
export class Piece {
  /**
   * Its UTF-8 by eight bytes, the lowest first, one or at least three times; as doubles, the only numbers of that
   * size that V8 keeps in a register. None is a NaN, which might be changed on the way: its last two bytes would
   * have to be 0xff, or 0x7f behind a byte from 0xf0 on, and UTF-8 has neither.
   */
  readonly parts: Float64Array;
  /** Bytes of its UTF-8. */
  readonly length: number;

  constructor(parts: Float64Array, length: number) {
    this.parts = parts;
    this.length = length;
  }
}

/**
 * Where lines are put together as bytes (UTF-8) without a string or any other object being made: what is left of a
 * line is written straight to a file. Who begins a line asks for {@link room} once; nothing else but
 * {@link LineWriter.text} does. Numbers are taken as int32, since V8 makes an object of any other that is handed on.
 */
export class LineWriter {
  /** What has been written are the first `at` bytes. */
  bytes: Uint8Array;
  /** Bytes written so far: where the next goes. */
  at = 0;
  /** Over `bytes`: for those who write with the functions of line-writer-put.ts and set `at` themselves. */
  view: DataView;

  /**
   * @param size bytes of room to begin with
   * @param view memory to begin with, {@link SLACK} bytes larger
   */
  constructor(size: number = LINE_ROOM, view: DataView = new DataView(new ArrayBuffer(size + SLACK))) {
    this.bytes = new Uint8Array(view.buffer);
    this.view = view;
  }

  /** Makes sure that there is room for some bytes more. Writing without room throws a RangeError. */
  room(count: number): void {
    const least = this.at + count + SLACK;
    if (least <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(least, this.bytes.length * 2));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** One ASCII character. */
  byte(code: number): void {
    this.view.setUint8(this.at, code);
    this.at++;
  }

  /** A piece of text. */
  piece(piece: Piece): void {
    this.at = putPiece(this.view, this.at, piece);
  }

  /** A number behind its name, as {@link uint}: ` win 64240`. */
  field(name: Piece, word: number): void {
    const { view } = this;
    this.at = putUint(view, putPiece(view, this.at, name), word);
  }

  /** Any text, character by character: for what is rare. Makes room itself; half of a surrogate pair is U+FFFD. */
  text(text: string): void {
    this.room(text.length * 3);
    for (const character of text) {
      const code = character.codePointAt(0)!;
      this.codePoint(code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    }
  }

  /** A whole number, as unsigned: `4294967295` for -1. */
  uint(word: number): void {
    this.at = putUint(this.view, this.at, word);
  }

  /** A whole number at the right of a column of up to eight characters; a longer one takes what it needs. */
  uintRight(word: number, width: number): void {
    this.at = putUintRight(this.view, this.at, word, width);
  }

  /**
   * A time of whole seconds and six digits.
   * @param width of the column for all of it, seven of them for the point and what follows; 0 for none
   */
  seconds(seconds: number, micros: number, width: number): void {
    const { view } = this;
    this.at = putMicros(view, putUintRight(view, this.at, seconds, width - 7), micros);
  }

  /** Three digits, with leading zeros. */
  three(n: number): void {
    this.at = putThree(this.view, this.at, n);
  }

  /** A whole number in hex, as unsigned, with so many digits at least. */
  hex(word: number, least = 1): void {
    const length = Math.max((35 - Math.clz32(word)) >> 2, least);
    for (let i = length - 1; i >= 0; i--) this.byte(HEX_PAIRS[(word >>> (i * 4)) & 15]! >> 8);
  }

  /** An IPv4 address, given as one big-endian word. */
  ipv4(word: number): void {
    this.at = putIpv4(this.view, this.at, word);
  }

  /** Who speaks to whom: `10.0.0.1:1000 > 10.1.0.1:80`. */
  ipv4Ends(src: number, sport: number, dst: number, dport: number): void {
    this.at = putIpv4Ends(this.view, this.at, src, sport, dst, dport);
  }

  /** An IPv6 address, given as four big-endian words, as `ipv6Text` of packet/address.ts has it. */
  ipv6(a: number, b: number, c: number, d: number): void {
    const run = ZERO_RUNS[zeroGroups(a, b, c, d)]!;
    const from = run >> 4;
    const length = run & 15;
    if (from === 0 && (length === 6 || (length === 5 && c === 0xffff))) {
      this.mapped(length === 5, d);
      return;
    }
    const skipTo = from + length;
    for (let i = 0; i < 8; i++) {
      if (length !== 0 && i >= from && i < skipTo) {
        if (i === 0) this.byte(COLON);
        if (i === from) this.byte(COLON);
        continue;
      }
      const word = i < 4 ? (i < 2 ? a : b) : i < 6 ? c : d;
      this.group(i & 1 ? word & 0xffff : word >>> 16);
    }
    // Each group has a colon behind it, which the last one must not have; that of `::` at the end stays.
    if (length === 0 || skipTo < 8) this.at--;
  }

  /** What has been written, from a place on. */
  toString(from = 0): string {
    const { bytes, at } = this;
    let text = '';
    for (let i = from; i < at; ) {
      const first = bytes[i++]!;
      const more = first < 0x80 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
      let code = more === 0 ? first : first & (0x3f >> more);
      for (let k = 0; k < more; k++) code = (code << 6) | (bytes[i++]! & 0x3f);
      text += String.fromCodePoint(code);
    }
    return text;
  }

  /** `::1.2.3.4` or `::ffff:1.2.3.4`. */
  private mapped(ffff: boolean, word: number): void {
    this.piece(ffff ? MAPPED : COMPATIBLE);
    this.ipv4(word);
  }

  /** A group of an IPv6 address without leading zeros, and the colon behind it. */
  private group(group: number): void {
    const length = group < 256 ? (group < 16 ? 1 : 2) : group < 4096 ? 3 : 4;
    const hex = HEX_PAIRS[group >> 8]! | (HEX_PAIRS[group & 255]! << 16);
    this.view.setInt32(this.at, hex >> ((4 - length) << 3), true);
    this.at += length;
    this.byte(COLON);
  }

  /** A character in UTF-8 (RFC 3629, section 3). */
  private codePoint(code: number): void {
    if (code < 0x80) this.byte(code);
    else if (code < 0x800) this.byte(0xc0 | (code >> 6));
    else {
      if (code < 0x10000) this.byte(0xe0 | (code >> 12));
      else {
        this.byte(0xf0 | (code >> 18));
        this.byte(0x80 | ((code >> 12) & 63));
      }
      this.byte(0x80 | ((code >> 6) & 63));
    }
    if (code >= 0x80) this.byte(0x80 | (code & 63));
  }
}

/** Which of the eight groups are zero: bit 7 is the first. */
function zeroGroups(a: number, b: number, c: number, d: number): number {
  return (zeroHalves(a) << 6) | (zeroHalves(b) << 4) | (zeroHalves(c) << 2) | zeroHalves(d);
}

/** Bit 1: the upper half of a word is zero; bit 0: the lower. */
function zeroHalves(word: number): number {
  return (word >>> 16 === 0 ? 2 : 0) | ((word & 0xffff) === 0 ? 1 : 0);
}

/** Makes text ready to be written again and again. */
export function piece(text: string): Piece {
  const out = new LineWriter(text.length * 3);
  out.text(text);
  const parts = new Float64Array(out.at <= 8 ? 1 : Math.max(3, (out.at + 7) >> 3));
  const view = new DataView(out.bytes.buffer);
  for (let i = 0; i < parts.length; i++) parts[i] = view.getFloat64(i * 8, true);
  return new Piece(parts, out.at);
}

const MAPPED = piece('::ffff:');
const COMPATIBLE = piece('::');

/** Pieces by number, each made when it is written for the first time. */
export class PieceTable {
  private readonly pieces: (Piece | undefined)[];
  private readonly textOf: (n: number) => string;

  /** @param textOf the text of a number */
  constructor(textOf: (n: number) => string) {
    this.textOf = textOf;
    this.pieces = [];
  }

  /** The piece of a number from 0 on; the numbers should be small. */
  of(n: number): Piece {
    return this.pieces[n] ?? this.make(n);
  }

  private make(n: number): Piece {
    const made = piece(this.textOf(n));
    this.pieces[n] = made;
    return made;
  }
}
