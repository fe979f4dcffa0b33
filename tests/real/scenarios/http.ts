// curl and nginx.

import { type Network, SERVER4, SERVER6 } from '../network.ts';
import { BIG, startNginx } from '../servers.ts';
import type { Scenario } from './scenario.ts';

// curl's own exit codes (man curl, EXIT CODES).
const COULD_NOT_CONNECT = 7;
const COULD_NOT_WRITE = '(23)';

const CURL = ['curl', '-sS', '-g', '--no-progress-meter', '-o', '/dev/null'];

/** `count` small objects over one kept connection. */
async function keepAlive(network: Network, host: string, count: number): Promise<void> {
  const objects = Array.from({ length: count }, (_, i) => ['-o', '/dev/null', `http://${host}/${i + 1}.txt`]);
  const report = ['-w', '%{num_connects} '];
  const { stdout } = await network.run('client', ['curl', '-sS', '-g', ...report, ...objects.flat()]);
  const expected = `1 ${'0 '.repeat(count - 1)}`;
  if (stdout !== expected) throw new Error(`curl made '${stdout}' connections, not '${expected}'`);
}

async function everything(network: Network, host: string): Promise<void> {
  await keepAlive(network, host, 4);
  const big = await network.run('client', [...CURL, '-w', '%{size_download}', `http://${host}/big.bin`]);
  if (big.stdout !== `${BIG}`) throw new Error(`big.bin: ${big.stdout} bytes instead of ${BIG}`);
  // Nobody listens on port 81: the server's kernel answers with a RST.
  await network.run('client', [...CURL, `http://${host}:81/`], { codes: [COULD_NOT_CONNECT] });
  // Nobody reads on, so curl gives up amid the download; closing with data unread resets the connection.
  const abort = ['sh', '-c', 'curl -sSg "$1" | head -c 1000 > /dev/null', 'sh', `http://${host}/big.bin`];
  const aborted = await network.run('client', abort);
  if (!aborted.stderr.includes(COULD_NOT_WRITE)) throw new Error(`curl did not give up: ${aborted.stderr}`);
}

export const HTTP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'http',
    about: 'curl and nginx: kept connection, 1 MB download, refused, aborted download; IPv4 and IPv6',
    needs: ['curl', 'nginx'],
    capture: 'ethernet',
    limit: 20,
    prepare: startNginx,
    run: async (network) => {
      await everything(network, SERVER4);
      await everything(network, `[${SERVER6}]`);
    },
  },
  {
    name: 'http-any',
    about: 'the same in small on all interfaces of the router (cooked v2, every packet twice)',
    needs: ['curl', 'nginx'],
    capture: 'any',
    limit: 20,
    prepare: startNginx,
    run: async (network) => {
      await keepAlive(network, SERVER4, 3);
      await keepAlive(network, `[${SERVER6}]`, 2);
      await network.run('client', [...CURL, `http://${SERVER4}:81/`], { codes: [COULD_NOT_CONNECT] });
    },
  },
];
