/** Writes values of aligned PER (ITU-T X.691) by the engine's tables: test messages, as real endpoints would send them. */
import type { PerChoice, PerField, PerSequence, PerType } from '../../engine/helper/per.ts';

/**
 * Components by name, the alternative of a CHOICE by its name, items, a number, a truth, octets. `'...': true` says that
 * there are additions where none is.
 */
export type Plain = number | boolean | Uint8Array | readonly Plain[] | { readonly [name: string]: Plain };

/** Bits and octets, one after the other. */
export class Bits {
  readonly bytes: number[] = [];
  private free = 0;

  /** A number in so many bits, most significant first. */
  bits(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      if (this.free === 0) {
        this.bytes.push(0);
        this.free = 8;
      }
      this.free--;
      if (Math.floor(value / 2 ** i) % 2 === 1) this.bytes[this.bytes.length - 1]! |= 1 << this.free;
    }
  }

  /** Goes on at the next octet. */
  align(): void {
    this.free = 0;
  }

  /** A number in so many aligned octets. */
  octets(value: number, count: number): void {
    this.align();
    this.bits(value, count * 8);
  }

  /** Aligned octets. */
  raw(bytes: Iterable<number>): void {
    this.align();
    this.bytes.push(...bytes);
  }

  /** A length without bounds (X.691 11.9). */
  length(value: number): void {
    if (value < 0x80) this.octets(value, 1);
    else this.octets(0x8000 | value, 2);
  }

  /** A number of low..high (X.691 11.5). */
  constrained(value: number, low: number, high: number): void {
    const range = high - low + 1;
    if (range <= 255) this.bits(value - low, bitsFor(range));
    else if (range <= 0x10000) this.octets(value - low, range === 256 ? 1 : 2);
    else {
      let most = 1;
      while (256 ** most < range) most++;
      let length = 1;
      while (256 ** length <= value - low) length++;
      this.bits(length - 1, bitsFor(most));
      this.octets(value - low, length);
    }
  }

  /** A normally small number (X.691 11.6). */
  small(value: number): void {
    if (value < 64) this.bits(value, 7);
    else {
      this.bits(1, 1);
      this.length(1);
      this.octets(value, 1);
    }
  }
}

/** How many bits tell so many values apart. */
export function bitsFor(range: number): number {
  return range <= 1 ? 0 : Math.floor(Math.log2(range - 1)) + 1;
}

/** The message's octets. */
export function encode(type: PerType, value: Plain): Uint8Array {
  const out = new Bits();
  write(out, type, value);
  if (out.bytes.length === 0) out.bytes.push(0);
  return Uint8Array.from(out.bytes);
}

function write(out: Bits, type: PerType, value: Plain): void {
  switch (type.kind) {
    case 'null':
    case 'stop':
      break;
    case 'boolean':
      out.bits(value === true ? 1 : 0, 1);
      break;
    case 'open':
      throw new Error('an open type has no content here');
    case 'objectIdentifier':
      writeOpen(out, type, value);
      break;
    case 'contained':
      writeOpen(out, type.type, value);
      break;
    case 'integer':
      out.constrained(value as number, type.low, type.high);
      break;
    case 'string':
      writeString(out, value as Uint8Array, type);
      break;
    case 'sequenceOf':
      writeItems(out, value as readonly Plain[], type);
      break;
    case 'sequence':
      writeSequence(out, type, value as Record<string, Plain>);
      break;
    case 'choice':
      writeChoice(out, type, value as Record<string, Plain>);
      break;
  }
}

function writeItems(
  out: Bits,
  items: readonly Plain[],
  type: Extract<PerType, { kind: 'sequenceOf' }>,
): void {
  if (type.high < 0x10000) out.constrained(items.length, type.low, type.high);
  else out.length(items.length);
  for (const item of items) write(out, type.item, item);
}

/** Characters of less than 8 bits are given as their indices, of 16 bits as two octets each. */
function writeString(out: Bits, value: Uint8Array, type: Extract<PerType, { kind: 'string' }>): void {
  const { low, high, bits } = type;
  const length = bits > 8 ? value.length / (bits / 8) : value.length;
  if (high >= 0x10000) out.length(length);
  else if (low !== high) out.constrained(length, low, high);
  if (low !== high ? length > 0 && high * bits >= 16 : high * bits > 16) out.align();
  for (const byte of value) out.bits(byte, Math.min(bits, 8));
}

function writeOpen(out: Bits, type: PerType, value: Plain): void {
  const bytes = value instanceof Uint8Array && type.kind !== 'string' ? value : encode(type, value);
  out.length(bytes.length);
  out.raw(bytes);
}

function writeSequence(out: Bits, { root, additions }: PerSequence, value: Record<string, Plain>): void {
  const isThere = ({ name }: PerField): boolean => value[name] !== undefined;
  const components = root.filter(({ type }) => type.kind !== 'stop');
  const extra = additions?.filter(isThere) ?? [];
  const isExtended = extra.length > 0 || value['...'] === true;
  if (additions !== null) out.bits(isExtended ? 1 : 0, 1);
  for (const field of components) if (field.isOptional) out.bits(isThere(field) ? 1 : 0, 1);
  for (const field of components) {
    if (isThere(field)) write(out, field.type, value[field.name]!);
    else if (!field.isOptional) throw new Error(`${field.name} is missing`);
  }
  if (!isExtended) return;
  out.small(additions!.length - 1);
  for (const field of additions!) out.bits(isThere(field) ? 1 : 0, 1);
  for (const field of extra) writeOpen(out, field.type, value[field.name]!);
}

function writeChoice(out: Bits, { root, additions }: PerChoice, value: Record<string, Plain>): void {
  const [name] = Object.keys(value);
  const at = root.findIndex((field) => field.name === name);
  if (additions !== null) out.bits(at < 0 ? 1 : 0, 1);
  if (at >= 0) {
    out.bits(at, bitsFor(root.length));
    write(out, root[at]!.type, value[name!]!);
    return;
  }
  const extra = additions?.findIndex((field) => field.name === name) ?? -1;
  if (extra < 0) throw new Error(`no alternative ${name}`);
  out.small(extra);
  writeOpen(out, additions![extra]!.type, value[name!]!);
}
