import { didYouMean } from '../base/suggest.ts';
import { MAX_TIMEOUT } from './extras.ts';
import { cut, parseIp, parseIpRange, parseNumber, prefixMask } from './parse-value.ts';
import { parseBitmapPorts } from './port.ts';
import { SetError } from './set-error.ts';
import type { CreateOption, SetOptions, SetType } from './set-type.ts';

/** The most elements that a bitmap has room for. */
const MAX_BITMAP = 65536;
/** The smallest hash (measured: whatever is less becomes this). */
const MIN_HASHSIZE = 64;
/** Elements of a hash bucket by default, and at most (measured; the man page says 14). */
const MAX_BUCKET = 12;
/** The shortest list (measured). */
const MIN_SIZE = 4;

function defaults(type: SetType): SetOptions {
  return {
    addressBytes: 4,
    hashsize: 1024,
    maxelem: 65536,
    bucketsize: MAX_BUCKET,
    initval: 0,
    forceadd: false,
    netmask: 0,
    bitmask: null,
    mask: null,
    markmask: type.options.includes('markmask') ? -1 : null,
    from: 0,
    to: 0,
    size: 8,
    timeout: -1,
    counters: false,
    comment: false,
    skbinfo: false,
  };
}

/** The next power of two that is not less, but not below the smallest hash. */
function hashsize(n: number): number {
  let size = MIN_HASHSIZE;
  while (size < n) size *= 2;
  return Math.min(size, 0x80000000);
}

function family(text: string): number {
  if (['inet', 'ipv4', '-4'].includes(text)) return 4;
  if (['inet6', 'ipv6', '-6'].includes(text)) return 16;
  throw new SetError(`unknown inet family ${text}`, text);
}

/** Takes over one option's word. What depends on the family waits for {@link finish}. */
type Take = (o: SetOptions, text: string, type: SetType) => void;

function range(o: SetOptions, text: string, type: SetType): void {
  if (type.parts[0] === 'port') {
    if (cut(text, '-')[1] === undefined) throw new SetError("mandatory option 'to' is missing", text);
    const ports = parseBitmapPorts(text);
    o.from = ports.from;
    o.to = ports.to;
    return;
  }
  if (cut(text, '-')[1] === undefined && !text.includes('/'))
    throw new SetError(`IP/cidr or IP-IP range must be specified: ${text}`, text);
  const ips = parseIpRange(text);
  o.from = ips.from;
  o.to = ips.to;
}

const WORDS: Readonly<Partial<Record<CreateOption | 'timeout', Take>>> = {
  hashsize: (o, text) => {
    o.hashsize = hashsize(parseNumber(text, 0, 0xffffffff));
  },
  maxelem: (o, text) => {
    o.maxelem = parseNumber(text, 0, 0xffffffff);
  },
  bucketsize: (o, text) => {
    const size = parseNumber(text, 0, 255);
    o.bucketsize = Math.min(MAX_BUCKET, Math.max(2, size + (size % 2)));
  },
  initval: (o, text) => {
    o.initval = parseNumber(text, 0, 0xffffffff) | 0;
  },
  markmask: (o, text) => {
    o.markmask = parseNumber(text, 1, 0xffffffff) | 0;
  },
  size: (o, text) => {
    o.size = Math.max(MIN_SIZE, parseNumber(text, 0, 0xffffffff));
  },
  timeout: (o, text) => {
    o.timeout = parseNumber(text, 0, MAX_TIMEOUT);
  },
  range,
};

/** Options without a word behind them. */
const FLAGS: readonly string[] = ['counters', 'comment', 'skbinfo', 'forceadd'];
/** Words that mean nothing any more, each with a word behind it. */
const IGNORED: readonly string[] = ['probes', 'resize', 'gc'];

/** The words of options as they were met: those that depend on others are read at the end. */
type Seen = ReadonlyMap<string, string>;

function known(type: SetType, name: string): boolean {
  if (name === 'timeout') return true;
  if (FLAGS.includes(name)) return name !== 'forceadd' || type.method === 'hash';
  return (type.options as readonly string[]).includes(name);
}

