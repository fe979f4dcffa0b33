import { NF_INET_POST_ROUTING } from '../rules/family.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { lowerMasquerade } from './nat-lower.ts';
import { RANDOM, RANDOM_FULLY, toPorts } from './nat-options.ts';
import { joined, type NatRange, natFlags, natRange, portsText } from './nat-range.ts';

/** `-j MASQUERADE`: changes the source address of a flow to that of the device it leaves by. */
export const TARGET_MASQUERADE: Extension<NatRange> = {
  kind: 'target',
  name: 'MASQUERADE',
  families: XT_BOTH,
  tables: ['nat'],
  hooks: 1 << NF_INET_POST_ROUTING,
  options: [toPorts(false), RANDOM, RANDOM_FULLY],
  init: natRange,
  save: (range) => joined(range.ports === null ? '' : `--to-ports ${portsText(range)}`, natFlags(range)),
  lower: lowerMasquerade,
};
