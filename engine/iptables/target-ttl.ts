import { type Extension, XT_IPV4 } from './extension.ts';
import { type HopChange, hopTarget } from './hop-change.ts';

/** `-j TTL`: the time to live of IPv4. */
export const TARGET_TTL: Extension<HopChange> = hopTarget('TTL', XT_IPV4);
