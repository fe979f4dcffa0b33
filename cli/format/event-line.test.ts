import { ipct } from '@keepstate/engine';
import { describe, expect, test } from 'vitest';
import { goldenFlow, NOW } from '../testing/golden-flow.ts';
import { type EventKind, type EventLineOptions, eventBody, eventLine, eventTells } from './event-line.ts';

/** Prints again what conntrack -E printed. */
function again(line: string, options: EventLineOptions = {}): string {
  const match = /^(?:\[([\d.]+)\]\t)? *\[(NEW|UPDATE|DESTROY)\] (.*)$/.exec(line)!;
  const [, stamp = '', kind, body] = match;
  const event = { kind: kind as EventKind, time: NOW, flow: goldenFlow(body!), state: true };
  return eventLine(event, stamp, { timestamp: stamp !== '', ...options });
}

// Lines of conntrack 1.4.7 -E on Linux 6.18.
const PLAIN = [
  '[1795230795.929907]\t    [NEW] udp      17 1 src=10.0.1.2 dst=10.0.2.2 sport=42013 dport=7001 zone-orig=5 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=7001 dport=42013',
  '[1795230795.929973]\t    [NEW] tcp      6 120 SYN_SENT src=10.0.1.2 dst=10.0.2.2 sport=32998 dport=443 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=443 dport=32998',
  '[1795230795.929982]\t [UPDATE] tcp      6 60 SYN_RECV src=10.0.1.2 dst=10.0.2.2 sport=32998 dport=443 src=10.0.2.2 dst=10.0.1.2 sport=443 dport=32998',
  '[1795230795.929988]\t [UPDATE] tcp      6 432000 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=32998 dport=443 src=10.0.2.2 dst=10.0.1.2 sport=443 dport=32998 [ASSURED]',
  '[1795230796.897466]\t[DESTROY] udp      17 src=10.0.1.2 dst=10.0.2.2 sport=42013 dport=7002 zone-orig=5 packets=1 bytes=29 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=7002 dport=42013 packets=0 bytes=0',
  ' [UPDATE] tcp      6 432000 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=56510 dport=21 src=10.0.2.2 dst=10.0.2.1 sport=21 dport=56510 [ASSURED] helper=ftp',
  '    [NEW] udp      17 30 src=10.0.1.2 dst=10.0.2.2 sport=38479 dport=5354 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=5354 dport=38479 mark=42 zone=7',
  ' [UPDATE] icmp     1 30 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=27607 src=10.0.2.2 dst=10.0.2.1 type=0 code=0 id=27607',
  '[1795230142.373495]\t    [NEW] gre      47 30 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x0 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 srckey=0x0 dstkey=0x0',
  '[1795239387.631956]\t[DESTROY] tcp      6 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=1 dport=2 packets=0 bytes=0 src=10.0.2.2 dst=10.0.1.2 sport=2 dport=1 packets=0 bytes=0 [ASSURED] delta-time=1',
  '[1795239386.608162]\t[DESTROY] tcp      6 120 CLOSE src=127.0.0.1 dst=127.0.0.1 sport=38600 dport=9 packets=1 bytes=60 [UNREPLIED] src=127.0.0.1 dst=127.0.0.1 sport=9 dport=38600 packets=1 bytes=40 delta-time=0',
  '[1795230142.373569]\t    [NEW] unknown  99 600 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2',
];

describe('a line of conntrack -E', () => {
  test.each(PLAIN)('is printed as the tool prints it: %s', (line) => {
    expect(again(line)).toBe(line);
  });

  test.each([
    '[1795229507.064555]\t    [NEW] ipv4     2 tcp      6 120 SYN_SENT src=10.0.1.2 dst=10.0.2.2 sport=49220 dport=443 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=443 dport=49220 id=389436412',
    '[1795229508.086494]\t [UPDATE] ipv6     10 icmpv6   58 30 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9136 src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9136 id=2514859193',
    '[1795229509.826631]\t[DESTROY] ipv4     2 tcp      6 117 SYN_SENT src=10.0.1.2 dst=10.0.2.99 sport=59580 dport=22 packets=1 bytes=60 [UNREPLIED] src=10.0.2.99 dst=10.0.2.1 sport=22 dport=59580 packets=0 bytes=0 delta-time=2 id=1076981281',
  ])('with -o timestamp,extended,id is too: %s', (line) => {
    expect(again(line, { extended: true, id: true })).toBe(line);
  });

  test('of a flow that left with a start time says how long it lived and, with -o ktimestamp, from when to when', () => {
    const start = new Date(2026, 10, 21, 2, 51, 48).getTime();
    const line =
      '[DESTROY] udp      17 28 src=10.0.1.2 dst=10.0.2.2 sport=36431 dport=53 packets=1 bytes=29 src=10.0.2.2 dst=10.0.2.1 sport=53 dport=36431 packets=1 bytes=29 delta-time=1 [start=Sat Nov 21 02:51:48 2026] [stop=Sat Nov 21 02:51:49 2026]';
    const flow = { ...goldenFlow(line.slice(10)), start };
    expect(
      eventLine({ kind: 'DESTROY', time: start + 1400, flow, state: true }, '', { ktimestamp: true }),
    ).toBe(line);
  });

  test('has no counters before the flow leaves', () => {
    const flow = goldenFlow(
      'udp 17 30 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 packets=1 bytes=29 src=2.2.2.2 dst=1.1.1.1 sport=2 dport=1 packets=0 bytes=0',
    );
    expect(eventLine({ kind: 'UPDATE', time: NOW, flow, state: true }, '')).not.toContain('packets=');
    expect(eventLine({ kind: 'DESTROY', time: NOW, flow, state: true }, '')).toContain('packets=1 bytes=29');
  });

  test('tells a mark of 0 where that is what changed', () => {
    const flow = goldenFlow(
      'udp 17 30 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 src=2.2.2.2 dst=1.1.1.1 sport=2 dport=1',
    );
    const line = (events: number): string =>
      eventBody({ kind: 'UPDATE', time: NOW, flow, state: true, tells: eventTells('UPDATE', flow, events) });
    expect(line(ipct.IPCT_MARK)).toMatch(/ mark=0$/);
    expect(line(ipct.IPCT_ASSURED)).not.toContain('mark');
  });

  test('shows no timeout when a flow leaves with less than a second left, whatever removed it', () => {
    const flow = goldenFlow(
      'udp 17 1 src=1.1.1.1 dst=2.2.2.2 sport=1 dport=2 src=2.2.2.2 dst=1.1.1.1 sport=2 dport=1',
    );
    const left = (timeout: number, kind: EventKind): string =>
      eventLine({ kind, time: NOW, flow: { ...flow, timeout }, state: true }, '');
    expect(left(999, 'DESTROY')).toMatch(/^\[DESTROY\] udp {6}17 src=/);
    expect(left(1000, 'DESTROY')).toMatch(/^\[DESTROY\] udp {6}17 1 src=/);
    expect(left(999, 'UPDATE')).toMatch(/^ \[UPDATE\] udp {6}17 0 src=/);
  });

  test('shows the state of the protocol only where that is part of the event', () => {
    const line =
      ' [UPDATE] tcp      6 120 src=10.0.0.1 dst=10.1.0.1 sport=1 dport=2 src=10.1.0.1 dst=10.0.0.1 sport=2 dport=1';
    const flow = { ...goldenFlow(line.slice(10)), state: 'SYN_SENT' };
    expect(eventLine({ kind: 'UPDATE', time: NOW, flow, state: false }, '')).toBe(line);
  });
});
