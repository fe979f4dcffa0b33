// Packets too large for a link: fragments and path MTU discovery.

import { writeFileSync } from 'node:fs';
import { type Network, SERVER4, SERVER6 } from '../network.ts';
import { runHere } from '../process.ts';
import { startDnsmasq, startNginx } from '../servers.ts';
import type { Scenario } from './scenario.ts';

async function fragments(network: Network): Promise<void> {
  for (const host of [SERVER4, SERVER6]) {
    await network.run('client', ['ping', '-n', '-c', '2', '-i', '0.1', '-W', '2', '-s', '4000', host]);
    // The answer has 1,700 bytes and dig says it takes 4,096: a UDP datagram in two fragments.
    const dig = [
      'dig',
      `@${host}`,
      '+tries=1',
      '+time=3',
      '+bufsize=4096',
      '+ignore',
      'long.example.net',
      'TXT',
    ];
    const { stdout } = await network.run('client', dig);
    if (!/MSG SIZE {2}rcvd: 1[5-9]\d\d/.test(stdout)) throw new Error(`no answer of 1,500 bytes:\n${stdout}`);
  }
}

/** The least an IPv6 link may have (RFC 8200, section 5), in bytes. */
const SMALL_MTU = '1280';

async function narrow(network: Network): Promise<void> {
  // Narrow is the router's route, not the link: the server still announces the MSS of a 1500-byte link, and
  // the client has to learn from the router that its segments are too large. (A veth of a smaller MTU would
  // drop the large packets that come from the other end, too.)
  const routes = [SERVER4, SERVER6].map((host) => `route add ${host} dev wan0 mtu lock ${SMALL_MTU}`);
  await runHere(['ip', '-n', network.namespace('router'), '-batch', '-'], { input: routes.join('\n') });
  await startNginx(network);
}

async function pathMtu(network: Network): Promise<void> {
  const upload = network.path('upload');
  writeFileSync(upload, Buffer.alloc(100_000, 'x'));
  for (const host of [SERVER4, SERVER6]) {
    const url = `http://${host.includes(':') ? `[${host}]` : host}/upload`;
    await network.run('client', ['curl', '-sS', '-g', '-H', 'Expect:', '--data-binary', `@${upload}`, url]);
    // Forgets what the upload taught.
    const cache = ['ip', host === SERVER6 ? '-6' : '-4', 'route', 'flush', 'cache'];
    await network.run('client', cache);
    const ping = ['ping', '-n', '-c', '2', '-i', '0.2', '-W', '1', '-M', 'do', '-s', '1400', host];
    const { stdout } = await network.run('client', ping, { codes: [0, 1] });
    if (!/mtu ?= ?1280/.test(stdout)) throw new Error(`ping learnt no MTU:\n${stdout}`);
    await network.run('client', cache);
    // Fragments of 1500 bytes: IPv4's are cut again by the router, IPv6's come back as too big.
    const large = ['ping', '-n', '-c', '3', '-i', '0.1', '-W', '1', '-s', '4000', host];
    await network.run('client', large);
  }
}

export const MTU_SCENARIOS: readonly Scenario[] = [
  {
    name: 'fragments',
    about: 'pings of 4,000 bytes and a DNS answer of 1,700, in fragments; IPv4 and IPv6',
    needs: ['ping', 'dig', 'dnsmasq'],
    capture: 'ethernet',
    limit: 20,
    prepare: startDnsmasq,
    run: fragments,
  },
  {
    name: 'mtu',
    about: 'upload and pings through a link of 1,280 bytes: fragmentation needed, packet too big',
    needs: ['curl', 'nginx', 'ping'],
    capture: 'ethernet',
    limit: 20,
    prepare: narrow,
    run: pathMtu,
  },
];
