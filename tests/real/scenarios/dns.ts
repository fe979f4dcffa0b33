// dig and dnsmasq, and dig where nobody listens.

import { type Network, SERVER4, SERVER6 } from '../network.ts';
import { startDnsmasq, WEB_NAME } from '../servers.ts';
import type { Scenario } from './scenario.ts';

/** Runs dig and checks the answer. @throws Error if `expected` is not in what dig prints. */
async function dig(network: Network, server: string, query: string, expected: string): Promise<void> {
  const options = ['+tries=1', '+time=3', '+noedns', '+nocookie'];
  const argv = ['dig', `@${server}`, ...options, ...query.split(' ')];
  // 9: no reply; then dig says why, and `expected` decides.
  const { stdout } = await network.run('client', argv, { codes: [0, 9] });
  if (!stdout.includes(expected)) throw new Error(`${argv.join(' ')}: no '${expected}' in\n${stdout}`);
}

async function queries(network: Network, server: string): Promise<void> {
  await dig(network, server, `${WEB_NAME} A`, SERVER4);
  await dig(network, server, `${WEB_NAME} AAAA`, SERVER6);
  await dig(network, server, 'nobody.example.net A', 'NXDOMAIN');
  await dig(network, server, `+tcp ${WEB_NAME} A`, SERVER4);
  // Too long for 512 bytes: the answer comes truncated, and dig asks again over TCP.
  await dig(network, server, 'long.example.net TXT', 'retrying in TCP mode');
}

export const DNS_SCENARIOS: readonly Scenario[] = [
  {
    name: 'dns',
    about: 'dig and dnsmasq: A, AAAA, NXDOMAIN, over TCP, truncated and asked again; IPv4 and IPv6',
    needs: ['dig', 'dnsmasq'],
    capture: 'ethernet',
    limit: 20,
    prepare: startDnsmasq,
    run: async (network) => {
      await queries(network, SERVER4);
      await queries(network, SERVER6);
    },
  },
  {
    name: 'dns-any-v1',
    about: 'the same, incoming packets of all interfaces of the router (cooked v1)',
    needs: ['dig', 'dnsmasq'],
    capture: 'any-v1',
    limit: 20,
    prepare: startDnsmasq,
    run: async (network) => {
      await queries(network, SERVER4);
      await queries(network, SERVER6);
    },
  },
  {
    name: 'udp-closed',
    about: 'dig to a UDP port where nobody listens: port unreachable from the server; IPv4 and IPv6',
    needs: ['dig'],
    capture: 'ethernet',
    limit: 10,
    run: async (network) => {
      await dig(network, SERVER4, '-p 5300 example.net A', 'connection refused');
      await dig(network, SERVER6, '-p 5300 example.net A', 'connection refused');
    },
  },
];
