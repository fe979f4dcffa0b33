// Real programs through a router that translates.

import { writeFileSync } from 'node:fs';
import { CLIENT4, type Network, ROUTER4, ROUTER6, SERVER4, SERVER6 } from '../network.ts';
import { runPeer, servePeer } from '../peers/start.ts';
import { until } from '../process.ts';
import { classicFtp } from '../scenarios/ftp.ts';
import { startDnsmasq, startNginx, startVsftpd } from '../servers.ts';
import type { NatScenario } from './record.ts';
import { forwardIptables, forwardNft, masqueradeIptables, masqueradeNft } from './rules.ts';
import { startIrcd, startPptpd, startSipp, startSnmpd, startTftpd } from './servers.ts';

const CURL = ['curl', '-sS', '-g', '-o', '/dev/null'];

/** Every way to name a data connection over IPv4, and the two over IPv6. */
const FTP_WAYS = [
  ['--disable-epsv'],
  ['--ftp-pasv'],
  ['--disable-eprt', '--ftp-port', '-'],
  ['--ftp-port', '-'],
];
const FTP_WAYS6 = [['--ftp-pasv'], ['--ftp-port', '-']];

async function curlFtp(network: Network, host4: string, host6: string | null): Promise<void> {
  for (const way of FTP_WAYS) await network.run('client', [...CURL, ...way, `ftp://${host4}/hello.txt`]);
  if (host6 === null) return;
  for (const way of FTP_WAYS6) await network.run('client', [...CURL, ...way, `ftp://[${host6}]/hello.txt`]);
}

async function lftp(network: Network, host: string): Promise<void> {
  for (const mode of ['off', 'on'])
    await network.run('client', [
      'lftp',
      ...['-c', `set ftp:passive-mode ${mode}; set net:max-retries 1; open ${host}; cls; cat hello.txt`],
    ]);
}

/** Fetches a file. */
export async function tftp(network: Network, host: string): Promise<void> {
  const to = ['--remote-file', 'hello.txt', '--local-file', '/dev/null', host];
  await network.run('client', ['atftp', '--get', ...to]);
}

async function dcc(network: Network, host: string): Promise<void> {
  const bob = await servePeer(network, 'server', 'irc', ['take', SERVER4]);
  await runPeer(network, 'client', 'irc', ['offer', host, CLIENT4]);
  await until('the file by DCC', () => bob.stdout.includes('whole'));
}

/** Two calls. */
export async function call(network: Network, host: string): Promise<void> {
  const argv = [
    'sipp',
    '-sn',
    'uac',
    '-i',
    CLIENT4,
    '-p',
    '5060',
    '-mp',
    '7000',
    '-m',
    '2',
    '-r',
    '5',
    '-nostdin',
  ];
  await network.run('client', [...argv, `${host}:5060`]);
}

/** Fetches a page. @param options more of curl's */
export async function fetch(network: Network, host: string, options: readonly string[] = []): Promise<void> {
  await network.run('client', [...CURL, ...options, `http://${host}/`]);
}

/** The way to some hosts. */
export async function traceroutes(network: Network, hosts: readonly string[]): Promise<void> {
  for (const host of hosts) await network.run('client', ['traceroute', '-n', '-q', '1', '-w', '1', host]);
}

/** Fetches a file over a link whose MTU the server learns of on the way. */
export async function pathMtu(network: Network, hosts: readonly string[], path: string): Promise<void> {
  await network.run('router', ['ip', 'link', 'set', 'lan0', 'mtu', '1300']);
  for (const host of hosts) await network.run('client', [...CURL, `http://${host}${path}`]);
}

/** A call, three LCP requests through its tunnel (RFC 1662's frames, from a file of their own), and its end. */
export async function tunnel(network: Network, host: string): Promise<void> {
  const frame = network.path('lcp');
  writeFileSync(frame, Buffer.from('7eff7d23c0217d217d217d207d24d1b57e', 'hex'));
  const frames = `sleep 1.5; for i in 1 2 3; do cat ${frame}; sleep 0.2; done; sleep 0.3`;
  const argv = ['sh', '-c', `(${frames}) | pptp ${host} --nolaunchpppd --loglevel 0`];
  await network.run('client', argv, { codes: [0, 1, 255] });
}

async function snmp(network: Network, host: string): Promise<void> {
  await network.run('client', ['snmpget', '-v2c', '-c', 'public', host, '1.3.6.1.2.1.1.6.0']);
}

/** Rules of a helper in both languages, for a client behind masquerading. */
function behind(helper: string): readonly (readonly [string, string])[] {
  return [
    ['nft', masqueradeNft(helper)],
    ['iptables', masqueradeIptables(helper)],
  ];
}

