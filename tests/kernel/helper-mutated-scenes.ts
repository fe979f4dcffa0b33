/** What stands between the ends whose messages are damaged: every kind of translation, of both families. */
import type { Side } from './dialogue-live.ts';
import type { Source } from './rules-types.ts';

/** Rules, and who speaks through them. */
export interface Scene {
  readonly name: string;
  readonly v6: boolean;
  /** Tables that translate. */
  readonly table: string;
  /** The side that opens connection number `n`, from 0 to {@link MOST_CLIENTS} - 1, to a port. */
  client(n: number, dport: number): Side;
  readonly serverFrom: 'eth0' | 'eth1';
  /** Addresses that are neither end's as it sees itself. */
  readonly others: readonly string[];
}

/** How many connections a scene knows. */
export const MOST_CLIENTS = 4;
const FIRST_PORT = 4000;

const INSIDE4 = ['10.0.0.1', '192.168.1.5'];
const INSIDE6 = ['fd00::1', 'fd00:1::5'];
const OTHERS4: readonly string[] = [
  '10.0.0.1',
  '192.168.1.5',
  '198.51.100.7',
  '203.0.113.9',
  '203.0.113.1',
  '8.8.8.8',
  '0.0.0.0',
  '127.0.0.1',
  '10.9.9.9',
];
const OTHERS6: readonly string[] = [
  'fd00::1',
  'fd00:1::5',
  '2001:db8:5::1',
  '2001:db8:1::9',
  '2001:db8:1::1',
  '::',
  '::1',
  'fd00::99',
];
const [OUT4, OUT6] = ['198.51.100.7', '2001:db8:5::1'];

function nat(family: 'ip' | 'ip6', chain: string, rules: string): string {
  const [name, priority] = chain === 'postrouting' ? ['post', 100] : ['pre', -100];
  return `table ${family} nat${name} {\n chain c { type nat hook ${chain} priority ${priority};\n${rules}\n }\n}\n`;
}

function outgoing(name: string, v6: boolean, table: string): Scene {
  const [inside, dst] = v6 ? [INSIDE6, OUT6] : [INSIDE4, OUT4];
  return {
    name,
    v6,
    table,
    client: (n, dport) => ({ from: 'eth1', src: inside[n % 2]!, sport: FIRST_PORT + n, dst, dport }),
    serverFrom: 'eth0',
    others: v6 ? OTHERS6 : OTHERS4,
  };
}

function incoming(name: string, v6: boolean, table: string): Scene {
  const [src, dst] = v6 ? [OUT6, '2001:db8:1::1'] : [OUT4, '203.0.113.2'];
  return {
    name,
    v6,
    table,
    client: (n, dport) => ({ from: 'eth0', src, sport: FIRST_PORT + n, dst, dport }),
    serverFrom: 'eth1',
    others: v6 ? OTHERS6 : OTHERS4,
  };
}

/** One port for each client: of several the kernel takes one at random. */
const PORTS4 = Array.from(
  { length: MOST_CLIENTS },
  (_, n) =>
    `oifname "eth0" meta l4proto { tcp, udp } th sport ${FIRST_PORT + n} snat to 203.0.113.9:${15000 + n}`,
).join('\n');
const DNAT4 = 'iifname "eth0" ip daddr 203.0.113.2 meta l4proto { tcp, udp }';
const DNAT6 = 'iifname "eth0" ip6 daddr 2001:db8:1::1 meta l4proto { tcp, udp }';

/** All of them. */
export const SCENES: readonly Scene[] = [
  outgoing('IPv4', false, ''),
  outgoing('snat', false, nat('ip', 'postrouting', 'oifname "eth0" snat to 203.0.113.9')),
  outgoing('masquerade', false, nat('ip', 'postrouting', 'oifname "eth0" masquerade')),
  outgoing('snat to other ports', false, nat('ip', 'postrouting', PORTS4)),
  incoming('dnat', false, nat('ip', 'prerouting', `${DNAT4} dnat to 10.0.0.1`)),
  incoming('dnat to another port', false, nat('ip', 'prerouting', `${DNAT4} dnat to 10.0.0.1:7777`)),
  incoming(
    'dnat and snat',
    false,
    nat('ip', 'prerouting', `${DNAT4} dnat to 10.0.0.1`) +
      nat('ip', 'postrouting', 'oifname "eth1" snat to 10.9.9.9'),
  ),
  outgoing('IPv6', true, ''),
  outgoing('snat of IPv6', true, nat('ip6', 'postrouting', 'oifname "eth0" snat to 2001:db8:1::9')),
  incoming('dnat of IPv6', true, nat('ip6', 'prerouting', `${DNAT6} dnat to fd00::1`)),
  incoming(
    'dnat and snat of IPv6',
    true,
    nat('ip6', 'prerouting', `${DNAT6} dnat to [fd00::1]:7777`) +
      nat('ip6', 'postrouting', 'oifname "eth1" snat to fd00::99'),
  ),
];

/** A helper's rules in front of a scene's. */
export function sceneRules(
  scene: Scene,
  name: string,
  proto: 'tcp' | 'udp',
  port: number,
): readonly Source[] {
  const text = `table inet h {
  ct helper one { type "${name}" protocol ${proto}; }
  chain pre {
    type filter hook prerouting priority -150;
    ${proto} dport ${port} ct helper set "one"
  }
}
${scene.table}`;
  return [{ kind: 'nft', text }];
}
