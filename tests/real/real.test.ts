// The recorder itself: every scenario yields a capture in which tcpdump finds what was to be talked.

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { summarizePcap } from './capture.ts';
import { pause } from './process.ts';
import { APT_PACKAGE } from './programs.ts';
import { realUnavailable, recordExamples, recordReal, SCENARIOS } from './record.ts';

const unavailable = realUnavailable();
const skip = unavailable !== null && process.env.CI !== 'true';
if (skip) console.warn(`tests/real skipped: ${unavailable}`);

// libpcap's `tcp[tcpflags]` sees IPv4 only; behind a plain IPv6 header the flags are byte 53.
const SYN = '(tcp[13] & 0x12 == 0x02 or (ip6 proto 6 and ip6[53] & 0x12 == 0x02))';
const RST = '(tcp[13] & 0x04 != 0 or (ip6 proto 6 and ip6[53] & 0x04 != 0))';
const FRAGMENT4 = 'ip[6:2] & 0x3fff != 0';
const FRAGMENT6 = 'ip6[6] == 44';
const CLIENT = '(src 192.0.2.10 or src 2001:db8:1::10)';
const SERVER = '(src 198.51.100.80 or src 2001:db8:2::80)';
// An SCTP chunk's type stands behind the common header of 12 bytes.
const sctpChunk = (type: number): string => `(sctp[12] == ${type} or (ip6 proto 132 and ip6[52] == ${type}))`;

