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

/** IPv6's segment routing header. */
class SrhMatch extends HeaderMatch {
  private readonly spec: SrhSpec;

  constructor(spec: SrhSpec) {
    super(ROUTING, 8);
    this.spec = spec;
  }

  matchesAt(pkt: Packet, at: number): boolean {
    const { view, end } = pkt;
    if (at + ((view.getUint8(at + 1) + 1) << 3) > end) return false;
    const left = view.getUint8(at + 3);
    const last = view.getUint8(at + 4);
    if (view.getUint8(at + 2) !== SEGMENT_ROUTING || left > last) return false;
    for (const [test, inverted] of this.spec.asked)
      if (!this.spec.sids.has(test) && this.test(test, view, at, left, last, end) === inverted) return false;
    return this.sidsHold(view, at, left, last, end);
  }

  private test(test: string, view: DataView, at: number, left: number, last: number, end: number): boolean {
    const op = test.slice(-2);
    const field = test.replace(/-(eq|gt|lt)$/, '');
    const wanted = this.spec.values.get(field)!;
    if (field === 'next-hdr') return view.getUint8(at) === wanted;
    if (field === 'tag') return at + 8 <= end && view.getUint16(at + 6) === wanted;
    const value = field === 'hdr-len' ? view.getUint8(at + 1) : field === 'segs-left' ? left : last;
    return op === 'eq' ? value === wanted : op === 'gt' ? value > wanted : value < wanted;
  }

  private sidsHold(view: DataView, at: number, left: number, last: number, end: number): boolean {
    for (const [which, sid] of this.spec.sids) {
      if (which === 'psid' && left === last) return false;
      if (which === 'nsid' && left === 0) return false;
      const index = which === 'psid' ? left + 1 : which === 'nsid' ? left - 1 : 0;
      const from = at + 8 + 16 * index;
      if (from + 16 > end) return false;
      const equal = sid.addr.every(
        (word, i) => (view.getInt32(from + 4 * i) & sid.mask[i]!) === (word & sid.mask[i]!),
      );
      if (equal === this.spec.asked.get(which)) return false;
    }
    return true;
  }
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
