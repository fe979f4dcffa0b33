import { NAT_BY_HOOK, NFT_NAT_DNAT, NFT_NAT_SNAT } from '../rules/expr-nat.ts';
import { addressText, maskLength, prefixMask } from './address.ts';
import { type Extension, XT_BOTH, type XtArg } from './extension.ts';
import { lowerNat, NF_NAT_RANGE_NETMAP } from './nat-lower.ts';
import { DST_HOOKS, SRC_HOOKS } from './nat-options.ts';
import { natRange } from './nat-range.ts';
import { optionNetwork } from './option-address.ts';

const TYPES: ReadonlyMap<string, number> = new Map([
  ['PREROUTING', NFT_NAT_DNAT],
  ['OUTPUT', NFT_NAT_DNAT],
  ['INPUT', NFT_NAT_SNAT],
  ['POSTROUTING', NFT_NAT_SNAT],
]);

interface Netmap {
  address: readonly number[];
  prefix: number;
}

function parse(spec: Netmap, arg: XtArg): void {
  const { addr, mask } = optionNetwork(arg);
  // A mask that is no prefix counts as a whole address (measured).
  spec.prefix = maskLength(mask) ?? mask.length * 32;
  const words = prefixMask(spec.prefix, arg.ctx.family);
  spec.address = addr.map((w, i) => w & words[i]!);
}

/** `-j NETMAP`: maps the addresses of one network to those of another, one to one. */
export const TARGET_NETMAP: Extension<Netmap> = {
  kind: 'target',
  name: 'NETMAP',
  families: XT_BOTH,
  tables: ['nat'],
  hooks: DST_HOOKS | SRC_HOOKS,
  options: [{ name: 'to', required: true, parse }],
  init: () => ({ address: [], prefix: 32 }),
  save: (spec) => `--to ${addressText(spec.address)}/${spec.prefix}`,
  lower: (spec, ctx) => {
    const mask = prefixMask(spec.prefix, ctx.family);
    const range = { ...natRange(), min: spec.address, max: spec.address.map((w, i) => w | ~mask[i]!) };
    // Which end is translated depends on the hook; a user's chain may be called from several.
    return lowerNat(range, TYPES.get(ctx.chain) ?? NAT_BY_HOOK, ctx.family, NF_NAT_RANGE_NETMAP);
  },
};
