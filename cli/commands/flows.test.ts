import { afterAll, describe, expect, test } from 'vitest';
import { connection, datagram, pcap, START, segment } from '../testing/captures.ts';
import { Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const QUERY = { at: 1, bytes: datagram('10.0.0.1', '10.0.0.53', 5000, 53) };
const MIXED = place.file('mixed.pcap', pcap([...connection(), QUERY]));
const WEB_LINE =
  'tcp      6 119 TIME_WAIT src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 [ASSURED] mark=0 use=1';
const DNS_LINE =
  'udp      17 30 src=10.0.0.1 dst=10.0.0.53 sport=5000 dport=53 [UNREPLIED] src=10.0.0.53 dst=10.0.0.1 sport=53 dport=5000 mark=0 use=1';

describe('keepstate flows', () => {
  test('prints the table after the last packet as conntrack -L does, with its summary', async () => {
    const { lines, err, status } = await place.run('flows', MIXED);
    expect(lines).toEqual([WEB_LINE, DNS_LINE]);
    expect(err).toBe('keepstate 0.1.0: 2 flow entries have been shown.\n');
    expect(status).toBe(0);
  });

  test('at a later moment has let time pass: timeouts went down and flows expired', async () => {
    expect((await place.run('flows', '--at', '+21', MIXED)).lines).toEqual([
      WEB_LINE.replace(' 119 ', ' 99 '),
      DNS_LINE.replace(' 30 ', ' 10 '),
    ]);
    expect((await place.run('flows', '--at', '+31', MIXED)).lines).toEqual([
      WEB_LINE.replace(' 119 ', ' 89 '),
    ]);
    expect((await place.run('flows', '--at', String(START + 500), MIXED)).lines).toEqual([]);
  });

  test('at an earlier moment has not seen the later packets', async () => {
    const { lines } = await place.run('flows', '--at', '+0.3', MIXED);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^tcp {6}6 431999 ESTABLISHED /);
    expect((await place.run('flows', '--at', '2000-01-01', MIXED)).lines).toEqual([]);
  });

  test('counts by protocol and state', async () => {
    expect((await place.run('flows', '--count', MIXED)).lines.map((l) => l.replace(/ +/g, ' '))).toEqual([
      'tcp TIME_WAIT 1',
      'udp UNREPLIED 1',
      'total 2',
    ]);
    expect(JSON.parse((await place.run('flows', '--count', '--json', MIXED)).out)).toEqual({
      v: 1,
      total: 2,
      counts: [
        { protocol: 'tcp', state: 'TIME_WAIT', count: 1 },
        { protocol: 'udp', state: 'UNREPLIED', count: 1 },
      ],
    });
  });

  test('shows what --filter asks for', async () => {
    expect((await place.run('flows', '--filter', 'udp and status UNREPLIED', MIXED)).lines).toEqual([
      DNS_LINE,
    ]);
  });

  test('has the formats of conntrack -L -o extended,id and of /proc', async () => {
    expect((await place.run('flows', '--format', 'extended', '-o', 'id', MIXED)).lines[1]).toBe(
      `ipv4     2 ${DNS_LINE} id=2`,
    );
    expect((await place.run('flows', '-o', 'extended,id', MIXED)).lines[1]).toBe(
      `ipv4     2 ${DNS_LINE} id=2`,
    );
    expect((await place.run('flows', '--format', 'proc', MIXED)).lines[1]).toBe(
      `ipv4     2 ${DNS_LINE.replace('mark=0 use=1', 'mark=0 zone=0 use=2')}`,
    );
    expect((await place.run('flows', '--format', 'proc-classic', MIXED)).lines[1]).toBe(DNS_LINE);
  });

  test('of a 2.4 profile prints /proc/net/ip_conntrack as it was, unless told otherwise', async () => {
    expect((await place.run('flows', '--profile', 'linux-2.4', MIXED)).lines[1]).toBe(
      DNS_LINE.replace('mark=0 ', ''),
    );
    expect(
      (await place.run('flows', '--profile', 'linux-2.4', '--format', 'conntrack', MIXED)).lines[1],
    ).toBe(DNS_LINE);
  });

  test('counts and dates with the sysctls that make Linux do it', async () => {
    const { lines } = await place.run(
      'flows',
      '--sysctl',
      'nf_conntrack_acct=1',
      '--sysctl',
      'net.netfilter.nf_conntrack_timestamp=1',
      '--at',
      '+11',
      MIXED,
    );
    expect(lines[0]).toMatch(
      /dport=80 packets=5 bytes=210 src=.* dport=1000 packets=3 bytes=130 \[ASSURED\] mark=0 delta-time=11 use=1$/,
    );
  });

  test('obeys a sysctl', async () => {
    const { lines } = await place.run('flows', '--sysctl', 'ip_conntrack_udp_timeout=77', MIXED);
    expect(lines[1]).toContain('udp      17 77 ');
  });

  test('adds the Community ID when asked to, the same in every format', async () => {
    const { lines } = await place.run('flows', '--community-id', MIXED);
    const id = lines[0]!.split(' community_id=')[1];
    expect(id).toMatch(/^1:.{27}=$/);
    expect(JSON.parse((await place.run('flows', '--community-id', '--json', MIXED)).lines[0]!)).toMatchObject(
      { community_id: id },
    );
    expect((await place.run('flows', '--community-id', '--format', 'zeek', MIXED)).out).toContain(
      `\t${id}\n`,
    );
  });
});

