import { NFT_NAT_DNAT } from '../rules/expr-nat.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { lowerNat } from './nat-lower.ts';
import { DST_HOOKS, PERSISTENT, RANDOM } from './nat-options.ts';
import { joined, type NatRange, natFlags, natRange, natText, readNat } from './nat-range.ts';

/** `-j DNAT`: changes the destination address of a flow. */
export const TARGET_DNAT: Extension<NatRange> = {
  kind: 'target',
  name: 'DNAT',
  families: XT_BOTH,
  tables: ['nat'],
  hooks: DST_HOOKS,
  options: [
    { name: 'to-destination', required: true, parse: (range, arg) => readNat(arg, range, true) },
    RANDOM,
    PERSISTENT,
  ],
  init: natRange,
  save: (range) => joined('--to-destination', natText(range), natFlags(range)),
  lower: (range, ctx) => lowerNat(range, NFT_NAT_DNAT, ctx.family),
};
