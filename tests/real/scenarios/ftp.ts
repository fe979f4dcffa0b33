// FTP clients and vsftpd: a control connection that names the data connections.

import { writeFileSync } from 'node:fs';
import { type Network, SERVER4, SERVER6 } from '../network.ts';
import { startVsftpd } from '../servers.ts';
import type { Scenario } from './scenario.ts';

const CURL = ['curl', '-sS', '-g', '-o', '/dev/null'];

/** Every way to name a data connection: PASV, EPSV, PORT, EPRT; RFC 959 and RFC 2428. */
const WAYS: readonly { readonly options: readonly string[]; readonly families: readonly (4 | 6)[] }[] = [
  { options: ['--disable-epsv'], families: [4] },
  { options: ['--ftp-pasv'], families: [4, 6] }, // curl begins with EPSV
  { options: ['--disable-eprt', '--ftp-port', '-'], families: [4] },
  { options: ['--ftp-port', '-'], families: [4, 6] },
];

async function transfers(network: Network): Promise<void> {
  const upload = network.path('upload');
  writeFileSync(upload, Buffer.alloc(20_000, 'x'));
  let serial = 0;
  for (const { options, families } of WAYS) {
    for (const family of families) {
      const url = `ftp://${family === 4 ? SERVER4 : `[${SERVER6}]`}`;
      await network.run('client', [...CURL, ...options, `${url}/hello.txt`, `${url}/`]);
      await network.run('client', [...CURL, ...options, '-T', upload, `${url}/in/${serial++}`]);
    }
  }
  await network.run('client', [...CURL, `ftp://${SERVER4}/big.bin`]);
}

/** One session of the classic client: the same file fetched actively (PORT), then passively (PASV). */
export async function classicFtp(network: Network): Promise<void> {
  const script = [
    'user anonymous guest@example.net',
    'epsv4 off', // PORT and PASV rather than EPRT and EPSV
    'binary',
    'passive off',
    'get hello.txt /dev/null',
    'passive on',
    'get hello.txt /dev/null',
    'quit',
  ];
  const argv = ['ftp', '-n', '-v', SERVER4];
  const { stdout } = await network.run('client', argv, { input: `${script.join('\n')}\n` });
  const complete = stdout.split('226 Transfer complete').length - 1;
  if (complete !== 2) throw new Error(`ftp completed ${complete} transfers instead of 2:\n${stdout}`);
}

export const FTP_SCENARIOS: readonly Scenario[] = [
  {
    name: 'ftp',
    about: 'curl, ftp and vsftpd: PASV, EPSV, PORT, EPRT, fetch, list, store, 1 MB; IPv4 and IPv6',
    needs: ['curl', 'ftp', 'vsftpd'],
    capture: 'ethernet',
    limit: 30,
    prepare: startVsftpd,
    run: async (network) => {
      await classicFtp(network);
      await transfers(network);
    },
  },
];
