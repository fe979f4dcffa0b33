import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CaptureReader, CaptureRecord, icmpPacket, udpPacket } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { connection, pcap, segment } from '../testing/captures.ts';
import { Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const CAPTURE = place.file('http.pcap', pcap(connection()));
const RULES = place.file(
  'rules.nft',
  `table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established accept
		tcp dport 80 log prefix "web " accept
		udp dport 53 reject
	}
}
`,
);
/** The server of the capture. */
const SERVER = ['--iface', 'eth0=10.0.0.2/24'];

interface Line {
  readonly verdict: string;
  readonly hook: string | null;
  readonly rule: Record<string, unknown> | null;
  readonly [field: string]: unknown;
}

async function trace(...args: string[]): Promise<Line[]> {
  const { lines, err } = await place.run('trace', '--json', '--quiet', ...args);
  expect(err).toBe('');
  return lines.map((line) => JSON.parse(line));
}

describe('trace --rules', () => {
  test('gives each packet the verdict, the hook and the rule that decided, with its place', async () => {
    const packets = await trace('--rules', RULES, ...SERVER, CAPTURE);
    expect(packets.map((p) => p.verdict)).toEqual(Array(8).fill('accept'));
    expect(packets[0]).toMatchObject({ hook: 'INPUT', iif: 'eth0' });
    expect(packets[0]!.rule).toEqual({
      file: RULES,
      line: 5,
      family: 'inet',
      table: 'filter',
      chain: 'input',
      number: 2,
      handle: expect.any(Number),
      policy: false,
      text: 'tcp dport 80 log prefix "web " accept',
    });
    expect(packets[2]!.rule).toMatchObject({ line: 4, number: 1 });
  });

  test('shows the way of a packet below its line, and with --verbose what did not match', async () => {
    const short = await place.run('trace', '--rules', RULES, ...SERVER, CAPTURE);
    expect(short.lines[0]).toMatch(/NEW +original +SYN_SENT \[UNREPLIED\] +120 +accept +10\.0\.0\.1:1000/);
    expect(short.lines[1]).toBe('        INPUT');
    expect(short.lines[2]).toBe(
      `          inet filter input rule 2 (${RULES}:5): tcp dport 80 log prefix "web " accept -- accept`,
    );
    const long = await place.run('trace', '-v', '--rules', RULES, ...SERVER, CAPTURE);
    expect(long.out).toContain(
      `rule 1 (${RULES}:4): ct state established accept -- does not match: ct state established`,
    );
    expect(long.out).toContain('conntrack: NEW original');
  });

  test('a policy decides what no rule does', async () => {
    const ping = pcap([{ at: 0, bytes: icmpPacket({ src: '10.0.0.9', dst: '10.0.0.2', type: 8 }) }]);
    const [packet] = await trace('--rules', RULES, ...SERVER, place.file('ping.pcap', ping));
    expect(packet).toMatchObject({ verdict: 'drop', hook: 'INPUT' });
    expect(packet!.rule).toMatchObject({ chain: 'input', policy: true, number: null, line: null });
  });

  test('a rejected packet has the bytes of its answer', async () => {
    const query = udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 4000, dport: 53, payload: 8 });
    const file = place.file('dns.pcap', pcap([{ at: 0, bytes: query }]));
    const [packet] = await trace('--bytes', '--rules', RULES, ...SERVER, file);
    expect(packet).toMatchObject({ verdict: 'reject', out: [] });
    const [answer] = packet!.answers as string[];
    // ICMP type 3, code 3 from the server to the client.
    expect(answer).toMatch(/^45.{18}010a0000020a0000010303|^45.{22}0a0000020a0000010303/);
  });

  test('shows log lines as the kernel writes them', async () => {
    const [packet] = await trace('--log', '--rules', RULES, ...SERVER, CAPTURE);
    const line = (packet!.log as string[])[0]!;
    expect(line).toMatch(/^web IN=eth0 OUT= MAC= SRC=10\.0\.0\.1 DST=10\.0\.0\.2 LEN=40 TOS=0x00 /);
    expect(line).toMatch(/ PROTO=TCP SPT=1000 DPT=80 WINDOW=\d+ RES=0x00 SYN URGP=0 $/);
  });

  test('lists counters after the run', async () => {
    const counted = place.file(
      'count.v4',
      '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -j ACCEPT\nCOMMIT\n',
    );
    const { out } = await place.run('trace', '--counters', '--rules', counted, ...SERVER, CAPTURE);
    // Five packets of the client: four of 40 bytes, one of 50.
    expect(out).toContain('[5:210] -A INPUT -p tcp -j ACCEPT');
  });

  test('lists counters of nft after the run', async () => {
    const counted = place.file(
      'count.nft',
      'table ip t {\n set seen { type ipv4_addr; flags dynamic,timeout; timeout 1h; }\n chain c {\n' +
        ' type filter hook input priority 0;\n tcp dport 80 counter add @seen { ip saddr }\n }\n}\n',
    );
    const { out } = await place.run('trace', '--counters', '--rules', counted, ...SERVER, CAPTURE);
    expect(out).toContain('tcp dport 80 counter packets 5 bytes 210 add @seen { ip saddr }');
    expect(out).toMatch(/elements = \{ 10\.0\.0\.1 expires (1h|59m\d+s\d*m?s?) \}/);
  });

  test('without a host every packet is forwarded, and it says so', async () => {
    const { err, lines } = await place.run('trace', '--json', '--rules', RULES, CAPTURE);
    expect(err).toContain('no host is described');
    expect(JSON.parse(lines[0]!)).toMatchObject({ verdict: 'accept', iif: 'eth0', oif: 'eth1', rule: null });
  });

  test('says in words why a file cannot be written or read', async () => {
    const write = await place.run('trace', '--write', '/nonexistent/x', '--rules', RULES, CAPTURE);
    expect(write.err).toContain('keepstate: cannot write /nonexistent/x: there is no such file or folder\n');
    expect(write.status).toBe(1);
    const host = await place.run('trace', '--host', place.folder, CAPTURE);
    expect(host.err).toContain(`cannot read ${place.folder}: it is a directory`);
  });

  test('an error in a file of the host is told as that, with --filter too', async () => {
    const host = place.file('wrong.yaml', 'interfaces:\n  eth0: [10.0.0.300/24]\n');
    const { err, status } = await place.run('trace', '--filter', 'tcp', '--host', host, CAPTURE);
    expect(err).toMatch(/^keepstate: .*wrong\.yaml:2:\d+: /);
    expect(err).not.toContain('help filter');
    expect(status).toBe(2);
  });

  test('says which rules do nothing without a host', async () => {
    const said = async (name: string, text: string): Promise<string> =>
      (await place.run('trace', '--rules', place.file(name, text), CAPTURE)).err.split('\n')[0]!;
    const input = 'table inet t {\n chain c { type filter hook input priority 0; policy drop; }\n}\n';
    expect(await said('in.nft', input)).toMatch(/to eth1, so that no packet meets the rules at INPUT$/);
    const forward = '*filter\n:INPUT ACCEPT [0:0]\n-A FORWARD -p udp -j DROP\nCOMMIT\n';
    expect(await said('forward.v4', forward)).toMatch(/to eth1$/);
    const nat = '*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n';
    expect(await said('nat.v4', nat)).toMatch(
      /to eth1; masquerade, which takes the address of a device, changes nothing$/,
    );
  });

  test('takes both languages at once, and rules among the captures', async () => {
    const legacy = place.file(
      'more.v4',
      '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 80 -j DROP\nCOMMIT\n',
    );
    const packets = await trace('--rules', RULES, ...SERVER, legacy, CAPTURE);
    expect(packets[0]).toMatchObject({ verdict: 'drop' });
    expect(packets[0]!.rule).toMatchObject({ file: legacy, line: 3, table: 'filter', chain: 'INPUT' });
  });

  test('a dropped first packet leaves no flow', async () => {
    const drop = place.file(
      'drop.nft',
      'table ip t { chain c { type filter hook input priority 0; policy drop; }; }\n',
    );
    const file = place.file('syn.pcap', pcap([{ at: 0, bytes: segment('client', 'SYN', 1, 0) }]));
    const [packet] = await trace('--rules', drop, ...SERVER, file);
    expect(packet).toMatchObject({ verdict: 'drop', ctstate: 'NEW', flow: null });
  });

  test('--check ends with 1 for a drop, and with 3 where a verdict is unknown', async () => {
    const drop = place.file(
      'd.nft',
      'table ip t { chain c { type filter hook forward priority 0; drop; }; }\n',
    );
    expect(await place.run('trace', '--check', '--rules', drop, CAPTURE)).toMatchObject({ status: 1 });
    const socket = place.file(
      's.nft',
      'table ip t { chain c { type filter hook prerouting priority 0; socket transparent 1 drop; }; }\n',
    );
    const ran = await place.run('trace', '--check', '--json', '--rules', socket, CAPTURE);
    expect(ran.status).toBe(3);
    expect(JSON.parse(ran.lines[0]!)).toMatchObject({
      verdict: 'unknown',
      unknown: expect.stringContaining('socket'),
    });
  });

  test('a wrong ruleset ends it with its errors and status 2', async () => {
    const bad = place.file('bad.nft', 'table ip t {\n chain c { acept; }\n}\n');
    const { status, err, out } = await place.run('trace', '--rules', bad, CAPTURE);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(`${bad}:2:12-`);
  });

  test('a ruleset in the place of a capture is said to want --rules', async () => {
    const { status, err } = await place.run('trace', RULES);
    expect(status).toBe(2);
    expect(err).toContain(`hint: if it holds rules, say so: --rules ${RULES}`);
  });

  test('options of rules without rules are refused', async () => {
    const { status, err } = await place.run('trace', '--verbose', CAPTURE);
    expect(status).toBe(2);
    expect(err).toContain('--rules');
  });
});

