import { NFT_NAT_SNAT } from '../rules/expr-nat.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { lowerNat } from './nat-lower.ts';
import { PERSISTENT, RANDOM, RANDOM_FULLY, SRC_HOOKS } from './nat-options.ts';
import { joined, type NatRange, natFlags, natRange, natText, readNat } from './nat-range.ts';

/** `-j SNAT`: changes the source address of a flow. */
export const TARGET_SNAT: Extension<NatRange> = {
  kind: 'target',
  name: 'SNAT',
  families: XT_BOTH,
  tables: ['nat'],
  hooks: SRC_HOOKS,
  options: [
    { name: 'to-source', required: true, parse: (range, arg) => readNat(arg, range, false) },
    RANDOM,
    RANDOM_FULLY,
    PERSISTENT,
  ],
  init: natRange,
  save: (range) => joined('--to-source', natText(range), natFlags(range)),
  lower: (range, ctx) => lowerNat(range, NFT_NAT_SNAT, ctx.family),
};
