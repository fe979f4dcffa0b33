import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  genericPacket,
  grePacket,
  icmpErrorPacket,
  icmpPacket,
  icmpv6ErrorPacket,
  icmpv6Packet,
  pptpGrePacket,
  sctpPacket,
  tcpPacket,
  udpPacket,
} from './build.ts';
import { concat, halfWords, viewOf } from './build-bytes.ts';
import { fragmentIpv4, fragmentIpv6 } from './build-fragment.ts';
import {
  icmpv6Redirect,
  neighbourAdvertisement,
  neighbourSolicitation,
  routerAdvertisement,
} from './build-icmpv6.ts';
import { authenticationHeader, destinationOptions, hopByHop, routingHeader } from './build-ipv6.ts';
import {
  ethernetFrame,
  loopFrame,
  nullFrame,
  qinqFrame,
  sll2Frame,
  sllFrame,
  vlanFrame,
} from './build-link.ts';
import { sctpData, sctpInit, sctpInitAck } from './build-sctp.ts';
import { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_LOOP, DLT_NULL, DLT_RAW } from './link.ts';
import { SCTP_CID_COOKIE_ECHO, SCTP_CID_HEARTBEAT } from './sctp.ts';
import { TH_ACK, TH_PUSH, TH_SYN } from './tcp.ts';
import { V4, V6 } from './testing.mts';

/** Whether tcpdump is there; says so if not, and takes no excuse in CI. */
function tcpdumpUsable(): boolean {
  const found = spawnSync('tcpdump', ['--version']).status === 0;
  if (!found && process.env.CI === 'true')
    throw new Error('tcpdump is not installed, and CI must not skip its tests');
  if (!found) console.warn('skipped: tcpdump is not installed');
  return found;
}

/** A pcap file, version 2.4, microseconds, little-endian: header of 24 bytes, and 16 before each packet. */
function pcap(linktype: number, frames: readonly Uint8Array[]): Uint8Array {
  const header = viewOf(new Uint8Array(24));
  [0xa1b2c3d4, 0x00040002, 0, 0, 262_144, linktype].forEach((w, i) => {
    header.setUint32(i * 4, w, true);
  });
  const records = frames.flatMap((frame, i) => {
    const record = viewOf(new Uint8Array(16));
    [i, 0, frame.length, frame.length].forEach((w, at) => {
      record.setUint32(at * 4, w, true);
    });
    return [new Uint8Array(record.buffer), frame];
  });
  return concat(new Uint8Array(header.buffer), ...records);
}

