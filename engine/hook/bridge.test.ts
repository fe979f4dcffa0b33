import { describe, expect, test } from 'vitest';
import { bridgeHost, type HostModel } from '../host/model.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { fragmentIpv4 } from '../packet/build-fragment.ts';
import { ethernetFrame } from '../packet/build-link.ts';
import { DLT_EN10MB } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { TH_ACK, TH_SYN } from '../packet/tcp.ts';
import { Firewall } from './firewall.ts';
import { Ruleset } from './ruleset.ts';
import { gateway } from './testing.mts';

const LEFT = 2;
const RIGHT = 3;
const RULES = `table inet f {
  chain pre { type filter hook prerouting priority 0; oif "eth1" counter drop
  }
  chain forward { type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "eth0" oifname "eth1" udp dport 53 accept
    iifname "eth0" oifname "eth1" tcp dport 80 accept
    tcp dport 23 reject with tcp reset
    udp dport 9 reject
  }
}`;

/** One chain at FORWARD that accepts. */
const FORWARD = (rule: string): string =>
  `table ip f {\n chain c {\n type filter hook forward priority 0;\n ${rule}\n }\n}\n`;

/** A firewall that sends packets on, and the means to give it frames. */
class Live {
  readonly firewall: Firewall;
  readonly pkt: Packet = new Packet();
  private now = 1_000_000;

  constructor(host: HostModel, text = RULES) {
    const ruleset = new Ruleset();
    expect(ruleset.load({ name: 'rules.nft', text })).toEqual([]);
    this.firewall = new Firewall({ host, rules: ruleset.tables() });
    this.firewall.inPlace = true;
  }

  /** Gives it an IP packet in a frame. @returns the verdict and the packet as it stands then */
  frame(ip: Uint8Array, ifin: number, ifout = 0): { verdict: string; left: Uint8Array; ifout: number } {
    const { pkt, firewall } = this;
    const bytes = ethernetFrame(ip);
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.ifin = ifin;
    pkt.ifout = ifout;
    this.now += 10;
    firewall.receive(pkt, DLT_EN10MB, this.now);
    const { verdict } = firewall.outcome;
    return { verdict, left: pkt.bytes.slice(pkt.off, pkt.end), ifout: pkt.ifout };
  }
}

const query = { src: '10.0.0.5', dst: '10.0.0.7', sport: 1000, dport: 53 };
const answer = { src: '10.0.0.7', dst: '10.0.0.5', sport: 53, dport: 1000 };

