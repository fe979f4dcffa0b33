import type { Random } from '../base/random.ts';
import { AF_INET } from '../packet/packet.ts';
import type { Expr } from '../rules/expr.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { prefixMask } from './address.ts';
import { ConnNetworks } from './conn-networks.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { optionMask } from './option-address.ts';
import { uintArg } from './values.ts';

interface ConnlimitSpec {
  limit: number;
  upto: boolean;
  prefix: number | null;
  daddr: boolean;
}

/** How many connections there are from (or to) the packet's network. */
class ConnlimitMatch implements Expr {
  readonly name = 'match';
  private readonly spec: ConnlimitSpec;
  private readonly mask: readonly number[];
  /** By masked address and zone. */
  private readonly networks: ConnNetworks;
  private readonly key: Int32Array;

  constructor(spec: ConnlimitSpec, mask: readonly number[], random: Random) {
    this.spec = spec;
    this.mask = mask;
    this.key = new Int32Array(mask.length + 1);
    this.networks = new ConnNetworks(this.key.length, random);
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const { daddr, limit, upto } = this.spec;
    const isV4 = pkt.family === AF_INET;
    const at = pkt.off + (isV4 ? (daddr ? 16 : 12) : daddr ? 24 : 8);
    for (let i = 0; i < this.mask.length; i++) this.key[i] = pkt.view.getInt32(at + 4 * i) & this.mask[i]!;
    this.key[this.mask.length] = pkt.zone;
    const count = this.networks.add(this.key, state);
    // None at all, not even the packet's own: the kernel takes that for a failure (measured; the last ACK of a connection).
    if (count <= 0) return NF_DROP;
    return count > limit !== upto ? NFT_CONTINUE : NFT_BREAK;
  }
}

function whole(family: number): number {
  return family === NFPROTO_IPV4 ? 32 : 128;
}

/** `-m connlimit`: how many connections an address or network has at the same time. */
export const MATCH_CONNLIMIT: Extension<ConnlimitSpec> = {
  kind: 'match',
  name: 'connlimit',
  families: XT_BOTH,
  options: [
    {
      name: 'connlimit-upto',
      excludes: ['connlimit-above'],
      invert: true,
      parse: (spec, arg) => {
        spec.limit = uintArg(arg);
        spec.upto = !arg.inverted;
      },
    },
    {
      name: 'connlimit-above',
      excludes: ['connlimit-upto'],
      invert: true,
      parse: (spec, arg) => {
        spec.limit = uintArg(arg);
        spec.upto = arg.inverted;
      },
    },
    {
      name: 'connlimit-mask',
      parse: (spec, arg) => {
        // What is no prefix counts as the whole address (measured).
        spec.prefix = optionMask(arg.text, arg).length ?? whole(arg.ctx.family);
      },
    },
    {
      name: 'connlimit-saddr',
      args: 0,
      excludes: ['connlimit-daddr'],
      parse: (spec) => {
        spec.daddr = false;
      },
    },
    {
      name: 'connlimit-daddr',
      args: 0,
      excludes: ['connlimit-saddr'],
      parse: (spec) => {
        spec.daddr = true;
      },
    },
  ],
  init: () => ({ limit: 0, upto: false, prefix: null, daddr: false }),
  finish: (_, seen) => {
    if (!seen.has('connlimit-upto') && !seen.has('connlimit-above'))
      throw new XtError('You must specify "--connlimit-above" or "--connlimit-upto".');
  },
  save: (spec, ctx) =>
    `--connlimit-${spec.upto ? 'upto' : 'above'} ${spec.limit} --connlimit-mask ${spec.prefix ?? whole(ctx.family)} --connlimit-${spec.daddr ? 'daddr' : 'saddr'}`,
  lower: (spec, ctx) => {
    const mask = prefixMask(spec.prefix ?? whole(ctx.family), ctx.family);
    return [new ConnlimitMatch(spec, mask, ctx.world.random)];
  },
};
