import type { Packet } from '../packet/packet.ts';
import { addressMask, addressText, maskText, type XtAddress } from './address.ts';
import { type Extension, XT_IPV6, type XtOption } from './extension.ts';
import { HeaderMatch } from './ipv6-find.ts';
import { uintArg } from './values.ts';

/** The tests in the order in which they are saved. */
const FIELDS = ['hdr-len', 'segs-left', 'last-entry'] as const;
const OPS = ['eq', 'gt', 'lt'] as const;
const SIDS = ['psid', 'nsid', 'lsid'] as const;

interface SrhSpec {
  /** Names of the tests that were given, with whether they are negated. */
  readonly asked: Map<string, boolean>;
  /** Value of each field: all tests of a field share one, the last that was given (measured). */
  readonly values: Map<string, number>;
  readonly sids: Map<string, XtAddress>;
}

const ROUTING = 43;
/** IPV6_SRCRT_TYPE_4: the segment routing header (RFC 8754). */
const SEGMENT_ROUTING = 4;

/** A test of a number of the header: next-hdr, hdr-len, segs-left, last-entry by place, tag at 6. */
interface NumberTest {
  readonly at: number;
  readonly op: 'eq' | 'gt' | 'lt';
  readonly value: number;
  readonly inverted: boolean;
}

/** A test of a segment: which one counted from the segments left, -1 for the last one. */
interface SidTest {
  readonly name: string;
  readonly sid: XtAddress;
  readonly inverted: boolean;
}

const TAG_AT = 6;
const PLACES: Readonly<Record<string, number>> = {
  'next-hdr': 0,
  'hdr-len': 1,
  'segs-left': 3,
  'last-entry': 4,
  tag: TAG_AT,
};

/** IPv6's segment routing header. */
class SrhMatch extends HeaderMatch {
  private readonly numbers: readonly NumberTest[];
  private readonly sids: readonly SidTest[];

  constructor(spec: SrhSpec) {
    super(ROUTING, 8);
    const asked = [...spec.asked];
    this.numbers = asked.flatMap(([name, inverted]) => {
      const field = name.replace(/-(eq|gt|lt)$/, '');
      const at = PLACES[field];
      const op = (/-(eq|gt|lt)$/.exec(name)?.[1] ?? 'eq') as NumberTest['op'];
      return at === undefined ? [] : [{ at, op, value: spec.values.get(field)!, inverted }];
    });
    this.sids = [...spec.sids].map(([name, sid]) => ({ name, sid, inverted: spec.asked.get(name)! }));
  }

  matchesAt(pkt: Packet, at: number): boolean {
    const { view, end } = pkt;
    if (at + ((view.getUint8(at + 1) + 1) << 3) > end) return false;
    const left = view.getUint8(at + 3);
    const last = view.getUint8(at + 4);
    if (view.getUint8(at + 2) !== SEGMENT_ROUTING || left > last) return false;
    for (let i = 0; i < this.numbers.length; i++) if (!numberHolds(this.numbers[i]!, view, at)) return false;
    for (let i = 0; i < this.sids.length; i++) if (!sidHolds(this.sids[i]!, view, at, end)) return false;
    return true;
  }
}

/** The tag is compared as it stands in memory, with the bytes of x86: 258 finds 513 (measured). */
function numberHolds(test: NumberTest, view: DataView, at: number): boolean {
  const { op, value } = test;
  const own = test.at === TAG_AT ? view.getUint16(at + TAG_AT, true) : view.getUint8(at + test.at);
  return (op === 'eq' ? own === value : op === 'gt' ? own > value : own < value) !== test.inverted;
}

/** Of the segment before, the one that is next, or the last one; there may be none before or none left. */
function sidHolds(test: SidTest, view: DataView, at: number, end: number): boolean {
  const left = view.getUint8(at + 3);
  if (test.name === 'psid' && left === view.getUint8(at + 4)) return false;
  if (test.name === 'nsid' && left === 0) return false;
  const index = test.name === 'psid' ? left + 1 : test.name === 'nsid' ? left - 1 : 0;
  const from = at + 8 + 16 * index;
  if (from + 16 > end) return false;
  const { addr, mask } = test.sid;
  for (let i = 0; i < 4; i++)
    if (((view.getInt32(from + 4 * i) ^ addr[i]!) & mask[i]!) !== 0) return test.inverted;
  return !test.inverted;
}

function numberOption(name: string, field: string, max: number): XtOption<SrhSpec> {
  return {
    name: `srh-${name}`,
    invert: true,
    parse: (spec, arg) => {
      spec.values.set(field, uintArg(arg, 0, max));
      spec.asked.set(name, arg.inverted);
    },
  };
}

function sidOption(name: string): XtOption<SrhSpec> {
  return {
    name: `srh-${name}`,
    invert: true,
    parse: (spec, arg) => {
      const { mask } = addressMask(arg.text, arg.ctx.family);
      // The address is listed as it was written, not cut to its prefix.
      const host = arg.text.split('/')[0]!;
      spec.sids.set(name, { addr: addressMask(host, arg.ctx.family).addr, mask });
      spec.asked.set(name, arg.inverted);
    },
  };
}

function save(spec: SrhSpec): string {
  const words: string[] = [];
  const put = (name: string, value: string): void => {
    const inverted = spec.asked.get(name);
    if (inverted !== undefined) words.push(`${inverted ? '! ' : ''}--srh-${name} ${value}`);
  };
  put('next-hdr', `${spec.values.get('next-hdr')}`);
  for (const field of FIELDS) for (const op of OPS) put(`${field}-${op}`, `${spec.values.get(field)}`);
  put('tag', `${spec.values.get('tag')}`);
  for (const name of SIDS) {
    const sid = spec.sids.get(name);
    if (sid !== undefined) put(name, `${addressText(sid.addr)}${maskText(sid.mask)}`);
  }
  return words.join(' ');
}

/** `-m srh`: IPv6's segment routing header. */
export const MATCH_SRH: Extension<SrhSpec> = {
  kind: 'match',
  name: 'srh',
  families: XT_IPV6,
  options: [
    numberOption('next-hdr', 'next-hdr', 255),
    ...FIELDS.flatMap((field) => OPS.map((op) => numberOption(`${field}-${op}`, field, 255))),
    numberOption('tag', 'tag', 65535),
    ...SIDS.map(sidOption),
  ],
  init: () => ({ asked: new Map(), values: new Map(), sids: new Map() }),
  save,
  lower: (spec) => [new SrhMatch(spec)],
};
