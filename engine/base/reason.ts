import { TCP_STATE_NAMES } from './tcp-state-names.ts';

/** What a reason did to the packet or the flow that it was given for. */
export type Effect = 'skipped' | 'held' | 'dropped' | 'INVALID' | 'ignored' | 'noted' | 'removed';

/** One numbered reason. `%u`, `%x`, `%a` (IPv4 address) and `%s` in its text stand for the operands, in order. */
export interface Reason {
  readonly id: number;
  /** Stable short name, for scripts. */
  readonly name: string;
  readonly effect: Effect;
  /** The kernel's own wording where it logs one (nf_conntrack_log_invalid), else ours. */
  readonly text: string;
  /** Words for the operands that `%s` names, by value. */
  readonly words?: readonly string[];
}

// Numbers are stable: they appear in JSON and in scripts. Hundreds: 0 frame, 100 IP, 200 fragments,
// 300 the table, 400 TCP, 500 UDP, 600 ICMP, 700 SCTP, 800 GRE, 900 ends of flows.
/** Frame too short for its link header. */
export const R_LINK_SHORT = 1;
/** Link layer carries something else than IP; operand: ethertype. */
export const R_NOT_IP = 2;
/** Link type of the capture is not known; operand: link type. */
export const R_LINK_UNKNOWN = 3;
/** Not captured whole (snap length); operands: bytes missing. */
export const R_CUT_SHORT = 4;
/** IP header shorter than it must be. */
export const R_IP_SHORT = 100;
/** IP version is not what the link layer says; operand: version. */
export const R_IP_VERSION = 101;
/** IPv4 header checksum is wrong. */
export const R_IP_CHECKSUM = 102;
/** Total length is more than what is there; operands: total length, bytes there. */
export const R_IP_LENGTH = 103;
/** Total length is less than the header. */
export const R_IP_TOTAL = 104;
/** IPv6 hop-by-hop options are malformed. */
export const R_IP6_HOPOPTS = 105;
/** IPv6 address that no packet may have there. */
export const R_IP6_ADDRESS = 106;
/** Transport header not found behind the IP headers. */
export const R_NO_TRANSPORT = 107;
/** Frame to the hardware address of another machine. */
export const R_OTHER_HOST = 110;
/** Source address that no packet from outside may have, or that is this machine's own. */
export const R_MARTIAN_SOURCE = 111;
/** Destination address that nothing can be sent to. */
export const R_MARTIAN_DESTINATION = 112;
/** Reverse path filter: answers would leave by another device. */
export const R_RP_FILTER = 113;
/** No route to the destination. */
export const R_NO_ROUTE = 114;
/** Route of type unreachable. */
export const R_ROUTE_UNREACHABLE = 115;
/** Route of type prohibit. */
export const R_ROUTE_PROHIBIT = 116;
/** Route of type blackhole. */
export const R_ROUTE_BLACKHOLE = 117;
/** The host does not forward. */
export const R_NOT_FORWARDING = 118;
/** Hop limit used up; operand: the hop limit it came with. */
export const R_HOP_LIMIT = 119;
/** Link-local source that may not leave its link. */
export const R_LINK_LOCAL = 120;
/** To a group that this host is not a member of. */
export const R_NO_MEMBER = 121;
/** Longer than the MTU of its next link, and not to be cut; operands: its length, the MTU. */
export const R_MTU = 122;
/** Broken option in an IPv4 header; operand: the byte of the header. */
export const R_IP_OPTION = 123;
/** The sender chose the way (source route), which Linux does not allow unless it is told to. */
export const R_SOURCE_ROUTE = 124;
/** To be forwarded, but the frame was not to this machine alone, or rules say so. */
export const R_NOT_TO_HOST = 125;
/** Fragment held until its datagram is whole. */
export const R_FRAG_HELD = 200;
/** Fragment overlaps another: the whole datagram is given up. */
export const R_FRAG_OVERLAP = 201;
/** Fragment is an exact duplicate. */
export const R_FRAG_DUPLICATE = 202;
/** Fragment with more to come whose length is no multiple of 8. */
export const R_FRAG_LENGTH = 203;
/** Fragment reaches beyond the largest datagram. */
export const R_FRAG_TOO_BIG = 204;
/** Memory for fragments is used up. */
export const R_FRAG_MEMORY = 205;
/** Fragment contradicts the end of its datagram that is already known. */
export const R_FRAG_END = 206;
/** Fragment header cut short or malformed. */
export const R_FRAG_MALFORMED = 207;
/** Fragment without data. */
export const R_FRAG_EMPTY = 208;
/** Datagram whose fragments' ECN fields do not go together (RFC 3168, section 5.3). */
export const R_FRAG_ECN = 209;
/** Fragment held, those of its datagram that came before it are given up; operand: net.ipv4.ipfrag_max_dist. */
export const R_FRAG_DISTANCE = 210;
/** IPv6 fragment with more to come whose length is no multiple of 8: not reassembled; operand: its length. */
export const R_FRAG_ODD = 211;
/** IPv6 first fragment that ends before its transport header does: not reassembled. */
export const R_FRAG_FIRST = 212;
/** Table full and nothing could be evicted; operand: the limit. */
export const R_TABLE_FULL = 300;
/** A flow was evicted to make room; operand: its id. */
export const R_EARLY_DROP = 301;
/** Lost the race for a tuple that another flow took meanwhile. */
export const R_CLASH = 302;
/** Lost the race and was joined to the flow that won; operand: its id. */
export const R_CLASH_RESOLVED = 303;
/** Protocol has no reply, so no flow can be made. */
export const R_NO_INVERSE = 304;
/** Ports (or what stands for them) not in the packet. */
export const R_NO_TUPLE = 305;
/** An ICMP redirect about a translated flow: what it says holds for nobody behind the translation. */
export const R_NAT_REDIRECT = 310;
/** A packet of a translated flow that is too short to be rewritten. */
export const R_NAT_SHORT = 311;
/** An ICMP error with a wrong checksum, where addresses are translated. */
export const R_NAT_CHECKSUM = 312;
/** The device has no address to masquerade or redirect with. */
export const R_NAT_NO_ADDRESS = 313;
/** A masqueraded flow would leave by another device than before. */
export const R_NAT_DEVICE = 314;
/** A closed flow gave its port to a new one. */
export const R_NAT_EVICTED = 315;
/** The address that the flow was masqueraded with is gone. */
export const R_NAT_GONE = 316;
/** A helper cannot expect what the packet tells of: it is expected of another flow, or no port is free. */
export const R_HELPER_EXPECT = 320;
/** A command that is cut off or malformed: read by nobody in between, its sender has to repeat it. */
export const R_HELPER_PARTIAL = 321;
/** A payload that would be too long with the translated address in it. */
export const R_HELPER_LENGTH = 322;
/** SNMP that is translated and cannot be read. */
export const R_HELPER_SNMP = 323;
/** The PPTP call that a GRE flow carries has ended. */
export const R_CALL_ENDED = 324;
/** A SIP message that cannot be read, expected or translated; operand: why. */
export const R_SIP = 330;
/** A SIP message that tells of a medium at a port below 1024 or above 65535; operand: the port. */
export const R_SIP_PORT = 331;
/** TCP header cut short. */
export const R_TCP_SHORT = 400;
/** Data offset too small or beyond the packet. */
export const R_TCP_TRUNCATED = 401;
/** Bad TCP checksum. */
export const R_TCP_CHECKSUM = 402;
/** Flags that make no sense; operand: the flags. */
export const R_TCP_FLAGS = 403;
/** First packet of a flow may not look like this; operand: the flags. */
export const R_TCP_NEW = 404;
/** First packet without SYN and tcp_loose is 0. */
export const R_TCP_NOT_LOOSE = 405;
/** No transition: operands index, direction, state. */
export const R_TCP_INVALID = 406;
/** Ignored on purpose: operands index, direction, state. */
export const R_TCP_IGNORED = 407;
/** Challenge ACK after a SYN in LAST_ACK. */
export const R_TCP_CHALLENGE = 408;
/** RST with a sequence number below what was acknowledged; operands: seq, highest ack. */
export const R_TCP_RST = 409;
/** Operand: bytes beyond the window. */
export const R_TCP_OVERSHOT = 410;
/** Operands: bound, seq. */
export const R_TCP_SEQ_OVER = 411;
/** Operands: bound, ack. */
export const R_TCP_ACK_OVER = 412;
/** Operands: bound, end. */
export const R_TCP_SEQ_UNDER = 413;
/** Operands: bound, ack. */
export const R_TCP_ACK_UNDER = 414;
/** RST answered the first packet: flow removed at once. */
export const R_TCP_KILLED = 416;
/** SYN reopened a closed flow; operand: id of the old flow. */
export const R_TCP_REOPENED = 417;
/** UDP header cut short. */
export const R_UDP_SHORT = 500;
/** UDP length field wrong; operands: the field, bytes there. */
export const R_UDP_LENGTH = 501;
/** Bad UDP checksum. */
export const R_UDP_CHECKSUM = 502;
/** UDP-Lite header cut short. */
export const R_UDPLITE_SHORT = 510;
/** UDP-Lite checksum coverage wrong. */
export const R_UDPLITE_COVERAGE = 511;
/** UDP-Lite checksum of 0, which UDP-Lite does not allow. */
export const R_UDPLITE_MISSING = 513;
/** Bad UDP-Lite checksum. */
export const R_UDPLITE_CHECKSUM = 512;
/** ICMP header cut short. */
export const R_ICMP_SHORT = 600;
/** Bad ICMP checksum. */
export const R_ICMP_CHECKSUM = 601;
/** ICMP type above 18; operand: type. */
export const R_ICMP_TYPE = 602;
/** A type that cannot open a flow, or a reply that nothing asked for; operand: type. */
export const R_ICMP_NEW = 603;
/** The quoted packet is cut short or malformed. */
export const R_ICMP_QUOTE = 604;
/** The quoted packet belongs to no known flow. */
export const R_ICMP_UNKNOWN = 605;
/** The error was sent to somebody else than the quoted sender. */
export const R_ICMP_OUTER = 606;
/** The same of ICMPv6; its addresses are too long for operands. */
export const R_ICMP6_OUTER = 610;
/** Bad ICMPv6 checksum. */
export const R_ICMP6_CHECKSUM = 611;
/** Neighbour discovery or MLD: never tracked; operand: type. */
export const R_ICMP6_UNTRACKED = 612;
/** ICMPv6 redirect cut short. */
export const R_ICMP6_REDIRECT_SHORT = 613;
/** ICMPv6 redirect not from a link-local neighbour. */
export const R_ICMP6_REDIRECT_SOURCE = 614;
/** ICMPv6 redirect without options. */
export const R_ICMP6_REDIRECT_OPTIONS = 615;
/** SCTP header cut short. */
export const R_SCTP_SHORT = 700;
/** Bad SCTP CRC32c. */
export const R_SCTP_CRC = 701;
/** A chunk without length or that must stand alone; operands: its place, type, length, whether one must. */
export const R_SCTP_CHUNKS = 702;
/** First packet of an association may not look like this; operand: chunk type. */
export const R_SCTP_NEW = 703;
/** Wrong verification tag; operands: tag, tag expected, direction. */
export const R_SCTP_VTAG = 704;
/** No transition: operands: state, direction, chunk type. */
export const R_SCTP_INVALID = 705;
/** No whole chunk behind the SCTP header. */
export const R_SCTP_EMPTY = 706;
/** Wrong verification tag for this chunk; operands: chunk type, tag. */
export const R_SCTP_TAG = 707;
/** INIT or INIT ACK chunk cut short. */
export const R_SCTP_INIT_SHORT = 708;
/** INIT ACK that would replace the tag of an association that goes on (INIT collision). */
export const R_SCTP_COLLISION = 709;
/** INIT in CLOSED: accepted, but the timer runs on. */
export const R_SCTP_INIT_CLOSED = 710;
/** HEARTBEAT with another verification tag: accepted, but the timer runs on; operand: tag. */
export const R_SCTP_HEARTBEAT = 711;
/** GRE v1 that carries no PPP. */
export const R_GRE_VERSION = 800;
/** Timer ran out. */
export const R_EXPIRED = 900;
/** Removed by request. */
export const R_DELETED = 901;
/** Removed with all others. */
export const R_FLUSHED = 902;

