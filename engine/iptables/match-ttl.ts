import { type Extension, XT_IPV4 } from './extension.ts';
import { type HopTest, hopMatch } from './hop-test.ts';

/** `-m ttl`: the time to live of IPv4. */
export const MATCH_TTL: Extension<HopTest> = hopMatch('ttl', XT_IPV4);