/** The same where the server is reached by the router's address. */
function forwarded(helper: string | null, port: string): readonly (readonly [string, string])[] {
  const [proto, number] = port.split(' ');
  return [
    ['nft', forwardNft([`${proto} dport ${number}`], helper)],
    ['iptables', forwardIptables([`-p ${proto} --dport ${number}`], helper)],
  ];
}

type Part = Pick<NatScenario, 'needs' | 'prepare' | 'run'>;

function each(name: string, rules: readonly (readonly [string, string])[], part: Part): NatScenario[] {
  return rules.map(([language, text]) => ({ name: `${name}, ${language}`, rules: text, limit: 40, ...part }));
}

const BASIC: Part = {
  needs: ['curl', 'nginx', 'dnsmasq', 'ping', 'traceroute', 'dig'],
  prepare: async (network) => {
    await startNginx(network);
    await startDnsmasq(network);
  },
  run: async (network) => {
    for (const host of [SERVER4, `[${SERVER6}]`]) await network.run('client', [...CURL, `http://${host}/`]);
    await network.run('client', [...CURL, `http://${SERVER4}/big.bin`]);
    for (const host of [SERVER4, SERVER6])
      await network.run('client', ['ping', '-c', '2', '-i', '0.2', host]);
    await network.run('client', ['dig', '+short', `@${SERVER4}`, 'example.net']);
    await traceroutes(network, [SERVER4, SERVER6]);
  },
};

/** A smaller link behind the router: it says so to whoever sends too much. */
const PATH_MTU: Part = {
  needs: ['curl', 'nginx', 'ping'],
  prepare: startNginx,
  run: (network) => pathMtu(network, [ROUTER4, `[${ROUTER6}]`], '/big.bin'),
};

/** All scenarios. */
export const NAT_SCENARIOS: readonly NatScenario[] = [
  ...each(
    'masquerade: http, dns, ping, traceroute',
    [
      ['nft', masqueradeNft(null)],
      ['iptables', masqueradeIptables(null)],
    ],
    BASIC,
  ),
  ...each('port forward: path MTU', [['nft', forwardNft(['tcp dport 80'], null)]], PATH_MTU),
  ...each('masquerade: ftp', behind('ftp'), {
    needs: ['curl', 'ftp', 'lftp', 'vsftpd'],
    prepare: startVsftpd,
    run: async (network) => {
      await classicFtp(network);
      await curlFtp(network, SERVER4, null);
      await lftp(network, SERVER4);
    },
  }),
  ...each('masquerade: ftp over IPv6', [['nft', masqueradeNft('ftp')]], {
    needs: ['curl', 'vsftpd'],
    prepare: startVsftpd,
    run: (network) => curlFtp(network, SERVER4, SERVER6),
  }),
  ...each('port forward: ftp', forwarded('ftp', 'tcp 21'), {
    needs: ['curl', 'lftp', 'vsftpd'],
    prepare: startVsftpd,
    run: async (network) => {
      await curlFtp(network, ROUTER4, null);
      await lftp(network, ROUTER4);
    },
  }),
  ...each('port forward: ftp over IPv6', [['nft', forwardNft(['tcp dport 21'], 'ftp')]], {
    needs: ['curl', 'vsftpd'],
    prepare: startVsftpd,
    run: (network) => curlFtp(network, ROUTER4, ROUTER6),
  }),
  ...each('masquerade: tftp', behind('tftp'), {
    needs: ['atftp', 'atftpd'],
    prepare: startTftpd,
    run: (network) => tftp(network, SERVER4),
  }),
  ...each('port forward: tftp', forwarded('tftp', 'udp 69'), {
    needs: ['atftp', 'atftpd'],
    prepare: startTftpd,
    run: (network) => tftp(network, ROUTER4),
  }),
  ...each('masquerade: irc', behind('irc'), {
    needs: ['ngircd'],
    prepare: startIrcd,
    run: (network) => dcc(network, SERVER4),
  }),
  ...each('masquerade: sip', behind('sip'), {
    needs: ['sipp'],
    prepare: startSipp,
    run: (network) => call(network, SERVER4),
  }),
  ...each('port forward: sip', forwarded('sip', 'udp 5060'), {
    needs: ['sipp'],
    prepare: startSipp,
    run: (network) => call(network, ROUTER4),
  }),
  ...each('masquerade: pptp', behind('pptp'), {
    needs: ['pptp', 'pptpd'],
    prepare: startPptpd,
    run: (network) => tunnel(network, SERVER4),
  }),
  ...each('port forward: pptp', forwarded('pptp', 'tcp 1723'), {
    needs: ['pptp', 'pptpd'],
    prepare: startPptpd,
    run: (network) => tunnel(network, ROUTER4),
  }),
  ...each('port forward: snmp', forwarded(null, 'udp 161'), {
    needs: ['snmpget', 'snmpd'],
    prepare: startSnmpd,
    run: (network) => snmp(network, ROUTER4),
  }),
];
