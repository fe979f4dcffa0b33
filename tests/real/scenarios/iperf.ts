// iperf3: bulk data over TCP and UDP.

import { type Network, SERVER4, SERVER6 } from '../network.ts';
import { startIperf } from '../servers.ts';
import type { Scenario } from './scenario.ts';

async function iperf(network: Network, options: string): Promise<void> {
  for (const host of [SERVER4, SERVER6]) {
    await network.run('client', ['iperf3', '-c', host, ...options.split(' ')], { limit: 8_000 });
  }
}

export const IPERF_SCENARIOS: readonly Scenario[] = [
  {
    name: 'iperf-tcp',
    about: 'iperf3 over TCP: 500 kB there, 500 kB back, two connections at a time; IPv4 and IPv6',
    needs: ['iperf3'],
    capture: 'ethernet',
    limit: 20,
    prepare: startIperf,
    run: async (network) => {
      await iperf(network, '-n 500K');
      await iperf(network, '-n 500K -R');
      await iperf(network, '-n 200K -P 2');
    },
  },
  {
    name: 'iperf-udp',
    about: 'iperf3 over UDP: datagrams of 1,200 bytes there and back, and of 4,000 in fragments',
    needs: ['iperf3'],
    capture: 'ethernet',
    limit: 20,
    prepare: startIperf,
    run: async (network) => {
      await iperf(network, '-u -b 10M -n 100K -l 1200');
      await iperf(network, '-u -b 10M -n 100K -l 1200 -R');
      await iperf(network, '-u -b 10M -n 100K -l 4000');
    },
  },
];
