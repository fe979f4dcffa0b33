import type { Helper } from '../conntrack/helper.ts';
import { AMANDA_HELPER } from './amanda.ts';
import { FTP_HELPER } from './ftp.ts';
import { H245_HELPER } from './h245-control.ts';
import { IRC_HELPER } from './irc.ts';
import { NETBIOS_NS_HELPER } from './netbios-ns.ts';
import { PPTP_HELPER } from './pptp.ts';
import { Q931_HELPER } from './q931.ts';
import { RAS_HELPER } from './ras.ts';
import { SANE_HELPER } from './sane.ts';
import { SIP_HELPERS } from './sip.ts';
import { SNMP_HELPER, SNMP_TRAP_HELPER } from './snmp.ts';
import { TFTP_HELPER } from './tftp.ts';

/** All helpers there are, in the order in which conntrack looks for one by its port. */
export const HELPERS: readonly Helper[] = [
  FTP_HELPER,
  ...SIP_HELPERS,
  TFTP_HELPER,
  IRC_HELPER,
  PPTP_HELPER,
  AMANDA_HELPER,
  NETBIOS_NS_HELPER,
  SNMP_HELPER,
  SNMP_TRAP_HELPER,
  SANE_HELPER,
  RAS_HELPER,
  Q931_HELPER,
  H245_HELPER,
];
