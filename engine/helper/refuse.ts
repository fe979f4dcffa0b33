import { R_HELPER_EXPECT } from '../base/reason.ts';
import { HELP_DROP, type HelpCall } from '../conntrack/helper.ts';
import { because } from '../packet/packet.ts';

/** The packet is dropped, since what it tells of cannot be expected: the other side would wait in vain. */
export function refuse(call: HelpCall): number {
  return drop(call, R_HELPER_EXPECT);
}

/** The packet is dropped. @param reason a number of base/reason.ts */
export function drop({ pkt }: HelpCall, reason: number): number {
  because(pkt, reason);
  return HELP_DROP;
}
