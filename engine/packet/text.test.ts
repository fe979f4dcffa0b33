import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
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
  udplitePacket,
  udpPacket,
} from './build.ts';
import { fragmentIpv4, fragmentIpv6 } from './build-fragment.ts';
import { icmpv6Redirect, neighbourSolicitation, routerSolicitation } from './build-icmpv6.ts';
import { destinationOptions, hopByHop } from './build-ipv6.ts';
import { ethernetFrame } from './build-link.ts';
import { sctpData, sctpInit } from './build-sctp.ts';
import { DLT_EN10MB, DLT_RAW } from './link.ts';
import { SCTP_CID_COOKIE_ECHO } from './sctp.ts';
import { TH_ACK, TH_FIN, TH_PUSH, TH_SYN, TH_URG } from './tcp.ts';
import { read, V4, V6 } from './testing.mts';
import { packetText } from './text.ts';

const WEB = { sport: 1000, dport: 80 };
const line = (frame: Uint8Array, linktype: number = DLT_RAW): string =>
  packetText(read(frame, linktype, 3).pkt);

const syn = tcpPacket({ ...V4, ...WEB, seq: 1, flags: TH_SYN, options: { mss: 1460 } });
const probe = udpPacket({ ...V4, sport: 33_434, dport: 33_434, payload: 12 });
const syn6 = tcpPacket({ ...V6, ...WEB, flags: TH_SYN });

