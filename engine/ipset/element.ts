import { ipv4Text, ipv6Text } from '../packet/address.ts';
import {
  cut,
  macText,
  networksOf,
  parseIp,
  parseIpRange,
  parseMac,
  parseNumber,
  parsePrefix,
  prefixMask,
} from './parse-value.ts';
import { parseBitmapPorts, parsePorts, portText } from './port.ts';
import { SetError } from './set-error.ts';
import type { Part, SetOptions, SetType } from './set-type.ts';

/** The longest name of an interface (IFNAMSIZ - 1). */
const MAX_IFACE = 15;
/** How many elements one command may name; the kernel gives up where a set's memory does. */
const MAX_ELEMENTS = 1 << 24;

/** Where the words of an element's key stand. */
export interface Layout {
  /** Words of an address: 1 or 4. */
  readonly addressWords: number;
  /** First word of each part. */
  readonly at: readonly number[];
  /** The word that holds the prefix lengths: the first net's, and the second one's << 8; -1 if there is no net. */
  readonly prefixes: number;
  /** Words of a key. */
  readonly width: number;
}

/** How an element of this type is laid out. */
export function layoutOf(type: SetType, addressBytes: number): Layout {
  const addressWords = addressBytes / 4;
  const at: number[] = [];
  let width = 0;
  for (const part of type.parts) {
    at.push(width);
    // Of bitmap:ip,mac the address alone is the key.
    if (part === 'mac') width += type.method === 'bitmap' ? 0 : 2;
    else width += part === 'ip' || part === 'net' ? addressWords : 1;
  }
  const prefixes = type.parts.includes('net') ? width++ : -1;
  return { addressWords, at, prefixes, width };
}

/** Names of interfaces as numbers, so that they can be words of a key. */
export class IfaceNames {
  private readonly ids: Map<string, number> = new Map();
  private readonly names: string[] = [];

  /** The number of a name, made if there is none. */
  intern(name: string): number {
    const had = this.ids.get(name);
    if (had !== undefined) return had;
    this.ids.set(name, this.names.length);
    return this.names.push(name) - 1;
  }

  /** The number of a name, -1 if no element has it. */
  find(name: string): number {
    return this.ids.get(name) ?? -1;
  }

  /** The name of a number. */
  name(id: number): string {
    return this.names[id]!;
  }

  /** How many there are. */
  get size(): number {
    return this.names.length;
  }
}

/** One value of a part: words of the key, a prefix length for a net. */
interface PartValue {
  readonly words: readonly number[];
  readonly prefix: number;
}

/** What an element says beside its key. */
export interface ParsedElement {
  /** Every key that the text stands for, in the kernel's order; the array is used again for the next one. */
  readonly keys: Iterable<Int32Array>;
  /** Words of the hardware address of a bitmap:ip,mac, null if there is none. */
  readonly mac: readonly number[] | null;
}

/**
 * Addresses of IPv4 that a text stands for. Measured: the first address is masked, then the range or network is
 * taken from there, and only types of a single address go on in steps of the mask.
 */
function* range4(text: string, o: SetOptions, alone: boolean): Generator<PartValue> {
  const [address, prefix] = cut(text, '/');
  const isRange = cut(text, '-')[1] !== undefined;
  let { from, to } = parseIpRange(isRange ? text : address);
  from = masked([from | 0], o)[0]! >>> 0;
  if (!isRange) {
    const size = prefix === undefined ? 1 : 2 ** (32 - parsePrefix(prefix, 0, 4));
    from -= from % size;
    to = from + size - 1;
  }
  const step = o.netmask > 0 && alone ? 2 ** (32 - o.netmask) : 1;
  for (let ip = from; ip <= to; ip += step) yield { words: [ip | 0], prefix: 0 };
}

function* addresses(text: string, o: SetOptions, ranges: boolean, alone: boolean): Generator<PartValue> {
  const bytes = o.addressBytes;
  const [address, prefix] = cut(text, '/');
  if (bytes === 4 && ranges) {
    yield* range4(text, o, alone);
    return;
  }
  if (
    cut(text, '-')[1] !== undefined ||
    (prefix !== undefined && parsePrefix(prefix, 0, bytes) !== 8 * bytes)
  )
    throw new SetError(`plain IP address must be supplied: ${text}`, text);
  yield { words: masked(parseIp(address, bytes), o), prefix: 0 };
}

function masked(words: readonly number[], o: SetOptions): readonly number[] {
  return o.mask === null ? words : words.map((w, i) => w & o.mask![i]!);
}

function* networks(text: string, o: SetOptions): Generator<PartValue> {
  const bytes = o.addressBytes;
  if (cut(text, '-')[1] !== undefined) {
    if (bytes !== 4) throw new SetError(`IP address or IP/cidr must be specified: ${text}`, text);
    for (const [word, prefix] of networksOf(parseIpRange(text))) yield { words: [word], prefix };
    return;
  }
  const [address, length] = cut(text, '/');
  const words = parseIp(address, bytes);
  const prefix = length === undefined ? 8 * bytes : parsePrefix(length, 0, bytes);
  const mask = prefixMask(prefix, bytes);
  yield {
    words: masked(
      words.map((w, i) => w & mask[i]!),
      o,
    ),
    prefix,
  };
}

function iface(text: string, names: IfaceNames): PartValue {
  const physdev = text.startsWith('physdev:');
  const name = physdev ? text.slice(8) : text;
  if (name.length > MAX_IFACE)
    throw new SetError(`interface name '${name}' is longer than ${MAX_IFACE} characters`, text);
  return { words: [(names.intern(name) << 1) | (physdev ? 1 : 0)], prefix: 0 };
}