describe('keepstate flows --json', () => {
  test('gives each flow every documented field', async () => {
    const { lines } = await place.run('flows', '--json', '--sysctl', 'nf_conntrack_acct=1', MIXED);
    expect(JSON.parse(lines[1]!)).toEqual({
      v: 1,
      id: 2,
      family: 'ipv4',
      protocol: 'udp',
      protonum: 17,
      state: null,
      timeout: 30,
      original: { src: '10.0.0.1', dst: '10.0.0.53', sport: 5000, dport: 53 },
      reply: { src: '10.0.0.53', dst: '10.0.0.1', sport: 53, dport: 5000 },
      status: ['CONFIRMED', 'UNREPLIED'],
      counters: { original: { packets: 1, bytes: 33 }, reply: { packets: 0, bytes: 0 } },
      mark: 0,
      zone: 0,
      helper: null,
      master: null,
      use: 1,
      start: null,
    });
    expect(JSON.parse(lines[0]!)).toMatchObject({
      state: 'TIME_WAIT',
      status: ['SEEN_REPLY', 'ASSURED', 'CONFIRMED'],
    });
  });
});

describe('keepstate flows --format zeek', () => {
  /** Rows of a conn.log as objects by column. */
  async function rows(file: string): Promise<Record<string, string>[]> {
    const { lines } = await place.run('flows', '--format', 'zeek', file);
    const fields = lines
      .find((l) => l.startsWith('#fields'))!
      .split('\t')
      .slice(1);
    return lines
      .filter((l) => !l.startsWith('#'))
      .map((l) => Object.fromEntries(l.split('\t').map((value, i) => [fields[i], value])));
  }

  test('is a conn.log with head and tail, dated by the capture', async () => {
    const { lines } = await place.run('flows', '--format', 'zeek', MIXED);
    expect(lines.slice(0, 5)).toEqual([
      '#separator \\x09',
      '#set_separator\t,',
      '#empty_field\t(empty)',
      '#unset_field\t-',
      '#path\tconn',
    ]);
    expect(lines[5]).toMatch(/^#open\t2026-11-21-\d\d-51-47$/);
    expect(lines.at(-1)).toMatch(/^#close\t2026-11-21-\d\d-51-48$/);
    expect(lines[6]!.split('\t')).toHaveLength(lines[7]!.split('\t').length);
  });

  test('tells of a whole connection its sizes, its end and its history', async () => {
    const [web, dns] = await rows(MIXED);
    expect(web).toMatchObject({
      ts: `${START}.000000`,
      'id.orig_h': '10.0.0.1',
      'id.orig_p': '1000',
      'id.resp_h': '10.0.0.2',
      'id.resp_p': '80',
      proto: 'tcp',
      duration: '0.875000',
      orig_bytes: '10',
      resp_bytes: '10',
      conn_state: 'SF',
      missed_bytes: '0',
      history: 'ShADdFf',
      orig_pkts: '5',
      orig_ip_bytes: '210',
      resp_pkts: '3',
      resp_ip_bytes: '130',
    });
    expect(dns).toMatchObject({
      proto: 'udp',
      conn_state: 'S0',
      duration: '-',
      orig_bytes: '-',
      orig_pkts: '1',
      history: 'D',
    });
  });

  test('tells of flows that are long gone from the table, in the order in which they ended', async () => {
    const packets = [
      QUERY,
      { at: 100, bytes: segment('client', 'SYN', 1, 0) },
      { at: 101, bytes: segment('server', 'RST ACK', 0, 2) },
    ];
    const all = await rows(place.file('gone.pcap', pcap(packets)));
    expect(all.map((r) => [r.proto, r.conn_state, r.history, r.orig_pkts, r.resp_pkts])).toEqual([
      ['udp', 'S0', 'D', '1', '0'],
      ['tcp', 'REJ', 'Sr', '1', '1'],
    ]);
  });

  test('is the same in every run', async () => {
    expect((await place.run('flows', '--format', 'zeek', MIXED)).out).toBe(
      (await place.run('flows', '--format', 'zeek', MIXED)).out,
    );
  });
});

describe('keepstate flows refuses', () => {
  test.each([
    [['--format', 'zek'], "unknown value of --format 'zek': did you mean 'zeek'?"],
    [['--json', '--format', 'proc'], '--json and --format proc contradict each other'],
    [['--count', '--format', 'zeek'], '--count and --format zeek contradict each other'],
    [['--profile', 'linux-2.5'], "unknown value of --profile 'linux-2.5': did you mean 'linux-2.4'?"],
    [
      ['--sysctl', 'nf_conntrack_tcp_lose=1'],
      "unknown sysctl 'nf_conntrack_tcp_lose': did you mean 'nf_conntrack_tcp_loose'?",
    ],
    [
      ['--sysctl', 'nf_conntrack_tcp_loose=2'],
      "nf_conntrack_tcp_loose: bad value '2': expected a whole number from 0 to 1",
    ],
    [
      ['--sysctl', 'nf_conntrack_tcp_loose'],
      "bad value 'nf_conntrack_tcp_loose' of --sysctl: expected NAME=VALUE",
    ],
    [['--seed', 'x'], "bad value 'x' of --seed"],
    [['--at', 'noon'], "bad time 'noon'"],
    [['-o', 'timestamp'], "unknown value of --output 'timestamp'"],
    [['--filter', 'ctstate NEW'], "'ctstate' is of packets"],
  ])('%j with status 2 and a reason', async (options, message) => {
    const { status, out, err } = await place.run('flows', ...options, MIXED);
    expect(err).toContain(message);
    expect(status).toBe(2);
    expect(out).toBe('');
  });

  test.each([
    [['--format', 'proc', '-o', 'id'], '-o id is of --format conntrack and extended, not of proc'],
    [['--profile', 'linux-2.4', '-o', 'extended,id'], '-o extended,id is of --format conntrack and extended'],
    [['--format', 'zeek', '-o', 'ktimestamp'], 'not of zeek'],
    [['--count', '-o', 'id'], '--count and -o id contradict each other'],
    [['--count', '--community-id'], '--count and --community-id contradict each other'],
    [['-o', ''], "unknown value of --output '': expected extended, id, ktimestamp"],
  ])('refuses %j, which would change nothing', async (options, message) => {
    const { err, status } = await place.run('flows', ...options, MIXED);
    expect(err).toContain(message);
    expect(status).toBe(2);
  });

  test('counts in a 2.4 profile too, and prints its flows as conntrack does when told so', async () => {
    const { lines } = await place.run('flows', '--profile', 'linux-2.4', '--count', MIXED);
    expect(lines.at(-1)).toMatch(/^total +2$/);
    const extended = await place.run(
      'flows',
      '--profile',
      'linux-2.4',
      '--format',
      'extended',
      '-o',
      'id',
      MIXED,
    );
    expect(extended.lines[0]).toMatch(/^ipv4 {5}2 tcp .* id=1$/);
  });
});
