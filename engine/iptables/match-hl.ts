import { type Extension, XT_IPV6 } from './extension.ts';
import { type HopTest, hopMatch } from './hop-test.ts';

/** `-m hl`: the hop limit of IPv6. */
export const MATCH_HL: Extension<HopTest> = hopMatch('hl', XT_IPV6);
