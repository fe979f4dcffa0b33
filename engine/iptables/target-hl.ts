import { type Extension, XT_IPV6 } from './extension.ts';
import { type HopChange, hopTarget } from './hop-change.ts';

/** `-j HL`: the hop limit of IPv6. */
export const TARGET_HL: Extension<HopChange> = hopTarget('HL', XT_IPV6);