/** What tcpdump prints of each frame, its lines joined. */
function tcpdump(linktype: number, frames: readonly Uint8Array[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-build-'));
  try {
    const file = join(folder, 'built.pcap');
    writeFileSync(file, pcap(linktype, frames));
    const run = spawnSync('tcpdump', ['-n', '-e', '-vv', '-S', '-tt', '-r', file], { encoding: 'utf8' });
    expect(run.status, run.stderr).toBe(0);
    // With -tt each packet begins with its second, which is its place in the file.
    const chunks = run.stdout
      .split(/^(?=\d+\.000000 )/m)
      .map((chunk) => chunk.replace(/\s*\n\s*/g, ' ').trim());
    expect(chunks).toHaveLength(frames.length);
    return chunks;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** No port that tcpdump knows a protocol for. */
const ENDS = { sport: 1000, dport: 4000 };
const SYN = {
  ...ENDS,
  flags: TH_SYN,
  seq: 1,
  options: { mss: 1460, sackPermitted: true, timestamps: [1, 0], wscale: 7 },
} as const;
const DATA = { ...ENDS, flags: TH_PUSH | TH_ACK, seq: 100, ack: 200, payload: 'hello' };
const udp4 = udpPacket({ ...V4, sport: 33_434, dport: 33_435, payload: 12, ip: { ttl: 1 } });
const udp6 = udpPacket({ ...V6, sport: 33_434, dport: 33_435, payload: 13 });
const OPTIONS6 = { extensions: [hopByHop(), destinationOptions(), routingHeader(), authenticationHeader()] };

/** What a packet is, the packet, and what tcpdump must say of it. */
const PACKETS: readonly (readonly [string, Uint8Array, RegExp])[] = [
  [
    'a SYN',
    tcpPacket({ ...V4, ...SYN }),
    /10\.0\.0\.1\.1000 > 10\.1\.0\.1\.4000: Flags \[S\], cksum 0x\w+ \(correct\), seq 1, win 64240, options \[mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7\], length 0$/,
  ],
  [
    'an IPv6 SYN',
    tcpPacket({ ...V6, ...SYN }),
    /2001:db8::1\.1000 > 2001:db8:1::2\.4000: Flags \[S\], cksum 0x\w+ \(correct\)/,
  ],
  [
    'data',
    tcpPacket({ ...V4, ...DATA }),
    /Flags \[P\.\], cksum 0x\w+ \(correct\), seq 100:105, ack 200, win 64240, length 5$/,
  ],
  [
    'a SACK',
    tcpPacket({
      ...V4,
      ...ENDS,
      flags: TH_ACK,
      ack: 5,
      options: {
        timestamps: [3, 4],
        sack: [
          [10, 20],
          [30, 40],
        ],
      },
    }),
    /\(correct\), .* options \[nop,nop,TS val 3 ecr 4,nop,nop,sack 2 \{10:20\}\{30:40\}\], length 0$/,
  ],
  [
    'IPv4 header fields',
    tcpPacket({ ...V4, ...DATA, ip: { tos: 0xb8, ttl: 5, id: 4660, df: true } }),
    /\(tos 0xb8, ttl 5, id 4660, offset 0, flags \[DF\], proto TCP \(6\), length 45\)/,
  ],
  [
    'IPv4 options',
    tcpPacket({ ...V4, ...DATA, ip: { options: Uint8Array.of(148, 4, 0, 0) } }),
    /options \(RA\).*\(correct\)/,
  ],
  [
    'IPv6 header fields',
    udpPacket({ ...V6, ...ENDS, ip: { tos: 2, flowLabel: 0xabcde, ttl: 9 } }),
    /\(class 0x02, flowlabel 0xabcde, hlim 9, next-header UDP \(17\) payload length: 8\).*\[udp sum ok\]/,
  ],
  [
    'IPv6 extension headers',
    udpPacket({ ...V6, ...ENDS, payload: 3, ip: OPTIONS6 }),
    /HBH.*DSTOPT.*RT6.*AH.*\[udp sum ok\] UDP, length 3$/,
  ],
  ['UDP', udp4, /\[udp sum ok\] UDP, length 12$/],
  ['UDP of odd length over IPv6', udp6, /\[udp sum ok\] UDP, length 13$/],
  [
    'UDP without checksum',
    udpPacket({ ...V4, ...ENDS, checksum: 0, payload: 5 }),
    /\[no cksum\] UDP, length 5$/,
  ],
  [
    'an echo request',
    icmpPacket({ ...V4, type: 8, id: 7, seq: 1, payload: 'hello' }),
    /ICMP echo request, id 7, seq 1, length 13$/,
  ],
  [
    'time exceeded',
    icmpErrorPacket({ src: '10.9.9.9', type: 11, quoted: udp4 }),
    /10\.9\.9\.9 > 10\.0\.0\.1: ICMP time exceeded in-transit.*10\.0\.0\.1\.33434 > 10\.1\.0\.1\.33435: \[udp sum ok\] UDP, length 12$/,
  ],
  [
    'fragmentation needed',
    icmpErrorPacket({ src: '10.9.9.9', type: 3, code: 4, mtu: 1400, quoted: udp4 }),
    /unreachable - need to frag \(mtu 1400\)/,
  ],
  [
    'a redirect',
    icmpErrorPacket({ src: '10.9.9.9', type: 5, code: 1, gateway: '10.0.0.254', quoted: udp4 }),
    /redirect 10\.1\.0\.1 to host 10\.0\.0\.254/,
  ],
  [
    'an ICMPv6 echo request',
    icmpv6Packet({ ...V6, type: 128, id: 7, seq: 1 }),
    /\[icmp6 sum ok\] ICMP6, echo request, id 7, seq 1$/,
  ],
  [
    'an ICMPv6 error',
    icmpv6ErrorPacket({ src: 'fe80::1', type: 1, code: 4, quoted: udp6 }),
    /\[icmp6 sum ok\] ICMP6, destination unreachable, unreachable port.*udp port 33435/,
  ],
  [
    'packet too big',
    icmpv6ErrorPacket({ src: 'fe80::1', type: 2, mtu: 1280, quoted: udp6 }),
    /\[icmp6 sum ok\] ICMP6, packet too big, mtu 1280/,
  ],
  [
    'a neighbour solicitation',
    icmpv6Packet({ ...V6, ...neighbourSolicitation({ target: 'fe80::1', mac: '02:00:00:00:00:01' }) }),
    /hlim 255.*\[icmp6 sum ok\] ICMP6, neighbor solicitation, length 32, who has fe80::1 source link-address option \(1\), length 8 \(1\): 02:00:00:00:00:01/,
  ],
  [
    'a neighbour advertisement',
    icmpv6Packet({ ...V6, ...neighbourAdvertisement({ target: 'fe80::1' }) }),
    /\[icmp6 sum ok\] ICMP6, neighbor advertisement.*tgt is fe80::1, Flags \[solicited, override\]/,
  ],
  [
    'a router advertisement',
    icmpv6Packet({ ...V6, ...routerAdvertisement(1800, '02:00:00:00:00:01') }),
    /\[icmp6 sum ok\] ICMP6, router advertisement, length 24 hop limit 64, Flags \[none\], pref medium, router lifetime 1800s/,
  ],
  [
    'an ICMPv6 redirect',
    icmpv6Packet({
      ...V6,
      ...icmpv6Redirect({ target: 'fe80::7', destination: '2001:db8::9', quoted: udp6 }),
    }),
    /\[icmp6 sum ok\] ICMP6, redirect, length 112, 2001:db8::9 to fe80::7 redirected header option \(4\), length 72 \(9\)/,
  ],
  [
    'an SCTP INIT',
    sctpPacket({ ...V4, ...ENDS, chunks: [sctpInit({ tag: 5, tsn: 9 })] }),
    /sctp 1\) \[INIT\] \[init tag: 5\] \[rwnd: 65536\] \[OS: 10\] \[MIS: 10\] \[init TSN: 9\]$/,
  ],
  [
    'an SCTP INIT ACK',
    sctpPacket({ ...V4, ...ENDS, vtag: 5, chunks: [sctpInitAck({ tag: 6 })] }),
    /\[INIT ACK\] \[init tag: 6\]/,
  ],
  [
    'bundled SCTP chunks',
    sctpPacket({
      ...V6,
      ...ENDS,
      vtag: 1,
      chunks: [{ type: SCTP_CID_COOKIE_ECHO, value: 'abc' }, sctpData('hello', 7)],
    }),
    /1\) \[COOKIE ECHO\] .*2\) \[DATA\] .*\[TSN: 7\]/,
  ],
  [
    'an SCTP heartbeat',
    sctpPacket({
      ...V4,
      ...ENDS,
      vtag: 1,
      chunks: [{ type: SCTP_CID_HEARTBEAT, value: concat(halfWords(1, 8), new Uint8Array(4)) }],
    }),
    /\[HB REQ\]/,
  ],
  [
    'GRE with all its fields',
    grePacket({ ...V4, checksum: true, key: 7, seq: 3, payload: udp4 }),
    /GREv0, Flags \[checksum present, key present, sequence# present\], sum 0x\w+, off 0x0, key=0x7, seq 3, .*\[udp sum ok\] UDP, length 12$/,
  ],
  [
    'PPTP',
    pptpGrePacket({ ...V4, callId: 7, seq: 3, ack: 2, payload: Uint8Array.of(0xff, 3, 0, 0x21, ...udp4) }),
    /GREv1, Flags \[key present, sequence# present, ack present\], call 7, seq 3, ack 2, proto PPP/,
  ],
  ['ESP', genericPacket({ ...V4, proto: 50, payload: 20 }), /ESP\(spi=0x00000000,seq=0x0\), length 20$/],
];

const FRAGMENTS = [
  ...fragmentIpv4(udpPacket({ ...V4, ...ENDS, payload: 2000, ip: { id: 9 } }), 1480),
  ...fragmentIpv6(udpPacket({ ...V6, ...ENDS, payload: 2000 }), 1448, 9),
];

describe.skipIf(!tcpdumpUsable())('tcpdump', () => {
  let said: string[] = [];
  beforeAll(() => {
    said = tcpdump(
      DLT_RAW,
      PACKETS.map(([, packet]) => packet),
    );
  });

  test.each(PACKETS.map(([name, , expected], i) => [name, i, expected] as const))(
    'finds nothing wrong with %s and says of it what was asked for',
    (_name, i, expected) => {
      expect(said[i]).toMatch(expected);
      expect(said[i]).not.toMatch(/incorrect|wrong|bad |invalid|truncated|\[\||\(->|unknown/i);
    },
  );

  test('sees a wrong checksum in each kind of packet when one is asked for', () => {
    const checksum = 0x1234;
    const said = tcpdump(DLT_RAW, [
      tcpPacket({ ...V4, ...SYN, checksum }),
      udpPacket({ ...V6, ...ENDS, checksum }),
      icmpPacket({ ...V4, type: 8, checksum }),
      icmpv6Packet({ ...V6, type: 128, checksum }),
      tcpPacket({ ...V4, ...SYN, ip: { checksum } }),
    ]);
    expect(said[0]).toMatch(/cksum 0x1234 \(incorrect/);
    expect(said[1]).toMatch(/\[bad udp cksum 0x1234/);
    expect(said[2]).toMatch(/wrong icmp cksum 1234/);
    expect(said[3]).toMatch(/\[bad icmp6 cksum 0x1234/);
    expect(said[4]).toMatch(/bad cksum 1234/);
  });

  test('reads fragments with their offsets', () => {
    const said = tcpdump(DLT_RAW, FRAGMENTS);
    expect(said[0]).toMatch(
      /id 9, offset 0, flags \[\+\], proto UDP \(17\), length 1500\).* UDP, length 2000/,
    );
    expect(said[1]).toMatch(/id 9, offset 1480, flags \[none\], proto UDP \(17\), length 548\)/);
    expect(said[2]).toMatch(/frag \(0x00000009:0\|1448\)/);
    expect(said[3]).toMatch(/frag \(0x00000009:1448\|560\)/);
  });

  test.each([
    ['Ethernet', DLT_EN10MB, ethernetFrame, /02:00:00:00:00:01 > 02:00:00:00:00:02, ethertype IPv[46] /],
    [
      'VLAN',
      DLT_EN10MB,
      (p: Uint8Array) => vlanFrame(p, 100),
      /802\.1Q \(0x8100\), .*vlan 100, p 0, ethertype IPv[46] /,
    ],
    [
      'QinQ',
      DLT_EN10MB,
      (p: Uint8Array) => qinqFrame(p, 7, 100),
      /vlan 7, p 0, ethertype 802\.1Q.*vlan 100, p 0, ethertype IPv/,
    ],
    [
      'Linux cooked v1',
      DLT_LINUX_SLL,
      (p: Uint8Array) => sllFrame(p),
      / {1,2}In 02:00:00:00:00:01 ethertype IPv[46] /,
    ],
    [
      'Linux cooked v2',
      DLT_LINUX_SLL2,
      (p: Uint8Array) => sll2Frame(p),
      /ifindex 2 02:00:00:00:00:01 ethertype IPv[46] /,
    ],
    ['BSD loopback', DLT_NULL, (p: Uint8Array) => nullFrame(p), /AF IPv[46] /],
    ['OpenBSD loopback', DLT_LOOP, (p: Uint8Array) => loopFrame(p), /AF IPv[46] /],
  ] as const)('reads %s frames of both families', (_name, linktype, frame, header) => {
    const said = tcpdump(linktype, [frame(udp4), frame(udp6)]);
    for (const chunk of said) expect(chunk).toMatch(header);
    expect(said[0]).toMatch(/10\.0\.0\.1\.33434 > 10\.1\.0\.1\.33435: \[udp sum ok\]/);
    expect(said[1]).toMatch(/2001:db8::1\.33434 > 2001:db8:1::2\.33435: \[udp sum ok\]/);
  });
});
