import { IPPROTO_ICMP } from '../packet/protocols.ts';
import { type Extension, XT_IPV4 } from './extension.ts';
import { IcmpMatch, type IcmpName, type IcmpSpec, icmpText, readIcmp } from './icmp-test.ts';

/** Stands for every type. */
const ANY = 255;
/** Type and code are looked at, but the kernel wants a whole header. */
const ICMP_HEADER = 8;

/** The types and codes that have names (IANA, ICMP Parameters), in the order in which iptables -p icmp -h prints them. */
const NAMES: readonly IcmpName[] = [
  ['any', ANY, 0, 255],
  ['echo-reply', 0, 0, 255],
  ['pong', 0, 0, 255],
  ['destination-unreachable', 3, 0, 255],
  ['network-unreachable', 3, 0, 0],
  ['host-unreachable', 3, 1, 1],
  ['protocol-unreachable', 3, 2, 2],
  ['port-unreachable', 3, 3, 3],
  ['fragmentation-needed', 3, 4, 4],
  ['source-route-failed', 3, 5, 5],
  ['network-unknown', 3, 6, 6],
  ['host-unknown', 3, 7, 7],
  ['network-prohibited', 3, 9, 9],
  ['host-prohibited', 3, 10, 10],
  ['TOS-network-unreachable', 3, 11, 11],
  ['TOS-host-unreachable', 3, 12, 12],
  ['communication-prohibited', 3, 13, 13],
  ['host-precedence-violation', 3, 14, 14],
  ['precedence-cutoff', 3, 15, 15],
  ['source-quench', 4, 0, 255],
  ['redirect', 5, 0, 255],
  ['network-redirect', 5, 0, 0],
  ['host-redirect', 5, 1, 1],
  ['TOS-network-redirect', 5, 2, 2],
  ['TOS-host-redirect', 5, 3, 3],
  ['echo-request', 8, 0, 255],
  ['ping', 8, 0, 255],
  ['router-advertisement', 9, 0, 255],
  ['router-solicitation', 10, 0, 255],
  ['time-exceeded', 11, 0, 255],
  ['ttl-exceeded', 11, 0, 255],
  ['ttl-zero-during-transit', 11, 0, 0],
  ['ttl-zero-during-reassembly', 11, 1, 1],
  ['parameter-problem', 12, 0, 255],
  ['ip-header-bad', 12, 0, 0],
  ['required-option-missing', 12, 1, 1],
  ['timestamp-request', 13, 0, 255],
  ['timestamp-reply', 14, 0, 255],
  ['address-mask-request', 17, 0, 255],
  ['address-mask-reply', 18, 0, 255],
];

/** `-m icmp`: type and code. */
export const MATCH_ICMP: Extension<IcmpSpec> = {
  kind: 'match',
  name: 'icmp',
  families: XT_IPV4,
  protocols: [IPPROTO_ICMP],
  options: [
    {
      name: 'icmp-type',
      invert: true,
      required: true,
      parse: (spec, arg) => void Object.assign(spec, readIcmp(arg, NAMES, 'ICMP')),
    },
  ],
  init: () => ({ type: ANY, codes: [0, 255], inverted: false }),
  save: (spec) =>
    spec.type === ANY ? `${spec.inverted ? '! ' : ''}--icmp-type any` : icmpText(spec, 'icmp-type'),
  lower: (spec) => [new IcmpMatch(spec, ANY, ICMP_HEADER)],
};