test('rules among the captures, without --rules, are told before any packet is shown', async () => {
  for (const command of ['trace', 'flows', 'events']) {
    const { status, out, err } = await place.run(command, ...SERVER, RULES, CAPTURE);
    expect([status, out]).toEqual([2, '']);
    expect(err).toContain(`rules go with --rules ${RULES}`);
  }
});

describe('trace of translated flows', () => {
  const EXAMPLE = fileURLToPath(new URL('../../examples/ftp-masquerade/', import.meta.url));
  const given = ['--rules', `${EXAMPLE}rules.nft`, '--host', `${EXAMPLE}host.yaml`, `${EXAMPLE}capture.pcap`];

  test('shows the packet as it came, what it becomes, and why it got its port', async () => {
    const { out } = await place.run('trace', '--quiet', ...given);
    const lines = out.split('\n');
    const first = lines.findIndex((line) => line.includes('tcp SYN'));
    expect(lines[first]).toMatch(/ 192\.0\.2\.10:\d+ > 198\.51\.100\.80:21 tcp SYN/);
    const below = lines.slice(first + 1, first + 12).join('\n');
    expect(below).toMatch(/nat: source 192\.0\.2\.10:(\d+) -> 198\.51\.100\.1:\1 \(port kept\)/);
    expect(below).toMatch(/becomes 198\.51\.100\.1:\d+ > 198\.51\.100\.80:21 tcp SYN/);
    const data = lines.findIndex((line) => /RELATED +original/.test(line));
    expect(lines[data + 1]).toBe('        expected by flow 1, helper ftp');
  });

  test('tells programs the same', async () => {
    const packets = await trace('--verbose', ...given);
    const steps = packets[0]!.steps as Record<string, unknown>[];
    const source = steps.find((step) => step.step === 'nat' && step.end === 'source');
    expect(source).toMatchObject({
      hook: 'POSTROUTING',
      before: { address: '192.0.2.10' },
      after: { address: '198.51.100.1' },
      result: 'port kept',
    });
    expect(packets[0]).toMatchObject({ src: '192.0.2.10', dst: '198.51.100.80' });
    const related = packets.find((packet) => packet.ctstate === 'RELATED');
    expect(related!.expectedBy).toEqual({ flow: 1, helper: 'ftp' });
  });
});

