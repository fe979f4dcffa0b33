import { didYouMean } from '../base/suggest.ts';
import {
  RTN_ANYCAST,
  RTN_LOCAL,
  RTN_MULTICAST,
  RTN_UNICAST,
  RTN_UNREACHABLE,
  RTN_UNSPEC,
} from '../host/host.ts';
import { AF_INET } from '../packet/packet.ts';
import type { Expr } from '../rules/expr.ts';
import {
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NFPROTO_IPV6,
} from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import {
  type Extension,
  XT_BOTH,
  type XtArg,
  XtError,
  type XtOption,
  type XtRuleFacts,
} from './extension.ts';

/** What `-m addrtype` tests: bits 1 << RTN_*, 0 for no test. */
interface AddrtypeSpec {
  source: number;
  sourceInverted: boolean;
  dest: number;
  destInverted: boolean;
  limit: 'in' | 'out' | null;
}

/** Names by RTN_*. */
const TYPES = [
  'UNSPEC',
  'UNICAST',
  'LOCAL',
  'BROADCAST',
  'ANYCAST',
  'MULTICAST',
  'BLACKHOLE',
  'UNREACHABLE',
  'PROHIBIT',
  'THROW',
  'NAT',
  'XRESOLVE',
];
const RTN_BROADCAST_BIT = 1 << 3;
const RTN_BLACKHOLE_BIT = 1 << 6;
const RTN_PROHIBIT_BIT = 1 << 8;

function readTypes(arg: XtArg): number {
  let mask = 0;
  for (const word of arg.text.split(',')) {
    const upper = word.toUpperCase();
    const type = upper === '' ? -1 : TYPES.findIndex((name) => name.startsWith(upper));
    if (type < 0) {
      const near = didYouMean(upper, TYPES);
      throw new XtError(`addrtype: bad type "${word}"`, near, 0);
    }
    mask |= 1 << type;
  }
  return mask;
}

function typesText(mask: number): string {
  return TYPES.filter((_, type) => (mask & (1 << type)) !== 0).join(',');
}

function limitOption(name: string, other: string, limit: 'in' | 'out'): XtOption<AddrtypeSpec> {
  return {
    name,
    args: 0,
    excludes: [other],
    parse(spec) {
      spec.limit = limit;
    },
  };
}

function check(spec: AddrtypeSpec, facts: XtRuleFacts): void {
  const out = (1 << NF_INET_POST_ROUTING) | (1 << NF_INET_LOCAL_OUT);
  const into = (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_IN);
  if (spec.limit === 'in' && (facts.hooks & out) !== 0)
    throw new XtError('addrtype: input interface limitation not valid in POSTROUTING and OUTPUT');
  if (spec.limit === 'out' && (facts.hooks & into) !== 0)
    throw new XtError('addrtype: output interface limitation not valid in PREROUTING and INPUT');
  if (facts.family !== NFPROTO_IPV6) return;
  const types = spec.source | spec.dest;
  if (types >= RTN_PROHIBIT_BIT)
    throw new XtError('addrtype: ipv6 PROHIBIT (THROW, NAT ..) matching not supported');
  if ((types & RTN_BLACKHOLE_BIT) !== 0) throw new XtError('addrtype: ipv6 BLACKHOLE matching not supported');
  if ((types & RTN_BROADCAST_BIT) !== 0)
    throw new XtError('addrtype: ipv6 does not support BROADCAST matching');
}

/** `-m addrtype`: what kind of address the routes say it is. */
export const MATCH_ADDRTYPE: Extension<AddrtypeSpec> = {
  kind: 'match',
  name: 'addrtype',
  families: XT_BOTH,
  options: [
    {
      name: 'src-type',
      invert: true,
      parse(spec, arg) {
        spec.source = readTypes(arg);
        spec.sourceInverted = arg.inverted;
      },
    },
    {
      name: 'dst-type',
      invert: true,
      parse(spec, arg) {
        spec.dest = readTypes(arg);
        spec.destInverted = arg.inverted;
      },
    },
    limitOption('limit-iface-in', 'limit-iface-out', 'in'),
    limitOption('limit-iface-out', 'limit-iface-in', 'out'),
  ],
  init: () => ({ source: 0, sourceInverted: false, dest: 0, destInverted: false, limit: null }),
  finish(_spec, seen) {
    if (!seen.has('src-type') && !seen.has('dst-type'))
      throw new XtError('addrtype: you must specify --src-type or --dst-type');
  },
  check,
  save(spec) {
    const words: string[] = [];
    if (spec.source !== 0)
      words.push(`${spec.sourceInverted ? '! ' : ''}--src-type ${typesText(spec.source)}`);
    if (spec.dest !== 0) words.push(`${spec.destInverted ? '! ' : ''}--dst-type ${typesText(spec.dest)}`);
    if (spec.limit !== null) words.push(`--limit-iface-${spec.limit}`);
    return words.join(' ');
  },
  lower: (spec) => [new AddrtypeMatch(spec)],
};

/** Asks the host's routes. */
class AddrtypeMatch implements Expr {
  readonly name = 'match';
  private readonly spec: AddrtypeSpec;

  constructor(spec: AddrtypeSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { spec } = this;
    const { pkt } = state;
    const v4 = pkt.family === AF_INET;
    const device = spec.limit === 'in' ? pkt.ifin : spec.limit === 'out' ? pkt.ifout : 0;
    const { source, dest } = spec;
    if (source !== 0 && this.is(state, pkt.off + (v4 ? 12 : 8), device, source) === spec.sourceInverted)
      return NFT_BREAK;
    if (dest !== 0 && this.is(state, pkt.off + (v4 ? 16 : 24), device, dest) === spec.destInverted)
      return NFT_BREAK;
    return NFT_CONTINUE;
  }

  private is(state: HookState, at: number, device: number, types: number): boolean {
    const { pkt, host } = state;
    if (pkt.family !== AF_INET) return is6(state, at, device, types);
    return (types & (1 << host.addressType(pkt.family, pkt.view, at, device))) !== 0;
  }
}

/** Types that only the routes can tell of an IPv6 address. */
const ROUTED6 = (1 << RTN_LOCAL) | (1 << RTN_ANYCAST) | (1 << RTN_UNREACHABLE);

/**
 * Whether an IPv6 address is of all the types asked for, as far as the address itself says it, and of one of those
 * that the routes tell (kernel: match_type6). So a local address is UNICAST, too.
 */
function is6(state: HookState, at: number, device: number, types: number): boolean {
  const { view, family } = state.pkt;
  const multicast = view.getUint8(at) === 0xff;
  const low = view.getInt32(at) === 0 && view.getInt32(at + 4) === 0;
  const any = low && view.getInt32(at + 8) === 0 && view.getInt32(at + 12) === 0;
  const mapped = low && view.getInt32(at + 8) === 0xffff;
  if ((types & (1 << RTN_MULTICAST)) !== 0 && !multicast) return false;
  if ((types & (1 << RTN_UNICAST)) !== 0 && (multicast || any || mapped)) return false;
  if ((types & (1 << RTN_UNSPEC)) !== 0 && !any) return false;
  if ((types & ROUTED6) === 0) return true;
  return (types & ROUTED6 & (1 << state.host.addressType(family, view, at, device))) !== 0;
}