/** Every reason, by number: what `trace` prints and docs/reasons.md lists. */
export const REASONS: readonly Reason[] = [
  { id: R_LINK_SHORT, name: 'link-short', effect: 'skipped', text: 'frame shorter than its link header' },
  { id: R_NOT_IP, name: 'not-ip', effect: 'skipped', text: 'not IP: ethertype 0x%x' },
  { id: R_LINK_UNKNOWN, name: 'link-unknown', effect: 'skipped', text: 'unknown link type %u' },
  {
    id: R_CUT_SHORT,
    name: 'cut-short',
    effect: 'skipped',
    text: 'cut short by the capture: %u bytes missing',
  },
  { id: R_IP_SHORT, name: 'ip-short', effect: 'skipped', text: 'IP header cut short' },
  {
    id: R_IP_VERSION,
    name: 'ip-version',
    effect: 'skipped',
    text: 'IP version %u where the link layer says another',
  },
  {
    id: R_IP_CHECKSUM,
    name: 'ip-checksum',
    effect: 'skipped',
    text: 'bad IPv4 header checksum: dropped before tracking',
  },
  {
    id: R_IP_LENGTH,
    name: 'ip-length',
    effect: 'skipped',
    text: 'IP length %u but only %u bytes are there: dropped before tracking',
  },
  {
    id: R_IP_TOTAL,
    name: 'ip-total',
    effect: 'skipped',
    text: 'IP length %u is less than the header: dropped before tracking',
  },
  {
    id: R_IP6_HOPOPTS,
    name: 'ip6-hopopts',
    effect: 'skipped',
    text: 'malformed IPv6 hop-by-hop options: dropped before tracking',
  },
  {
    id: R_IP6_ADDRESS,
    name: 'ip6-address',
    effect: 'skipped',
    text: 'impossible IPv6 address: dropped before tracking',
  },
  {
    id: R_NO_TRANSPORT,
    name: 'no-transport',
    effect: 'INVALID',
    text: 'no transport header behind the IP headers',
  },
  { id: R_OTHER_HOST, name: 'other-host', effect: 'dropped', text: 'frame to another machine' },
  { id: R_MARTIAN_SOURCE, name: 'martian-source', effect: 'dropped', text: 'martian source' },
  { id: R_MARTIAN_DESTINATION, name: 'martian-destination', effect: 'dropped', text: 'martian destination' },
  { id: R_RP_FILTER, name: 'rp-filter', effect: 'dropped', text: 'reverse path filter' },
  { id: R_NO_ROUTE, name: 'no-route', effect: 'dropped', text: 'no route to the destination' },
  { id: R_ROUTE_UNREACHABLE, name: 'route-unreachable', effect: 'dropped', text: 'unreachable route' },
  { id: R_ROUTE_PROHIBIT, name: 'route-prohibit', effect: 'dropped', text: 'prohibited by a route' },
  { id: R_ROUTE_BLACKHOLE, name: 'route-blackhole', effect: 'dropped', text: 'blackhole route' },
  { id: R_NOT_FORWARDING, name: 'not-forwarding', effect: 'dropped', text: 'the host does not forward' },
  { id: R_MTU, name: 'mtu', effect: 'dropped', text: '%u bytes for a link with an MTU of %u' },
  { id: R_HOP_LIMIT, name: 'hop-limit', effect: 'dropped', text: 'hop limit used up: %u' },
  {
    id: R_LINK_LOCAL,
    name: 'link-local',
    effect: 'dropped',
    text: 'link-local source may not leave its link',
  },
  {
    id: R_IP_OPTION,
    name: 'ip-option',
    effect: 'dropped',
    text: 'broken option at byte %u of the IP header',
  },
  { id: R_SOURCE_ROUTE, name: 'source-route', effect: 'dropped', text: 'source route: not allowed' },
  {
    id: R_NOT_TO_HOST,
    name: 'not-to-host',
    effect: 'dropped',
    text: 'frame not to this host alone: not forwarded',
  },
  { id: R_NO_MEMBER, name: 'no-member', effect: 'dropped', text: 'to a group that the host is not in' },
  { id: R_FRAG_HELD, name: 'frag-held', effect: 'held', text: 'fragment held until its datagram is whole' },
  {
    id: R_FRAG_OVERLAP,
    name: 'frag-overlap',
    effect: 'dropped',
    text: 'fragment overlaps another: datagram given up',
  },
  { id: R_FRAG_DUPLICATE, name: 'frag-duplicate', effect: 'dropped', text: 'duplicate fragment' },
  {
    id: R_FRAG_LENGTH,
    name: 'frag-length',
    effect: 'dropped',
    text: 'fragment of %u bytes with more to come: no multiple of 8',
  },
  {
    id: R_FRAG_TOO_BIG,
    name: 'frag-too-big',
    effect: 'dropped',
    text: 'fragment ends at %u, beyond the largest datagram',
  },
  {
    id: R_FRAG_MEMORY,
    name: 'frag-memory',
    effect: 'dropped',
    text: 'no memory left for fragments: limit %u bytes',
  },
  {
    id: R_FRAG_END,
    name: 'frag-end',
    effect: 'dropped',
    text: 'fragment contradicts the known end of its datagram',
  },
  { id: R_FRAG_MALFORMED, name: 'frag-malformed', effect: 'dropped', text: 'malformed fragment' },
  { id: R_FRAG_EMPTY, name: 'frag-empty', effect: 'dropped', text: 'fragment without data' },
  {
    id: R_FRAG_ECN,
    name: 'frag-ecn',
    effect: 'dropped',
    text: 'fragments disagree on ECN: datagram given up',
  },
  {
    id: R_FRAG_DISTANCE,
    name: 'frag-distance',
    effect: 'held',
    text: 'fragment held, earlier ones of its datagram given up: more than %u fragments of this source in between',
  },
  {
    id: R_FRAG_ODD,
    name: 'frag-odd',
    effect: 'noted',
    text: 'fragment of %u bytes with more to come, no multiple of 8: passes alone, its datagram given up',
  },
  {
    id: R_FRAG_FIRST,
    name: 'frag-first',
    effect: 'noted',
    text: 'first fragment without its whole transport header: passes alone',
  },
  {
    id: R_TABLE_FULL,
    name: 'table-full',
    effect: 'dropped',
    text: 'nf_conntrack: table full, dropping packet: limit %u',
  },
  { id: R_EARLY_DROP, name: 'early-drop', effect: 'removed', text: 'evicted: table full and not ASSURED' },
  { id: R_CLASH, name: 'clash', effect: 'dropped', text: 'clash: flow %u holds this tuple' },
  { id: R_CLASH_RESOLVED, name: 'clash-resolved', effect: 'noted', text: 'clash resolved: joined flow %u' },
  {
    id: R_NO_INVERSE,
    name: 'no-inverse',
    effect: 'INVALID',
    text: 'nothing can answer this type (%u): no flow',
  },
  { id: R_NO_TUPLE, name: 'no-tuple', effect: 'INVALID', text: 'ports not in the packet' },
  { id: R_NAT_REDIRECT, name: 'nat-redirect', effect: 'dropped', text: 'redirect about a translated flow' },
  { id: R_NAT_SHORT, name: 'nat-short', effect: 'dropped', text: 'too short to be translated' },
  {
    id: R_NAT_CHECKSUM,
    name: 'nat-checksum',
    effect: 'dropped',
    text: 'ICMP error with a wrong checksum: not translated',
  },
  {
    id: R_NAT_NO_ADDRESS,
    name: 'nat-no-address',
    effect: 'dropped',
    text: 'the interface has no address to translate to',
  },
  {
    id: R_NAT_DEVICE,
    name: 'nat-device',
    effect: 'removed',
    text: 'masqueraded, and would leave by another interface',
  },
  { id: R_NAT_EVICTED, name: 'nat-evicted', effect: 'removed', text: 'closed: its port went to a new flow' },
  {
    id: R_NAT_GONE,
    name: 'nat-gone',
    effect: 'removed',
    text: 'the address it was masqueraded with is gone',
  },
  {
    id: R_HELPER_EXPECT,
    name: 'helper-expect',
    effect: 'dropped',
    text: 'helper: the flow that the packet tells of cannot be expected',
  },
  {
    id: R_HELPER_PARTIAL,
    name: 'helper-partial',
    effect: 'dropped',
    text: 'helper: a command that is cut off or malformed',
  },
  {
    id: R_HELPER_LENGTH,
    name: 'helper-length',
    effect: 'dropped',
    text: 'helper: no room for the translated address',
  },
  { id: R_HELPER_SNMP, name: 'helper-snmp', effect: 'dropped', text: 'helper: SNMP message cannot be read' },
  { id: R_CALL_ENDED, name: 'call-ended', effect: 'removed', text: 'its PPTP call ended' },
  {
    id: R_SIP,
    name: 'sip',
    effect: 'dropped',
    text: 'sip helper: %s',
    // In the words of the kernel's log.
    words: [
      'cannot get code',
      'cannot parse cseq',
      'cannot get cseq',
      'cannot parse expires',
      'cannot parse SDP message',
      'cannot add expectation for voice',
      'cannot add expectation',
      'cannot mangle the message',
      'all ports in use',
    ],
  },
  { id: R_SIP_PORT, name: 'sip-port', effect: 'dropped', text: 'sip helper: wrong port %u' },
  { id: R_TCP_SHORT, name: 'tcp-short', effect: 'INVALID', text: 'TCP header cut short' },
  { id: R_TCP_TRUNCATED, name: 'tcp-truncated', effect: 'INVALID', text: 'truncated packet' },
  { id: R_TCP_CHECKSUM, name: 'tcp-checksum', effect: 'INVALID', text: 'bad checksum' },
  { id: R_TCP_FLAGS, name: 'tcp-flags', effect: 'INVALID', text: 'invalid tcp flag combination' },
  { id: R_TCP_NEW, name: 'tcp-new', effect: 'INVALID', text: 'invalid new' },
  {
    id: R_TCP_NOT_LOOSE,
    name: 'tcp-not-loose',
    effect: 'INVALID',
    text: 'no SYN opens this flow, and nf_conntrack_tcp_loose is 0',
  },
  {
    id: R_TCP_INVALID,
    name: 'tcp-invalid',
    effect: 'INVALID',
    text: 'packet (index %u) in dir %u invalid, state %s',
    words: TCP_STATE_NAMES,
  },
  {
    id: R_TCP_IGNORED,
    name: 'tcp-ignored',
    effect: 'ignored',
    text: 'packet (index %u) in dir %u ignored, state %s',
    words: TCP_STATE_NAMES,
  },
  { id: R_TCP_CHALLENGE, name: 'tcp-challenge-ack', effect: 'ignored', text: 'challenge-ack ignored' },
  { id: R_TCP_RST, name: 'tcp-rst', effect: 'INVALID', text: 'invalid rst' },
  { id: R_TCP_OVERSHOT, name: 'tcp-overshot', effect: 'ignored', text: '%u bytes more than expected' },
  {
    id: R_TCP_SEQ_OVER,
    name: 'tcp-seq-over',
    effect: 'INVALID',
    text: 'SEQ is over upper bound %u (over the window of the receiver)',
  },
  {
    id: R_TCP_ACK_OVER,
    name: 'tcp-ack-over',
    effect: 'INVALID',
    text: 'ACK is over upper bound %u (ACKed data not seen yet)',
  },
  {
    id: R_TCP_SEQ_UNDER,
    name: 'tcp-seq-under',
    effect: 'ignored',
    text: 'SEQ is under lower bound %u (already ACKed data retransmitted)',
  },
  {
    id: R_TCP_ACK_UNDER,
    name: 'tcp-ack-under',
    effect: 'ignored',
    text: 'ignored ACK under lower bound %u (possible overly delayed)',
  },
  { id: R_TCP_KILLED, name: 'tcp-reset', effect: 'noted', text: 'RST before any answer: entry removed' },
  { id: R_TCP_REOPENED, name: 'tcp-reopened', effect: 'noted', text: 'SYN reopens closed flow %u' },
  { id: R_UDP_SHORT, name: 'udp-short', effect: 'INVALID', text: 'short packet' },
  { id: R_UDP_LENGTH, name: 'udp-length', effect: 'INVALID', text: 'truncated/malformed packet' },
  { id: R_UDP_CHECKSUM, name: 'udp-checksum', effect: 'INVALID', text: 'bad checksum' },
  { id: R_UDPLITE_SHORT, name: 'udplite-short', effect: 'INVALID', text: 'short packet' },
  { id: R_UDPLITE_COVERAGE, name: 'udplite-coverage', effect: 'INVALID', text: 'invalid checksum coverage' },
  { id: R_UDPLITE_MISSING, name: 'udplite-missing', effect: 'INVALID', text: 'checksum missing' },
  { id: R_UDPLITE_CHECKSUM, name: 'udplite-checksum', effect: 'INVALID', text: 'bad checksum' },
  { id: R_ICMP_SHORT, name: 'icmp-short', effect: 'INVALID', text: 'short packet' },
  { id: R_ICMP_CHECKSUM, name: 'icmp-checksum', effect: 'INVALID', text: 'bad hw icmp checksum' },
  { id: R_ICMP_TYPE, name: 'icmp-type', effect: 'INVALID', text: 'invalid icmp type' },
  {
    id: R_ICMP_NEW,
    name: 'icmp-new',
    effect: 'INVALID',
    text: 'type %u cannot open a flow and answers nothing that is known',
  },
  {
    id: R_ICMP_QUOTE,
    name: 'icmp-quote',
    effect: 'INVALID',
    text: 'error quotes a packet that is cut short or malformed',
  },
  {
    id: R_ICMP_UNKNOWN,
    name: 'icmp-unknown',
    effect: 'INVALID',
    text: 'error quotes a packet of no known flow',
  },
  { id: R_ICMP_OUTER, name: 'icmp-outer', effect: 'INVALID', text: 'outer daddr %a != inner %a' },
  { id: R_ICMP6_OUTER, name: 'icmp6-outer', effect: 'INVALID', text: 'outer daddr is not the quoted sender' },
  { id: R_ICMP6_CHECKSUM, name: 'icmp6-checksum', effect: 'INVALID', text: 'ICMPv6 checksum failed' },
  {
    id: R_ICMP6_UNTRACKED,
    name: 'icmp6-untracked',
    effect: 'noted',
    text: 'neighbour discovery or MLD (type %u): never tracked',
  },
  { id: R_ICMP6_REDIRECT_SHORT, name: 'icmp6-redirect-short', effect: 'INVALID', text: 'short redirect' },
  {
    id: R_ICMP6_REDIRECT_SOURCE,
    name: 'icmp6-redirect-source',
    effect: 'INVALID',
    text: 'invalid saddr or hoplimit for redirect',
  },
  {
    id: R_ICMP6_REDIRECT_OPTIONS,
    name: 'icmp6-redirect-options',
    effect: 'INVALID',
    text: 'redirect without options',
  },
  { id: R_SCTP_SHORT, name: 'sctp-short', effect: 'INVALID', text: 'nf_ct_sctp: short packet ' },
  { id: R_SCTP_CRC, name: 'sctp-crc', effect: 'INVALID', text: 'nf_ct_sctp: bad CRC ' },
  {
    id: R_SCTP_CHUNKS,
    name: 'sctp-chunks',
    effect: 'INVALID',
    text: 'do_basic_checks failed. chunk num %u, type %u, len %u flag %u',
  },
  { id: R_SCTP_NEW, name: 'sctp-new', effect: 'INVALID', text: 'chunk %u cannot open an association' },
  {
    id: R_SCTP_VTAG,
    name: 'sctp-vtag',
    effect: 'INVALID',
    text: 'verification tag check failed %x vs %x for dir %u',
  },
  {
    id: R_SCTP_INVALID,
    name: 'sctp-invalid',
    effect: 'INVALID',
    text: 'Invalid, old_state %u, dir %u, type %u',
  },
  { id: R_SCTP_EMPTY, name: 'sctp-empty', effect: 'INVALID', text: 'no whole chunk behind the SCTP header' },
  { id: R_SCTP_TAG, name: 'sctp-tag', effect: 'INVALID', text: 'chunk %u may not have verification tag %x' },
  { id: R_SCTP_INIT_SHORT, name: 'sctp-init-short', effect: 'INVALID', text: 'chunk %u cut short' },
  {
    id: R_SCTP_COLLISION,
    name: 'sctp-collision',
    effect: 'INVALID',
    text: 'INIT ACK after an INIT collision tells another tag',
  },
  {
    id: R_SCTP_INIT_CLOSED,
    name: 'sctp-init-closed',
    effect: 'ignored',
    text: 'INIT in CLOSED: timer not refreshed',
  },
  {
    id: R_SCTP_HEARTBEAT,
    name: 'sctp-heartbeat',
    effect: 'ignored',
    text: 'HEARTBEAT with tag %x not yet answered: timer not refreshed',
  },
  { id: R_GRE_VERSION, name: 'gre-proto', effect: 'INVALID', text: 'GRE version 1 that carries no PPP' },
  { id: R_EXPIRED, name: 'expired', effect: 'removed', text: 'timer ran out' },
  { id: R_DELETED, name: 'deleted', effect: 'removed', text: 'deleted' },
  { id: R_FLUSHED, name: 'flushed', effect: 'removed', text: 'flushed' },
];

const BY_ID: ReadonlyMap<number, Reason> = new Map(REASONS.map((r) => [r.id, r]));

/**
 * The reason with a number.
 * @throws RangeError if there is none, which would be a mistake of ours
 */
export function reasonOf(id: number): Reason {
  const reason = BY_ID.get(id);
  if (reason === undefined) throw new RangeError(`no reason has number ${id}`);
  return reason;
}
