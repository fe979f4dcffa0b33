// ping and traceroute: echoes, and the errors of router and server.

import { type Network, ROUTER4, ROUTER6, SERVER4, SERVER6 } from '../network.ts';
import { runHere } from '../process.ts';
import type { Scenario } from './scenario.ts';

/** Runs a program whose output must hold `expected`. @throws Error otherwise. */
async function see(network: Network, command: string, expected: string, code = 0): Promise<void> {
  const { stdout, stderr } = await network.run('client', command.split(' '), { codes: [code] });
  if (!(stdout + stderr).includes(expected)) {
    throw new Error(`${command}: no '${expected}' in\n${stdout}${stderr}`);
  }
}

async function pings(network: Network): Promise<void> {
  for (const host of [SERVER4, SERVER6, ROUTER4, ROUTER6]) {
    await see(network, `ping -n -c 3 -i 0.1 -W 2 ${host}`, '3 received');
  }
  // Two at a time: only the identifier tells them apart.
  await Promise.all([1, 2].map(() => see(network, `ping -n -c 2 -i 0.1 -W 2 ${SERVER4}`, '2 received')));
}

async function traceroutes(network: Network): Promise<void> {
  for (const [router, server] of [
    [ROUTER4, SERVER4],
    [ROUTER6, SERVER6],
  ]) {
    // UDP: TIME_EXCEEDED from the router, port unreachable from the server. ICMP: echo reply. TCP: RST.
    for (const method of ['', '-I ', '-T -p 81 ']) {
      const command = `traceroute -n -q 2 -w 2 -m 3 ${method}${server}`;
      await see(network, command, ` 1  ${router} `);
    }
  }
}

async function unreachable(network: Network): Promise<void> {
  const namespace = network.namespace('router');
  const routes = [
    'route add unreachable 203.0.113.0/25',
    'route add prohibit 203.0.113.128/25',
    'route add unreachable 2001:db8:3::/64',
    'route add prohibit 2001:db8:4::/64',
  ];
  await runHere(['ip', '-n', namespace, '-batch', '-'], { input: routes.join('\n') });
  await see(network, 'ping -n -c 1 -W 2 203.0.113.1', 'Destination Host Unreachable', 1);
  await see(network, 'ping -n -c 1 -W 2 203.0.113.129', 'Packet filtered', 1);
  await see(network, 'ping -n -c 1 -W 2 2001:db8:3::1', 'No route', 1);
  await see(network, 'ping -n -c 1 -W 2 2001:db8:4::1', 'Administratively prohibited', 1);
  // The same for UDP and TCP: the errors quote another protocol, and end curl's attempt (its exit code 7).
  await see(network, 'traceroute -n -q 1 -w 2 -m 1 203.0.113.1', '!H');
  await see(network, 'curl -sS -m 5 http://203.0.113.1/', '(7)', 7);
  await see(network, 'curl -sS -m 5 -g http://[2001:db8:4::1]/', '(7)', 7);
}

export const ICMP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'ping',
    about: 'ping to server and router, two at a time; IPv4 and IPv6',
    needs: ['ping'],
    capture: 'ethernet',
    limit: 10,
    run: pings,
  },
  {
    name: 'traceroute',
    about: 'traceroute by UDP, ICMP and TCP: time exceeded, port unreachable; IPv4 and IPv6',
    needs: ['traceroute'],
    capture: 'ethernet',
    limit: 20,
    run: traceroutes,
  },
  {
    name: 'unreachable',
    about: 'ping, traceroute and curl to networks the router rejects: unreachable, prohibited; IPv4 and IPv6',
    needs: ['curl', 'ping', 'traceroute'],
    capture: 'ethernet',
    limit: 20,
    run: unreachable,
  },
];
