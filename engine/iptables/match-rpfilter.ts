import { RTN_LOCAL, RTN_UNICAST } from '../host/host.ts';
import { AF_INET } from '../packet/packet.ts';
import { NF_INET_PRE_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtOption } from './extension.ts';
import { XtMatch } from './xt-match.ts';

interface RpfilterSpec {
  loose: boolean;
  validmark: boolean;
  acceptLocal: boolean;
  invert: boolean;
}

/** PACKET_LOOPBACK and ARPHRD_LOOPBACK. */
const PACKET_LOOPBACK = 5;
const LOOPBACK_TYPE = 772;

/** Whether a packet to the source address would leave by the device that the packet came in by. */
class RpfilterMatch extends XtMatch {
  private readonly spec: RpfilterSpec;

  constructor(spec: RpfilterSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { pkt, host } = state;
    const isLoopback = pkt.pkttype === PACKET_LOOPBACK || host.device(pkt.ifin)?.type === LOOPBACK_TYPE;
    const passes = isLoopback || hasNoSource(state) || this.routedBack(state);
    return passes !== this.spec.invert;
  }

  private routedBack(state: HookState): boolean {
    const { pkt, host } = state;
    const { loose, acceptLocal, validmark } = this.spec;
    const at = pkt.off + (pkt.family === AF_INET ? 12 : 8);
    const isSpecial = pkt.family === AF_INET && isNobody(pkt.view.getInt32(at));
    const type = isSpecial ? RTN_UNICAST : host.addressType(pkt.family, pkt.view, at, 0);
    if (type === RTN_LOCAL)
      return acceptLocal && (loose || host.addressType(pkt.family, pkt.view, at, pkt.ifin) === RTN_LOCAL);
    if (type !== RTN_UNICAST) return false;
    const mark = validmark ? pkt.mark : 0;
    if (loose) return host.routeDevice(pkt.family, pkt.view, at, mark, 0) !== 0;
    // The best route decides. Measured for IPv6 too: a default route over the device does not excuse a packet whose
    // network lies behind another one.
    return host.routeDevice(pkt.family, pkt.view, at, mark, 0) === pkt.ifin;
  }
}

/** Nobody's address, everybody's, or a group's. Measured: they are looked up as any other, so a default route does. */
function isNobody(address: number): boolean {
  return address === 0 || address === -1 || address >>> 28 === 14;
}

/** A packet of someone who has no address yet: DHCP over IPv4, duplicate address detection over IPv6. */
function hasNoSource(state: HookState): boolean {
  const { view, off, family } = state.pkt;
  if (family !== AF_INET) {
    for (let i = 8; i < 24; i += 4) if (view.getInt32(off + i) !== 0) return false;
    return true;
  }
  if (view.getInt32(off + 12) !== 0) return false;
  const to = view.getInt32(off + 16);
  return to === -1 || (to & 0xffffff00) === (0xe0000000 | 0);
}

function flag(name: string, key: keyof RpfilterSpec): XtOption<RpfilterSpec> {
  return {
    name,
    args: 0,
    parse: (spec) => {
      spec[key] = true;
    },
  };
}

/** `-m rpfilter`: whether the way back to the sender is the way the packet came. */
export const MATCH_RPFILTER: Extension<RpfilterSpec> = {
  kind: 'match',
  name: 'rpfilter',
  families: XT_BOTH,
  tables: ['mangle', 'raw'],
  hooks: 1 << NF_INET_PRE_ROUTING,
  options: [
    flag('loose', 'loose'),
    flag('validmark', 'validmark'),
    flag('accept-local', 'acceptLocal'),
    flag('invert', 'invert'),
  ],
  init: () => ({ loose: false, validmark: false, acceptLocal: false, invert: false }),
  save: (spec) =>
    [
      spec.loose && '--loose',
      spec.validmark && '--validmark',
      spec.acceptLocal && '--accept-local',
      spec.invert && '--invert',
    ]
      .filter((w) => w !== false)
      .join(' '),
  lower: (spec) => [new RpfilterMatch(spec)],
};
