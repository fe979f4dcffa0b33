import { readFileSync } from 'node:fs';
import { tcpPacket } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { pcap } from '../testing/captures.ts';
import { Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const SYN = 2;
const ACK = 16;

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** An FTP client that announces port 1025, and the server that connects to it. */
function segments(): readonly Uint8Array[] {
  const client = { src: '10.0.0.1', dst: '10.0.0.2', sport: 40000, dport: 21 };
  const server = { src: '10.0.0.2', dst: '10.0.0.1', sport: 21, dport: 40000 };
  const data = { src: '10.0.0.2', dst: '10.0.0.1', sport: 20, dport: 1025 };
  const [hello, user, port] = ['220 x\r\n', 'USER x\r\n', 'PORT 10,0,0,1,4,1\r\n'].map(bytesOf);
  return [
    tcpPacket({ ...client, flags: SYN, seq: 100 }),
    tcpPacket({ ...server, flags: SYN | ACK, seq: 500, ack: 101 }),
    tcpPacket({ ...client, flags: ACK, seq: 101, ack: 501 }),
    tcpPacket({ ...server, flags: ACK, seq: 501, ack: 101, payload: hello! }),
    tcpPacket({ ...client, flags: ACK, seq: 101, ack: 508, payload: user! }),
    tcpPacket({ ...client, flags: ACK, seq: 109, ack: 508, payload: port! }),
    tcpPacket({ ...data, flags: SYN, seq: 7 }),
  ];
}

const timed = segments().map((bytes, at) => ({ at, bytes }));
const ANNOUNCED = place.file('announced.pcap', pcap(timed.slice(0, 6)));
const DATA = place.file('data.pcap', pcap(timed));
const RULES = place.file(
  'helper.rules',
  '*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n',
);
const LINE =
  '300 proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=1025 mask-src=255.255.255.255 mask-dst=255.255.255.255 sport=0 dport=65535 master-src=10.0.0.1 master-dst=10.0.0.2 sport=40000 dport=21 class=0 helper=ftp';

describe('what helpers expect', () => {
  test('is shown by flows --expect, as conntrack -L expect does', async () => {
    const { lines, err } = await place.run('flows', '--expect', '--rules', RULES, ANNOUNCED);
    expect(lines).toEqual([LINE]);
    expect(err).toContain(': 1 expectations have been shown.\n');
    const later = await place.run('flows', '--expect', '--rules', RULES, '--at', '+15', ANNOUNCED);
    expect(later.lines).toEqual([LINE.replace('300 ', '290 ')]);
    expect((await place.run('flows', '--expect', '--rules', RULES, '--at', '+306', ANNOUNCED)).lines).toEqual(
      [],
    );
  });

  test('is nothing without a rule, except of the classic system', async () => {
    expect((await place.run('flows', '--expect', ANNOUNCED)).lines).toEqual([]);
    expect((await place.run('flows', '--expect', '--profile', 'linux-2.4', ANNOUNCED)).lines).toEqual([LINE]);
  });

  test('has the formats of /proc, XML and JSON', async () => {
    const run = async (format: string): Promise<readonly string[]> =>
      (await place.run('flows', '--expect', '--rules', RULES, '--format', format, ANNOUNCED)).lines;
    expect(await run('proc')).toEqual([
      '300 l3proto = 2 proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=1025 ftp',
    ]);
    expect((await run('xml')).slice(0, 2)).toEqual(['<?xml version="1.0" encoding="utf-8"?>', '<expect>']);
    expect(JSON.parse((await run('json'))[0]!)).toEqual({
      v: 1,
      id: 1,
      family: 'ipv4',
      protonum: 6,
      timeout: 300,
      tuple: { src: '10.0.0.2', dst: '10.0.0.1', sport: 0, dport: 1025 },
      mask: { src: '255.255.255.255', dst: '255.255.255.255', sport: 0, dport: 65535 },
      master: 1,
      masterTuple: { src: '10.0.0.1', dst: '10.0.0.2', sport: 40000, dport: 21 },
      zone: 0,
      class: 0,
      className: null,
      helper: 'ftp',
      expectedHelper: null,
      flags: [],
      nat: null,
    });
    expect((await place.run('flows', '--expect', '--count', '--rules', RULES, ANNOUNCED)).lines).toEqual([
      '1',
    ]);
  });

  test('has the fields that docs/json.md lists', async () => {
    const page = readFileSync(new URL('../../docs/json.md', import.meta.url), 'utf8');
    const section = page.split(/^## /m).find((part) => part.startsWith('expectations\n'))!;
    const { lines } = await place.run('flows', '--expect', '--json', '--rules', RULES, ANNOUNCED);
    const documented = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name!);
    expect(Object.keys(JSON.parse(lines[0]!) as object).sort()).toEqual(documented.sort());
  });

  test('makes a flow that comes RELATED: it has a master, and the master one more that refers to it', async () => {
    const { lines } = await place.run('flows', '--json', '--rules', RULES, DATA);
    const [control, data] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([control!.helper, control!.use, data!.master, data!.use]).toEqual(['ftp', 2, 1, 1]);
    expect(data!.status).toContain('EXPECTED');
    expect((await place.run('flows', '--rules', RULES, DATA)).lines[0]).toMatch(/ mark=0 helper=ftp use=2$/);
    expect((await place.run('trace', '--rules', RULES, '--json', DATA)).lines.at(-1)).toContain('"RELATED"');
  });

  test('comes and goes among the events', async () => {
    const { lines, err } = await place.run('events', '--rules', RULES, '--no-time', DATA);
    expect(lines.slice(-3)).toEqual([
      `    [NEW] ${LINE}`,
      `[DESTROY] ${LINE}`,
      '    [NEW] tcp      6 120 SYN_SENT src=10.0.0.2 dst=10.0.0.1 sport=20 dport=1025 [UNREPLIED] src=10.0.0.1 dst=10.0.0.2 sport=1025 dport=20',
    ]);
    expect(err).toContain(' and 2 expectation events have been shown.');
    const json = await place.run('events', '--rules', RULES, '--json', '--at', '+400', ANNOUNCED);
    const told = json.lines.map((line) => JSON.parse(line) as Record<string, never>);
    const first = told[0]!.time;
    expect(
      told
        .filter(({ event }) => String(event).startsWith('EXPECT_'))
        .map(({ event, time }) => [event, Math.round((time - first) * 1000)]),
    ).toEqual([
      ['EXPECT_NEW', 5000],
      ['EXPECT_DESTROY', 305_000],
    ]);
  });

  test.each([
    ['--format', 'zeek'],
    ['--format', 'extended'],
    ['--filter', 'tcp'],
    ['-o', 'id'],
    ['--community-id'],
  ])('flows --expect and %s %s contradict each other', async (...words) => {
    const { err, status } = await place.run('flows', '--expect', ...words, ANNOUNCED);
    expect([status, err.includes('contradict')]).toEqual([2, true]);
  });
});