/** Per capture: a filter of tcpdump's, and how many packets it has to match (a range, inclusive). */
type Expected = readonly (readonly [string, number, number?])[];
const EXPECTED: Readonly<Record<string, Expected>> = {
  http: [
    [`ip and ${SYN} and dst port 80`, 3, 3],
    [`ip6 and ${SYN} and dst port 80`, 3, 3],
    [`ip and tcp src port 81 and ${RST}`, 1, 1],
    [`ip6 and src port 81 and ${RST}`, 1, 1],
    [`ip and ${CLIENT} and ${RST}`, 1],
    [`ip6 and ${CLIENT} and ${RST}`, 1],
    ['ip and src port 80 and greater 1400', 600],
    ['ip6 and src port 80 and greater 1400', 600],
  ],
  // Twice: into the router and out of it.
  'http-any': [
    [`ip and ${SYN} and dst port 80`, 2, 2],
    [`ip6 and ${SYN} and dst port 80`, 2, 2],
    [`tcp src port 81 and ${RST}`, 2, 2],
  ],
  ssh: [
    [`ip and ${SYN} and dst port 22`, 1, 1],
    [`ip6 and ${SYN} and dst port 22`, 1, 1],
    ['src port 22 and greater 1400', 100],
  ],
  dns: [
    ['ip and udp dst port 53', 4, 4],
    ['ip6 and udp dst port 53', 4, 4],
    ['ip and udp src port 53', 4, 4],
    ['ip6 and udp src port 53', 4, 4],
    [`${SYN} and dst port 53`, 4, 4],
  ],
  'dns-any-v1': [
    ['udp dst port 53', 8, 8],
    ['udp src port 53', 8, 8],
    [`${SYN} and dst port 53`, 4, 4],
  ],
  'udp-closed': [
    ['udp dst port 5300 and not icmp', 2, 2],
    [`icmp[0] == 3 and icmp[1] == 3 and ${SERVER}`, 1, 1],
    [`icmp6 and ip6[40] == 1 and ip6[41] == 4 and ${SERVER}`, 1, 1],
  ],
  ping: [
    ['icmp[0] == 8', 10, 10],
    ['icmp[0] == 0', 10, 10],
    ['icmp6 and ip6[40] == 128', 6, 6],
    ['icmp6 and ip6[40] == 129', 6, 6],
  ],
  traceroute: [
    ['icmp[0] == 11 and src 192.0.2.1', 6, 6],
    ['icmp6 and ip6[40] == 3 and src 2001:db8:1::1', 6, 6],
    ['icmp[0] == 3 and icmp[1] == 3', 2],
    ['icmp6 and ip6[40] == 1 and ip6[41] == 4', 2],
    [`${SYN} and dst port 81`, 8],
    [`${RST} and src port 81`, 4],
  ],
  unreachable: [
    ['icmp[0] == 3 and icmp[1] == 1', 3],
    ['icmp[0] == 3 and icmp[1] == 13', 1],
    ['icmp6 and ip6[40] == 1 and ip6[41] == 0', 1],
    ['icmp6 and ip6[40] == 1 and ip6[41] == 1', 2],
  ],
  fragments: [
    [`icmp and ${FRAGMENT4}`, 12, 12],
    [`udp and src host 198.51.100.80 and ${FRAGMENT4}`, 2, 2],
    [FRAGMENT6, 14, 14],
  ],
  mtu: [
    ['icmp[0] == 3 and icmp[1] == 4 and src 192.0.2.1', 2],
    ['icmp6 and ip6[40] == 2 and src 2001:db8:1::1', 2],
    [`${FRAGMENT4} and icmp`, 18, 18],
    [`${FRAGMENT6} and ${CLIENT} and greater 1400`, 2],
    [`${FRAGMENT6} and ${SERVER}`, 6],
  ],
  // A control connection beside the data connections; each of three tests, over IPv4 and IPv6.
  'iperf-tcp': [
    [`ip and ${SYN} and dst port 5201`, 7, 7],
    [`ip6 and ${SYN} and dst port 5201`, 7, 7],
    [`${CLIENT} and greater 1000`, 200],
    [`${SERVER} and greater 1000`, 500],
  ],
  'iperf-udp': [
    [`ip and udp and ${CLIENT} and greater 1200`, 80],
    [`ip and udp and ${SERVER} and greater 1200`, 80],
    [`ip6 and udp and ${CLIENT} and greater 1200`, 80],
    [`ip6 and udp and ${SERVER} and greater 1200`, 80],
    [`${FRAGMENT4} and ${CLIENT}`, 60],
    [`${FRAGMENT6} and ${CLIENT}`, 60],
  ],
  ftp: [
    [`ip and ${SYN} and dst port 21`, 10, 10],
    [`ip6 and ${SYN} and dst port 21`, 4, 4],
    // Active: from port 20. The classic client once; for each way a file, a list, and a file stored.
    [`ip and ${SYN} and src port 20`, 7, 7],
    [`ip6 and ${SYN} and src port 20`, 3, 3],
    [`ip and ${CLIENT} and ${SYN} and dst portrange 40000-40999`, 8, 8],
    [`ip6 and ${CLIENT} and ${SYN} and dst portrange 40000-40999`, 3, 3],
  ],
  'half-close': [
    [`ip and ${SYN}`, 2, 2],
    [`ip6 and ${SYN}`, 2, 2],
    [`${CLIENT} and dst port 7002 and greater 70`, 10],
    [RST, 0, 0],
  ],
  reset: [
    [`ip and ${RST} and ${CLIENT}`, 1],
    [`ip6 and ${RST} and ${CLIENT}`, 1],
    [`ip and ${RST} and ${SERVER} and src port 7003`, 1],
    [`ip6 and ${RST} and ${SERVER} and src port 7003`, 1],
  ],
  sctp: [
    ...['ip', 'ip6'].flatMap(
      (family): Expected => [
        [`${family} and ${sctpChunk(1)}`, 3, 3],
        [`${family} and ${sctpChunk(2)}`, 2, 2],
        [`${family} and ${sctpChunk(11)}`, 2, 2],
        [`${family} and ${sctpChunk(0)}`, 4, 4],
        [`${family} and ${sctpChunk(5)}`, 1, 1],
        [`${family} and ${sctpChunk(14)}`, 1, 1],
        [`${family} and ${sctpChunk(6)}`, 2, 2],
      ],
    ),
  ],
};

const LINK_TYPE = { ethernet: 1, 'any-v1': 113, any: 276 } as const;

