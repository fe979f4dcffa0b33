// What no common program does on demand: half-closed and reset connections, SCTP without a kernel for it.

import { CLIENT4, CLIENT6, type Network, SERVER4, SERVER6 } from '../network.ts';
import { runPeer, servePeer } from '../peers/start.ts';
import type { Scenario } from './scenario.ts';

const PAIRS = [
  [CLIENT4, SERVER4],
  [CLIENT6, SERVER6],
] as const;

function tcpScenario(name: string, about: string): Scenario {
  return {
    name,
    about,
    needs: [],
    capture: 'ethernet',
    limit: 15,
    prepare: (network: Network) => servePeer(network, 'server', 'tcp', ['serve']),
    run: async (network: Network) => {
      for (const [, server] of PAIRS) await runPeer(network, 'client', 'tcp', [name, server]);
    },
  };
}

export const PEER_SCENARIOS: readonly Scenario[] = [
  tcpScenario('half-close', 'TCP: one side ends, the other goes on sending, either way; IPv4 and IPv6'),
  tcpScenario('reset', 'TCP: RST in place of FIN, from either side; IPv4 and IPv6'),
  {
    name: 'sctp',
    about: 'SCTP in user space: association with data and heartbeat, abort, refused; IPv4 and IPv6',
    needs: [],
    capture: 'ethernet',
    limit: 15,
    prepare: (network) =>
      Promise.all(
        PAIRS.map(([client, server]) => servePeer(network, 'server', 'sctp', ['serve', server, client])),
      ),
    run: async (network) => {
      for (const [client, server] of PAIRS)
        await runPeer(network, 'client', 'sctp', ['talk', client, server]);
    },
  },
];
