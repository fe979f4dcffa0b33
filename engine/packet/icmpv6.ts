/** Types of ICMPv6 (RFC 4443) by number and name. Its header is laid out as ICMP's: see icmp.ts for the fields. */

/** Destination unreachable. */
export const ICMPV6_DEST_UNREACH = 1;
/** Packet too big. */
export const ICMPV6_PKT_TOOBIG = 2;
/** Time exceeded. */
export const ICMPV6_TIME_EXCEED = 3;
/** Parameter problem. */
export const ICMPV6_PARAMPROB = 4;
/** Echo request. */
export const ICMPV6_ECHO_REQUEST = 128;
/** Echo reply. */
export const ICMPV6_ECHO_REPLY = 129;
/** Multicast listener query (RFC 2710). */
export const ICMPV6_MGM_QUERY = 130;
/** Multicast listener report. */
export const ICMPV6_MGM_REPORT = 131;
/** Multicast listener done. */
export const ICMPV6_MGM_REDUCTION = 132;
/** Router solicitation (RFC 4861). */
export const NDISC_ROUTER_SOLICITATION = 133;
/** Router advertisement. */
export const NDISC_ROUTER_ADVERTISEMENT = 134;
/** Neighbour solicitation. */
export const NDISC_NEIGHBOUR_SOLICITATION = 135;
/** Neighbour advertisement. */
export const NDISC_NEIGHBOUR_ADVERTISEMENT = 136;
/** Redirect. */
export const NDISC_REDIRECT = 137;
/** Node information query (RFC 4620). */
export const ICMPV6_NI_QUERY = 139;
/** Node information reply. */
export const ICMPV6_NI_REPLY = 140;
/** Multicast listener report, version 2 (RFC 9777). */
export const ICMPV6_MLD2_REPORT = 143;
/** Multicast router advertisement (RFC 4286). */
export const ICMPV6_MRDISC_ADV = 151;

/** Names by type (IANA, ICMPv6 "type" Numbers). */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [ICMPV6_DEST_UNREACH, 'destination unreachable'],
  [ICMPV6_PKT_TOOBIG, 'packet too big'],
  [ICMPV6_TIME_EXCEED, 'time exceeded'],
  [ICMPV6_PARAMPROB, 'parameter problem'],
  [ICMPV6_ECHO_REQUEST, 'echo request'],
  [ICMPV6_ECHO_REPLY, 'echo reply'],
  [ICMPV6_MGM_QUERY, 'multicast listener query'],
  [ICMPV6_MGM_REPORT, 'multicast listener report'],
  [ICMPV6_MGM_REDUCTION, 'multicast listener done'],
  [NDISC_ROUTER_SOLICITATION, 'router solicitation'],
  [NDISC_ROUTER_ADVERTISEMENT, 'router advertisement'],
  [NDISC_NEIGHBOUR_SOLICITATION, 'neighbour solicitation'],
  [NDISC_NEIGHBOUR_ADVERTISEMENT, 'neighbour advertisement'],
  [NDISC_REDIRECT, 'redirect'],
  [138, 'router renumbering'],
  [ICMPV6_NI_QUERY, 'node information query'],
  [ICMPV6_NI_REPLY, 'node information reply'],
  [ICMPV6_MLD2_REPORT, 'multicast listener report v2'],
  [148, 'certification path solicitation'],
  [149, 'certification path advertisement'],
  [ICMPV6_MRDISC_ADV, 'multicast router advertisement'],
  [152, 'multicast router solicitation'],
  [153, 'multicast router termination'],
]);

/** Names by code of destination unreachable (RFC 4443, section 3.1). */
const UNREACHABLE_NAMES: readonly string[] = [
  'no route',
  'administratively prohibited',
  'beyond scope of source',
  'address unreachable',
  'port unreachable',
  'source address refused by policy',
  'route rejected',
];

/** The name of an ICMPv6 type, as in `echo request`; `type 42` for one without a name. */
export function icmpv6TypeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `type ${type}`;
}

/** The most exact name of a type and code: `port unreachable` for 1/4, else that of the type. */
export function icmpv6CodeName(type: number, code: number): string {
  const name = type === ICMPV6_DEST_UNREACH ? UNREACHABLE_NAMES[code] : undefined;
  return (
    name ?? (type === ICMPV6_TIME_EXCEED && code === 1 ? 'reassembly time exceeded' : icmpv6TypeName(type))
  );
}

/** Whether a type is one of an error, which quotes the packet it is about (RFC 4443, section 2.1: the lower half). */
export function isIcmpv6Error(type: number): boolean {
  return type < 128;
}
