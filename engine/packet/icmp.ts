/** Fields of an ICMP message (RFC 792) as functions of (view, offset of the header), and its types by name. */

/** Bytes of an ICMP header: type 1, code 1, checksum 2, and four that depend on the type. */
export const ICMP_HEADER = 8;
/** Echo reply. */
export const ICMP_ECHOREPLY = 0;
/** Destination unreachable. */
export const ICMP_DEST_UNREACH = 3;
/** Source quench (RFC 6633: obsolete). */
export const ICMP_SOURCE_QUENCH = 4;
/** Redirect. */
export const ICMP_REDIRECT = 5;
/** Echo request. */
export const ICMP_ECHO = 8;
/** Time exceeded. */
export const ICMP_TIME_EXCEEDED = 11;
/** Parameter problem. */
export const ICMP_PARAMETERPROB = 12;
/** Code of destination unreachable: too big and DF is set; the MTU stands in the last two header bytes (RFC 1191). */
export const ICMP_FRAG_NEEDED = 4;

/** Names by type (IANA, ICMP Type Numbers). */
const TYPE_NAMES: readonly (string | undefined)[] = [
  /*  0 */ 'echo reply',
  /*  1 */ undefined,
  /*  2 */ undefined,
  /*  3 */ 'destination unreachable',
  /*  4 */ 'source quench',
  /*  5 */ 'redirect',
  /*  6 */ 'alternate host address',
  /*  7 */ undefined,
  /*  8 */ 'echo request',
  /*  9 */ 'router advertisement',
  /* 10 */ 'router solicitation',
  /* 11 */ 'time exceeded',
  /* 12 */ 'parameter problem',
  /* 13 */ 'timestamp request',
  /* 14 */ 'timestamp reply',
  /* 15 */ 'information request',
  /* 16 */ 'information reply',
  /* 17 */ 'address mask request',
  /* 18 */ 'address mask reply',
];

/** Names by code of destination unreachable (IANA, ICMP Type Numbers, type 3). */
const UNREACHABLE_NAMES: readonly string[] = [
  'net unreachable',
  'host unreachable',
  'protocol unreachable',
  'port unreachable',
  'fragmentation needed',
  'source route failed',
  'net unknown',
  'host unknown',
  'source host isolated',
  'net prohibited',
  'host prohibited',
  'net unreachable for TOS',
  'host unreachable for TOS',
  'administratively prohibited',
  'host precedence violation',
  'precedence cutoff',
];

/** The name of an ICMP type, as in `echo request`; `type 42` for one without a name. */
export function icmpTypeName(type: number): string {
  return TYPE_NAMES[type] ?? `type ${type}`;
}

/** The most exact name of a type and code: `port unreachable` for 3/3, else that of the type. */
export function icmpCodeName(type: number, code: number): string {
  const name = type === ICMP_DEST_UNREACH ? UNREACHABLE_NAMES[code] : undefined;
  return (
    name ?? (type === ICMP_TIME_EXCEEDED && code === 1 ? 'reassembly time exceeded' : icmpTypeName(type))
  );
}

/** Whether messages of this type quote the packet that they are about (RFC 1122, section 3.2.2). */
export function isIcmpError(type: number): boolean {
  return (
    type === ICMP_DEST_UNREACH ||
    type === ICMP_SOURCE_QUENCH ||
    type === ICMP_REDIRECT ||
    type === ICMP_TIME_EXCEEDED ||
    type === ICMP_PARAMETERPROB
  );
}

/** Type, of ICMP and ICMPv6 alike. */
export function icmpType(view: DataView, l4: number): number {
  return view.getUint8(l4);
}

/** Code, of ICMP and ICMPv6 alike. */
export function icmpCode(view: DataView, l4: number): number {
  return view.getUint8(l4 + 1);
}

/** Identifier of an ICMP or ICMPv6 request or reply. */
export function icmpId(view: DataView, l4: number): number {
  return view.getUint16(l4 + 4);
}

/** Sequence number of an ICMP or ICMPv6 request or reply. */
export function icmpSequence(view: DataView, l4: number): number {
  return view.getUint16(l4 + 6);
}
