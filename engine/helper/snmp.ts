import { type ExpectPolicy, HELP_ACCEPT, type HelpCall, type Helper } from '../conntrack/helper.ts';
import { isTranslated } from '../nat/mangle.ts';
import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { expectAnswers } from './broadcast.ts';
import { translateSnmp } from './snmp-translate.ts';

const PORT = 161;
const TRAP_PORT = 162;
const POLICY: ExpectPolicy = { name: 'snmp', maxExpected: 1, timeout: 30_000 };

function help(call: HelpCall): number {
  expectAnswers(call, PORT, POLICY);
  return translate(call);
}

/** Measured: of translated flows all messages but those that come the wrong way are read. */
function translate(call: HelpCall): number {
  if (!isTranslated(call)) return HELP_ACCEPT;
  const { view, l4 } = call.pkt;
  if (view.getUint16(l4) === PORT && call.dir === 0) return HELP_ACCEPT;
  if (view.getUint16(l4 + 2) === TRAP_PORT && call.dir === 1) return HELP_ACCEPT;
  return translateSnmp(call);
}

/** SNMP (RFC 3416): agents are found by broadcast; addresses in messages are translated. */
export const SNMP_HELPER: Helper = {
  name: 'snmp',
  proto: IPPROTO_UDP,
  families: [AF_INET],
  ports: [PORT],
  policies: [POLICY],
  help,
};

/** SNMP's notifications, sent to another port: their addresses are translated (nf_nat_snmp_basic). */
export const SNMP_TRAP_HELPER: Helper = {
  name: 'snmp_trap',
  proto: IPPROTO_UDP,
  families: [AF_INET],
  ports: [TRAP_PORT],
  policies: [{ name: 'snmp_trap', maxExpected: 0, timeout: 180_000 }],
  help: translate,
};
