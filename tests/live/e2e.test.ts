/** Real programs through the real `keepstate run`, in each mode in which packets pass through it. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Network, SERVER4, SERVER6 } from '../real/network.ts';
import { resolverOf, startDnsmasq, startIperf, startNginx, startVsftpd, WEB_NAME } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { destroy, liveNetwork, liveUsable, MODES, TUN_KEEPSTATE, writeRules } from './e2e-net.ts';

/** 200 MB. */
const LARGE = 200_000_000;
const LIMIT = 120_000;
const CURL_REFUSED = 7;
const CURL_TIMEOUT = 28;

/** Bytes that repeat after an odd number, so that a piece in a wrong place shows. */
function largeFile(): Buffer {
  const piece = Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 31 + (i >> 8)) & 0xff));
  return Buffer.alloc(LARGE, piece);
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

const PROGRAMS = ['nginx', 'vsftpd', 'dnsmasq', 'dig', 'iperf3', 'traceroute'];

describe.skipIf(!liveUsable(PROGRAMS)).each(MODES)('programs through keepstate run --%s', (mode) => {
  let network: Network;
  let daemon: Daemon;
  beforeAll(async () => {
    await built();
    network = await liveNetwork(mode);
    await Promise.all([
      startNginx(network),
      startVsftpd(network),
      startDnsmasq(network),
      startIperf(network),
    ]);
    daemon = await Daemon.start(network, mode, writeRules(network, mode), '--sysctl', 'nf_conntrack_acct=1');
  }, 300_000);
  afterAll(() => destroy(network));

  /** curl in the client. @returns its exit code */
  async function curl(...args: readonly string[]): Promise<number | null> {
    const codes = [0, CURL_REFUSED, CURL_TIMEOUT];
    return (await network.run('client', ['curl', '-sS', '-g', ...args], { codes, limit: LIMIT })).code;
  }

  test('a download of 200 MB from nginx has no wrong byte', { timeout: LIMIT }, async () => {
    writeFileSync(network.path('nginx/pages/large'), largeFile());
    const got = network.path('got');
    const before = performance.now();
    expect(await curl('-o', got, `http://${SERVER4}/large`)).toBe(0);
    const seconds = (performance.now() - before) / 1000;
    console.log(`${mode}: ${((LARGE * 8) / seconds / 1e9).toFixed(2)} Gbit/s`);
    expect(await sha256(got)).toBe(await sha256(network.path('nginx/pages/large')));
    const client = await daemon.client();
    const { drivers } = await client.call('status', {});
    expect(drivers[0]).toMatchObject({ mode });
    expect(drivers[0]!.received).toBeGreaterThan(LARGE / 65_536);
    client.close();
  });

  test('IPv6: a page by curl -6, and ping -6', { timeout: LIMIT }, async () => {
    expect(await curl('-6', '-o', network.path('got6'), `http://[${SERVER6}]/big.bin`)).toBe(0);
    expect(readFileSync(network.path('got6')).equals(readFileSync(network.path('nginx/pages/big.bin')))).toBe(
      true,
    );
    const { stdout } = await network.run('client', ['ping', '-6', '-c', '3', '-i', '0.2', SERVER6]);
    expect(stdout).toContain('3 received');
  });

  test('ping, also of packets that come in fragments', { timeout: LIMIT }, async () => {
    for (const [to, size] of [
      [SERVER4, '56'],
      [SERVER4, '4000'],
      [SERVER6, '4000'],
    ] as const) {
      const { stdout } = await network.run('client', ['ping', '-c', '3', '-i', '0.2', '-s', size, to]);
      expect(stdout).toContain('3 received');
    }
  });

  test('traceroute reaches the server, and each hop before it answers', { timeout: LIMIT }, async () => {
    for (const to of [SERVER4, SERVER6]) {
      const argv = ['traceroute', to === SERVER6 ? '-6' : '-4', '-n', '-q', '2', '-w', '3', '-m', '8', to];
      const { stdout } = await network.run('client', argv, { limit: LIMIT });
      const hops = stdout.trim().split('\n').slice(1);
      expect(hops.length).toBe({ bridge: 1, tun: 4, nfqueue: 2 }[mode]);
      expect(hops.at(-1)).toContain(to);
      expect(stdout).not.toContain('*');
      if (mode === 'tun' && to === SERVER4) expect(stdout).toContain(TUN_KEEPSTATE);
    }
  });

  test('FTP, active and passive, whose data connections only the helper lets pass', {
    timeout: LIMIT,
  }, async () => {
    const big = readFileSync(network.path('ftp/root/big.bin'));
    const ways = [['--disable-epsv'], [], ['--ftp-port', '-', '--disable-eprt'], ['--ftp-port', '-']];
    for (const way of ways)
      for (const host of way.includes('--disable-epsv') || way.includes('--disable-eprt')
        ? [SERVER4]
        : [SERVER4, `[${SERVER6}]`]) {
        const got = network.path('ftp-got');
        writeFileSync(got, '');
        expect([host, ...way, await curl(...way, '-m', '30', '-o', got, `ftp://${host}/big.bin`)]).toEqual([
          host,
          ...way,
          0,
        ]);
        expect(readFileSync(got).equals(big)).toBe(true);
      }
    const { stdout } = await daemon.command('conntrack', '-L', '-p', 'tcp', '--dport', '21');
    expect(stdout).toContain('helper=ftp');
  });

  test('DNS by UDP and TCP, also answers longer than a packet', { timeout: LIMIT }, async () => {
    for (const server of [SERVER4, SERVER6]) {
      for (const more of [[], ['+tcp']]) {
        const { stdout } = await network.run('client', ['dig', `@${server}`, '+short', WEB_NAME, ...more]);
        expect(stdout.trim()).toBe(SERVER4);
      }
      const argv = [
        'dig',
        `@${server}`,
        '+short',
        '+notcp',
        '+ignore',
        '+bufsize=4096',
        'long.example.net',
        'TXT',
      ];
      expect((await network.run('client', argv)).stdout.length).toBeGreaterThan(1520);
    }
    const { stdout } = await network.run(
      'client',
      ['curl', '-s', `http://${WEB_NAME}/`],
      resolverOf(network),
    );
    expect(stdout).toContain('It works.');
  });

  test('iperf3 by TCP in both directions, and by UDP, IPv4 and IPv6', { timeout: LIMIT }, async () => {
    for (const [host, ...how] of [
      [SERVER4],
      [SERVER4, '-R'],
      [SERVER6],
      [SERVER4, '-u', '-b', '20M'],
      [SERVER6, '-u', '-b', '20M'],
    ]) {
      const argv = ['iperf3', '-c', host!, '-t', '1', '-J', '--connect-timeout', '5000', ...how];
      const { stdout } = await network.run('client', argv, { limit: LIMIT });
      const { end } = JSON.parse(stdout) as {
        end: Record<string, { bytes: number; bits_per_second: number }>;
      };
      const sum = end.sum_received ?? end.sum!;
      console.log(
        `${mode}: iperf3 ${host} ${how.join(' ')}: ${(sum.bits_per_second / 1e6).toFixed(0)} Mbit/s`,
      );
      expect(sum.bytes).toBeGreaterThan(100_000);
    }
  });

  test('what the rules refuse is refused, what they drop does not pass', { timeout: LIMIT }, async () => {
    for (const host of [SERVER4, `[${SERVER6}]`]) {
      expect(await curl('-m', '5', `http://${host}:81/`)).toBe(CURL_REFUSED);
      expect(await curl('-m', '1', `http://${host}:82/`)).toBe(CURL_TIMEOUT);
    }
  });
});
