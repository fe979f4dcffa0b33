import { type ExpectRecord, ips, protocolName, STATUS_NAMES, type TupleRecord } from '@keepstate/engine';
import { addressWords } from './address.ts';
import { type Place, refuseAt } from './dump-error.ts';
import type { Entry } from './table.ts';
import { TUPLE_FIELDS } from './tuple.ts';

type Json = Readonly<Record<string, unknown>>;

const EXPECT_FLAGS = ['PERMANENT', 'INACTIVE', 'USERSPACE'];

/** Reads fields of one object, and says which one is not what it has to be. */
class Fields {
  private readonly json: Json;
  private readonly place: Place;
  private readonly text: string;

  constructor(json: Json, place: Place, text: string) {
    this.json = json;
    this.place = place;
    this.text = text;
  }

  get(name: string): unknown {
    return this.json[name];
  }

  /** A number; `otherwise` where there is none. */
  number(name: string, otherwise?: number): number {
    const value = this.json[name] ?? otherwise;
    return typeof value === 'number' && Number.isFinite(value) ? value : this.refuse(name, 'a number');
  }

  /** A string or null. */
  string(name: string): string | null {
    const value = this.json[name] ?? null;
    return value === null || typeof value === 'string' ? value : this.refuse(name, 'a string or null');
  }

  /** An object, null where there is none. */
  object(name: string): Fields | null {
    const value = this.json[name] ?? null;
    if (value === null) return null;
    if (typeof value !== 'object' || Array.isArray(value)) return this.refuse(name, 'an object');
    return new Fields(value as Json, this.place, this.text);
  }

  /** An array. */
  array(name: string): readonly unknown[] {
    const value = this.json[name] ?? [];
    return Array.isArray(value) ? value : this.refuse(name, 'an array');
  }

  /** An array of numbers. */
  numbers(name: string): readonly number[] {
    const values = this.array(name);
    const isNumber = (value: unknown): value is number => typeof value === 'number';
    return values.every(isNumber) ? values : this.refuse(name, 'numbers');
  }

  /** A tuple: two addresses of one family, and numbers. */
  tuple(name: string, family: number): TupleRecord {
    const fields = this.object(name) ?? this.refuse(name, 'an object');
    const ends = ['src', 'dst'].map((end) => {
      const text = fields.string(end) ?? '';
      const words = addressWords(text);
      if (words === null || (words.length === 1) !== (family === 2)) {
        return this.refuse(name, `${end} that is an address of its family`);
      }
      return text;
    });
    const ports: Record<string, number> = {};
    for (const field of TUPLE_FIELDS)
      if (fields.get(field) !== undefined) ports[field] = fields.number(field);
    return { src: ends[0]!, dst: ends[1]!, ...ports };
  }

  /** The sum of bits by their names. */
  bits(name: string, names: readonly string[], besides: string): number {
    let sum = 0;
    for (const word of this.array(name)) {
      const bit = names.indexOf(String(word));
      if (bit < 0 && word !== besides) this.refuse(name, `words out of ${names.join(' ')}`);
      if (bit >= 0) sum |= 1 << bit;
    }
    return sum;
  }

  refuse(name: string, expected: string): never {
    const at = this.text.indexOf(`"${name}"`);
    return refuseAt(this.place, at + 1 || 1, `field '${name}': expected ${expected}`);
  }
}

function parse(text: string, place: Place): Fields {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const found = /position (\d+)/.exec((error as Error).message);
    return refuseAt(place, Number(found?.[1] ?? 0) + 1, `no JSON: ${(error as Error).message}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) refuseAt(place, 1, 'no JSON object');
  return new Fields(json as Json, place, text);
}

function familyOf(fields: Fields): number {
  const name = fields.string('family');
  return name === 'ipv4' ? 2 : name === 'ipv6' ? 10 : fields.refuse('family', 'ipv4 or ipv6');
}

function counters(fields: Fields | null): Entry['counters'] {
  if (fields === null) return null;
  const half = (name: string) => {
    const one = fields.object(name) ?? fields.refuse(name, 'an object');
    return { packets: one.number('packets'), bytes: one.number('bytes') };
  };
  return { original: half('original'), reply: half('reply') };
}

function timeoutOf(fields: Fields): number {
  return fields.get('timeoutMs') === undefined
    ? fields.number('timeout') * 1000 + 999
    : fields.number('timeoutMs');
}

/**
 * A flow of flows --json or conntrack -o json (docs/json.md).
 * @throws UsageError with file, line and column
 */
export function readEntry(text: string, place: Place): Entry {
  const fields = parse(text, place);
  const family = familyOf(fields);
  const protonum = fields.number('protonum');
  const zone = fields.number('zone', 0);
  const vtags = fields.object('vtags');
  const start = fields.get('start') ?? null;
  return {
    flowId: fields.number('id', 0),
    family,
    protonum,
    protocol: protocolName(protonum),
    state: fields.string('state'),
    timeout: timeoutOf(fields),
    original: fields.tuple('original', family),
    reply: fields.tuple('reply', family),
    status: fields.bits('status', STATUS_NAMES, 'UNREPLIED') | ips.IPS_CONFIRMED,
    mark: fields.number('mark', 0),
    zoneOriginal: zone,
    zoneReply: fields.number('zoneReply', zone),
    master: fields.get('master') == null ? null : fields.number('master'),
    helper: fields.string('helper'),
    uses: fields.number('use', 1),
    counters: counters(fields.object('counters')),
    start: start === null ? null : Math.round(fields.number('start') * 1e6) / 1e3,
    labels: fields.numbers('labels'),
    vtags: vtags === null ? null : { original: vtags.number('original'), reply: vtags.number('reply') },
  };
}

function natOf(nat: Fields | null): ExpectRecord['nat'] {
  if (nat === null) return null;
  return { direction: nat.number('direction'), dst: nat.string('dst'), dport: nat.number('dport') };
}

/** An expectation of flows --expect --json or conntrack -L expect -o json. @throws UsageError */
export function readExpectation(text: string, place: Place): ExpectRecord {
  const fields = parse(text, place);
  const family = familyOf(fields);
  const protonum = fields.number('protonum');
  return {
    id: fields.number('id', 0),
    family,
    protonum,
    timeout: timeoutOf(fields),
    tuple: fields.tuple('tuple', family),
    mask: fields.tuple('mask', family),
    master: fields.tuple('masterTuple', family),
    masterId: fields.number('master', 0),
    masterProtonum: protonum,
    zone: fields.number('zone', 0),
    class: fields.number('class', 0),
    className: fields.string('className'),
    helper: fields.string('helper'),
    expectedHelper: fields.string('expectedHelper'),
    flags: fields.bits('flags', EXPECT_FLAGS, ''),
    nat: natOf(fields.object('nat')),
  };
}

/** Whether a line is an expectation rather than a flow. */
export function isExpectation(text: string): boolean {
  return text.includes('"masterTuple":');
}
