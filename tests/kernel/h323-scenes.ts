/** What stands between the ends of H.323 dialogues. */
import type { Side } from './dialogue-live.ts';
import type { Source } from './rules-types.ts';

/** Rules, and who calls through them. */
export interface H323Scene {
  readonly name: string;
  readonly sources: readonly Source[];
  /** The side that opens connection number `n` to a port. */
  client(n: number, dport: number): Side;
  readonly serverFrom: 'eth0' | 'eth1';
  /** Addresses that are neither end's. */
  readonly others: readonly string[];
}

/** Who gets a helper by its port: 1720 and 1719 as the module's documentation has them, and one more of each. */
const HELPERS = `
table inet h {
  ct helper q931 { type "Q.931" protocol tcp; }
  ct helper ras { type "RAS" protocol udp; }
  chain pre {
    type filter hook prerouting priority -150;
    tcp dport { 1720, 2720 } ct helper set "q931"
    udp dport { 1719, 2719 } ct helper set "ras"
  }
}
`;
const OTHERS4: readonly string[] = [
  '192.168.1.6',
  '10.1.2.3',
  '8.8.8.8',
  '203.0.113.1',
  '127.0.0.1',
  '0.0.0.0',
];
const OTHERS6: readonly string[] = ['fd00:1::6', '2001:db8:5::2', '2001:db8:1::1', '::1', '::'];

const nft = (text = ''): Source[] => [{ kind: 'nft', text: HELPERS + text }];

const outgoing =
  (src: string, dst: string) =>
  (n: number, dport: number): Side => ({ from: 'eth1', src, sport: 40000 + n, dst, dport });
const incoming =
  (src: string, dst: string) =>
  (n: number, dport: number): Side => ({ from: 'eth0', src, sport: 40000 + n, dst, dport });

const [IN4, OUT4, IN6, OUT6] = ['192.168.1.5', '198.51.100.7', 'fd00:1::5', '2001:db8:5::1'];

/** All of them. */
export const SCENES: readonly H323Scene[] = [
  {
    name: 'IPv4',
    sources: nft(),
    client: outgoing(IN4, OUT4),
    serverFrom: 'eth0',
    others: OTHERS4,
  },
  {
    name: 'IPv6',
    sources: nft(),
    client: outgoing(IN6, OUT6),
    serverFrom: 'eth0',
    others: OTHERS6,
  },
  {
    name: 'IPv4 behind source translation',
    sources: nft(`table ip n { chain post { type nat hook postrouting priority 100;
      oifname "eth0" ip saddr 192.168.1.0/24 snat to 203.0.113.2; }
}`),
    client: outgoing(IN4, OUT4),
    serverFrom: 'eth0',
    others: OTHERS4,
  },
  {
    name: 'IPv6 behind source translation',
    sources: nft(`table ip6 n { chain post { type nat hook postrouting priority 100;
      oifname "eth0" snat to 2001:db8:1::1; }
}`),
    client: outgoing(IN6, OUT6),
    serverFrom: 'eth0',
    others: OTHERS6,
  },
  {
    name: 'an IPv4 callee behind destination translation',
    sources: nft(`table ip n { chain pre { type nat hook prerouting priority -100;
      iifname "eth0" tcp dport 1720 dnat to 192.168.1.5:2720
      iifname "eth0" udp dport 1719 dnat to 192.168.1.5:2719; }
}`),
    client: incoming(OUT4, '203.0.113.1'),
    serverFrom: 'eth1',
    others: OTHERS4,
  },
  {
    name: 'an IPv6 callee behind destination translation',
    sources: nft(`table ip6 n { chain pre { type nat hook prerouting priority -100;
      iifname "eth0" tcp dport 1720 dnat to [fd00:1::5]:1720
      iifname "eth0" udp dport 1719 dnat to [fd00:1::5]:1719; }
}`),
    client: incoming(OUT6, '2001:db8:1::1'),
    serverFrom: 'eth1',
    others: OTHERS6,
  },
  {
    name: 'IPv4 behind masquerading, with rules of iptables',
    sources: [
      {
        kind: 'iptables-legacy',
        text: `*raw
-A PREROUTING -p tcp --dport 1720 -j CT --helper Q.931
-A PREROUTING -p udp --dport 1719 -j CT --helper RAS
COMMIT
*nat
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
`,
      },
    ],
    client: outgoing('10.1.2.3', OUT4),
    serverFrom: 'eth0',
    others: OTHERS4,
  },
];
