import { ips, protocolName, type TupleRecord } from '@keepstate/engine';
import { addressWords, familyOf, wordsText } from './address.ts';
import { type Place, refuseAt } from './dump-error.ts';
import { suggestedNat } from './nat-status.ts';
import type { Entry } from './table.ts';
import { TUPLE_FIELDS, type TupleField } from './tuple.ts';

/** A word of a line and its column, from 1. */
export interface Word {
  readonly text: string;
  readonly col: number;
}

/** The words of a line. What stands in brackets is one word, blanks or not. */
export function wordsOf(line: string): Word[] {
  return [...line.matchAll(/\[[^\]]*\]|\S+/g)].map((m) => ({ text: m[0], col: m.index + 1 }));
}

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['[ASSURED]', ips.IPS_ASSURED],
  ['[OFFLOAD]', ips.IPS_OFFLOAD],
  ['[HW_OFFLOAD]', ips.IPS_HW_OFFLOAD],
]);

/** Fields that are there and of which a record has no place. */
const SKIPPED: ReadonlySet<string> = new Set(['secmark', 'secctx', 'timeout', 'stream_timeout', 'labels']);

const DCCP = 33;

interface Half {
  src: string;
  dst: string;
  readonly fields: Partial<Record<TupleField, number>>;
  packets: number | null;
  bytes: number;
  zone: number;
}

/** Reads the words of one line, one after the other. */
class LineReader {
  readonly halves: Half[] = [];
  readonly numbers: Map<string, number> = new Map();
  flags = 0;
  unreplied = false;
  start: number | null = null;
  helper: string | null = null;
  private readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  take(word: Word): void {
    const { text, col } = word;
    const flag = FLAGS.get(text);
    if (text === '[UNREPLIED]') this.unreplied = true;
    else if (flag !== undefined) this.flags |= flag;
    else if (text.startsWith('[start=')) this.start = this.time(text.slice(7, -1), col);
    else this.field(text, col);
  }

  private field(text: string, col: number): void {
    const equals = text.indexOf('=');
    const name = text.slice(0, equals);
    const value = text.slice(equals + 1);
    const half = this.halves.at(-1);
    if (equals < 1) refuseAt(this.place, col, `'${text}' is no field of a flow`);
    if (name === 'src') this.begin(value, col);
    else if (name === 'helper') this.helper = value;
    else if (name === 'dst' && half !== undefined && half.dst === '') half.dst = this.address(value, col);
    else if (SKIPPED.has(name)) return;
    else if (half === undefined) refuseAt(this.place, col, `'${name}' stands before the first src=`);
    else this.number(half, name, value, col);
  }

  private begin(value: string, col: number): void {
    if (this.halves.length === 2) refuseAt(this.place, col, 'a third src= in one flow');
    const src = this.address(value, col);
    this.halves.push({ src, dst: '', fields: {}, packets: null, bytes: 0, zone: 0 });
  }

  private number(half: Half, name: string, text: string, col: number): void {
    if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) refuseAt(this.place, col, `'${name}' is no number: '${text}'`);
    const value = Number(text);
    // ICMP's id stands in a tuple, the flow's own behind everything.
    const ownId = name === 'id' && (half.fields.type === undefined || half.fields.id !== undefined);
    if (!ownId && TUPLE_FIELDS.some((f) => f === name)) half.fields[name as TupleField] = value;
    else if (name === 'packets') half.packets = value;
    else if (name === 'bytes') half.bytes = value;
    else if (name === 'zone-orig' || name === 'zone-reply') half.zone = value;
    else if (['mark', 'zone', 'delta-time', 'use', 'id'].includes(name)) this.numbers.set(name, value);
    else refuseAt(this.place, col, `'${name}' is no field of a flow`);
  }

  /** Addresses in their canonical text: /proc has all digits of IPv6. */
  private address(text: string, col: number): string {
    const words = addressWords(text);
    return words === null ? refuseAt(this.place, col, `'${text}' is no address`) : wordsText(words);
  }

  private time(text: string, col: number): number {
    const ms = Date.parse(text);
    return Number.isNaN(ms) ? refuseAt(this.place, col, `'${text}' is no time`) : ms;
  }
}

/** How lines of conntrack -E begin, with and without -o timestamp. */
const EVENT = /^\[(NEW|UPDATE|DESTROY|\d+\.\d+)\]$/;

