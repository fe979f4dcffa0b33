import { describe, expect, test } from 'vitest';
import { icmpErrorPacket, icmpv6Packet, tcpPacket, udpPacket } from '../packet/build.ts';
import { concat, viewOf } from '../packet/build-bytes.ts';
import { dissect } from '../packet/dissect.ts';
import { enterLink } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_ACK, TH_SYN } from '../packet/tcp.ts';
import { logLine } from './log-line.ts';
import { gateway } from './testing.mts';

const LINK = Uint8Array.from([0x3a, 0x5d, 0x9f, 0x88, 0xa4, 0x5e, 0x92, 0x39, 0xae, 0x97, 0x6d, 0x31]);
const inside = { src: '10.0.1.2', dst: '10.0.2.2' };

/** A packet that came by eth0 and leaves by eth1. */
function read(bytes: Uint8Array): Packet {
  const type = bytes[0]! >> 4 === 4 ? [8, 0] : [0x86, 0xdd];
  const frame = concat(LINK, Uint8Array.from(type), bytes);
  const pkt = new Packet();
  resetPacket(pkt, frame, viewOf(frame), 0, frame.length);
  expect(enterLink(pkt, 1) && dissect(pkt)).toBe(true);
  pkt.mac = 0;
  pkt.ifin = 2;
  pkt.ifout = 3;
  return pkt;
}

// As captured from Linux 6.18; tests/kernel/pipeline-log.test.ts compares thousands with the kernel.
describe('a line of the log', () => {
  const front = 'IN=eth0 OUT=eth1 MAC=3a:5d:9f:88:a4:5e:92:39:ae:97:6d:31:08:00 SRC=10.0.1.2 DST=10.0.2.2 ';

  test('tells of TCP, with sequence numbers and options if asked for', () => {
    const bytes = tcpPacket({
      ...inside,
      sport: 56808,
      dport: 80,
      flags: TH_SYN,
      seq: 3623236562,
      options: { mss: 1460 },
      ip: { ttl: 63, id: 31918, df: true },
    });
    const ip = 'LEN=44 TOS=0x00 PREC=0x00 TTL=63 ID=31918 DF PROTO=TCP SPT=56808 DPT=80 ';
    const host = gateway();
    expect(logLine(host, read(bytes), 'SYN: ', 0)).toBe(
      `SYN: ${front}${ip}WINDOW=64240 RES=0x00 SYN URGP=0 `,
    );
    expect(logLine(host, read(bytes), '', 3)).toBe(
      `${front}${ip}SEQ=3623236562 ACK=0 WINDOW=64240 RES=0x00 SYN URGP=0 OPT (020405B4) `,
    );
  });

  test('tells of marks, and of packets without way in or out', () => {
    const pkt = read(udpPacket({ ...inside, sport: 38479, dport: 5354, payload: 1 }));
    pkt.mark = 0x2a;
    pkt.ifin = 0;
    expect(logLine(gateway(), pkt, 'UDP ', 0)).toBe(
      'UDP IN= OUT=eth1 SRC=10.0.1.2 DST=10.0.2.2 LEN=29 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=UDP SPT=38479 DPT=5354 LEN=9 MARK=0x2a ',
    );
  });

  test('has an Ethernet header without addresses for what comes over lo', () => {
    const pkt = read(udpPacket({ ...inside, sport: 1, dport: 2 }));
    pkt.ifin = 1;
    pkt.ifout = 0;
    expect(logLine(gateway(), pkt, '', 0)).toMatch(/^IN=lo OUT= MAC=(00:){12}08:00 SRC=/);
  });

  test('tells of a quoted packet in brackets', () => {
    const quoted = tcpPacket({ src: '10.0.2.2', dst: '10.0.1.2', sport: 80, dport: 9, flags: TH_ACK });
    const error = icmpErrorPacket({ ...inside, type: 3, code: 4, mtu: 1400, quoted });
    expect(logLine(gateway(), read(error), '', 0)).toContain(
      'PROTO=ICMP TYPE=3 CODE=4 [SRC=10.0.2.2 DST=10.0.1.2 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=TCP SPT=80 DPT=9 WINDOW=64240 RES=0x00 ACK URGP=0 ] MTU=1400 ',
    );
  });

  test('tells of IPv6 with addresses in full, and of the link header by name if asked for', () => {
    const pkt = read(
      icmpv6Packet({
        src: 'fd00:1::2',
        dst: 'fd00:2::2',
        type: 128,
        id: 27610,
        seq: 1,
        ip: { flowLabel: 496961 },
      }),
    );
    expect(logLine(gateway(), pkt, 'IC6: ', 32)).toBe(
      'IC6: IN=eth0 OUT=eth1 MACSRC=92:39:ae:97:6d:31 MACDST=3a:5d:9f:88:a4:5e MACPROTO=86dd SRC=fd00:0001:0000:0000:0000:0000:0000:0002 DST=fd00:0002:0000:0000:0000:0000:0000:0002 LEN=48 TC=0 HOPLIMIT=64 FLOWLBL=496961 PROTO=ICMPv6 TYPE=128 CODE=0 ID=27610 SEQ=1 ',
    );
  });
});
