import type { ServiceProtocol } from '../nft/type-services.ts';
import {
  IPPROTO_DCCP,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import type { AskedPorts, Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { portRangeText, readPort } from './ports.ts';
import { readUint } from './values.ts';

/** What `-m multiport` tests. */
interface MultiportSpec {
  side: 'sports' | 'dports' | 'ports';
  ranges: [number, number][];
  inverted: boolean;
}

/** How many ports fit; a range counts as two. */
const PORTS_MAX = 15;
const PROTOCOLS: readonly number[] = [IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP];
const SERVICES: ReadonlyMap<number, ServiceProtocol> = new Map([
  [IPPROTO_TCP, 'tcp'],
  [IPPROTO_UDP, 'udp'],
  [IPPROTO_SCTP, 'sctp'],
]);

function readPorts(arg: XtArg): [number, number][] {
  const { ctx } = arg;
  if (ctx.proto === 0)
    throw new XtError("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'");
  if (ctx.protoInverted || !PROTOCOLS.includes(ctx.proto))
    throw new XtError('multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP');
  const services = SERVICES.get(ctx.proto);
  // /etc/services has none of the others.
  const read = (text: string): number => {
    if (services !== undefined) return readPort(text, services);
    const port = readUint(text, 0, 65535);
    if (port === undefined) throw new XtError(`invalid port/service \`${text}' specified`, undefined, 0);
    return port;
  };
  const ranges: [number, number][] = [];
  let used = 0;
  for (const part of arg.text.split(',')) {
    const colon = part.indexOf(':');
    used += colon < 0 ? 1 : 2;
    if (used > PORTS_MAX)
      throw new XtError('too many ports specified', `at most ${PORTS_MAX}, a range counts as two`, 0);
    const from = read(colon < 0 ? part : part.slice(0, colon));
    const to = colon < 0 ? from : read(part.slice(colon + 1));
    if (colon >= 0 && from >= to) throw new XtError('invalid portrange specified', undefined, 0);
    ranges.push([from, to]);
  }
  return ranges;
}

const NAMES = { sports: 'source-ports', dports: 'destination-ports', ports: 'ports' };

function option(side: MultiportSpec['side'], aliases: readonly string[]): XtOption<MultiportSpec> {
  const others = Object.values(NAMES).filter((name) => name !== NAMES[side]);
  return {
    name: NAMES[side],
    aliases,
    invert: true,
    excludes: others,
    parse(spec, arg) {
      spec.side = side;
      spec.ranges = readPorts(arg);
      spec.inverted = arg.inverted;
    },
  };
}

/** `-m multiport`: a list of ports and ranges. */
export const MATCH_MULTIPORT: Extension<MultiportSpec> = {
  kind: 'match',
  name: 'multiport',
  families: XT_BOTH,
  protocols: PROTOCOLS,
  options: [option('sports', ['sports']), option('dports', ['dports']), option('ports', [])],
  init: () => ({ side: 'ports', ranges: [], inverted: false }),
  finish(_spec, seen) {
    if (seen.size === 0) throw new XtError('multiport expection an option');
  },
  save: (spec) => `${spec.inverted ? '! ' : ''}--${spec.side} ${spec.ranges.map(portRangeText).join(',')}`,
  lower: (spec) => [new MultiportMatch(spec)],
};

/** The kernel's multiport match: ports that are cut off drop the packet, a later fragment does not match. */
class MultiportMatch implements Expr {
  readonly name = 'match';
  readonly askedPorts: AskedPorts | undefined;
  /** Pairs of first and last port. */
  private readonly bounds: Uint16Array;
  private readonly source: boolean;
  private readonly destination: boolean;
  private readonly inverted: boolean;

  constructor(spec: MultiportSpec) {
    const { side, ranges, inverted } = spec;
    if (side !== 'ports') this.askedPorts = { offset: side === 'sports' ? 0 : 2, ranges, inverted };
    this.bounds = Uint16Array.from(spec.ranges.flat());
    this.source = spec.side !== 'dports';
    this.destination = spec.side !== 'sports';
    this.inverted = spec.inverted;
  }

  eval(state: HookState): number {
    const { l4, view, end, frag } = state.pkt;
    if (frag >= 8) return NFT_BREAK;
    if (l4 < 0 || l4 + 4 > end) return NF_DROP;
    const holds =
      (this.source && this.has(view.getUint16(l4))) || (this.destination && this.has(view.getUint16(l4 + 2)));
    return holds !== this.inverted ? NFT_CONTINUE : NFT_BREAK;
  }

  private has(port: number): boolean {
    const { bounds } = this;
    for (let i = 0; i < bounds.length; i += 2) if (port >= bounds[i]! && port <= bounds[i + 1]!) return true;
    return false;
  }
}
