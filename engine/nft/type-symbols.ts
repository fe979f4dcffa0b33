/** A name and its number. The first name of a number is the one listed; later ones are only read. */
export type SymbolEntry = readonly [name: string, value: number];

/** Names in the order in which nft looks them up. */
export type SymbolTable = readonly SymbolEntry[];

/** `ct state`: NF_CT_STATE_BIT. The order is that of a listing (`invalid,established,related,new,untracked`). */
export const CT_STATES: SymbolTable = [
  ['invalid', 0x01],
  ['new', 0x08],
  ['established', 0x02],
  ['related', 0x04],
  ['untracked', 0x40],
];

/** `ct direction`: IP_CT_DIR_*. */
export const CT_DIRECTIONS: SymbolTable = [
  ['original', 0],
  ['reply', 1],
];

/** `ct status`: the IPS_* bits that nft has names for. */
export const CT_STATUSES: SymbolTable = [
  ['expected', 0x001],
  ['seen-reply', 0x002],
  ['assured', 0x004],
  ['confirmed', 0x008],
  ['snat', 0x010],
  ['dnat', 0x020],
  ['dying', 0x200],
];

/** `ct event`: IPCT_*. */
export const CT_EVENTS: SymbolTable = [
  ['new', 0x001],
  ['related', 0x002],
  ['destroy', 0x004],
  ['reply', 0x008],
  ['assured', 0x010],
  ['protoinfo', 0x020],
  ['helper', 0x040],
  ['mark', 0x080],
  ['seqadj', 0x100],
  ['secmark', 0x200],
  ['label', 0x400],
];

/** `exists`, `missing`. */
export const BOOLEANS: SymbolTable = [
  ['exists', 1],
  ['missing', 0],
];

/** `icmp type`. */
export const ICMP_TYPES: SymbolTable = [
  ['echo-reply', 0],
  ['destination-unreachable', 3],
  ['source-quench', 4],
  ['redirect', 5],
  ['echo-request', 8],
  ['router-advertisement', 9],
  ['router-solicitation', 10],
  ['time-exceeded', 11],
  ['parameter-problem', 12],
  ['timestamp-request', 13],
  ['timestamp-reply', 14],
  ['info-request', 15],
  ['info-reply', 16],
  ['address-mask-request', 17],
  ['address-mask-reply', 18],
];

/** `icmp code`, whatever the type. */
export const ICMP_CODES: SymbolTable = [
  ['net-unreachable', 0],
  ['host-unreachable', 1],
  ['prot-unreachable', 2],
  ['port-unreachable', 3],
  ['net-prohibited', 9],
  ['host-prohibited', 10],
  ['admin-prohibited', 13],
  ['frag-needed', 4],
];

/** `icmpv6 type`. */
export const ICMPV6_TYPES: SymbolTable = [
  ['destination-unreachable', 1],
  ['packet-too-big', 2],
  ['time-exceeded', 3],
  ['parameter-problem', 4],
  ['echo-request', 128],
  ['echo-reply', 129],
  ['mld-listener-query', 130],
  ['mld-listener-report', 131],
  ['mld-listener-done', 132],
  ['mld-listener-reduction', 132],
  ['nd-router-solicit', 133],
  ['nd-router-advert', 134],
  ['nd-neighbor-solicit', 135],
  ['nd-neighbor-advert', 136],
  ['nd-redirect', 137],
  ['router-renumbering', 138],
  ['ind-neighbor-solicit', 141],
  ['ind-neighbor-advert', 142],
  ['mld2-listener-report', 143],
];

/** `icmpv6 code`, whatever the type. */
export const ICMPV6_CODES: SymbolTable = [
  ['no-route', 0],
  ['admin-prohibited', 1],
  ['addr-unreachable', 3],
  ['port-unreachable', 4],
  ['policy-fail', 5],
  ['reject-route', 6],
];

/** The codes of `reject with icmpx`: NFT_REJECT_ICMPX_*. */
export const ICMPX_CODES: SymbolTable = [
  ['port-unreachable', 1],
  ['admin-prohibited', 3],
  ['no-route', 0],
  ['host-unreachable', 2],
];

/** `igmp type`. */
export const IGMP_TYPES: SymbolTable = [
  ['membership-query', 0x11],
  ['membership-report-v1', 0x12],
  ['membership-report-v2', 0x16],
  ['membership-report-v3', 0x22],
  ['leave-group', 0x17],
];

/** `ether type`, `meta protocol`: ETH_P_*. */
export const ETHER_TYPES: SymbolTable = [
  ['ip', 0x0800],
  ['arp', 0x0806],
  ['ip6', 0x86dd],
  ['8021q', 0x8100],
  ['8021ad', 0x88a8],
  ['vlan', 0x8100],
];

/** `arp operation`: ARPOP_*. */
export const ARP_OPERATIONS: SymbolTable = [
  ['request', 1],
  ['reply', 2],
  ['rrequest', 3],
  ['rreply', 4],
  ['inrequest', 8],
  ['inreply', 9],
  ['nak', 10],
];

