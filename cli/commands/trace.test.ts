import { icmpErrorPacket, icmpPacket } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { connection, datagram, pcap, START, segment, type Timed } from '../testing/captures.ts';
import { Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const ARP = new Uint8Array(42).fill(0xff, 0, 6);
ARP.set([0x08, 0x06], 12);

/** The objects of `trace --json`. */
async function traced(packets: readonly Timed[], ...options: string[]): Promise<Record<string, unknown>[]> {
  const { out, status, err } = await place.run(
    'trace',
    '--json',
    ...options,
    place.file('t.pcap', pcap(packets)),
  );
  expect(status, err).toBe(0);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('keepstate trace', () => {
  test('follows a connection from SYN to TIME_WAIT, one line a packet', async () => {
    const { lines, err } = await place.run('trace', place.file('web.pcap', pcap(connection())));
    expect(lines.map((line) => line.slice(0, 73).replace(/ +/g, ' ').trim())).toEqual([
      '1 0.000000 NEW original SYN_SENT [UNREPLIED] 120',
      '2 0.125000 ESTABLISHED reply SYN_RECV 60',
      '3 0.250000 ESTABLISHED original ESTABLISHED [ASSURED] 432000',
      '4 0.375000 ESTABLISHED original ESTABLISHED [ASSURED] 300',
      '5 0.500000 ESTABLISHED reply ESTABLISHED [ASSURED] 300',
      '6 0.625000 ESTABLISHED original FIN_WAIT [ASSURED] 120',
      '7 0.750000 ESTABLISHED reply LAST_ACK [ASSURED] 30',
      '8 0.875000 ESTABLISHED original TIME_WAIT [ASSURED] 120',
    ]);
    expect(lines[0]).toMatch(/ 120 {2}10\.0\.0\.1:1000 > 10\.0\.0\.2:80 tcp SYN seq 1000 win 64240 len 0$/);
    expect(err).toBe('keepstate 0.1.0: 8 packets have been shown.\n');
  });

  test('says why a packet is INVALID', async () => {
    const packets = [
      ...connection().slice(0, 3),
      { at: 1, bytes: segment('client', 'ACK', 0x7fffffff, 5001) },
    ];
    const { lines } = await place.run('trace', place.file('bad.pcap', pcap(packets)));
    expect(lines[3]).toMatch(
      /INVALID +- +- +- {2}10\.0\.0\.1:1000 > .* -- SEQ is over upper bound \d+ \(over/,
    );
  });

  test('with -o timestamp shows the time since the epoch', async () => {
    const { lines } = await place.run(
      'trace',
      '-o',
      'timestamp',
      place.file('t.pcap', pcap(connection().slice(0, 2))),
    );
    expect(lines.map((l) => l.trim().split(/ +/)[1])).toEqual([`${START}.000000`, `${START}.125000`]);
  });

  test('shows what --filter asks for, but tracks everything', async () => {
    const file = place.file('t.pcap', pcap(connection()));
    const { lines } = await place.run('trace', '--filter', 'src 10.0.0.2 and state SYN_RECV', file);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^ +2 .* ESTABLISHED reply +SYN_RECV/);
  });

  test('names the file of each packet where there are several', async () => {
    const a = place.file('a.pcap', pcap(connection(0, 1000).slice(0, 1)));
    const b = place.file('b.pcap', pcap(connection(0.5, 2000).slice(0, 1)));
    const { lines } = await place.run('trace', b, a);
    expect(lines[0]!.endsWith(`  (${a})`)).toBe(true);
    expect(lines[1]!.endsWith(`  (${b})`)).toBe(true);
  });

  test('colours only when told to, without a terminal', async () => {
    const file = place.file('t.pcap', pcap(connection().slice(0, 1)));
    expect((await place.run('trace', file)).out).not.toContain('\x1b');
    expect((await place.run('trace', '--color', 'always', file)).out).toContain('\x1b[32mNEW');
  });

  test('with --check ends with status 1 if a packet that is shown was INVALID, else 0', async () => {
    const bad = [...connection(), { at: 2, bytes: segment('client', 'SYN FIN', 1, 0, { port: 7 }) }];
    const file = place.file('check.pcap', pcap(bad));
    expect((await place.run('trace', '--check', file)).status).toBe(1);
    expect((await place.run('trace', file)).status).toBe(0);
    expect((await place.run('trace', '--check', '--filter', 'port 1000', file)).status).toBe(0);
  });

  test('with --no-time sees every packet at the time of the first', async () => {
    const late = [
      { at: 0, bytes: datagram('10.0.0.1', '10.0.0.2', 5, 53) },
      { at: 100, bytes: datagram('10.0.0.2', '10.0.0.1', 53, 5) },
    ];
    expect((await traced(late)).map((o) => o.ctstate)).toEqual(['NEW', 'NEW']);
    expect((await traced(late, '--no-time')).map((o) => o.ctstate)).toEqual(['NEW', 'ESTABLISHED']);
  });
});

describe('keepstate trace --json', () => {
  test('gives each packet every documented field', async () => {
    const [, second] = await traced(connection().slice(0, 2));
    expect(second).toEqual({
      v: 1,
      packet: 2,
      time: START + 0.125,
      skipped: null,
      verdict: 'accept',
      ctstate: 'ESTABLISHED',
      ctdir: 'reply',
      ctstatus: ['SEEN_REPLY', 'CONFIRMED'],
      flow: 1,
      state: 'SYN_RECV',
      tcpstate: 'SYN_RECV',
      sctpstate: null,
      timeout: 60,
      reason: null,
      reasonCode: null,
      reasonName: null,
      family: 'ipv4',
      protocol: 'tcp',
      protonum: 6,
      src: '10.0.0.2',
      dst: '10.0.0.1',
      length: 40,
      sport: 80,
      dport: 1000,
      flags: ['SYN', 'ACK'],
      seq: 5000,
      ack: 1001,
      window: 64240,
    });
  });

  test('numbers every record, also one that is no IP, and says why that was skipped', async () => {
    const file = place.file('arp.pcap', pcap([{ at: 0, bytes: ARP }], 1));
    const { out } = await place.run('trace', '--json', file);
    expect(JSON.parse(out)).toMatchObject({
      packet: 1,
      skipped: 'not IP: ethertype 0x0806',
      verdict: null,
      ctstate: null,
      ctdir: null,
      ctstatus: [],
      flow: null,
      timeout: null,
      reasonName: 'not-ip',
      family: null,
      src: null,
    });
  });

  test('says of a packet that the capture cut short what is missing, and whose it was', async () => {
    const whole = segment('client', 'PSH ACK', 1, 1, { payload: new Uint8Array(100) });
    const [cut] = await traced([{ at: 0, bytes: whole, snap: 60 }]);
    expect(cut).toMatchObject({
      skipped: 'cut short by the capture: 80 bytes missing',
      ctstate: null,
      src: '10.0.0.1',
      sport: 1000,
    });
  });

  test('says of a packet that Linux drops before tracking why', async () => {
    const bytes = segment('client', 'SYN', 1, 0);
    bytes[10]! ^= 0xff;
    const [bad] = await traced([{ at: 0, bytes }]);
    expect(bad).toMatchObject({ verdict: 'drop', ctstate: null, reasonName: 'ip-checksum' });
    expect(bad!.skipped).toBe(bad!.reason);
  });

  test('has the code, the name and the operands of a reason', async () => {
    const packets = [
      ...connection().slice(0, 3),
      { at: 1, bytes: segment('client', 'ACK', 0x7fffffff, 5001) },
    ];
    const invalid = (await traced(packets))[3]!;
    expect(invalid).toMatchObject({
      ctstate: 'INVALID',
      ctdir: null,
      flow: null,
      reasonCode: 411,
      reasonName: 'tcp-seq-over',
    });
    expect(invalid.reason).toMatch(/upper bound \d+/);
    expect(invalid.skipped).toBeNull();
  });

  test('gives an ICMP error the flow that it is about, in the direction of the error', async () => {
    const quoted = datagram('10.0.0.1', '10.0.0.2', 5, 53);
    const error = icmpErrorPacket({ src: '10.0.0.2', type: 3, code: 3, quoted });
    const [, related] = await traced([
      { at: 0, bytes: quoted },
      { at: 0.1, bytes: error },
    ]);
    expect(related).toMatchObject({
      ctstate: 'RELATED',
      ctdir: 'reply',
      flow: 1,
      protocol: 'icmp',
      type: 3,
      code: 3,
      timeout: 29,
    });
    expect(related).not.toHaveProperty('id');
  });

  test('has type, code and id of a ping', async () => {
    const bytes = icmpPacket({ src: '10.0.0.1', dst: '10.0.0.2', type: 8, code: 0, id: 77 });
    const [ping] = await traced([{ at: 0, bytes }]);
    expect(ping).toMatchObject({ protocol: 'icmp', type: 8, code: 0, id: 77, tcpstate: null, state: null });
  });

  test('knows the flow that its packet removed: a RST before any answer', async () => {
    const [, reset] = await traced([
      { at: 0, bytes: segment('client', 'SYN', 1000, 0) },
      { at: 0.1, bytes: segment('server', 'RST ACK', 0, 1001) },
    ]);
    expect(reset).toMatchObject({
      ctstate: 'ESTABLISHED',
      flow: 1,
      tcpstate: null,
      timeout: null,
      reasonName: 'tcp-reset',
    });
    expect(reset!.ctstatus).toContain('DYING');
  });

  test('names the file of each packet where there are several', async () => {
    const a = place.file('a.pcap', pcap(connection().slice(0, 1)));
    const { lines } = await place.run('trace', '--json', a, a);
    expect(lines.map((line) => (JSON.parse(line) as { file: string }).file)).toEqual([a, a]);
  });
});

describe('hints on standard error', () => {
  test('tell of bad checksums by the dozen, as a capture on the sending host has', async () => {
    const packets = Array.from({ length: 30 }, (_, i) => ({
      at: i,
      bytes: segment('client', 'SYN', 1, 0, { port: 1000 + i, checksum: 0x1234 }),
    }));
    const file = place.file('offload.pcap', pcap(packets));
    const { err } = await place.run('trace', file);
    expect(err).toContain('hint: 30 of 30 packets have a bad transport checksum');
    expect(err).toContain('--sysctl nf_conntrack_checksum=0');
    expect((await place.run('trace', '--quiet', file)).err).toBe('');
  });

  test('tell of packets that were cut short', async () => {
    const bytes = segment('client', 'PSH ACK', 1, 1, { payload: new Uint8Array(100) });
    const { err } = await place.run('trace', place.file('snap.pcap', pcap([{ at: 0, bytes, snap: 60 }])));
    expect(err).toContain('hint: 1 of 1 packet was cut short by');
  });

  test('tell of a capture that saw only one direction', async () => {
    const packets = Array.from({ length: 20 }, (_, i) => ({
      at: i,
      bytes: segment('client', 'ACK', 1, 1, { port: 1000 + i }),
    }));
    const { err } = await place.run('trace', place.file('half.pcap', pcap(packets)));
    expect(err).toContain('hint: no packet went in reply direction');
    expect(err).toContain('or the answers come to translated addresses');
    const open = place.file(
      'open.nft',
      'table ip t {\n chain c { type filter hook forward priority 0; }\n}\n',
    );
    const judged = await place.run('trace', '--rules', open, place.file('half.pcap', pcap(packets)));
    expect(judged.err).toContain('hint: no packet went in reply direction');
    expect(judged.err).not.toContain('translated');
  });

  test('do not blame the capture where the rules drop what would be answered', async () => {
    const packets = Array.from({ length: 20 }, (_, i) => ({
      at: i,
      bytes: segment('client', 'SYN', 1, 0, { port: 1000 + i }),
    }));
    const shut = place.file(
      'shut.nft',
      'table ip t {\n chain c { type filter hook forward priority 0; policy drop; }\n}\n',
    );
    const { err } = await place.run('trace', '--rules', shut, place.file('shut.pcap', pcap(packets)));
    expect(err).toContain('20 packets have been shown');
    expect(err).not.toContain('hint');
  });

  test('are silent where nothing is odd', async () => {
    const { err } = await place.run('trace', place.file('t.pcap', pcap(connection())));
    expect(err).not.toContain('hint');
  });

  test('say that a link type is not read, so that nobody takes the capture for empty', async () => {
    const radio = pcap([{ at: 0, bytes: new Uint8Array(60) }], 127);
    for (const command of ['trace', 'flows']) {
      const { err, status } = await place.run(command, place.file('radio.pcap', radio));
      expect(status).toBe(0);
      expect(err).toContain(
        'hint: 1 of 1 packet was skipped, since keepstate does not read the link type (number 127 of',
      );
    }
  });

  test('say that the clock of a capture was set back, which holds timers up', async () => {
    const packets = [0, 100, 3].map((at) => ({ at, bytes: datagram('10.0.0.1', '10.0.0.2', 1, 2) }));
    const file = place.file('back.pcap', pcap(packets));
    expect((await place.run('trace', file)).err).toContain(
      'hint: packets are up to 97 s older than ones before',
    );
    expect((await place.run('trace', '--no-time', file)).err).not.toContain('hint');
    const late = packets.map((p, i) => ({ ...p, at: 5 - i / 10 }));
    expect((await place.run('trace', place.file('late.pcap', pcap(late)))).err).not.toContain('hint');
  });
});

test('a file name never writes on the terminal what it likes', async () => {
  const name = 'a\nb\x1b[31m.pcap';
  const files = [place.file(name, pcap(connection().slice(0, 1))), place.file('t2.pcap', pcap([]))];
  const { lines } = await place.run('trace', ...files);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/a\?b\?\[31m\.pcap\)$/);
  const [json] = (await place.run('trace', '--json', ...files)).lines;
  expect(JSON.parse(json!)).toMatchObject({ file: files[0] });
});
