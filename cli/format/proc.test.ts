import { describe, expect, test } from 'vitest';
import { goldenFlow, NOW } from '../testing/golden-flow.ts';
import { procIpConntrack } from './proc-ip-conntrack.ts';
import { procNfConntrack } from './proc-nf-conntrack.ts';

const GRE = { timeout: 30, stream: 180 };

// Pairs of what conntrack -L and /proc/net/nf_conntrack showed of the same flows at the same time.
const PAIRS: readonly (readonly [tool: string, proc: string])[] = [
  [
    'tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=56510 dport=21 packets=5 bytes=274 src=10.0.2.2 dst=10.0.2.1 sport=21 dport=56510 packets=4 bytes=270 [ASSURED] mark=0 delta-time=0 helper=ftp use=1',
    'ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.1.2 dst=10.0.2.2 sport=56510 dport=21 packets=5 bytes=274 src=10.0.2.2 dst=10.0.2.1 sport=21 dport=56510 packets=4 bytes=270 [ASSURED] mark=0 zone=0 delta-time=0 use=2',
  ],
  [
    'udp      17 29 src=10.0.1.2 dst=10.0.2.2 sport=38479 dport=5354 packets=1 bytes=29 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=5354 dport=38479 packets=0 bytes=0 mark=42 zone=7 delta-time=0 use=1',
    'ipv4     2 udp      17 29 src=10.0.1.2 dst=10.0.2.2 sport=38479 dport=5354 packets=1 bytes=29 [UNREPLIED] src=10.0.2.2 dst=10.0.2.1 sport=5354 dport=38479 packets=0 bytes=0 mark=42 zone=7 delta-time=0 use=2',
  ],
  [
    'icmpv6   58 28 src=fd00:1::2 dst=fd00:2::2 type=128 code=0 id=9136 packets=1 bytes=104 src=fd00:2::2 dst=fd00:1::2 type=129 code=0 id=9136 packets=1 bytes=104 mark=0 delta-time=1 use=1',
    'ipv6     10 icmpv6   58 28 src=fd00:0001:0000:0000:0000:0000:0000:0002 dst=fd00:0002:0000:0000:0000:0000:0000:0002 type=128 code=0 id=9136 packets=1 bytes=104 src=fd00:0002:0000:0000:0000:0000:0000:0002 dst=fd00:0001:0000:0000:0000:0000:0000:0002 type=129 code=0 id=9136 packets=1 bytes=104 mark=0 zone=0 delta-time=1 use=2',
  ],
  [
    'gre      47 29 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x0 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 srckey=0x0 dstkey=0x0 mark=0 use=1',
    'ipv4     2 gre      47 29 timeout=30, stream_timeout=180 src=10.0.1.2 dst=10.0.2.2 srckey=0x0 dstkey=0x0 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 srckey=0x0 dstkey=0x0 mark=0 zone=0 use=2',
  ],
  [
    'unknown  50 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 mark=0 use=1',
    'ipv4     2 unknown  50 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 mark=0 zone=0 use=2',
  ],
];

describe('a line of /proc/net/nf_conntrack', () => {
  test.each(PAIRS)('%s is there: %s', (tool, proc) => {
    expect(procNfConntrack(goldenFlow(tool), NOW, GRE)).toBe(proc);
  });

  test('calls DCCP unknown and shows no ports, because Linux 6.18 has no tracker for it', () => {
    const { sport: _s, dport: _d, ...original } = goldenFlow(PAIRS[0]![0]).original;
    const flow = {
      ...goldenFlow(PAIRS[4]![0]),
      protocol: 'dccp',
      protonum: 33,
      original: { ...original, src: '10.0.1.2', dst: '10.0.2.2' },
    };
    expect(procNfConntrack(flow, NOW, GRE)).toBe(
      'ipv4     2 unknown  33 599 src=10.0.1.2 dst=10.0.2.2 [UNREPLIED] src=10.0.2.2 dst=10.0.1.2 mark=0 zone=0 use=2',
    );
  });
});

describe('a line of the classic /proc/net/ip_conntrack', () => {
  const line =
    'tcp      6 117 SYN_SENT src=192.168.1.6 dst=192.168.1.9 sport=32775 dport=22 [UNREPLIED] src=192.168.1.9 dst=192.168.1.6 sport=22 dport=32775 use=1';

  test('has neither network layer nor zone nor mark in Linux 2.4', () => {
    expect(procIpConntrack(goldenFlow(line), NOW, GRE, false)).toBe(line);
  });

  test('has the mark in later kernels, and then is what conntrack -L prints', () => {
    expect(procIpConntrack(goldenFlow(line), NOW, GRE, true)).toBe(line.replace('use=1', 'mark=0 use=1'));
  });
});
