/** Reads values of aligned PER (ITU-T X.691). Never throws and never reads past the end it was given. */
import { OPEN, type PerChoice, type PerField, type PerSequence, type PerType } from './per.ts';

/** Where the octets of a string stand in a packet. */
export interface PerSpan {
  /** First byte, counted from {@link PerReader}'s base. */
  readonly at: number;
  /** In bytes. */
  readonly length: number;
}

/** A decoded value: what a SEQUENCE or CHOICE holds by name, the items of a SEQUENCE OF, a number, a place of octets. */
export type PerValue = PerRecord | PerValue[] | PerSpan | number | boolean;

/** Components by name; of a CHOICE the one alternative. Those that are absent, or unknown, are left out. */
export interface PerRecord {
  [name: string]: PerValue;
}

/** A range of integers that fits so many values takes two octets, a wider one brings a length (X.691 11.5.7). */
const TWO_OCTETS = 0x10000;

/** Reads bits and octets of a part of a buffer. */
export class PerReader {
  private readonly view: DataView;
  /** First byte of the message. */
  private readonly start: number;
  /** Next bit and end, counted from there: of a whole capture they would not fit 32 bits. */
  private bit = 0;
  private readonly end: number;
  private readonly base: number;
  /** How many more values are read: contents that overlap could otherwise be read again and again. */
  private left: number;

  /**
   * @param at first byte, `end` first byte past the message; offsets of `view`
   * @param base offset that places of values are counted from
   */
  constructor(view: DataView, at: number, end: number, base = 0) {
    this.view = view;
    this.start = at;
    this.end = (end - at) * 8;
    this.base = base;
    this.left = 100 + 16 * (end - at);
  }

  /** Counts a value. Returns false if there are too many. */
  count(): boolean {
    return this.left-- > 0;
  }

  /** The byte that the next bit is in, counted from the base. */
  get at(): number {
    return this.start + (this.bit >>> 3) - this.base;
  }

  /** Goes to a byte, counted from the base. */
  seek(at: number): void {
    this.bit = (at + this.base - this.start) * 8;
  }

  /** Goes to the next byte, unless at the beginning of one. */
  align(): void {
    this.bit = (this.bit + 7) & ~7;
  }

  /** Whether the message goes on for so many bits. */
  has(count: number): boolean {
    return count <= this.end - this.bit;
  }

  /** Up to 16 bits, most significant first; -1 past the end. */
  bits(count: number): number {
    if (!this.has(count)) return -1;
    let value = 0;
    for (let i = 0; i < count; i++, this.bit++)
      value = (value << 1) | ((this.here() >>> (7 - (this.bit & 7))) & 1);
    return value;
  }

  /** Passes over bits. Returns false past the end. */
  skip(count: number): boolean {
    if (!this.has(count)) return false;
    this.bit += count;
    return true;
  }

  /** An unsigned number of aligned octets; -1 past the end. */
  octets(count: number): number {
    this.align();
    if (!this.has(count * 8)) return -1;
    let value = 0;
    for (let i = 0; i < count; i++, this.bit += 8) value = value * 256 + this.here();
    return value;
  }

  /**
   * A length, or number of items, without bounds (X.691 11.9.3.5 ff.); -1 if there is none. Measured: two bytes must
   * be left, even where the first says all; a length in fragments (X.691 11.9.3.8) is taken for one without.
   */
  length(): number {
    this.align();
    if (!this.has(16)) return -1;
    const first = this.octets(1);
    if (first < 0x80) return first;
    return ((first & 0x3f) << 8) | this.octets(1);
  }

  /** A number of low..high (X.691 11.5); NaN past the end. */
  constrained(low: number, high: number): number {
    const range = high - low + 1;
    let value: number;
    if (range <= 255) value = this.bits(bitsFor(range));
    else if (range === 256) value = this.octets(1);
    else if (range <= TWO_OCTETS) value = this.octets(2);
    else value = this.wide(range);
    return value < 0 ? Number.NaN : value + low;
  }

  /** A normally small number (X.691 11.6); -1 past the end. Measured: seven bits in any case. */
  small(): number {
    return this.bits(7);
  }

  /**
   * Which of `count` additions are present (X.691 19.8), the first in the highest bit; NaN if they cannot be told.
   * Measured: Linux reads no more than 32, and where their last bit ends four bytes it takes the bits from the first
   * byte's beginning on.
   */
  additions(count: number): number {
    if (count > 32 || !this.has(count)) return Number.NaN;
    const end = this.bit + count;
    if ((this.bit & 7) + count === 32) this.bit &= ~7;
    let map = 0;
    for (let i = 0; i < count; i++) map |= this.bits(1) << (31 - i);
    this.bit = end;
    return map;
  }

  private here(): number {
    return this.view.getUint8(this.start + (this.bit >>> 3));
  }

  private wide(range: number): number {
    let most = 1;
    while (256 ** most < range) most++;
    const length = this.bits(bitsFor(most));
    return length < 0 ? -1 : this.octets(length + 1);
  }
}

/**
 * Reads a value.
 * @returns null if the message ends in it, or has far more values than bytes
 */