/** What tcpdump prints of a file, read again. */
function tcpdump(file: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('tcpdump', ['-n', '-r', file, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

/** The filters of `expected` whose count is out of range, with the count: an empty list is right. */
function misses(file: string, expected: Expected): string[] {
  return expected.flatMap(([filter, least, most = Number.POSITIVE_INFINITY]) => {
    const count = Number.parseInt(tcpdump(file, '--count', filter), 10);
    return count >= least && count <= most ? [] : [`${count} packets, not ${least} to ${most}: ${filter}`];
  });
}

/** The lines in which tcpdump finds fault with a checksum. */
function wrongChecksums(file: string): string[] {
  return tcpdump(file, '-vv')
    .split('\n')
    .filter((line) => /incorrect|bad (udp |sctp |icmp6? )?c?k?sum|wrong icmp6? cksum/.test(line));
}

/** Whether a process runs: one that has ended, but of which init has not yet taken note (Z), does not. */
function isAlive(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

const EXAMPLES_FOLDER = fileURLToPath(new URL('../../examples/', import.meta.url));
const EXAMPLE_LIMIT: Readonly<Record<string, number>> = { http: 40, ftp: 80 };
const EXPECTED_IN_EXAMPLE: Readonly<Record<string, Expected>> = {
  http: [
    ['udp dst port 53', 2, 2],
    ['udp src port 53', 2, 2],
    [`${SYN} and dst port 80`, 1, 1],
    ['icmp[0] == 8 or icmp[0] == 0', 2, 2],
    ['icmp6 and (ip6[40] == 128 or ip6[40] == 129)', 2, 2],
    [`${RST} and src port 8080`, 1, 1],
    ['icmp[0] == 3 and icmp[1] == 3', 1, 1],
    ['tcp[13] == 0x12 and src port 443', 1, 1],
    ['arp', 0, 0],
  ],
  ftp: [
    [`${SYN} and dst port 21`, 1, 1],
    [`${SYN} and src port 20`, 1, 1],
    [`${CLIENT} and ${SYN} and dst portrange 40000-40999`, 1, 1],
    ['not tcp', 0, 0],
  ],
};

describe.skipIf(skip)('captures of real programs', () => {
  let dir = '';
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'keepstate-real-test-'));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('everything they need is here', () => {
    expect(unavailable).toBe(null);
  });

  test('every scenario says what its capture has to hold, and every program has its package named', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(SCENARIOS.map(({ name }) => name).sort());
    expect(SCENARIOS.flatMap(({ needs }) => needs).filter((program) => !(program in APT_PACKAGE))).toEqual(
      [],
    );
  });

  test.each(SCENARIOS)('$name: its capture holds what was talked', async ({ name, capture }) => {
    const [recording] = await recordReal(dir, [name]);
    expect(recording.linktype).toBe(LINK_TYPE[capture]);
    expect(misses(recording.file, EXPECTED[name])).toEqual([]);
    expect(wrongChecksums(recording.file)).toEqual([]);
    // 1500 bytes behind a link header of at most 20: what no segmentation offload has glued together.
    expect(tcpdump(recording.file, '--count', 'greater 1521')).toBe('0 packets\n');
    expect(recording.packets).toBe(Number.parseInt(tcpdump(recording.file, '--count'), 10));
  });

  test.each(['http', 'ftp'])('the bundled example %s.pcap is what its recipe makes', async (name) => {
    const [fresh] = await recordExamples(dir, [name]);
    for (const file of [fresh.file, join(EXAMPLES_FOLDER, `${name}.pcap`)]) {
      expect(summarizePcap(file).packets).toBeLessThanOrEqual(EXAMPLE_LIMIT[name]);
      expect(misses(file, EXPECTED_IN_EXAMPLE[name])).toEqual([]);
      expect(wrongChecksums(file)).toEqual([]);
    }
  });

  test('an unknown scenario is refused with the names of those there are', async () => {
    await expect(recordReal(dir, ['htpt'])).rejects.toThrow(/no scenario 'htpt': http, /);
  });

  test('interrupted amid a scenario the recorder leaves no namespace, no folder and no server behind', async () => {
    const record = fileURLToPath(new URL('./record.ts', import.meta.url));
    const tmp = join(dir, 'tmp');
    mkdirSync(tmp);
    const child = spawn(process.execPath, ['--import', 'tsx', record, '--out', dir, 'http'], {
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: tmp },
    });
    const mine = `ks${child.pid}-`;
    const netns = (): string => spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
    while (!netns().includes(`${mine}0-server`)) await pause(10);
    await pause(300);
    const inside = spawnSync('ip', ['netns', 'pids', `${mine}0-server`], { encoding: 'utf8' }).stdout;
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe(130);
    expect(netns()).not.toContain(mine);
    expect(readdirSync(tmp).filter((name) => name.startsWith('keepstate'))).toEqual([]);
    expect(inside).not.toBe('');
    await pause(100);
    const alive = inside.trim().split('\n').filter(isAlive);
    expect(alive).toEqual([]);
  });
});
