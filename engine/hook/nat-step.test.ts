import { describe, expect, test } from 'vitest';
import { readFlow } from '../conntrack/flow-record.ts';
import { defaultHost } from '../host/model.ts';
import { parseAddress } from '../packet/address.ts';
import { sctpPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { fragmentIpv6 } from '../packet/build-fragment.ts';
import { sctpInit } from '../packet/build-sctp.ts';
import type { Packet } from '../packet/packet.ts';
import type { NatDecision } from './nat-decision.ts';
import { Ruleset } from './ruleset.ts';
import { Bench, gateway } from './testing.mts';

const ETH0 = 2;
const ETH1 = 3;

function bench(rules: string, host = gateway()): Bench {
  const ruleset = new Ruleset();
  expect(ruleset.load({ name: 'r.nft', text: rules }).map(String)).toEqual([]);
  return new Bench(ruleset.tables(), host);
}

function nat(chain: string, rule: string): string {
  const priority = chain === 'postrouting' || chain === 'input' ? 100 : -100;
  return `table inet t {\nchain c {\ntype nat hook ${chain} priority ${priority}\n${rule}\n}\n}\n`;
}

const ASK = udpPacket({ src: '10.0.0.2', dst: '198.51.100.7', sport: 1000, dport: 53 });

/** Source and destination of an IPv4 packet. */
function ends(bytes: Uint8Array | undefined): string {
  return bytes === undefined
    ? ''
    : `${bytes.subarray(12, 16).join('.')} > ${bytes.subarray(16, 20).join('.')}`;
}

describe('a masqueraded flow', () => {
  test('has the address of the device that it leaves by', () => {
    const one = bench(nat('postrouting', 'oifname "eth0" masquerade'));
    expect(one.send(ASK, ETH1)).toBe('accept');
    expect(ends(one.firewall.outcome.out[0])).toBe('203.0.113.1 > 198.51.100.7');
  });

  test('is gone when its packets would leave by another device', () => {
    const host = gateway();
    const one = bench(nat('postrouting', 'masquerade'), host);
    one.send(ASK, ETH1);
    host.addRoute({
      prefix: { family: 2, words: [0xc6336400 | 0], length: 24 },
      device: ETH1,
      type: 1,
      metric: 0,
      source: null,
    });
    expect(one.send(ASK, ETH1)).toBe('drop');
    expect(one.firewall.conntrack.table.count).toBeLessThanOrEqual(1);
    expect(one.send(ASK, ETH1)).toBe('accept');
    expect(ends(one.firewall.outcome.out[0])).toBe('10.0.0.1 > 198.51.100.7');
  });

  test('ends with the address that it was masqueraded with, and with its device', () => {
    const one = bench(nat('postrouting', 'udp dport 53 masquerade'));
    const flows = (): number => one.firewall.conntrack.table.count;
    one.send(ASK, ETH1);
    one.send(udpPacket({ src: '10.0.0.2', dst: '198.51.100.7', sport: 1000, dport: 54 }), ETH1);
    expect(one.firewall.addressGone(ETH1, null)).toBe(0);
    expect(one.firewall.addressGone(ETH0, parseAddress('203.0.113.2')!)).toBe(0);
    expect([one.firewall.addressGone(ETH0, parseAddress('203.0.113.1')!), flows()]).toEqual([1, 1]);
    one.send(ASK, ETH1);
    expect([one.firewall.addressGone(ETH0, null), flows()]).toEqual([1, 1]);
  });

  test('is dropped if no device has an address', () => {
    const host = gateway();
    host.addresses.length = 0;
    const one = bench(nat('postrouting', 'masquerade'), host);
    expect(one.send(ASK, ETH1)).toBe('drop');
    expect(one.firewall.conntrack.table.count).toBe(0);
  });
});

describe('a host of which nothing is known', () => {
  test('masquerades with an address that is not known either: the flow stays as it is', () => {
    const one = bench(nat('postrouting', 'masquerade'), defaultHost());
    expect(one.send(ASK)).toBe('accept');
    expect(ends(one.firewall.outcome.out[0])).toBe('10.0.0.2 > 198.51.100.7');
  });

  test('cannot say where it redirects to', () => {
    const one = bench(nat('prerouting', 'udp dport 53 redirect'), defaultHost());
    expect(one.send(ASK)).toBe('unknown');
    expect(one.firewall.outcome.unknown).toContain('redirects');
  });

  test('translates to the addresses that rules give', () => {
    const one = bench(nat('prerouting', 'udp dport 53 dnat ip to 192.0.2.9'), defaultHost());
    expect(one.send(ASK)).toBe('accept');
    expect(ends(one.firewall.outcome.out[0])).toBe('10.0.0.2 > 192.0.2.9');
  });
});

describe('packets of a translated flow', () => {
  test('go the long way, and come out alike, when rules accept them by their state alone', () => {
    const rules = `${nat('postrouting', 'masquerade')}table ip f {\nchain c {\ntype filter hook forward priority 0; policy drop;\nct state established,related accept\ntcp dport 22 accept\n}\n}\n`;
    const one = bench(rules);
    const ports = { sport: 1000, dport: 22 };
    const there = { src: '10.0.0.2', dst: '198.51.100.7', ...ports };
    const back = { src: '198.51.100.7', dst: '203.0.113.1', sport: 22, dport: 1000 };
    one.send(tcpPacket({ ...there, flags: 2, seq: 100 }), ETH1);
    one.send(tcpPacket({ ...back, flags: 18, seq: 500, ack: 101 }), ETH0);
    expect(ends(one.firewall.outcome.out[0])).toBe('198.51.100.7 > 10.0.0.2');
    one.firewall.wantsBytes = false;
    for (let i = 0; i < 3; i++) {
      expect(one.send(tcpPacket({ ...there, flags: 16, seq: 101, ack: 501 }), ETH1)).toBe('accept');
      expect(ends(one.pkt.bytes.slice(one.pkt.off))).toBe('203.0.113.1 > 198.51.100.7');
    }
  });

  test('leave the capture that they came from as it was', () => {
    const one = bench(nat('postrouting', 'masquerade'));
    const before = Buffer.from(ASK).toString('hex');
    one.send(ASK, ETH1);
    expect(Buffer.from(ASK).toString('hex')).toBe(before);
  });

  test('of flows from before the rules stay as they are', () => {
    const one = bench('');
    one.send(ASK, ETH1);
    const ruleset = new Ruleset();
    ruleset.load({ name: 'r.nft', text: nat('postrouting', 'masquerade') });
    one.firewall.loadRules(ruleset.tables());
    one.send(ASK, ETH1);
    expect(ends(one.firewall.outcome.out[0])).toBe('10.0.0.2 > 198.51.100.7');
  });

  test('are translated no more when no chain of type nat is left', () => {
    const one = bench(nat('postrouting', 'masquerade'));
    one.send(ASK, ETH1);
    one.firewall.loadRules([]);
    one.send(ASK, ETH1);
    expect(ends(one.firewall.outcome.out[0])).toBe('10.0.0.2 > 198.51.100.7');
  });

  test('are told of to whoever traces: what was decided, and why', () => {
    const one = bench(nat('postrouting', 'oifname "eth0" masquerade'));
    const told: NatDecision[] = [];
    one.firewall.tracer = {
      atHook: () => {},
      tracked: () => {},
      enter: () => {},
      matched: () => {},
      unmatched: () => {},
      unknown: () => {},
      returned: () => {},
      policy: () => {},
      decided: (_pkt: Packet, decision: NatDecision) => told.push(decision),
    };
    one.send(ASK, ETH1);
    expect(told.map(({ hook, isSource, text }) => [hook, isSource, text])).toEqual([
      [0, false, 'unchanged'],
      [4, true, 'port kept'],
    ]);
    expect(told[1]).toMatchObject({
      before: { address: parseAddress('10.0.0.2'), port: 1000 },
      after: { address: parseAddress('203.0.113.1'), port: 1000 },
    });
  });
});

test('what this host sends to a translated destination takes the way there', () => {
  const one = bench(nat('output', 'udp dport 53 dnat ip to 10.0.0.9'));
  one.send(udpPacket({ src: '203.0.113.1', dst: '198.51.100.7', sport: 1000, dport: 53 }));
  const { outcome, conntrack } = one.firewall;
  expect([outcome.ifout, ends(outcome.out[0])]).toEqual([ETH1, '203.0.113.1 > 10.0.0.9']);
  expect(readFlow(conntrack, one.pkt.flow).reply.src).toBe('10.0.0.9');
});

test('IPv6 fragments of SCTP that are shorter than its header leave as one, with a fragment header', () => {
  const one = bench('table inet t {\nchain c {\ntype filter hook forward priority 0\n}\n}\n');
  const packet = sctpPacket({
    src: 'fd00::2',
    dst: '2001:db8:5::1',
    sport: 1000,
    dport: 2000,
    chunks: [sctpInit({ tag: 7 })],
  });
  const sent = fragmentIpv6(packet, 8).map((piece) => one.send(piece, ETH1));
  expect([sent.length, sent.at(-1)]).toEqual([4, 'accept']);
  expect(one.firewall.outcome.out.map((bytes) => bytes.length)).toEqual([packet.length + 8]);
});
