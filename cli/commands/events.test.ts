import { CaptureRecord, PcapWriter } from '@keepstate/engine';
import { afterAll, describe, expect, test } from 'vitest';
import { connection, datagram, pcap, START, segment } from '../testing/captures.ts';
import { Place } from '../testing/keepstate.ts';

const place = new Place();
afterAll(() => place.end());

const TUPLE = 'src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80';
const REPLY = 'src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000';
const WEB = place.file('web.pcap', pcap(connection()));

describe('keepstate events', () => {
  test('prints what happens to a connection as conntrack -E does', async () => {
    const { lines, err } = await place.run('events', WEB);
    expect(lines).toEqual([
      `    [NEW] tcp      6 120 SYN_SENT ${TUPLE} [UNREPLIED] ${REPLY}`,
      ` [UPDATE] tcp      6 60 SYN_RECV ${TUPLE} ${REPLY}`,
      ` [UPDATE] tcp      6 432000 ESTABLISHED ${TUPLE} ${REPLY} [ASSURED]`,
      ` [UPDATE] tcp      6 120 FIN_WAIT ${TUPLE} ${REPLY} [ASSURED]`,
      ` [UPDATE] tcp      6 30 LAST_ACK ${TUPLE} ${REPLY} [ASSURED]`,
      ` [UPDATE] tcp      6 120 TIME_WAIT ${TUPLE} ${REPLY} [ASSURED]`,
    ]);
    expect(err).toBe('keepstate 0.1.0: 6 flow events have been shown.\n');
  });

  test('lets time pass until --at: the flow expires to the millisecond, and shows no timeout', async () => {
    const { lines } = await place.run('events', '-o', 'timestamp,id', '--at', '+1000', WEB);
    expect(lines[0]).toBe(
      `[${START}.000000]\t    [NEW] tcp      6 120 SYN_SENT ${TUPLE} [UNREPLIED] ${REPLY} id=1`,
    );
    expect(lines.at(-1)).toBe(
      `[${START + 120}.875000]\t[DESTROY] tcp      6 TIME_WAIT ${TUPLE} ${REPLY} [ASSURED] id=1`,
    );
  });

  test('gives an event the exact time of the packet that caused it', async () => {
    const file = place.file(
      'micro.pcap',
      pcap([{ at: 0.000123, bytes: datagram('10.0.0.1', '10.0.0.2', 1, 2) }]),
    );
    expect((await place.run('events', '-o', 'timestamp', file)).out).toMatch(
      new RegExp(`^\\[${START}\\.000123\\]\t`),
    );
  });

  test('has six digits of time as conntrack -E, and all nine of a nanosecond capture in JSON', async () => {
    const writer = new PcapWriter({ linktype: 101, nanoseconds: true });
    const record = new CaptureRecord().packet(datagram('10.0.0.1', '10.0.0.2', 1, 2), 0, 101);
    record.seconds = START;
    record.nanoseconds = 123_456_789;
    record.time = START * 1000 + 123.456789;
    const file = place.file('nano.pcap', Buffer.concat([writer.header(), writer.record(record)]));
    expect((await place.run('events', '-o', 'timestamp', file)).out).toMatch(
      new RegExp(`^\\[${START}\\.123456\\]\t`),
    );
    expect((await place.run('events', '--json', file)).out).toContain(`"time":${START}.123456789,`);
  });

  test('says the state in an UPDATE only if it changed, as the kernel does', async () => {
    const packets = [
      { at: 0, bytes: segment('client', 'SYN', 1000, 0) },
      // A stale ACK is ignored, but it is an answer.
      { at: 1, bytes: segment('server', 'ACK', 7000, 900) },
    ];
    const file = place.file('stale.pcap', pcap(packets));
    expect((await place.run('events', file)).lines).toEqual([
      `    [NEW] tcp      6 120 SYN_SENT ${TUPLE} [UNREPLIED] ${REPLY}`,
      ` [UPDATE] tcp      6 119 ${TUPLE} ${REPLY}`,
    ]);
    const { lines } = await place.run('events', '--json', file);
    expect(JSON.parse(lines[1]!)).toMatchObject({ changes: ['reply'], state: 'SYN_SENT' });
  });

  test('keeps state and timeout of a flow that a RST removed', async () => {
    const packets = [
      { at: 0, bytes: segment('client', 'SYN', 1000, 0) },
      { at: 1, bytes: segment('server', 'RST ACK', 0, 1001) },
    ];
    const { lines } = await place.run('events', place.file('rst.pcap', pcap(packets)));
    expect(lines[1]).toMatch(/^\[DESTROY\] tcp {6}6 \d+ [A-Z_]+ src=/);
  });

  test('with --json has kind, time, what changed, the flow, and why it left', async () => {
    const { lines } = await place.run('events', '--json', '--at', '+1000', WEB);
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).toMatchObject({
      v: 1,
      event: 'NEW',
      time: START,
      changes: ['new', 'protoinfo'],
      reason: null,
      id: 1,
      state: 'SYN_SENT',
      timeout: 120,
    });
    expect(events[1]).toMatchObject({ event: 'UPDATE', changes: ['reply', 'protoinfo'] });
    expect(events.at(-1)).toMatchObject({
      event: 'DESTROY',
      time: START + 120.875,
      reason: 'timer ran out',
      reasonName: 'expired',
      timeout: null,
      original: { src: '10.0.0.1', dst: '10.0.0.2', sport: 1000, dport: 80 },
    });
  });

  test('shows events of flows that --filter asks for', async () => {
    expect((await place.run('events', '--filter', 'udp', WEB)).lines).toEqual([]);
    expect((await place.run('events', '--filter', 'state SYN_RECV', WEB)).lines).toHaveLength(1);
  });

  test('colours when told to', async () => {
    const { lines } = await place.run('events', '--color=always', WEB);
    expect(lines[0]).toContain('\x1b[32m    [NEW]\x1b[0m tcp ');
    expect(lines[1]).toMatch(/^ \[UPDATE\] tcp /);
  });
});
