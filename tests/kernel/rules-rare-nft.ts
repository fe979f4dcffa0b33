/** nft expressions that generated rulesets seldom or never have. */
import * as P from './rules-rare-packets.ts';
import type { RulePacket } from './rules-types.ts';

/** What one ruleset asks, and packets for it. */
export interface RareNft {
  readonly name: string;
  /** Each is a rule by itself, which counts what it matches. */
  readonly rules: readonly string[];
  readonly packets: readonly RulePacket[];
  /** Where the chain is; `inet`, at FORWARD, if not said. */
  readonly at?: 'ip' | 'raw';
}

type Value = string | number;

/** A field compared with some values in all ways, and with all of them at once. */
function ask(field: string, ...values: readonly Value[]): string[] {
  const each = values.flatMap((value) => [
    `${field} ${value}`,
    `${field} != ${value}`,
    ...(typeof value === 'number' ? [`${field} < ${value}`, `${field} >= ${value}`] : []),
  ]);
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length < 2) return each;
  return [
    ...each,
    `${field} { ${numbers.join(', ')} }`,
    `${field} ${Math.min(...numbers)}-${Math.max(...numbers)}`,
  ];
}

/** Whether a header or option is there. */
function exists(...names: readonly string[]): string[] {
  return names.flatMap((name) => [`${name} exists`, `${name} missing`]);
}

function words(text: string, before: string): string[] {
  return text.split(' ').map((word) => `${before} ${word}`);
}

const FRAGMENT: readonly string[] = [
  ...ask('frag nexthdr', 17),
  ...ask('frag reserved', 0),
  ...ask('frag frag-off', 0, 1),
  ...ask('frag reserved2', 0),
  ...ask('frag more-fragments', 0, 1),
  ...ask('frag id', 5, 77, 78, 4294967295),
  ...exists('exthdr frag'),
];

const SCTP_CHUNKS =
  'data init init-ack sack heartbeat heartbeat-ack abort shutdown shutdown-ack error cookie-echo cookie-ack ecne cwr shutdown-complete asconf-ack forward-tsn asconf';
const TCP_OPTIONS = 'maxseg window sack-perm sack timestamp md5sig mptcp fastopen nop eol 254 3';

