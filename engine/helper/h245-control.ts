import { HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { AF_INET, AF_INET6, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { readH245 } from './h323-channel.ts';
import { H323_DATA } from './h323-state.ts';
import { eachTpkt } from './h323-tpkt.ts';
import { refuse } from './refuse.ts';

/** Whether the helpers of H.323 over TCP read a packet: once both ends have spoken (measured: not the SYN). */
export function isSpoken({ pkt }: HelpCall): boolean {
  return pkt.ctinfo === IP_CT_ESTABLISHED || pkt.ctinfo === IP_CT_ESTABLISHED_REPLY;
}

function help(call: HelpCall): number {
  let verdict = HELP_ACCEPT;
  if (!isSpoken(call)) return verdict;
  eachTpkt(call, (at, end) => {
    if (!readH245(call, at, end)) verdict = refuse(call);
    return verdict === HELP_ACCEPT;
  });
  return verdict;
}

/**
 * H.245, the control channel of an H.323 call. Q.931 tells of it. Linux has it registered for UDP, by mistake:
 * `-p tcp -j CT --helper H.245` is refused, and one that a flow is expected with reads TCP all the same (measured).
 */
export const H245_HELPER: Helper = {
  name: 'H.245',
  proto: IPPROTO_UDP,
  families: [AF_INET, AF_INET6],
  ports: [],
  policies: [{ name: 'H.245', maxExpected: 18, timeout: 240_000 }],
  ...H323_DATA,
  help,
};
