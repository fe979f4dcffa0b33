import { IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import { type Extension, XT_IPV6 } from './extension.ts';
import { IcmpMatch, type IcmpName, type IcmpSpec, icmpText, readIcmp } from './icmp-test.ts';

const ICMPV6_HEADER = 8;

/** The types and codes that have names (IANA, ICMPv6 Parameters), as ip6tables -p icmpv6 -h prints them. */
const NAMES: readonly IcmpName[] = [
  ['destination-unreachable', 1, 0, 255],
  ['no-route', 1, 0, 0],
  ['communication-prohibited', 1, 1, 1],
  ['beyond-scope', 1, 2, 2],
  ['address-unreachable', 1, 3, 3],
  ['port-unreachable', 1, 4, 4],
  ['failed-policy', 1, 5, 5],
  ['reject-route', 1, 6, 6],
  ['packet-too-big', 2, 0, 255],
  ['time-exceeded', 3, 0, 255],
  ['ttl-exceeded', 3, 0, 255],
  ['ttl-zero-during-transit', 3, 0, 0],
  ['ttl-zero-during-reassembly', 3, 1, 1],
  ['parameter-problem', 4, 0, 255],
  ['bad-header', 4, 0, 0],
  ['unknown-header-type', 4, 1, 1],
  ['unknown-option', 4, 2, 2],
  ['echo-request', 128, 0, 255],
  ['ping', 128, 0, 255],
  ['echo-reply', 129, 0, 255],
  ['pong', 129, 0, 255],
  ['router-solicitation', 133, 0, 255],
  ['router-advertisement', 134, 0, 255],
  ['neighbour-solicitation', 135, 0, 255],
  ['neighbor-solicitation', 135, 0, 255],
  ['neighbour-advertisement', 136, 0, 255],
  ['neighbor-advertisement', 136, 0, 255],
  ['redirect', 137, 0, 255],
];

/** `-m icmp6`: type and code. */
export const MATCH_ICMP6: Extension<IcmpSpec> = {
  kind: 'match',
  name: 'icmp6',
  aliases: ['icmpv6', 'ipv6-icmp'],
  families: XT_IPV6,
  protocols: [IPPROTO_ICMPV6],
  options: [
    {
      name: 'icmpv6-type',
      invert: true,
      required: true,
      parse: (spec, arg) => void Object.assign(spec, readIcmp(arg, NAMES, 'ICMPv6')),
    },
  ],
  init: () => ({ type: 0, codes: [0, 255], inverted: false }),
  save: (spec) => icmpText(spec, 'icmpv6-type'),
  lower: (spec) => [new IcmpMatch(spec, -1, ICMPV6_HEADER)],
};