export const RARE_NFT: readonly RareNft[] = [
  {
    name: 'ah',
    // nft itself fails (1.0.6: Assertion `base->length > 0') at ah nexthdr and comp nexthdr with a protocol it knows.
    rules: [
      ...ask('ah nexthdr', 59),
      ...ask('ah hdrlength', 4, 5),
      ...ask('ah reserved', 0, 7),
      ...ask('ah spi', 1, 256, 4294967295),
      ...ask('ah sequence', 2, 5),
    ],
    packets: P.AH,
  },
  { name: 'esp', rules: [...ask('esp spi', 1, 4294967295), ...ask('esp sequence', 1, 5)], packets: P.ESP },
  {
    name: 'comp',
    rules: ['comp nexthdr != 6', ...ask('comp flags', 0, 5), ...ask('comp cpi', 1, 7, 65535)],
    packets: P.COMP,
  },
  {
    name: 'dccp',
    rules: [
      ...ask('dccp sport', 7, 1024),
      ...ask('dccp dport', 9, 80),
      ...ask(
        'dccp type',
        ...'request response data ack dataack closereq close reset sync syncack'.split(' '),
      ),
      'dccp type { request, close }',
    ],
    packets: P.DCCP,
  },
  {
    name: 'hop-by-hop and destination options',
    rules: ['dst', 'hbh'].flatMap((header) => [
      ...ask(`${header} nexthdr`, 17, 51, 60),
      ...ask(`${header} hdrlength`, 0, 1),
      ...exists(`exthdr ${header}`),
    ]),
    packets: P.EXTENSIONS,
  },
  {
    name: 'routing headers',
    rules: [
      ...ask('rt nexthdr', 17, 51),
      ...ask('rt hdrlength', 0, 2, 4),
      ...ask('rt type', 0, 2, 3, 4),
      ...ask('rt seg-left', 0, 2),
      ...exists('exthdr rt'),
      ...ask('rt0 addr[1]', '2001:db8::1', '2001:db8::2'),
      ...ask('srh last-entry', 1, 2),
      ...ask('srh flags', 5),
      ...ask('srh tag', 1, 0x102),
      ...ask('srh sid[1]', '2001:db8::1'),
      ...ask('srh sid[2]', '2001:db8::2'),
    ],
    packets: P.EXTENSIONS,
  },
  {
    name: 'Mobile IPv6',
    rules: [
      ...ask('mh nexthdr', 59),
      ...ask('mh hdrlength', 0, 1),
      ...ask('mh type', 1, 2, 'binding-update'),
      ...ask('mh reserved', 0),
      ...ask('mh checksum', 0, 0x1234),
      ...exists('exthdr mh'),
    ],
    packets: P.EXTENSIONS,
  },
  { name: 'fragments put together', rules: FRAGMENT, packets: [...P.WHOLE_FRAGMENTS, ...P.EXTENSIONS] },
  {
    name: 'fragments as they come',
    rules: FRAGMENT,
    packets: [...P.WHOLE_FRAGMENTS, ...P.LONE_FRAGMENTS, ...P.EXTENSIONS],
    at: 'raw',
  },
  {
    name: 'icmp',
    rules: [
      ...ask('icmp id', 5, 65535),
      ...ask('icmp sequence', 9, 65535),
      ...ask('icmp mtu', 1280),
      ...ask('icmp checksum', 0, 0x1234),
      ...ask('icmp code', 0, 1, 4, 'frag-needed'),
      ...words('address-mask-request parameter-problem redirect timestamp-request', 'icmp type'),
      'icmp type { echo-request, redirect }',
    ],
    packets: P.ICMP,
  },
  {
    name: 'icmpv6',
    rules: [
      ...ask('icmpv6 id', 5),
      ...ask('icmpv6 sequence', 9),
      ...ask('icmpv6 mtu', 1280),
      ...ask('icmpv6 max-delay', 10000),
      ...ask('icmpv6 checksum', 0, 99),
      'icmpv6 code port-unreachable',
      'icmpv6 type mld-listener-query',
      'icmpv6 type { nd-neighbor-solicit, packet-too-big }',
    ],
    packets: P.ICMPV6,
  },
  {
    name: 'igmp',
    rules: [
      ...ask(
        'igmp type',
        ...'membership-query membership-report-v2 membership-report-v3 leave-group'.split(' '),
      ),
      ...ask('igmp mrt', 0x64, 0xff),
      ...ask('igmp checksum', 0),
    ],
    packets: P.IGMP,
  },
  {
    name: 'ip',
    rules: [
      ...ask('ip checksum', 0, 1000),
      ...ask('ip id', 7, 65535),
      ...ask('ip length', 36, 108),
      ...ask('ip hdrlength', 5),
      ...ask('ip version', 4),
      ...ask('ip frag-off', 0, 0x4000),
      'ip frag-off & 0x4000 == 0x4000',
      ...ask('ip ttl', 1, 2, 254),
      ...ask('ip dscp', 'ef'),
      'ip dscp { cs2, ef }',
      ...ask('ip ecn', 'ce', 'not-ect'),
      ...ask('ip protocol', 'udp', 17),
    ],
    packets: P.IP,
  },
  {
    name: 'ip6',
    rules: [
      ...ask('ip6 flowlabel', 1, 1048575),
      ...ask('ip6 length', 16, 108),
      ...ask('ip6 version', 6),
      ...ask('ip6 dscp', 'ef'),
      ...ask('ip6 ecn', 'ect0', 'ect1'),
      ...ask('ip6 nexthdr', 17),
      ...ask('ip6 hoplimit', 63, 254),
    ],
    packets: [...P.IP, ...P.EXTENSIONS],
  },
  {
    name: 'ip option: router alert is found with the value 0 only',
    rules: [
      ...exists('ip option ra', 'ip option rr', 'ip option lsrr', 'ip option ssrr'),
      ...ask('ip option ra value', 0, 5),
      ...ask('ip option ra length', 4),
      ...ask('ip option rr ptr', 8, 12),
      ...ask('ip option rr length', 7, 11),
      ...ask('ip option rr type', 7),
      ...ask('ip option lsrr ptr', 4),
    ],
    packets: [...P.IP_OPTIONS, ...P.IP],
    at: 'ip',
  },
  {
    name: 'sctp',
    rules: [
      ...ask('sctp vtag', 0, 7, 9),
      ...ask('sctp checksum', 0, 1),
      ...ask('sctp sport', 80, 1024),
      ...ask('sctp dport', 80, 81),
      ...exists(...words(SCTP_CHUNKS, 'sctp chunk')),
    ],
    packets: P.SCTP,
  },
  {
    name: 'fields of sctp chunks',
    rules: [
      ...ask('sctp chunk data tsn', 77, 78),
      ...ask('sctp chunk data flags', 3, 7),
      ...ask('sctp chunk data length', 20, 21),
      ...ask('sctp chunk data stream', 0, 3),
      ...ask('sctp chunk data ssn', 0, 4),
      ...ask('sctp chunk data ppid', 0, 51),
      ...ask('sctp chunk data type', 0),
      ...ask('sctp chunk init init-tag', 7),
      ...ask('sctp chunk init a-rwnd', 3000),
      ...ask('sctp chunk init initial-tsn', 5),
      ...ask('sctp chunk init num-outbound-streams', 10),
      ...ask('sctp chunk init num-inbound-streams', 10),
      ...ask('sctp chunk sack cum-tsn-ack', 5),
      ...ask('sctp chunk sack a-rwnd', 4096),
      ...ask('sctp chunk sack num-gap-ack-blocks', 1),
      ...ask('sctp chunk sack num-dup-tsns', 2),
      ...ask('sctp chunk shutdown cum-tsn-ack', 51),
      ...ask('sctp chunk ecne lowest-tsn', 7),
      ...ask('sctp chunk cwr lowest-tsn', 7),
    ],
    packets: P.SCTP,
  },
  {
    name: 'tcp',
    rules: [
      ...ask('tcp doff', 5, 6, 8),
      ...ask('tcp reserved', 0, 2, 15),
      ...ask('tcp urgptr', 0, 77),
      ...ask('tcp window', 1, 64240),
      ...ask('tcp sequence', 100, 101),
      ...ask('tcp ackseq', 0, 5),
      ...ask('tcp checksum', 0),
      'tcp flags syn / syn,ack',
      'tcp flags ! syn',
      'tcp flags { syn, ack }',
    ],
    packets: P.TCP,
  },
  {
    name: 'tcp option',
    rules: [
      ...exists(...words(TCP_OPTIONS, 'tcp option')),
      ...ask('tcp option maxseg size', 1220, 1460),
      ...ask('tcp option maxseg length', 4),
      ...ask('tcp option window count', 5, 7),
      ...ask('tcp option window length', 3),
      ...ask('tcp option sack-perm length', 2),
      ...ask('tcp option timestamp tsval', 1, 7),
      ...ask('tcp option timestamp tsecr', 9, 255),
      ...ask('tcp option timestamp length', 10),
      ...ask('tcp option sack left', 1),
      ...ask('tcp option sack right', 5),
      ...ask('tcp option sack0 left', 1),
      ...ask('tcp option sack1 right', 12),
      ...ask('tcp option sack1 left', 9),
      ...ask('tcp option sack length', 10, 18),
      ...ask('tcp option mptcp subtype', 0, 3),
      ...ask('tcp option @34,16,8', 1),
      ...ask('tcp option @254,16,16', 0x1234),
    ],
    packets: P.TCP,
  },
  {
    name: 'udplite',
    rules: [
      ...ask('udplite csumcov', 0, 8, 12),
      ...ask('udplite checksum', 0, 5),
      ...ask('udplite sport', 1024),
      ...ask('udplite dport', 80),
    ],
    packets: P.UDPLITE,
  },
  {
    name: 'meta, rt',
    rules: [
      ...ask('meta length', 36, 108),
      ...ask('meta protocol', 'ip', 'ip6'),
      ...ask('meta nfproto', 'ipv4'),
      ...ask('meta priority', '0:0', '0:6'),
      ...ask('meta iifgroup', 'default', 5),
      ...ask('meta oifgroup', 'default', 5),
      ...ask('meta rtclassid', 0),
      ...ask('meta cpu', 200),
      ...ask('meta pkttype', 'host', 'broadcast'),
      ...ask('meta iiftype', 'ether'),
      ...ask('meta sdif', 0),
      ...ask('meta cgroup', 0),
      ...ask('meta skuid', 0),
      ...ask('meta skgid', 0),
      ...exists('meta ipsec', 'rt ipsec'),
      ...ask('rt mtu', 1460, 1500),
      ...ask('rt classid', 0),
      ...ask('rt ip nexthop', '198.51.100.7', '203.0.113.9'),
      ...ask('rt ip6 nexthop', '2001:db8:5::1'),
      ...ask('ether type', 'ip'),
      ...ask('@ll,96,16', 0x800),
    ],
    packets: [...P.IP, ...P.TCP.slice(0, 2)],
  },
  {
    name: 'raw bytes',
    rules: [
      ...ask('@th,0,16', 1024),
      ...ask('@th,16,16', 80),
      ...ask('@nh,64,8', 63),
      ...ask('@nh,0,4', 4, 6),
      ...ask('@nh,16,16', 36),
      ...ask('@th,64,32', 0, 5),
      '@th,100,4 2',
      '@nh,96,32 0xc0a80105',
      '@th,0,8 { 4, 5 }',
      '@ih,0,8 0',
      '@ih,0,16 != 0',
      '@nh,48,1 0',
      '@nh,49,1 1',
      '@th,160,64 0',
    ],
    packets: [...P.IP, ...P.TCP, ...P.UDPLITE, ...P.ICMP],
  },
];
