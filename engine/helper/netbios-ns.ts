import { type ExpectPolicy, HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { expectAnswers } from './broadcast.ts';

const PORT = 137;
const POLICY: ExpectPolicy = { name: 'netbios-ns', maxExpected: 1, timeout: 3000 };

function help(call: HelpCall): number {
  expectAnswers(call, PORT, POLICY);
  return HELP_ACCEPT;
}

/** NetBIOS name service (RFC 1002): names are asked for by broadcast. */
export const NETBIOS_NS_HELPER: Helper = {
  name: 'netbios-ns',
  proto: IPPROTO_UDP,
  families: [AF_INET],
  ports: [PORT],
  policies: [POLICY],
  help,
};
