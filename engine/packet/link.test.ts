import { describe, expect, test } from 'vitest';
import { udpPacket } from './build.ts';
import {
  ethernetFrame,
  loopFrame,
  nullFrame,
  qinqFrame,
  sll2Frame,
  sllFrame,
  vlanFrame,
} from './build-link.ts';
import { ETH_P_ARP } from './ethernet.ts';
import {
  DLT_EN10MB,
  DLT_IPV4,
  DLT_IPV6,
  DLT_LINUX_SLL,
  DLT_LINUX_SLL2,
  DLT_LOOP,
  DLT_NULL,
  DLT_RAW,
  DLT_RAW_BSD,
  DLT_RAW_OPENBSD,
} from './link.ts';
import { AF_INET, AF_INET6 } from './packet.ts';
import { PORTS, read, V4, V6 } from './testing.mts';

const four = udpPacket({ ...V4, ...PORTS, payload: 15 });
const six = udpPacket({ ...V6, ...PORTS, payload: 5 });
const BIG = { bigEndian: true };

/** Link type, name, bytes of link header, and the frame around an IPv4 and an IPv6 packet. */
const FRAMES: readonly (readonly [number, string, number, Uint8Array, Uint8Array])[] = [
  [DLT_EN10MB, 'Ethernet', 14, ethernetFrame(four), ethernetFrame(six)],
  [DLT_EN10MB, 'Ethernet with a VLAN tag', 18, vlanFrame(four, 100), vlanFrame(six, 100)],
  [DLT_EN10MB, 'Ethernet with QinQ tags', 22, qinqFrame(four, 7, 100), qinqFrame(six, 7, 100)],
  [
    DLT_EN10MB,
    'Ethernet with an old 9100 tag and two more',
    26,
    ethernetFrame(four, { tags: [{ tpid: 0x9100, vid: 1 }, { vid: 2 }, { vid: 3, priority: 7 }] }),
    ethernetFrame(six, { tags: [{ tpid: 0x9100, vid: 1 }, { vid: 2 }, { vid: 3, priority: 7 }] }),
  ],
  [DLT_LINUX_SLL, 'Linux cooked v1', 16, sllFrame(four), sllFrame(six)],
  [DLT_LINUX_SLL2, 'Linux cooked v2', 20, sll2Frame(four), sll2Frame(six)],
  [DLT_NULL, 'BSD loopback, little-endian', 4, nullFrame(four), nullFrame(six)],
  [DLT_NULL, 'BSD loopback, big-endian', 4, nullFrame(four, BIG), nullFrame(six, BIG)],
  [DLT_LOOP, 'OpenBSD loopback', 4, loopFrame(four), loopFrame(six)],
  [DLT_RAW, 'raw IP', 0, four, six],
  [DLT_RAW_BSD, 'raw IP as BSD numbers it', 0, four, six],
  [DLT_RAW_OPENBSD, 'raw IP as OpenBSD numbers it', 0, four, six],
];

describe.each(FRAMES)('link type %i, %s', (linktype, _name, header, frame4, frame6) => {
  test('leads to an IPv4 packet, also in the middle of a buffer', () => {
    for (const before of [0, 13]) {
      const { pkt, ok } = read(frame4, linktype, before);
      expect(ok).toBe(true);
      expect(pkt.family).toBe(AF_INET);
      expect(pkt.off).toBe(before + header);
      expect(pkt.l4).toBe(before + header + 20);
      expect(pkt.end).toBe(before + header + four.length);
    }
  });

  test('leads to an IPv6 packet', () => {
    const { pkt, ok } = read(frame6, linktype);
    expect(ok).toBe(true);
    expect(pkt.family).toBe(AF_INET6);
    expect([pkt.off, pkt.l4]).toEqual([header, header + 40]);
  });

  test('cut anywhere is refused and nothing is read beyond it', () => {
    for (let length = 0; length < frame4.length; length++) {
      const { ok, reason } = read(frame4.subarray(0, length), linktype);
      expect(ok, `${length} bytes`).toBe(false);
      expect(reason).toMatch(length < header ? /^link-short$/ : /^ip-(short|length)$/);
    }
  });
});

describe('a frame', () => {
  test('of ARP is not IP, behind a VLAN tag too, and its ethertype is told', () => {
    for (const tags of [[], [{ vid: 3 }]]) {
      const { pkt, ok, reason } = read(
        ethernetFrame(new Uint8Array(28), { type: ETH_P_ARP, tags }),
        DLT_EN10MB,
      );
      expect([ok, reason, pkt.operands[0]]).toEqual([false, 'not-ip', ETH_P_ARP]);
    }
    expect(read(sllFrame(new Uint8Array(28), ETH_P_ARP), DLT_LINUX_SLL).reason).toBe('not-ip');
    expect(read(sll2Frame(new Uint8Array(28), ETH_P_ARP), DLT_LINUX_SLL2).reason).toBe('not-ip');
  });

  test('with an 802.3 length in place of the ethertype is not IP', () => {
    expect(read(ethernetFrame(new Uint8Array(38), { type: 38 }), DLT_EN10MB).reason).toBe('not-ip');
  });

  test('of BSD loopback is IPv6 with the number of any system, in either byte order', () => {
    for (const family of [10, 24, 28, 30]) {
      for (const bigEndian of [true, false]) {
        expect(read(nullFrame(six, { family, bigEndian }), DLT_NULL).pkt.family).toBe(AF_INET6);
      }
    }
  });

  test('of BSD loopback with another family is not IP', () => {
    const { reason, pkt } = read(nullFrame(four, { family: 7 }), DLT_NULL);
    expect([reason, pkt.operands[0]]).toEqual(['not-ip', 7]);
  });

  test('of raw IPv4 or raw IPv6 leads to a packet of that version', () => {
    expect(read(four, DLT_IPV4).pkt).toMatchObject({ family: AF_INET, off: 0, l4: 20 });
    expect(read(six, DLT_IPV6).pkt).toMatchObject({ family: AF_INET6, off: 0, l4: 40 });
  });

  test('whose link layer announces the other version is refused', () => {
    expect(read(ethernetFrame(four, { type: 0x86dd }), DLT_EN10MB).reason).toBe('ip-version');
    expect(read(ethernetFrame(six, { type: 0x0800 }), DLT_EN10MB).reason).toBe('ip-version');
    expect(read(four, DLT_IPV6).reason).toBe('ip-version');
    expect(read(six, DLT_IPV4).reason).toBe('ip-version');
  });

  test('of a link type that nobody knows is refused with its number', () => {
    const { ok, reason, pkt } = read(four, 147);
    expect([ok, reason, pkt.operands[0]]).toEqual([false, 'link-unknown', 147]);
  });

  test('padded to the minimum of Ethernet loses its padding', () => {
    const frame = ethernetFrame(four, { pad: true });
    expect(frame.length).toBe(60);
    expect(read(frame, DLT_EN10MB).pkt.end).toBe(14 + four.length);
  });
});
