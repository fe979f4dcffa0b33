import { describe, expect, test } from 'vitest';
import { goldenFlow, NOW } from '../testing/golden-flow.ts';
import { conntrackLine } from './conntrack-line.ts';
import { procNfConntrack } from './proc-nf-conntrack.ts';

// Lines of conntrack 1.4.7 on Linux 6.18, captured in network namespaces (entries that nobody else held: use=1).
const LISTED = [
  'tcp      6 59 CLOSE_WAIT src=10.0.1.2 dst=10.0.1.1 sport=35048 dport=8080 packets=5 bytes=271 src=10.0.2.2 dst=10.0.2.1 sport=80 dport=35048 packets=4 bytes=266 [ASSURED] mark=0 delta-time=2 use=1',
  'udp      17 28 src=10.0.1.2 dst=10.0.2.2 sport=36431 dport=53 packets=1 bytes=29 src=10.0.2.2 dst=10.0.2.1 sport=53 dport=36431 packets=1 bytes=29 mark=0 delta-time=1 use=1',
  'icmp     1 28 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=9135 packets=1 bytes=84 src=10.0.2.2 dst=10.0.2.1 type=0 code=0 id=9135 packets=1 bytes=84 mark=0 delta-time=1 use=1',
  'tcp      6 431997 ESTABLISHED src=fd00:1::2 dst=fd00:2::2 sport=58082 dport=443 packets=4 bytes=299 src=fd00:2::2 dst=fd00:1::2 sport=443 dport=58082 packets=3 bytes=274 [ASSURED] mark=0 delta-time=2 use=1',
  'icmpv6   58 28 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9136 packets=1 bytes=104 src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9136 packets=1 bytes=104 mark=0 delta-time=1 use=1',
  'tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=56510 dport=21 packets=5 bytes=274 src=10.0.2.2 dst=10.0.2.1 sport=21 dport=56510 packets=4 bytes=270 [ASSURED] mark=0 delta-time=1 helper=ftp use=1',
  'udp      17 29 src=10.0.1.2 dst=10.0.2.2 sport=38479 dport=5354 packets=1 bytes=29 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=5354 dport=38479 packets=0 bytes=0 mark=42 zone=7 delta-time=0 use=1',
  'udp      17 0 src=10.0.1.2 dst=10.0.2.2 sport=42013 dport=7001 zone-orig=5 packets=1 bytes=29 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=7001 dport=42013 packets=0 bytes=0 mark=0 use=1',
  'unknown  2 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 mark=0 use=1',
  'dccp     33 599 src=10.0.1.2 dst=10.0.2.2 sport=0 dport=0 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 sport=0 dport=0 mark=0 use=1',
  'gre      47 29 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x0 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 srckey=0x0 dstkey=0x0 mark=0 use=1',
  'unknown  50 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 mark=0 use=1',
  'unknown  99 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 mark=0 use=1',
];

const EXTENDED = [
  'ipv4     2 tcp      6 60 CLOSE_WAIT src=10.0.1.2 dst=10.0.1.1 sport=35048 dport=8080 packets=5 bytes=271 src=10.0.2.2 dst=10.0.2.1 sport=80 dport=35048 packets=4 bytes=266 [ASSURED] mark=0 delta-time=2 use=1',
  'ipv6     10 icmpv6   58 28 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9136 packets=1 bytes=104 src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9136 packets=1 bytes=104 mark=0 delta-time=1 use=1',
];

describe('a line of conntrack -L', () => {
  test.each(LISTED)('is printed as the tool prints it: %s', (line) => {
    expect(conntrackLine(goldenFlow(line), NOW)).toBe(line);
  });

  test.each(EXTENDED)('with -o extended has the network layer in front: %s', (line) => {
    expect(conntrackLine(goldenFlow(line), NOW, { extended: true })).toBe(line);
  });

  test('has the security context of the kernel behind the mark', () => {
    // As the command prints a message of the kernel to which one was added.
    const line =
      'tcp      6 99 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [ASSURED] mark=5 secctx=u:r:t zone=4 use=1';
    const flow = { ...goldenFlow(line.replace('secctx=u:r:t ', '')), secctx: 'u:r:t' };
    expect(conntrackLine(flow, NOW)).toBe(line);
  });

  test('has no timeout where the flow is offloaded, since the kernel tells none', () => {
    const line =
      'tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [OFFLOAD] mark=5 use=1';
    const flow = goldenFlow(line.replace('tcp      6 ', 'tcp      6 5 '));
    expect(conntrackLine(flow, NOW)).toBe(line);
  });

  test('with -o id ends in the id', () => {
    const line =
      'icmp     1 28 src=10.0.1.2 dst=10.0.2.2 type=8 code=0 id=9135 packets=1 bytes=84 src=10.0.2.2 dst=10.0.2.1 type=0 code=0 id=9135 packets=1 bytes=84 mark=0 delta-time=1 use=1 id=2116048906';
    expect(conntrackLine(goldenFlow(line), NOW, { id: true })).toBe(line);
  });

  test('with -o ktimestamp has the start between delta-time and use', () => {
    const start = new Date(2026, 10, 21, 2, 51, 47).getTime();
    const line =
      'ipv4     2 tcp      6 59 CLOSE_WAIT src=10.0.1.2 dst=10.0.1.1 sport=35048 dport=8080 packets=5 bytes=271 src=10.0.2.2 dst=10.0.2.1 sport=80 dport=35048 packets=4 bytes=266 [ASSURED] mark=0 delta-time=2 [start=Sat Nov 21 02:51:47 2026] use=1 id=2072003470';
    const flow = { ...goldenFlow(line), start };
    expect(conntrackLine(flow, start + 2400, { extended: true, id: true, ktimestamp: true })).toBe(line);
  });

  test('counts in delta-time how often the second of the clock has changed, where /proc has whole seconds', () => {
    const flow = { ...goldenFlow(LISTED[1]!), start: NOW + 900 };
    expect(conntrackLine(flow, NOW + 1150)).toContain(' delta-time=1 ');
    expect(procNfConntrack(flow, NOW + 1150, { timeout: 30, stream: 180 })).toContain(' delta-time=0 ');
    expect(conntrackLine(flow, NOW + 990)).toContain(' delta-time=0 ');
  });

  test('rounds the time that is left down to whole seconds', () => {
    const flow = goldenFlow(LISTED[1]!);
    expect(conntrackLine({ ...flow, timeout: 29_999 }, NOW)).toContain('udp      17 29 ');
    expect(conntrackLine({ ...flow, timeout: 30_000 }, NOW)).toContain('udp      17 30 ');
    expect(conntrackLine({ ...flow, timeout: 999 }, NOW)).toContain('udp      17 0 ');
  });

  test('shows SCTP that no tracker followed with ports of zero, as the tool does', () => {
    const flow = { ...goldenFlow(LISTED[8]!), protocol: 'sctp', protonum: 132 };
    expect(conntrackLine(flow, NOW)).toContain('sctp     132 599 src=10.0.1.2 dst=10.0.2.2 sport=0 dport=0 ');
  });
});