/** What stands in front of the first tuple. */
interface Front {
  readonly protonum: number;
  readonly timeout: number;
  readonly state: string | null;
  /** How many words that is. */
  readonly length: number;
}

function frontOf(words: readonly Word[], place: Place): Front {
  if (EVENT.test(words[0]?.text ?? ''))
    refuseAt(place, words[0]!.col, 'this is an event, not a flow of a table');
  const extended = words[0]?.text === 'ipv4' || words[0]?.text === 'ipv6';
  let at = extended ? 2 : 0;
  const [name, number] = [words[at], words[at + 1]];
  if (name === undefined || number === undefined || !/^\d{1,3}$/.test(number.text)) {
    const says = "expected a protocol and its number, as in 'tcp      6'";
    refuseAt(place, (number ?? name ?? words[0])?.col ?? 1, `this is no line of a flow: ${says}`);
  }
  const protonum = Number(number.text);
  const known = protocolName(protonum);
  if (protonum > 255 || (name.text !== known && name.text !== 'unknown')) {
    refuseAt(place, name.col, `protocol ${protonum} is ${known}, not ${name.text}`);
  }
  at += 2;
  // An offloaded flow has no timeout.
  const timed = /^\d+$/.test(words[at]?.text ?? '');
  const timeout = timed ? Number(words[at++]!.text) : 0;
  const state = /^[A-Z][A-Z_0-9]*$/.test(words[at]?.text ?? '') ? words[at++]!.text : null;
  return { protonum, timeout, state, length: at };
}

function tupleOf(half: Half, protonum: number): TupleRecord {
  const { src, dst, fields } = half;
  // The command shows ports of DCCP that Linux does not track.
  return protonum === DCCP ? { src, dst } : { src, dst, ...fields };
}

function countersOf([original, reply]: readonly Half[]): Entry['counters'] {
  if (original!.packets === null || reply!.packets === null) return null;
  const half = ({ packets, bytes }: Half) => ({ packets: packets ?? 0, bytes });
  return { original: half(original!), reply: half(reply!) };
}

/**
 * A flow of a line of conntrack -L (extended or not), /proc/net/nf_conntrack or /proc/net/ip_conntrack.
 * @param now the moment of the dump, from which delta-time counts (ms)
 * @param own what `use=` counts of the reader itself: 1 in /proc
 * @throws UsageError with file, line and column
 */
export function parseFlowLine(line: string, place: Place, now: number, own: 0 | 1): Entry {
  const words = wordsOf(line);
  const front = frontOf(words, place);
  const reader = new LineReader(place);
  for (const word of words.slice(front.length)) reader.take(word);
  const [first, second] = reader.halves;
  if (first === undefined || second === undefined || first.dst === '' || second.dst === '') {
    return refuseAt(place, line.length + 1, 'the line ends before both directions of the flow');
  }
  const { protonum } = front;
  const original = tupleOf(first, protonum);
  const reply = tupleOf(second, protonum);
  const zone = reader.numbers.get('zone') ?? 0;
  const delta = reader.numbers.get('delta-time');
  return {
    flowId: reader.numbers.get('id') ?? place.line,
    family: familyOf(addressWords(first.src)!),
    protonum,
    protocol: protocolName(protonum),
    state: front.state,
    timeout: front.timeout * 1000 + 999,
    original,
    reply,
    status:
      ips.IPS_CONFIRMED |
      reader.flags |
      (reader.unreplied ? 0 : ips.IPS_SEEN_REPLY) |
      suggestedNat(original, reply),
    mark: reader.numbers.get('mark') ?? 0,
    zoneOriginal: zone || first.zone,
    zoneReply: zone || second.zone,
    master: null,
    helper: reader.helper,
    uses: (reader.numbers.get('use') ?? 1 + own) - own,
    counters: countersOf(reader.halves),
    start: reader.start ?? (delta === undefined ? null : now - delta * 1000),
    labels: [],
    vtags: null,
  };
}

/**
 * Whether lines are those of /proc/net/nf_conntrack: it prints every zone, conntrack(8) not the default one. (Where no
 * flow is in that, they cannot be told apart, but for `use=`, which counts /proc's reader.)
 */
export function isProc(lines: readonly string[]): boolean {
  return lines.some((line) => line.includes(' zone=0 '));
}
