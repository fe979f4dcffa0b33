import { type Extension, XT_BOTH } from './extension.ts';
import { lowerRedirect } from './nat-lower.ts';
import { DST_HOOKS, RANDOM, toPorts } from './nat-options.ts';
import { joined, type NatRange, natFlags, natRange, portsText } from './nat-range.ts';

/** `-j REDIRECT`: changes the destination of a flow to this machine. */
export const TARGET_REDIRECT: Extension<NatRange> = {
  kind: 'target',
  name: 'REDIRECT',
  families: XT_BOTH,
  tables: ['nat'],
  hooks: DST_HOOKS,
  options: [toPorts(undefined), RANDOM],
  init: natRange,
  save: (range) => joined(range.ports === null ? '' : `--to-ports ${portsText(range)}`, natFlags(range)),
  lower: lowerRedirect,
};