/** `meta nfproto`: NFPROTO_*. */
export const NF_PROTOS: SymbolTable = [
  ['ipv4', 2],
  ['ipv6', 10],
];

/** `ip dscp` (RFC 2474, 2597, 3246, 5865, 8622). */
export const DSCPS: SymbolTable = [
  ['cs0', 0x00],
  ['cs1', 0x08],
  ['cs2', 0x10],
  ['cs3', 0x18],
  ['cs4', 0x20],
  ['cs5', 0x28],
  ['cs6', 0x30],
  ['cs7', 0x38],
  ['df', 0x00],
  ['be', 0x00],
  ['lephb', 0x01],
  ['af11', 0x0a],
  ['af12', 0x0c],
  ['af13', 0x0e],
  ['af21', 0x12],
  ['af22', 0x14],
  ['af23', 0x16],
  ['af31', 0x1a],
  ['af32', 0x1c],
  ['af33', 0x1e],
  ['af41', 0x22],
  ['af42', 0x24],
  ['af43', 0x26],
  ['va', 0x2c],
  ['ef', 0x2e],
];

/** `ip ecn` (RFC 3168). */
export const ECNS: SymbolTable = [
  ['not-ect', 0],
  ['ect1', 1],
  ['ect0', 2],
  ['ce', 3],
];

/** `tcp flags` (RFC 9293). */
export const TCP_FLAGS: SymbolTable = [
  ['fin', 0x01],
  ['syn', 0x02],
  ['rst', 0x04],
  ['psh', 0x08],
  ['ack', 0x10],
  ['urg', 0x20],
  ['ecn', 0x40],
  ['cwr', 0x80],
];

/** `dccp type` (RFC 4340, 5.1). */
export const DCCP_TYPES: SymbolTable = [
  ['request', 0],
  ['response', 1],
  ['data', 2],
  ['ack', 3],
  ['dataack', 4],
  ['closereq', 5],
  ['close', 6],
  ['reset', 7],
  ['sync', 8],
  ['syncack', 9],
];

/** `mh type` (RFC 6275, 6.1). */
export const MH_TYPES: SymbolTable = [
  ['binding-refresh-request', 0],
  ['home-test-init', 1],
  ['careof-test-init', 2],
  ['home-test', 3],
  ['careof-test', 4],
  ['binding-update', 5],
  ['binding-acknowledgement', 6],
  ['binding-error', 7],
  ['fast-binding-update', 8],
  ['fast-binding-acknowledgement', 9],
  ['fast-binding-advertisement', 10],
  ['experimental-mobility-header', 11],
  ['home-agent-switch-message', 12],
];

/** `meta iiftype`: ARPHRD_*. */
export const INTERFACE_TYPES: SymbolTable = [
  ['ether', 1],
  ['ppp', 512],
  ['ipip', 768],
  ['ipip6', 769],
  ['loopback', 772],
  ['sit', 776],
  ['ipgre', 778],
];

/** `meta pkttype`: PACKET_*. `unicast` is only read. */
export const PACKET_TYPES: SymbolTable = [
  ['host', 0],
  ['unicast', 0],
  ['broadcast', 1],
  ['multicast', 2],
  ['other', 3],
];

/** `meta day`. */
export const DAYS: SymbolTable = [
  ['Sunday', 0],
  ['Monday', 1],
  ['Tuesday', 2],
  ['Wednesday', 3],
  ['Thursday', 4],
  ['Friday', 5],
  ['Saturday', 6],
];

/** `fib … type`: RTN_*. */
export const FIB_TYPES: SymbolTable = [
  ['unspec', 0],
  ['unicast', 1],
  ['local', 2],
  ['broadcast', 3],
  ['anycast', 4],
  ['multicast', 5],
  ['blackhole', 6],
  ['unreachable', 7],
  ['prohibit', 8],
];

/** Realms that /etc/iproute2/rt_realms names on a fresh system. */
export const REALMS: SymbolTable = [['cosmos', 0]];

/** Groups of devices that /etc/iproute2/group names on a fresh system. */
export const DEVICE_GROUPS: SymbolTable = [['default', 0]];

/** Users that every Debian system has. */
export const USERS: SymbolTable = [
  ['root', 0],
  ['daemon', 1],
  ['bin', 2],
  ['sys', 3],
  ['sync', 4],
  ['games', 5],
  ['man', 6],
  ['lp', 7],
  ['mail', 8],
  ['news', 9],
  ['uucp', 10],
  ['proxy', 13],
  ['www-data', 33],
  ['backup', 34],
  ['list', 38],
  ['irc', 39],
  ['nobody', 65534],
];

/** Groups of users that every Debian system has. */
export const GROUPS: SymbolTable = [
  ['root', 0],
  ['daemon', 1],
  ['bin', 2],
  ['sys', 3],
  ['adm', 4],
  ['tty', 5],
  ['disk', 6],
  ['lp', 7],
  ['mail', 8],
  ['news', 9],
  ['uucp', 10],
  ['man', 12],
  ['proxy', 13],
  ['www-data', 33],
  ['backup', 34],
  ['nogroup', 65534],
];