describe('a bridge', () => {
  test('passes packets on as they are, by the device that is named, and tracks them', () => {
    const live = new Live(bridgeHost(['eth0', 'eth1']));
    const bytes = udpPacket({ ...query, ip: { ttl: 1 } });
    expect(live.frame(bytes, RIGHT, LEFT).verdict).toBe('drop');
    expect(live.frame(bytes, LEFT, RIGHT)).toEqual({ verdict: 'accept', left: bytes, ifout: RIGHT });
    const back = udpPacket({ ...answer, ip: { ttl: 64 } });
    for (let i = 0; i < 3; i++)
      expect(live.frame(back, RIGHT, LEFT)).toEqual({ verdict: 'accept', left: back, ifout: LEFT });
    expect(live.firewall.outcome.ifout).toBe(LEFT);
  });

  test('does not take the addresses of its packets for anything special', () => {
    const live = new Live(bridgeHost(['eth0', 'eth1']), FORWARD(''));
    for (const dst of ['224.0.0.251', '255.255.255.255', '10.0.0.255', '192.0.2.1'])
      expect(live.frame(udpPacket({ ...query, dst }), LEFT, RIGHT).verdict).toBe('accept');
  });

  test('answers by the device that a packet came by, in the name of its destination', () => {
    const live = new Live(bridgeHost(['eth0', 'eth1']));
    live.frame(tcpPacket({ ...query, dport: 23, flags: TH_SYN }), RIGHT, LEFT);
    const [reset] = live.firewall.outcome.answers;
    expect(reset).toMatchObject({ left: true, ifout: RIGHT });
    expect([...reset!.bytes.subarray(12, 16)]).toEqual([10, 0, 0, 7]);
    live.frame(udpPacket({ ...query, dport: 9 }), LEFT, RIGHT);
    const [error] = live.firewall.outcome.answers;
    expect(error).toMatchObject({ left: true, ifout: LEFT });
    expect([...error!.bytes.subarray(12, 20)]).toEqual([10, 0, 0, 7, 10, 0, 0, 5]);
  });

  test('sends fragments on as it got them, once they are together', () => {
    const live = new Live(bridgeHost(['eth0', 'eth1']));
    const whole = udpPacket({ ...query, payload: new Uint8Array(2000), ip: { id: 7 } });
    const pieces = fragmentIpv4(whole, 1000);
    const verdicts = pieces.map((piece) => live.frame(piece, LEFT, RIGHT).verdict);
    expect(verdicts).toEqual(['stolen', 'stolen', 'accept']);
    expect(live.firewall.outcome.out).toEqual(pieces);
    expect(live.frame(udpPacket(answer), RIGHT, LEFT).verdict).toBe('accept');
    expect(live.firewall.outcome.out).toEqual([]);
  });

  // As Linux counts them with bridge-nf-call-iptables, by a ping.
  test.each([
    ['--physdev-in eth0', 'PREROUTING FORWARD POSTROUTING'],
    ['! --physdev-in eth0', ''],
    ['--physdev-out eth1', 'FORWARD POSTROUTING'],
    ['! --physdev-out eth1', ''],
    ['--physdev-is-in', 'PREROUTING FORWARD POSTROUTING'],
    ['! --physdev-is-in', ''],
    ['--physdev-is-out', 'FORWARD POSTROUTING'],
    ['! --physdev-is-out', 'PREROUTING'],
    ['--physdev-is-bridged', 'FORWARD POSTROUTING'],
    ['! --physdev-is-bridged', 'PREROUTING'],
    ['--physdev-in eth+', 'PREROUTING FORWARD POSTROUTING'],
    ['--physdev-in eth0 --physdev-out eth1', 'FORWARD POSTROUTING'],
    ['--physdev-in eth0 ! --physdev-out eth1', ''],
    ['! --physdev-in eth0 --physdev-is-bridged', ''],
    ['--physdev-is-in --physdev-is-out', 'FORWARD POSTROUTING'],
  ])('knows its ports: %s', (words, hooks) => {
    const chains = ['PREROUTING', 'FORWARD', 'POSTROUTING'];
    const rules = chains.map((chain) => `-A ${chain} -m physdev ${words} -j ACCEPT`);
    const ruleset = new Ruleset();
    const text = ['*mangle', ...rules, 'COMMIT', ''].join('\n');
    expect(ruleset.load({ name: 'rules.v4', text })).toEqual([]);
    const firewall = new Firewall({ host: bridgeHost(['eth0', 'eth1']), rules: ruleset.tables() });
    const bytes = ethernetFrame(udpPacket(query));
    const pkt = new Packet();
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    Object.assign(pkt, { ifin: LEFT, ifout: RIGHT });
    firewall.receive(pkt, DLT_EN10MB, 1000);
    const saved = ruleset.ipv4.save({ counters: true });
    const counted = chains.filter((chain) => new RegExp(`^\\[1:.*-A ${chain} `, 'm').test(saved));
    expect(counted.join(' ')).toBe(hooks);
  });
});

describe('a router that sends packets on', () => {
  const hops = ({ left }: { left: Uint8Array }): number => left[8]!;

  test('takes one off the hop limit of each packet, whichever way it takes through the rules', () => {
    const live = new Live(gateway(), FORWARD('ct state established accept'));
    const out = { src: '10.0.0.5', dst: '198.51.100.7', sport: 1000, dport: 80, ip: { ttl: 64 } };
    const back = { src: out.dst, dst: out.src, sport: 80, dport: 1000, ip: { ttl: 33 } };
    expect(hops(live.frame(tcpPacket({ ...out, flags: TH_SYN, seq: 9 }), 3))).toBe(63);
    expect(hops(live.frame(tcpPacket({ ...back, flags: TH_SYN | TH_ACK, seq: 99, ack: 10 }), 2))).toBe(32);
    for (let i = 0; i < 3; i++) {
      const bytes = tcpPacket({ ...out, flags: TH_ACK, seq: 10, ack: 100 });
      const { left, verdict, ifout } = live.frame(bytes, 3);
      expect({ verdict, ifout, hops: left[8] }).toEqual({ verdict: 'accept', ifout: 2, hops: 63 });
      expect(left).toEqual(tcpPacket({ ...out, flags: TH_ACK, seq: 10, ack: 100, ip: { ttl: 63 } }));
    }
  });

  test('cuts what is too long for its next link', () => {
    const host = gateway();
    host.addDevice('eth0', { mtu: 1000 });
    const live = new Live(host, FORWARD(''));
    const bytes = udpPacket({
      src: '10.0.0.5',
      dst: '198.51.100.7',
      sport: 1,
      dport: 2,
      payload: new Uint8Array(1400),
      ip: { df: false },
    });
    expect(live.frame(bytes, 3).verdict).toBe('accept');
    expect(live.firewall.outcome.out.map((piece) => piece.length)).toEqual([996, 452]);
  });
});
