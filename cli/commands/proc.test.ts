import { udpPacket } from '@keepstate/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { segment } from '../testing/captures.ts';
import { type Running, RunPlace } from '../testing/daemon.ts';
import { Place, type Ran } from '../testing/keepstate.ts';

const RULES =
  'table inet fw { chain forward { type filter hook forward priority filter; policy accept; }; }\n';

describe('keepstate proc on a running keepstate', () => {
  const instances = new RunPlace();
  const place = new Place();
  let running: Running;
  beforeAll(async () => {
    const rules = instances.file('rules.nft', RULES);
    running = await instances.run(['--rules', rules, '--sysctl', 'nf_conntrack_acct=1']);
    const { driver } = running;
    driver.push(segment('client', 'SYN', 1000, 0, { port: 1000 }), 2, 3);
    driver.push(segment('server', 'SYN ACK', 5000, 1001, { port: 1000 }), 3, 2);
    driver.push(udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 1, dport: 53 }));
  });
  afterAll(async () => {
    place.end();
    await instances.end();
  });

  function proc(...words: readonly string[]): Promise<Ran> {
    return place.run('proc', '--control', running.socket, ...words);
  }

  test('nf_conntrack has a line for each flow, in the order in which they began', async () => {
    const { status, lines, err } = await proc('nf_conntrack');
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(
      /^ipv4 {5}2 tcp {6}6 5\d SYN_RECV src=\S+ dst=\S+ sport=1000 dport=80 packets=1 bytes=\d+ src=\S+ dst=\S+ sport=80 dport=1000 packets=1 bytes=\d+ mark=0 zone=0 use=2$/,
    );
    expect(lines[1]).toMatch(
      /^ipv4 {5}2 udp {6}17 2\d src=10\.0\.0\.1 dst=10\.0\.0\.2 sport=1 dport=53 packets=1 bytes=\d+ \[UNREPLIED\] src=10\.0\.0\.2 dst=10\.0\.0\.1 sport=53 dport=1 packets=0 bytes=0 mark=0 zone=0 use=2$/,
    );
    expect((await proc('/proc/net/nf_conntrack')).lines).toHaveLength(2);
  });

  test('ip_conntrack has the same without network layer and zone', async () => {
    const { lines } = await proc('ip_conntrack');
    expect(lines[1]).toMatch(/^udp {6}17 2\d src=10\.0\.0\.1 .* mark=0 use=1$/);
  });

  test('nf_conntrack_expect is empty where nothing is expected', async () => {
    expect(await proc('nf_conntrack_expect')).toMatchObject({ status: 0, out: '', err: '' });
  });

  test('stat counts in hexadecimal, of one CPU', async () => {
    const { lines } = await proc('stat');
    expect(lines).toHaveLength(2);
    const values = new Map(
      lines[0]!.split(/ +/).map((name, i) => [name, Number.parseInt(lines[1]!.split(/ +/)[i]!, 16)]),
    );
    expect(values.get('entries')).toBe(2);
    // Linux counts here those that commands make (measured).
    expect(values.get('insert')).toBe(0);
    expect(values.get('search_restart')).toBe(0);
  });

  test.each([
    [['nf_contrack'], "unknown file 'nf_contrack': did you mean 'nf_conntrack'?"],
    [[], 'no file is given: expected nf_conntrack, ip_conntrack, nf_conntrack_expect, stat'],
    [['stat', 'nf_conntrack'], "'proc' takes one file"],
    [['stat', '--from', 'x'], '--from and --control contradict each other'],
  ])('%j is refused', async (words, message) => {
    const { status, out, err } = await proc(...words);
    expect(err).toContain(message);
    expect({ status, out }).toEqual({ status: 2, out: '' });
  });
});

test('proc says where else it can look if no keepstate runs', async () => {
  const place = new Place();
  const missing = '/nonexistent';
  const { status, err } = place.spawn(['proc', 'stat'], '', { XDG_RUNTIME_DIR: missing });
  place.end();
  expect(status).toBe(2);
  expect(err).toContain('no keepstate is running');
  expect(err).toContain('--from FILE, --table FILE and --control SOCKET look elsewhere');
});
