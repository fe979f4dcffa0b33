// The captures of the folder examples/: small, and with something of every ct state.

import { CLIENT4, CLIENT6, type Host, type Network, ROUTER4, ROUTER6, SERVER4, SERVER6 } from '../network.ts';
import { runPeer } from '../peers/start.ts';
import { runHere } from '../process.ts';
import { resolverOf, startDnsmasq, startNginx, startVsftpd, WEB_NAME4 } from '../servers.ts';
import { classicFtp } from './ftp.ts';
import type { Scenario } from './scenario.ts';

/** Makes the neighbours known, so that no ARP and no NDP stand between the packets that matter. */
async function knowNeighbours(network: Network): Promise<void> {
  const known: readonly (readonly [Host, readonly string[], string])[] = [
    ['client', [ROUTER4, ROUTER6], '02:00:00:00:01:01 dev eth0'],
    ['router', [CLIENT4, CLIENT6], '02:00:00:00:01:10 dev lan0'],
    ['router', [SERVER4, SERVER6], '02:00:00:00:02:80 dev wan0'],
    ['server', ['198.51.100.1', '2001:db8:2::1'], '02:00:00:00:02:01 dev eth0'],
  ];
  for (const [host, addresses, link] of known) {
    const lines = addresses.map((address) => `neigh replace ${address} lladdr ${link} nud permanent`);
    await runHere(['ip', '-n', network.namespace(host), '-batch', '-'], { input: lines.join('\n') });
  }
}

const CURL = ['curl', '-sS', '-o', '/dev/null'];

async function http(network: Network): Promise<void> {
  const resolver = resolverOf(network);
  await network.run('client', [...CURL, `http://${WEB_NAME4}/`], resolver);
  await network.run('client', ['ping', '-n', '-c', '1', '-W', '2', SERVER4]);
  await network.run('client', ['ping', '-n', '-c', '1', '-W', '2', SERVER6]);
  // Connection refused: SYN, RST.
  await network.run('client', [...CURL, `http://${SERVER4}:8080/`], { codes: [7] });
  // A datagram to a closed port: the ICMP error is RELATED to it.
  const closed = ['dig', `@${SERVER4}`, '-p', '5300', '+tries=1', '+time=2', WEB_NAME4];
  await network.run('client', closed, { codes: [9] });
  // INVALID: a SYN/ACK nobody asked for, and the RST with which the client's kernel answers it.
  await runPeer(network, 'server', 'stray', [SERVER4, '443', CLIENT4, '50000']);
}

export const EXAMPLES: readonly Scenario[] = [
  {
    name: 'http',
    about: 'a name looked up, a page fetched, pings, a refused connection, a closed port, a stray SYN/ACK',
    needs: ['curl', 'dig', 'dnsmasq', 'nginx', 'ping'],
    capture: 'ethernet',
    limit: 20,
    prepare: async (network) => {
      await knowNeighbours(network);
      await startNginx(network);
      await startDnsmasq(network);
    },
    run: http,
  },
  {
    name: 'ftp',
    about: 'one FTP session: a file fetched actively (PORT), then passively (PASV)',
    needs: ['ftp', 'vsftpd'],
    capture: 'ethernet',
    limit: 20,
    prepare: async (network) => {
      await knowNeighbours(network);
      await startVsftpd(network);
    },
    run: classicFtp,
  },
];
