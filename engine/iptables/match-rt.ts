import type { Packet } from '../packet/packet.ts';
import { addressText, hostAddress } from './address.ts';
import { type Extension, XT_IPV6, XtError, type XtOption } from './extension.ts';
import { HeaderMatch } from './ipv6-find.ts';
import { rangeArg, uintArg } from './values.ts';

interface Number {
  readonly value: number;
  readonly inverted: boolean;
}

interface RtSpec {
  type: Number | null;
  segsleft: { readonly low: number; readonly high: number; readonly inverted: boolean } | null;
  length: Number | null;
  reserved: boolean;
  addresses: readonly (readonly number[])[] | null;
  notStrict: boolean;
}

const ROUTING = 43;
const MAX_ADDRESSES = 16;

/** IPv6's routing header (RFC 8200, section 4.4). */
class RtMatch extends HeaderMatch {
  private readonly spec: RtSpec;

  constructor(spec: RtSpec) {
    super(ROUTING, 4);
    this.spec = spec;
  }

  override bytesAt(pkt: Packet, at: number): number {
    return (pkt.view.getUint8(at + 1) + 1) << 3;
  }

  matchesAt(pkt: Packet, at: number): boolean {
    const bytes = this.bytesAt(pkt, at);
    const { type, segsleft, length, reserved, addresses, notStrict } = this.spec;
    const left = pkt.view.getUint8(at + 3);
    if (segsleft !== null && (left >= segsleft.low && left <= segsleft.high) === segsleft.inverted)
      return false;
    if (length !== null && (bytes === length.value) === length.inverted) return false;
    if (type !== null && (pkt.view.getUint8(at + 2) === type.value) === type.inverted) return false;
    if (reserved && (at + 8 > pkt.end || pkt.view.getInt32(at + 4) !== 0)) return false;
    if (addresses === null) return true;
    const count = (bytes - 8) >> 4;
    if (addresses.length > count) return false;
    return notStrict
      ? inOrder(pkt.view, at + 8, count, addresses)
      : count === addresses.length && allEqual(pkt.view, at + 8, addresses);
  }
}

function equal(view: DataView, at: number, words: readonly number[]): boolean {
  for (let i = 0; i < 4; i++) if (view.getInt32(at + 4 * i) !== words[i]) return false;
  return true;
}

function allEqual(view: DataView, at: number, addresses: readonly (readonly number[])[]): boolean {
  for (let i = 0; i < addresses.length; i++) if (!equal(view, at + 16 * i, addresses[i]!)) return false;
  return true;
}

/** Whether all addresses stand there in this order, with others between. */
function inOrder(
  view: DataView,
  at: number,
  count: number,
  addresses: readonly (readonly number[])[],
): boolean {
  let found = 0;
  for (let i = 0; i < count && found < addresses.length; i++)
    if (equal(view, at + 16 * i, addresses[found]!)) found++;
  return found === addresses.length;
}

const OPTIONS: readonly XtOption<RtSpec>[] = [
  {
    name: 'rt-type',
    invert: true,
    parse: (spec, arg) => {
      spec.type = { value: uintArg(arg), inverted: arg.inverted };
    },
  },
  {
    name: 'rt-segsleft',
    invert: true,
    parse: (spec, arg) => {
      const [low, high] = rangeArg(arg, ':', 0, 0xffffffff);
      spec.segsleft = { low, high, inverted: arg.inverted };
    },
  },
  {
    name: 'rt-len',
    invert: true,
    parse: (spec, arg) => {
      spec.length = { value: uintArg(arg), inverted: arg.inverted };
    },
  },
  {
    name: 'rt-0-res',
    args: 0,
    parse: (spec) => {
      needsType0(spec, '--rt-0-res');
      spec.reserved = true;
    },
  },
  {
    name: 'rt-0-addrs',
    parse: (spec, arg) => {
      needsType0(spec, '--rt-0-addrs');
      const words = arg.text.split(',');
      if (words.length > MAX_ADDRESSES) throw new XtError('too many addresses specified', undefined, 0);
      spec.addresses = words.map((w) => hostAddress(w, arg.ctx.family));
    },
  },
  {
    name: 'rt-0-not-strict',
    args: 0,
    parse: (spec) => {
      if (spec.addresses === null) throw new XtError("`--rt-0-addr ...' required before `--rt-0-not-strict'");
      spec.notStrict = true;
    },
  },
];

function needsType0(spec: RtSpec, option: string): void {
  if (spec.type === null || spec.type.value !== 0 || spec.type.inverted)
    throw new XtError(`\`--rt-type 0' required before \`${option}'`);
}

function number(name: string, n: Number | null): string[] {
  return n === null ? [] : [`${n.inverted ? '! ' : ''}--${name} ${n.value}`];
}

function save(spec: RtSpec): string {
  const s = spec.segsleft;
  // Measured: all of them are not listed, not even inverted.
  const all = s === null || (s.low === 0 && s.high === 0xffffffff);
  return [
    ...number('rt-type', spec.type),
    ...(all
      ? []
      : [`${s.inverted ? '! ' : ''}--rt-segsleft ${s.low === s.high ? s.low : `${s.low}:${s.high}`}`]),
    ...number('rt-len', spec.length),
    ...(spec.reserved ? ['--rt-0-res'] : []),
    ...(spec.addresses === null ? [] : [`--rt-0-addrs ${spec.addresses.map(addressText).join(',')}`]),
    ...(spec.notStrict ? ['--rt-0-not-strict'] : []),
  ].join(' ');
}

/** `-m rt`: IPv6's routing header. */
export const MATCH_RT: Extension<RtSpec> = {
  kind: 'match',
  name: 'rt',
  families: XT_IPV6,
  options: OPTIONS,
  init: () => ({
    type: null,
    segsleft: null,
    length: null,
    reserved: false,
    addresses: null,
    notStrict: false,
  }),
  save,
  lower: (spec) => [new RtMatch(spec)],
};