function* ports(text: string, type: SetType, o: SetOptions): Generator<PartValue> {
  const range = type.method === 'bitmap' ? parseBitmapPorts(text) : parsePorts(text, o.addressBytes);
  const proto = type.method === 'bitmap' ? 0 : range.proto << 16;
  for (let p = range.from; p <= range.to; p++) yield { words: [proto | p], prefix: 0 };
}

/** Where an element stands: what its values depend on. */
export interface ElementContext {
  readonly type: SetType;
  readonly options: SetOptions;
  readonly layout: Layout;
  readonly names: IfaceNames;
}

function valuesOf(text: string, i: number, c: ElementContext): Iterable<PartValue> {
  const part: Part = c.type.parts[i]!;
  if (part === 'ip') return addresses(text, c.options, c.type.ranges[i]!, c.type.parts.length === 1);
  if (part === 'net') return networks(text, c.options);
  if (part === 'port') return ports(text, c.type, c.options);
  if (part === 'mac') return [{ words: parseMac(text), prefix: 0 }];
  if (part === 'iface') return [iface(text, c.names)];
  const mark = parseNumber(text, 0, 0xffffffff) | 0;
  return [{ words: [c.options.markmask === null ? mark : mark & c.options.markmask], prefix: 0 }];
}

const ORDINALS: readonly string[] = ['first', 'second', 'third'];

/** The parts of an element's text. @throws SetError if there are too few or too many */
function split(text: string, c: ElementContext): string[] {
  const wanted = c.type.parts.length;
  const parts: string[] = [];
  for (let rest: string | undefined = text; rest !== undefined; ) {
    const [first, more] = cut(rest, ',');
    parts.push(first);
    rest = more;
  }
  if (parts.length > wanted)
    throw new SetError(`${text} has ${parts.length} parts, but ${c.type.name} takes ${wanted}`, text);
  const optional = c.type.name === 'bitmap:ip,mac' ? 1 : wanted;
  for (let i = 0; i < optional; i++)
    if (parts[i] === undefined || parts[i] === '')
      throw new SetError(`${ORDINALS[i]} element is missing from ${text}`, text);
  return parts;
}

function* combine(
  texts: readonly string[],
  c: ElementContext,
  i: number,
  key: Int32Array,
): Generator<Int32Array> {
  if (i === texts.length) {
    yield key;
    return;
  }
  const isNet = c.type.parts[i] === 'net';
  const shift = c.type.parts.indexOf('net') === i ? 0 : 8;
  for (const value of valuesOf(texts[i]!, i, c)) {
    key.set(value.words, c.layout.at[i]!);
    if (isNet) {
      const { prefixes } = c.layout;
      key[prefixes] = (key[prefixes]! & ~(255 << shift)) | (value.prefix << shift);
    }
    yield* combine(texts, c, i + 1, key);
  }
}

/** How many elements a text may stand for at most, for a guard against endless ranges. */
function tooMany(text: string, bytes: number): boolean {
  if (bytes !== 4) return false;
  const { from, to } = parseIpRange(text);
  return to - from >= MAX_ELEMENTS;
}

/**
 * What the text of an element stands for.
 * @throws SetError at once for what is wrong with the first value of each part; the keys themselves come one by one
 */
export function parseElement(text: string, c: ElementContext): ParsedElement {
  const texts = split(text, c);
  const hasMac = c.type.method === 'bitmap' && c.type.parts.length === 2;
  const mac = hasMac && texts.length === 2 ? parseMac(texts[1]!) : null;
  const keyed = hasMac ? texts.slice(0, 1) : texts;
  if (c.type.parts[0] === 'ip' && c.type.ranges[0] && tooMany(keyed[0]!, c.options.addressBytes))
    throw new SetError(`${keyed[0]} stands for too many elements`, keyed[0]);
  for (const [i, part] of keyed.entries()) for (const _ of valuesOf(part, i, c)) break;
  return { keys: combine(keyed, c, 0, new Int32Array(c.layout.width)), mac };
}

/** Gives the words of an element's key. */
export type WordAt = (i: number) => number;

function addressText(word: WordAt, at: number, words: number): string {
  return words === 1 ? ipv4Text(word(at)) : ipv6Text(word(at), word(at + 1), word(at + 2), word(at + 3));
}

function partText(word: WordAt, i: number, c: ElementContext): string {
  const { type, layout } = c;
  const at = layout.at[i]!;
  const part = type.parts[i]!;
  if (part === 'ip') return addressText(word, at, layout.addressWords);
  if (part === 'net') {
    const prefix = (word(layout.prefixes) >> (type.parts.indexOf('net') === i ? 0 : 8)) & 255;
    const text = addressText(word, at, layout.addressWords);
    return prefix === 32 * layout.addressWords ? text : `${text}/${prefix}`;
  }
  if (part === 'port')
    return type.method === 'bitmap' ? `${word(at)}` : portText(word(at) >> 16, word(at) & 0xffff);
  if (part === 'mac') return macText(word(at), word(at + 1));
  if (part === 'mark') return `0x${(word(at) >>> 0).toString(16).padStart(8, '0')}`;
  return `${word(at) & 1 ? 'physdev:' : ''}${c.names.name(word(at) >> 1)}`;
}

/** An element as `ipset save` prints it, without what belongs to it (timeout, counters, …). */
export function elementText(word: WordAt, mac: readonly number[] | null, c: ElementContext): string {
  const keyed = c.type.method === 'bitmap' ? 1 : c.type.parts.length;
  const parts = Array.from({ length: keyed }, (_, i) => partText(word, i, c));
  if (mac !== null) parts.push(macText(mac[0]!, mac[1]!));
  return parts.join(',');
}
