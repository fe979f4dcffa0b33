import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, RunPlace } from '../testing/daemon.ts';
import { Place, type Ran } from '../testing/keepstate.ts';

const RULES =
  'table inet fw { chain forward { type filter hook forward priority filter; policy accept; }; }\n';

describe('keepstate sysctl', () => {
  const instances = new RunPlace();
  const place = new Place();
  let running: Running;
  beforeAll(async () => {
    running = await instances.run(['--rules', instances.file('rules.nft', RULES)]);
  });
  afterAll(async () => {
    place.end();
    await instances.end();
  });

  function sysctl(...words: readonly string[]): Promise<Ran> {
    return place.run('sysctl', '--control', running.socket, ...words);
  }

  test('shows values as sysctl(8) does, by names with and without net.netfilter., with dots or slashes', async () => {
    const names = [
      'nf_conntrack_max',
      'net.netfilter.nf_conntrack_max',
      'net/netfilter/nf_conntrack_max',
      'net.ipv4.netfilter.ip_conntrack_max',
    ];
    const { status, lines, err } = await sysctl(...names);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(lines).toEqual(names.map(() => 'net.netfilter.nf_conntrack_max = 262144'));
    expect((await sysctl('net.ipv4.ipfrag_time')).out).toBe('net.ipv4.ipfrag_time = 30\n');
    expect((await sysctl('-n', 'nf_conntrack_max')).out).toBe('262144\n');
  });

  test('sets values, with -w and without, and shows what they are then', async () => {
    expect((await sysctl('-w', 'nf_conntrack_tcp_loose=0')).out).toBe(
      'net.netfilter.nf_conntrack_tcp_loose = 0\n',
    );
    expect((await sysctl('nf_conntrack_udp_timeout=17', 'nf_conntrack_udp_timeout')).lines).toEqual([
      'net.netfilter.nf_conntrack_udp_timeout = 17',
      'net.netfilter.nf_conntrack_udp_timeout = 17',
    ]);
    expect((await sysctl('nf_conntrack_tcp_loose')).out).toContain(' = 0\n');
  });

  test('-a shows them all, in the order of their names', async () => {
    const { lines } = await sysctl('-a');
    expect(lines).toContain('net.netfilter.nf_conntrack_tcp_timeout_established = 432000');
    expect(lines).toContain('net.netfilter.nf_conntrack_count = 0');
    expect(lines).toEqual([...lines].sort());
    expect((await sysctl('-a', '-n')).lines.every((line) => /^-?\d+$/.test(line))).toBe(true);
  });

  test.each([
    ['nf_conntrack_mx', "unknown sysctl 'nf_conntrack_mx': did you mean 'nf_conntrack_max'?"],
    [
      'nf_conntrack_tcp_loose=7',
      "nf_conntrack_tcp_loose: bad value '7': expected a whole number from 0 to 1",
    ],
    ['nf_conntrack_max=many', "nf_conntrack_max: bad value 'many'"],
    ['nf_conntrack_count=5', "sysctl 'nf_conntrack_count' cannot be set"],
  ])('of %s says what is wrong, does the rest, and ends with status 1', async (word, message) => {
    const { status, out, err } = await sysctl(word, 'nf_conntrack_acct');
    expect(err).toContain(`keepstate: ${message}`);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect({ status, out }).toEqual({ status: 1, out: 'net.netfilter.nf_conntrack_acct = 0\n' });
  });

  test.each([
    [[], 'no sysctl is given'],
    [['-w', 'nf_conntrack_max'], "-w needs NAME=VALUE, not 'nf_conntrack_max'"],
    [['nf_conntrack_max='], "bad word 'nf_conntrack_max='"],
    [['-a', 'nf_conntrack_max'], '-a shows all'],
    [['-a', '-w'], '-a and -w contradict each other'],
  ])('%j is refused', async (words, message) => {
    const { status, out, err } = await sysctl(...words);
    expect(err).toContain(message);
    expect({ status, out }).toEqual({ status: 2, out: '' });
  });

  test('says where it looked if no keepstate runs there', async () => {
    const { status, err } = await place.run('sysctl', '--control', '/nonexistent/socket', '-a');
    expect(err).toContain('no keepstate is running: there is no socket /nonexistent/socket');
    expect(status).toBe(2);
  });
});