export function decode(type: PerType, reader: PerReader): PerValue | null {
  if (!reader.count()) return null;
  switch (type.kind) {
    case 'null':
    case 'stop':
      return true;
    case 'boolean': {
      const bit = reader.bits(1);
      return bit < 0 ? null : bit === 1;
    }
    case 'objectIdentifier':
      // Measured: its length is one octet, whatever that says.
      return span(reader, reader.octets(1));
    case 'open':
      return span(reader, reader.length());
    case 'contained':
      return decodeContained(reader, type.type);
    case 'integer':
      return decodeInteger(reader, type.low, type.high, type.isDoubled === true);
    case 'string':
      return decodeString(reader, type.low, type.high, type.bits);
    case 'sequenceOf':
      return decodeItems(reader, type);
    case 'sequence':
      return decodeSequence(reader, type);
    case 'choice':
      return decodeChoice(reader, type);
  }
}

/** How many bits it takes to tell so many values apart. */
function bitsFor(range: number): number {
  return 32 - Math.clz32(range - 1);
}

function span(reader: PerReader, length: number): PerSpan | null {
  if (length < 0) return null;
  const { at } = reader;
  return reader.skip(length * 8) ? { at, length } : null;
}

function decodeInteger(reader: PerReader, low: number, high: number, isDoubled: boolean): number | null {
  const before = reader.at;
  const value = reader.constrained(low, high);
  // One byte tells the length, the others are the number.
  if (Number.isNaN(value) || (isDoubled && !reader.has((reader.at - before - 1) * 8))) return null;
  return value;
}

/** X.691 17 (octets) and 30 (characters): short ones of a fixed length stand where the last bit ended. */
function decodeString(reader: PerReader, low: number, high: number, bits: number): PerSpan | null {
  let length = low;
  if (high >= TWO_OCTETS) length = reader.length();
  else if (low !== high) length = reader.constrained(low, high);
  if (!(length >= 0)) return null;
  if (low !== high ? length > 0 && high * bits >= 16 : high * bits > 16) reader.align();
  const { at } = reader;
  return reader.skip(length * bits) ? { at, length: (length * bits + 7) >>> 3 } : null;
}

function decodeItems(
  reader: PerReader,
  { low, high, item }: Extract<PerType, { kind: 'sequenceOf' }>,
): PerValue[] | null {
  const count = high < TWO_OCTETS ? reader.constrained(low, high) : reader.length();
  if (!(count >= 0)) return null;
  const items: PerValue[] = [];
  for (let i = 0; i < count; i++) {
    const value = decode(item, reader);
    if (value === null) return null;
    items.push(value);
  }
  return items;
}

function decodeSequence(reader: PerReader, { root, optionals, additions }: PerSequence): PerRecord | null {
  const isExtended = additions !== null ? reader.bits(1) : 0;
  let present = reader.bits(optionals);
  if (isExtended < 0 || present < 0) return null;
  present <<= 32 - optionals;
  const record: PerRecord = {};
  for (const { name, type, isOptional } of root) {
    if (type.kind === 'stop') return record;
    if (isOptional) {
      const isPresent = present < 0;
      present <<= 1;
      if (!isPresent) continue;
    }
    const value = decode(type, reader);
    if (value === null) return null;
    record[name] = value;
  }
  return isExtended === 0 || decodeAdditions(reader, additions!, record) ? record : null;
}

/**
 * X.691 19.7 to 19.9: how many additions there could be, which are present, each with its length in front. Measured:
 * of those that are not known each is taken to be present, and where none is what follows begins at a byte all the same.
 */
function decodeAdditions(reader: PerReader, additions: readonly PerField[], record: PerRecord): boolean {
  const count = reader.small() + 1;
  if (count <= 0) return false;
  const map = reader.additions(count);
  if (Number.isNaN(map)) return false;
  reader.align();
  for (let i = 0; i < count; i++) {
    const field = additions[i];
    if (field?.type.kind === 'stop') return true;
    const isPresent = field === undefined || ((map >>> (31 - i)) & 1) === 1;
    if (isPresent && !decodeOpen(reader, field, record)) return false;
  }
  return true;
}

/** An open type: what it holds is read if it is known, and what comes next stands behind it in any case. */
function decodeOpen(reader: PerReader, field: PerField | undefined, record: PerRecord): boolean {
  const type = field?.type ?? OPEN;
  const value = type.kind === 'open' ? decode(type, reader) : decodeContained(reader, type);
  if (value === null) return false;
  if (field !== undefined && type.kind !== 'open') record[field.name] = value;
  return true;
}

/** A value behind its own length. Measured: it may be longer than that, but not than the message. */
function decodeContained(reader: PerReader, type: PerType): PerValue | null {
  const length = reader.length();
  if (length < 0 || !reader.has(length * 8)) return null;
  const { at } = reader;
  const value = decode(type, reader);
  reader.seek(at + length);
  return value;
}

function decodeChoice(reader: PerReader, { root, additions }: PerChoice): PerRecord | null {
  const record: PerRecord = {};
  if (additions !== null) {
    const isExtended = reader.bits(1);
    if (isExtended < 0) return null;
    if (isExtended === 1) {
      const index = reader.small();
      if (additions[index]?.type.kind === 'stop') return record;
      return index >= 0 && decodeOpen(reader, additions[index], record) ? record : null;
    }
  }
  const index = reader.bits(bitsFor(root.length));
  const field = root[index];
  if (field === undefined) return null;
  const value = decode(field.type, reader);
  if (value === null) return null;
  record[field.name] = value;
  return record;
}