describe('the line about a TCP packet', () => {
  test('says who, flags, seq, win and bytes of payload', () => {
    expect(line(syn)).toBe('10.0.0.1:1000 > 10.1.0.1:80 tcp SYN seq 1 win 64240 len 0');
  });

  test('says ack where the ACK flag is set, and urg where URG is', () => {
    const fields = { seq: 0xfffffff0, ack: 0xffffffff, window: 1, payload: 'hello', urgent: 3 };
    expect(line(tcpPacket({ ...V4, ...WEB, ...fields, flags: TH_PUSH | TH_ACK }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 tcp PSH,ACK seq 4294967280 ack 4294967295 win 1 len 5',
    );
    expect(line(tcpPacket({ ...V4, ...WEB, ...fields, flags: TH_FIN | TH_URG }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 tcp FIN,URG seq 4294967280 win 1 urg 3 len 5',
    );
  });

  test('puts IPv6 addresses in brackets before a port', () => {
    expect(line(syn6)).toBe('[2001:db8::1]:1000 > [2001:db8:1::2]:80 tcp SYN seq 0 win 64240 len 0');
  });

  test('without flags says none', () => {
    expect(line(tcpPacket({ ...V4, ...WEB, flags: 0 }))).toContain(' tcp none seq 0 ');
  });

  test('says which header length is wrong', () => {
    expect(line(tcpPacket({ ...V4, ...WEB, flags: TH_SYN, dataOffset: 4 }))).toMatch(
      /win 64240 bad header length 16$/,
    );
    expect(line(tcpPacket({ ...V4, ...WEB, flags: TH_SYN, dataOffset: 15 }))).toMatch(
      /bad header length 60$/,
    );
  });

  test('cut short says as much as is there: ports from 4 bytes on', () => {
    const cut = (payload: number): string =>
      line(genericPacket({ ...V4, proto: 6, payload: syn.subarray(20, 20 + payload) }));
    expect(cut(3)).toBe('10.0.0.1 > 10.1.0.1 tcp cut short (3 bytes)');
    expect(cut(4)).toBe('10.0.0.1:1000 > 10.1.0.1:80 tcp cut short (4 bytes)');
    expect(cut(19)).toBe('10.0.0.1:1000 > 10.1.0.1:80 tcp cut short (19 bytes)');
  });
});

describe('the line about UDP and UDP-Lite', () => {
  test('says bytes of payload', () => {
    expect(line(udpPacket({ ...V4, ...WEB, payload: 29 }))).toBe('10.0.0.1:1000 > 10.1.0.1:80 udp len 29');
  });

  test('says the length field where it says something else', () => {
    expect(line(udpPacket({ ...V4, ...WEB, payload: 29, length: 5 }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 udp len 29, length field 5',
    );
  });

  test('says what the checksum of UDP-Lite covers', () => {
    expect(line(udplitePacket({ ...V4, ...WEB, payload: 29, coverage: 8 }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 udplite len 29 coverage 8',
    );
  });

  test('of fewer than 8 bytes says so', () => {
    expect(line(genericPacket({ ...V4, proto: 17, payload: 7 }))).toBe(
      '10.0.0.1:0 > 10.1.0.1:0 udp cut short (7 bytes)',
    );
    expect(line(genericPacket({ ...V4, proto: 136, payload: 0 }))).toBe(
      '10.0.0.1 > 10.1.0.1 udplite cut short (0 bytes)',
    );
  });
});

describe('the line about an ICMP message', () => {
  test('names requests and replies with id and seq', () => {
    expect(line(icmpPacket({ ...V4, type: 8, id: 7, seq: 1 }))).toBe(
      '10.0.0.1 > 10.1.0.1 icmp echo request id 7 seq 1',
    );
    expect(line(icmpPacket({ ...V4, type: 14, id: 7, seq: 1 }))).toBe(
      '10.0.0.1 > 10.1.0.1 icmp timestamp reply id 7 seq 1',
    );
    expect(line(icmpv6Packet({ ...V6, type: 129, id: 7, seq: 1 }))).toBe(
      '2001:db8::1 > 2001:db8:1::2 icmpv6 echo reply id 7 seq 1',
    );
  });

  test('about an error says what the error is about', () => {
    expect(line(icmpErrorPacket({ src: '10.9.9.9', type: 11, quoted: probe }))).toBe(
      '10.9.9.9 > 10.0.0.1 icmp time exceeded (11/0) about 10.0.0.1:33434 > 10.1.0.1:33434 udp',
    );
    expect(line(icmpv6ErrorPacket({ src: 'fe80::1', type: 1, code: 4, quoted: syn6 }))).toBe(
      'fe80::1 > 2001:db8::1 icmpv6 port unreachable (1/4) about [2001:db8::1]:1000 > [2001:db8:1::2]:80 tcp',
    );
  });

  test('says the MTU of "too big" and the gateway of a redirect', () => {
    expect(line(icmpErrorPacket({ src: '10.9.9.9', type: 3, code: 4, mtu: 1400, quoted: syn }))).toContain(
      ' icmp fragmentation needed (3/4) mtu 1400 about 10.0.0.1:1000 > 10.1.0.1:80 tcp',
    );
    expect(
      line(icmpErrorPacket({ src: '10.9.9.9', type: 5, code: 1, gateway: '10.0.0.254', quoted: syn })),
    ).toContain(' icmp redirect (5/1) to 10.0.0.254 about 10.0.0.1:1000');
    expect(line(icmpv6ErrorPacket({ src: 'fe80::1', type: 2, mtu: 1280, quoted: syn6 }))).toContain(
      ' icmpv6 packet too big (2/0) mtu 1280 about [2001:db8::1]:1000',
    );
  });

  test('quotes as much as is there', () => {
    const about = (quoteLength: number): string =>
      line(
        icmpErrorPacket({ src: '10.9.9.9', dst: '10.0.0.1', type: 3, code: 3, quoted: probe, quoteLength }),
      );
    const start = '10.9.9.9 > 10.0.0.1 icmp port unreachable (3/3) about ';
    expect(about(0)).toBe(`${start}a packet cut short`);
    expect(about(19)).toBe(`${start}a packet cut short`);
    expect(about(20)).toBe(`${start}10.0.0.1 > 10.1.0.1 udp`);
    expect(about(23)).toBe(`${start}10.0.0.1 > 10.1.0.1 udp`);
    expect(about(24)).toBe(`${start}10.0.0.1:33434 > 10.1.0.1:33434 udp`);
  });

  test('quotes ICMP by its type, ESP by number, and a later fragment by its offset', () => {
    const about = (quoted: Uint8Array): string =>
      line(icmpErrorPacket({ src: '10.9.9.9', type: 11, quoted }));
    expect(about(icmpPacket({ ...V4, type: 8 }))).toMatch(
      /about 10\.0\.0\.1 > 10\.1\.0\.1 icmp echo request$/,
    );
    expect(about(genericPacket({ ...V4, proto: 50, payload: 9 }))).toMatch(/ > 10\.1\.0\.1 proto 50$/);
    expect(about(udpPacket({ ...V4, ...WEB, ip: { offset: 1480 } }))).toMatch(
      / > 10\.1\.0\.1 udp frag 1480\+$/,
    );
  });

  test('names types without a name by number, and says when it is cut short', () => {
    expect(line(icmpPacket({ ...V4, type: 42, code: 1 }))).toBe('10.0.0.1 > 10.1.0.1 icmp type 42 (42/1)');
    expect(line(icmpv6Packet({ ...V6, type: 200 }))).toBe(
      '2001:db8::1 > 2001:db8:1::2 icmpv6 type 200 (200/0)',
    );
    expect(line(genericPacket({ ...V4, proto: 1, payload: 7 }))).toMatch(/icmp cut short \(7 bytes\)$/);
    expect(line(genericPacket({ ...V6, proto: 58, payload: 0 }))).toMatch(/icmpv6 cut short \(0 bytes\)$/);
  });

  test('says the target of neighbour discovery', () => {
    expect(line(icmpv6Packet({ ...V6, ...neighbourSolicitation({ target: 'fe80::7' }) }))).toMatch(
      / icmpv6 neighbour solicitation fe80::7$/,
    );
    expect(
      line(icmpv6Packet({ ...V6, ...icmpv6Redirect({ target: 'fe80::7', destination: '2001:db8::9' }) })),
    ).toMatch(/ icmpv6 redirect to fe80::7 for 2001:db8::9$/);
    expect(line(icmpv6Packet({ ...V6, ...routerSolicitation() }))).toMatch(
      / icmpv6 router solicitation \(133\/0\)$/,
    );
    expect(line(icmpv6Packet({ ...V6, type: 135, payload: 15 }))).toMatch(
      / neighbour solicitation cut short$/,
    );
    expect(line(icmpv6Packet({ ...V6, type: 137, payload: 31 }))).toMatch(/ redirect to :: cut short$/);
  });
});

describe('the line about an SCTP packet', () => {
  test('names its chunks in order', () => {
    expect(line(sctpPacket({ ...V4, ...WEB, chunks: [sctpInit({ tag: 5 })] }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 sctp INIT vtag 0x0',
    );
    const chunks = [{ type: SCTP_CID_COOKIE_ECHO, value: 'abc' }, sctpData('hello')];
    expect(line(sctpPacket({ ...V4, ...WEB, vtag: 0xdeadbeef, chunks }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 sctp COOKIE_ECHO,DATA vtag 0xdeadbeef',
    );
  });

  test('stops where a length leads nowhere, and where there are very many chunks', () => {
    const bad = (length: number): string =>
      line(sctpPacket({ ...V4, ...WEB, vtag: 1, chunks: [{ type: 11 }, { type: 0, length }] }));
    expect(bad(3)).toMatch(/ sctp COOKIE_ACK,DATA \(bad length 3\) vtag 0x1$/);
    expect(bad(500)).toMatch(/ sctp COOKIE_ACK,DATA \(bad length 500\) vtag 0x1$/);
    const many = Array.from({ length: 300 }, () => ({ type: 11 }));
    expect(line(sctpPacket({ ...V4, ...WEB, chunks: many }))).toMatch(/(COOKIE_ACK,){8}… vtag 0x0$/);
  });

  test('without chunks or without a whole header says so', () => {
    expect(line(sctpPacket({ ...V4, ...WEB, chunks: [] }))).toMatch(/ sctp no chunk vtag 0x0$/);
    expect(line(genericPacket({ ...V4, proto: 132, payload: 11 }))).toMatch(/ sctp cut short \(11 bytes\)$/);
  });
});

describe('the line about a GRE packet', () => {
  test('says payload, key and sequence number', () => {
    expect(line(grePacket({ ...V4, payload: 20 }))).toBe('10.0.0.1 > 10.1.0.1 gre ip len 20');
    expect(line(grePacket({ ...V4, protocol: 0x86dd, checksum: true, key: 0xab, seq: 3, payload: 20 }))).toBe(
      '10.0.0.1 > 10.1.0.1 gre ipv6 key 0xab seq 3 len 20',
    );
    expect(line(grePacket({ ...V4, protocol: 0x6558 }))).toMatch(/ gre 0x6558 len 0$/);
  });

  test('of PPTP says call id, sequence and acknowledgment number', () => {
    expect(line(pptpGrePacket({ ...V4, callId: 7, seq: 3, ack: 2, payload: 20 }))).toBe(
      '10.0.0.1 > 10.1.0.1 gre v1 ppp call 7 seq 3 ack 2 len 20',
    );
    expect(line(pptpGrePacket({ ...V4, callId: 7, ack: 2 }))).toMatch(/ gre v1 ppp call 7 ack 2 len 0$/);
  });

  test('of another version or cut short says that', () => {
    expect(line(genericPacket({ ...V4, proto: 47, payload: Uint8Array.of(0, 5, 8, 0) }))).toMatch(
      / gre v5 ip$/,
    );
    expect(line(genericPacket({ ...V4, proto: 47, payload: Uint8Array.of(0x20, 0, 8, 0, 1) }))).toMatch(
      / gre ip cut short \(5 bytes\)$/,
    );
    expect(line(genericPacket({ ...V4, proto: 47, payload: 3 }))).toMatch(/ gre cut short \(3 bytes\)$/);
  });
});

describe('the line about a fragment', () => {
  test('of IPv4 says offset and bytes, and more if more follow; ports only in the first', () => {
    const lines = fragmentIpv4(udpPacket({ ...V4, ...WEB, payload: 3000 }), 1480).map((f) => line(f));
    expect(lines).toEqual([
      '10.0.0.1:1000 > 10.1.0.1:80 udp len 3000 frag 0+1480 more',
      '10.0.0.1 > 10.1.0.1 udp frag 1480+1480 more',
      '10.0.0.1 > 10.1.0.1 udp frag 2960+48',
    ]);
  });

  test('of IPv6 says the same, with extension headers in front of the fragment header', () => {
    const packet = udpPacket({ ...V6, ...WEB, payload: 2000, ip: { extensions: [hopByHop()] } });
    expect(fragmentIpv6(packet, 1448).map((f) => line(f))).toEqual([
      '[2001:db8::1]:1000 > [2001:db8:1::2]:80 udp len 2000 frag 0+1448 more',
      '2001:db8::1 > 2001:db8:1::2 udp frag 1448+560',
    ]);
  });

  test('leaves out what only the whole datagram has: lengths of TCP, UDP-Lite, GRE and others', () => {
    const first = (packet: Uint8Array): string => line(fragmentIpv4(packet, 24)[0]!);
    expect(first(tcpPacket({ ...V4, ...WEB, flags: TH_ACK, payload: 90 }))).toMatch(
      / win 64240 frag 0\+24 more$/,
    );
    expect(first(udplitePacket({ ...V4, ...WEB, payload: 90 }))).toMatch(
      / udplite coverage 0 frag 0\+24 more$/,
    );
    expect(first(grePacket({ ...V4, payload: 90 }))).toMatch(/ gre ip frag 0\+24 more$/);
    expect(first(genericPacket({ ...V4, proto: 50, payload: 90 }))).toMatch(/ proto 50 frag 0\+24 more$/);
    expect(first(sctpPacket({ ...V4, ...WEB, chunks: [sctpData('x'.repeat(99))] }))).toMatch(
      / sctp DATA vtag 0x0 frag 0\+24 more$/,
    );
  });
});

describe('the line about a packet that is odd', () => {
  test('names protocols that it does not know by number, and those without ports without', () => {
    expect(line(genericPacket({ ...V4, proto: 50, payload: 20 }))).toBe(
      '10.0.0.1 > 10.1.0.1 proto 50 len 20',
    );
    expect(line(genericPacket({ ...V4, proto: 33, payload: Uint8Array.of(3, 232, 0, 80) }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 dccp len 4',
    );
  });

  test('of IPv6 without transport header says why', () => {
    expect(line(genericPacket({ ...V6, proto: 59, payload: 8 }))).toBe(
      '2001:db8::1 > 2001:db8:1::2 no next header',
    );
    const lying = destinationOptions();
    lying.bytes[1] = 200;
    expect(line(genericPacket({ ...V6, proto: 6, ip: { extensions: [lying] } }))).toBe(
      '2001:db8::1 > 2001:db8:1::2 extension headers cut short',
    );
  });

  test('that was refused for checksum or length is shown all the same', () => {
    expect(line(tcpPacket({ ...V4, ...WEB, flags: TH_SYN, ip: { checksum: 1 } }))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 tcp SYN seq 0 win 64240 len 0',
    );
    expect(line(udpPacket({ ...V4, ...WEB, payload: 29 }).subarray(0, 40))).toBe(
      '10.0.0.1:1000 > 10.1.0.1:80 udp len 12, length field 37',
    );
    expect(line(udpPacket({ ...V4, ...WEB, ip: { headerLength: 60 } }))).toBe(
      '10.0.0.1 > 10.1.0.1 udp, bad IP header length',
    );
  });

  test('that is not IP says how many bytes it has', () => {
    expect(line(ethernetFrame(new Uint8Array(28), { type: 0x0806 }), DLT_EN10MB)).toBe('28 bytes, not IP');
    expect(line(syn, 147)).toBe('44 bytes, not IP');
    expect(line(syn.subarray(0, 10), DLT_EN10MB)).toBe('10 bytes, not IP');
    expect(line(syn.subarray(0, 19))).toBe('19 bytes, no IP header');
    expect(line(new Uint8Array(0))).toBe('0 bytes, no IP header');
  });
});

describe('packetText', () => {
  const samples = [
    syn,
    syn6,
    icmpErrorPacket({ src: '10.9.9.9', type: 3, code: 4, quoted: syn }),
    icmpv6ErrorPacket({ src: 'fe80::1', type: 2, quoted: syn6 }),
    icmpv6Packet({
      ...V6,
      ...icmpv6Redirect({ target: 'fe80::7', destination: '2001:db8::9', quoted: syn6 }),
    }),
    sctpPacket({ ...V4, ...WEB, chunks: [sctpInit({ tag: 5 }), sctpData('hello')] }),
    grePacket({ ...V4, checksum: true, key: 1, seq: 2, payload: 5 }),
    pptpGrePacket({ ...V4, callId: 1, seq: 1, ack: 2, payload: 5 }),
    udplitePacket({ ...V6, ...WEB, payload: 5, ip: { extensions: [hopByHop(), destinationOptions()] } }),
    ...fragmentIpv4(probe, 8),
    ...fragmentIpv6(udpPacket({ ...V6, ...WEB, payload: 50 }), 16),
  ];

  test('says something of every packet cut anywhere', () => {
    for (const packet of samples) {
      for (let length = 0; length <= packet.length; length++) {
        expect(line(packet.subarray(0, length))).toMatch(/ > |bytes/);
      }
    }
  });

  test('says one line of every packet in which bytes changed', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    fc.assert(
      fc.property(fc.constantFrom(...samples), fc.array(change, { maxLength: 6 }), (packet, changes) => {
        const changed = packet.slice();
        for (const [at, value] of changes) changed[at % changed.length] = value;
        const text = line(changed);
        return text.length > 0 && !/\n|undefined|NaN|-\d/.test(text);
      }),
      { numRuns: 20_000 },
    );
  });

  test('says one line of any bytes', () => {
    const linktype = fc.constantFrom(DLT_RAW, DLT_EN10MB, 147);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 150 }), linktype, (bytes, type) => line(bytes, type) !== ''),
      { numRuns: 5000 },
    );
  });
});
