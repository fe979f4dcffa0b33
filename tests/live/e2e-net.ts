/**
 * client -- router -- server, as tests/real/network.ts lays them, with the router made ready for one of keepstate's modes.
 * All modes have the same addresses, so that the same programs talk in all of them. Offloads are on, as they come.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { CLIENT4, CLIENT6, type Host, Network, SERVER4, SERVER6 } from '../real/network.ts';
import { runHere } from '../real/process.ts';
import { BASE_PROGRAMS } from '../real/programs.ts';
import { namespacesUsable } from './namespace.ts';

/** How keepstate gets packets. */
export type Mode = 'bridge' | 'tun' | 'nfqueue' | 'capture';

/** The modes in which packets pass through keepstate. */
export const MODES: readonly Exclude<Mode, 'capture'>[] = ['bridge', 'tun', 'nfqueue'];

/** The kernel's end of the TUN device, and keepstate's, which it masquerades by. */
export const TUN_KERNEL = '203.0.113.1';
export const TUN_KEEPSTATE = '203.0.113.2';

const MORE_PROGRAMS: readonly string[] = ['iptables', 'ip6tables', 'node', 'curl', 'ping'];

/** For `describe.skipIf(!liveUsable(['nginx']))`: as {@link namespacesUsable}, with what every live test needs. */
export function liveUsable(programs: readonly string[] = []): boolean {
  return namespacesUsable([...BASE_PROGRAMS, ...MORE_PROGRAMS, ...programs]);
}

async function ip(
  network: Network,
  host: Host,
  family: '-4' | '-6',
  commands: readonly string[],
): Promise<void> {
  await network.run(host, ['ip', family, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Offloads as a veth pair has them when it is made. */
async function offloadsOn(network: Network): Promise<void> {
  const on = ['tx', 'sg', 'tso', 'gso'].flatMap((name) => [name, 'on']);
  const devices: readonly (readonly [Host, string])[] = [
    ['client', 'eth0'],
    ['server', 'eth0'],
    ['router', 'lan0'],
    ['router', 'wan0'],
  ];
  for (const [host, device] of devices)
    await network.run(host, ['ethtool', '-K', device, ...on], { codes: [0, 1] });
}

/** Client and server on one cable: the router has no address, and the kernel forwards nothing. */
async function bridged(network: Network): Promise<void> {
  await network.run('router', ['sysctl', '-qw', 'net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0']);
  for (const family of ['-4', '-6'] as const)
    await ip(network, 'router', family, ['addr flush dev lan0', 'addr flush dev wan0']);
  const ends: readonly (readonly [Host, string, string])[] = [
    ['client', SERVER4, SERVER6],
    ['server', CLIENT4, CLIENT6],
  ];
  for (const [host, peer4, peer6] of ends) {
    await ip(network, host, '-4', [`route replace ${peer4} dev eth0`]);
    await ip(network, host, '-6', [`route replace ${peer6} dev eth0`]);
  }
}

/** Whatever comes by a cable goes into the TUN device, or nowhere: not even where the device is gone. */
async function throughTun(network: Network): Promise<void> {
  await ip(network, 'router', '-4', [
    'tuntap add tun0 mode tun',
    'link set tun0 addrgenmode none',
    'link set tun0 up',
    `addr add ${TUN_KERNEL} peer ${TUN_KEEPSTATE} dev tun0`,
  ]);
  // What the kernel itself says (a hop limit was used up) comes back from keepstate with the kernel's own address.
  await network.run('router', ['sysctl', '-qw', 'net.ipv4.conf.tun0.accept_local=1']);
  await ip(network, 'router', '-6', ['addr add 2001:db8:3::1 peer 2001:db8:3::2 dev tun0 nodad']);
  for (const family of ['-4', '-6'] as const)
    await ip(network, 'router', family, [
      'route add default dev tun0 table 100',
      'route add blackhole default metric 9999 table 100',
      'rule add iif lan0 lookup 100',
      'rule add iif wan0 lookup 100',
    ]);
}

/** What comes by a cable is queued before it is routed, but for what finds neighbours. */
async function queued(network: Network): Promise<void> {
  const rules = (isIpv6: boolean): string =>
    [
      '*mangle',
      ...(isIpv6 ? [135, 136].map((type) => `-A PREROUTING -p icmpv6 --icmpv6-type ${type} -j ACCEPT`) : []),
      ...['lan0', 'wan0'].map((device) => `-A PREROUTING -i ${device} -j NFQUEUE --queue-num 0`),
      'COMMIT\n',
    ].join('\n');
  await network.run('router', ['iptables-restore'], { input: rules(false) });
  await network.run('router', ['ip6tables-restore'], { input: rules(true) });
}

const PREPARE: Readonly<Record<Mode, (network: Network) => Promise<void>>> = {
  bridge: bridged,
  tun: throughTun,
  nfqueue: queued,
  // The kernel forwards, and keepstate looks on.
  capture: async () => {},
};

/** What of `keepstate run` says how packets come. */
export const WAYS: Readonly<Record<Mode, readonly string[]>> = {
  bridge: ['--bridge', 'lan0,wan0'],
  tun: ['--tun', 'tun0'],
  nfqueue: ['--nfqueue', '0'],
  capture: ['--capture', 'lan0'],
};

/** A network whose router waits for keepstate to run in a mode. */
export async function liveNetwork(mode: Mode): Promise<Network> {
  const network = await Network.create();
  try {
    await offloadsOn(network);
    await PREPARE[mode](network);
    mkdirSync(network.path('state'), { mode: 0o700 });
    return network;
  } catch (error) {
    await network.destroy();
    throw error;
  }
}

/** Ends all that runs in a network, also what servers started (a session of sshd has its own group), and removes it. */
export async function destroy(network: Network): Promise<void> {
  for (const host of ['client', 'router', 'server'] as const) {
    const { stdout } = await runHere(['ip', 'netns', 'pids', network.namespace(host)], { codes: [0, 1] });
    for (const pid of stdout.split('\n').filter((line) => line !== ''))
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended in between.
      }
  }
  await network.destroy();
}

/** Table nat of the TUN mode: keepstate's own address hides the client. */
const MASQUERADE = `table ip nat {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "wan0" masquerade
	}
}
`;

/**
 * The rules of a network: what clients may begin, and nothing else. Port 81 is refused, port 82 is dropped.
 * @param tcp ports that clients may open
 * @returns the file that they are in
 */
export function writeRules(network: Network, mode: Mode, tcp = '21, 22, 53, 80, 5201'): string {
  const file = network.path('rules.nft');
  const text = `flush ruleset
table inet filter {
	ct helper ftp { type "ftp" protocol tcp; }
	chain assign {
		type filter hook prerouting priority filter;
		tcp dport 21 ct helper set "ftp"
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state invalid drop
		ct state established,related accept
		meta l4proto { icmp, ipv6-icmp } accept
		iifname "wan0" drop
		tcp dport 81 reject with tcp reset
		tcp dport { ${tcp} } accept
		udp dport { 53, 5201, 7777, 33434-33534 } accept
	}
}
${mode === 'tun' ? MASQUERADE : ''}`;
  writeFileSync(file, text);
  return file;
}
