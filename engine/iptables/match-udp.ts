import { IPPROTO_UDP } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import {
  anyPorts,
  isAny,
  joinMatches,
  lowerPorts,
  type PortTests,
  portHolds,
  portOptions,
  portWords,
} from './port-test.ts';

const UDP_HEADER = 8;

interface UdpSpec extends PortTests {
  /** All the matches that this one stands for, null if it is alone. */
  all: readonly UdpSpec[] | null;
}

/** Whether nothing is asked: iptables-nft then puts the kernel's own match into the rule. */
function isBare({ sport, dport }: PortTests): boolean {
  return isAny(sport) && isAny(dport) && !sport.inverted && !dport.inverted;
}

/** `-m udp`: ports. */
export const MATCH_UDP: Extension<UdpSpec> = {
  kind: 'match',
  name: 'udp',
  families: XT_BOTH,
  options: portOptions<UdpSpec>(undefined),
  init: () => {
    const { sport, dport } = anyPorts();
    return { sport, dport, all: null };
  },
  finish(_spec, _seen, ctx) {
    if (ctx.proto !== IPPROTO_UDP || (ctx.protoInverted && ctx.backend === 'legacy'))
      throw new XtError("UDP match requires '-p udp'");
  },
  check(spec, facts) {
    // Without ports iptables-nft, too, puts the kernel's own match into the rule (measured).
    if (facts.protoInverted && isBare(spec)) throw new XtError('udp match: only valid for protocol 17');
  },
  save: (spec, ctx) => portWords(spec, ctx).join(' '),
  vanishes: (spec) => (spec.sport.inverted || spec.dport.inverted) && lowerPorts(spec).length === 0,
  merge(spec, second) {
    if (isBare(spec) || isBare(second)) return false;
    joinMatches(spec, second);
    return true;
  },
  lower: (spec, ctx) =>
    ctx.backend === 'legacy' ? [new UdpMatch(spec)] : (spec.all ?? [spec]).flatMap(lowerPorts),
};

/** The kernel's own udp match: a header that is cut off drops the packet, a later fragment does not match. */
class UdpMatch implements Expr {
  readonly name = 'match';
  private readonly spec: PortTests;

  constructor(spec: PortTests) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { l4, view, end, frag } = state.pkt;
    if (frag >= 8) return NFT_BREAK;
    if (l4 < 0 || l4 + UDP_HEADER > end) return NF_DROP;
    const holds =
      portHolds(this.spec.sport, view.getUint16(l4)) && portHolds(this.spec.dport, view.getUint16(l4 + 2));
    return holds ? NFT_CONTINUE : NFT_BREAK;
  }
}