describe('trace --write', () => {
  const path = place.file('left.pcapng', '');

  async function written(...args: string[]): Promise<{ comment: string; name: string; bytes: Uint8Array }[]> {
    const { err } = await place.run('trace', '--quiet', '--write', path, ...args);
    expect(err).toBe('');
    const reader = new CaptureReader(path);
    reader.push(readFileSync(path));
    const out: { comment: string; name: string; bytes: Uint8Array }[] = [];
    const record = new CaptureRecord();
    while (reader.next(record)) {
      const name = reader.interfaces[record.iface]!.name;
      const bytes = record.bytes.slice(record.off, record.off + record.caplen);
      out.push({ comment: reader.comment() ?? '', name, bytes });
    }
    reader.end();
    return out;
  }

  test('writes what leaves on the interface by which it leaves, with the verdict as a comment', async () => {
    const packets = await written('--rules', place.file('open.nft', 'table ip t { }\n'), CAPTURE);
    expect(packets).toHaveLength(8);
    expect(packets[0]).toMatchObject({ comment: 'packet 1: accept', name: 'eth1' });
    // One hop less.
    expect(packets[0]!.bytes[8]).toBe(63);
  });

  test('writes what this host gets and what the firewall answers, and nothing of what is dropped', async () => {
    const host = ['--iface', 'eth0=10.0.0.2/24'];
    const ask = place.file(
      'ask.pcap',
      pcap([
        { at: 0, bytes: udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 4000, dport: 53, payload: 8 }) },
      ]),
    );
    const refused = await written('--rules', RULES, ...host, ask);
    expect(refused.map((p) => p.comment)).toEqual(["packet 1: reject; the firewall's reject"]);
    expect(refused[0]!.name).toBe('eth0');
    const taken = await written('--rules', RULES, ...host, CAPTURE);
    expect(taken[0]!.comment).toBe(
      `packet 1: accept by ${RULES}:5 (inet filter input); delivered to this host`,
    );
    const drop = place.file(
      'drop.pcap',
      pcap([
        { at: 0, bytes: udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport: 4000, dport: 54, payload: 8 }) },
      ]),
    );
    expect(await written('--rules', RULES, ...host, drop)).toEqual([]);
  });

  test('refuses to write over what it reads', async () => {
    for (const name of [CAPTURE, RULES]) {
      const before = readFileSync(name);
      const { status, err } = await place.run('trace', '--rules', RULES, '--write', name, CAPTURE);
      expect([status, err]).toEqual([2, expect.stringContaining('that is one of the files to be read')]);
      expect(readFileSync(name)).toEqual(before);
    }
    const among = place.file('among.nft', readFileSync(RULES));
    const also = await place.run('trace', '--rules', RULES, '--write', among, among, CAPTURE);
    expect(also.err).toContain('that is one of the files to be read');
    expect(readFileSync(among)).toEqual(readFileSync(RULES));
  });

  test('refuses standard output, and a file that cannot be written', async () => {
    const dash = await place.run('trace', '--rules', RULES, '--write', '-', CAPTURE);
    expect([dash.status, dash.err]).toEqual([2, expect.stringContaining('standard output has the trace')]);
    const none = await place.run('trace', '--rules', RULES, '--write', '/nowhere/x.pcapng', CAPTURE);
    expect([none.status, none.err]).toEqual([1, expect.stringContaining('/nowhere/x.pcapng')]);
  });
});