/** Older names of options: `--network`, `--from` and `--to` of bitmaps. */
function olderRange(words: readonly string[], i: number): string | undefined {
  const name = words[i]!.replace(/^--/, '');
  if (name === 'network') return words[i + 1];
  if (name === 'from' && /^(--)?to$/.test(words[i + 2] ?? '')) return `${words[i + 1]}-${words[i + 3]}`;
  return undefined;
}

/** Reads the words into names and values. */
function collect(type: SetType, words: readonly string[]): Seen {
  const seen = new Map<string, string>();
  for (let i = 0; i < words.length; ) {
    const word = words[i]!;
    const older = type.method === 'bitmap' ? olderRange(words, i) : undefined;
    if (older !== undefined) {
      seen.set('range', older);
      i += older === words[i + 1] ? 2 : 4;
      continue;
    }
    if ((word === '-4' || word === '-6') && type.family === 'both') {
      put(seen, 'family', word);
      i++;
      continue;
    }
    i += takeOption(type, words, i, seen);
  }
  return seen;
}

/** Takes one option. @returns how many words it has */
function takeOption(type: SetType, words: readonly string[], i: number, seen: Map<string, string>): number {
  const word = words[i]!;
  const name = word.replace(/^--/, '');
  if (IGNORED.includes(name)) return 2;
  if (!known(type, name)) {
    const names = [...type.options, 'timeout', ...FLAGS];
    throw new SetError(`unknown argument '${word}'`, word, didYouMean(name, names));
  }
  if (FLAGS.includes(name)) {
    seen.set(name, '');
    return 1;
  }
  const value = words[i + 1];
  if (value === undefined) throw new SetError(`missing mandatory argument of option '${name}'`, word);
  put(seen, name, value);
  return 2;
}

function put(seen: Map<string, string>, name: string, value: string): void {
  if (seen.has(name)) throw new SetError(`${name} already specified`, value);
  seen.set(name, value);
}

function masks(o: SetOptions, type: SetType, seen: Seen): void {
  const netmask = seen.get('netmask');
  const bitmask = seen.get('bitmask');
  if (netmask !== undefined && bitmask !== undefined)
    throw new SetError('bitmask and netmask are mutually exclusive, provide only one', bitmask);
  if (netmask !== undefined) {
    o.netmask = parseNumber(netmask, 1, 8 * o.addressBytes);
    o.mask = prefixMask(o.netmask, o.addressBytes);
  }
  if (bitmask !== undefined) {
    o.bitmask = parseIp(bitmask, o.addressBytes);
    if (o.bitmask.every((w) => w === 0))
      throw new SetError('the value of the netmask parameter is invalid', bitmask);
    o.mask = o.bitmask;
  }
  if (type.method === 'bitmap') bitmapRange(o, type, seen);
}

function bitmapRange(o: SetOptions, type: SetType, seen: Seen): void {
  const text = seen.get('range');
  if (text === undefined) throw new SetError("mandatory option 'range' is missing");
  if (type.parts[0] === 'port') return;
  const size = o.netmask > 0 ? 2 ** (32 - o.netmask) : 1;
  o.from -= o.from % size;
  o.to += size - 1 - (o.to % size);
  if ((o.to - o.from + 1) / size > MAX_BITMAP)
    throw new SetError('the range you specified exceeds the size limit of the set type', text);
  // Measured: one network alone is refused, one address is not.
  if (o.netmask > 0 && o.to - o.from < size)
    throw new SetError('element is out of the range of the set', text);
}

/**
 * What `create` says behind the type's name.
 * @param initval the hash's secret to list if none is given
 * @throws SetError
 */
export function parseCreate(type: SetType, words: readonly string[], initval: number): SetOptions {
  const o = defaults(type);
  const seen = collect(type, words);
  const fam = seen.get('family');
  if (fam !== undefined) o.addressBytes = family(fam);
  for (const [name, value] of seen) WORDS[name as CreateOption]?.(o, value, type);
  o.counters = seen.has('counters');
  o.comment = seen.has('comment');
  o.skbinfo = seen.has('skbinfo');
  o.forceadd = seen.has('forceadd');
  if (!seen.has('initval')) o.initval = initval;
  masks(o, type, seen);
  return o;
}
