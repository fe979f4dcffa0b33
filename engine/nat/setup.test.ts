import { describe, expect, test } from 'vitest';
import { Conntrack } from '../conntrack/conntrack.ts';
import { readFlow } from '../conntrack/flow-record.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { Settings } from '../conntrack/settings.ts';
import { statusNames } from '../conntrack/status.ts';
import { parseAddress } from '../packet/address.ts';
import { icmpPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { dissect } from '../packet/dissect.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { makeTrackers } from '../proto/registry.ts';
import * as C from './choice.ts';
import * as R from './range.ts';
import { bindNothing, setupNat } from './setup.ts';

class Table {
  readonly ct: Conntrack;
  private now = 1000;

  constructor() {
    const settings = new Settings();
    this.ct = new Conntrack(settings, makeTrackers(settings.profile), 7);
  }

  /** Tracks a packet; its flow is not confirmed yet. */
  track(bytes: Uint8Array): Packet {
    const pkt = new Packet();
    resetPacket(pkt, bytes, viewOf(bytes), 0, bytes.length);
    pkt.time = this.now++;
    dissect(pkt);
    this.ct.track(pkt);
    return pkt;
  }

  /** A flow that enters the table with its source translated; its answers' destination, how, and whether it got in. */
  snat(bytes: Uint8Array, range: R.NatRange): readonly [string, number, boolean] {
    const pkt = this.track(bytes);
    setupNat(this.ct, pkt.flow, range, R.NF_NAT_MANIP_SRC);
    const why = this.ct.natChoice;
    const { reply } = readFlow(this.ct, pkt.flow);
    const isIn = this.ct.confirm(pkt);
    return [`${reply.dst} ${reply.dport ?? reply.id}`, why, isIn];
  }
}

function range(fields: Partial<R.NatRange> & { address?: string; last?: string }): R.NatRange {
  const { address, last = address, ...rest } = fields;
  return {
    flags: 0,
    minAddress: address === undefined ? null : parseAddress(address)!,
    maxAddress: last === undefined ? null : parseAddress(last)!,
    minPort: 0,
    maxPort: 0,
    basePort: 0,
    ...rest,
  };
}

const PUBLIC = range({ address: '203.0.113.1', flags: R.NF_NAT_RANGE_MAP_IPS });
const FIVE = range({
  address: '203.0.113.1',
  flags: R.NF_NAT_RANGE_MAP_IPS | R.NF_NAT_RANGE_PROTO_SPECIFIED,
  minPort: 5000,
  maxPort: 5004,
});

function from(src: string, sport: number, dst = '198.51.100.7'): Uint8Array {
  return udpPacket({ src, dst, sport, dport: 53 });
}

describe('an end of a flow', () => {
  test('is decided once, and not at all behind confirmation', () => {
    const table = new Table();
    const { ct } = table;
    const pkt = table.track(from('10.0.0.2', 1000));
    expect(setupNat(ct, pkt.flow, PUBLIC, R.NF_NAT_MANIP_SRC)).toBe(1);
    expect(setupNat(ct, pkt.flow, PUBLIC, R.NF_NAT_MANIP_SRC)).toBe(0);
    expect(statusNames(ct.table.words[pkt.flow * ROW_WORDS + F_STATUS]!)).toEqual([
      'SRC_NAT',
      'SRC_NAT_DONE',
    ]);
    expect(bindNothing(ct, pkt.flow, R.NF_NAT_MANIP_DST)).toBe(1);
    ct.confirm(pkt);
    expect(setupNat(ct, pkt.flow, PUBLIC, R.NF_NAT_MANIP_DST)).toBe(1);
    expect(readFlow(ct, pkt.flow).reply).toEqual({
      src: '198.51.100.7',
      dst: '203.0.113.1',
      sport: 53,
      dport: 1000,
    });
  });

  test('keeps its port if that is free, and gets another one of its class if it is not', () => {
    const table = new Table();
    expect(table.snat(from('10.0.0.2', 1000), PUBLIC)).toEqual(['203.0.113.1 1000', C.NAT_ADDRESS, true]);
    const [answer, why, isIn] = table.snat(from('10.0.0.3', 1000), PUBLIC);
    const port = Number(answer.split(' ')[1]);
    expect([why, isIn, port >= 600 && port < 1024]).toEqual([C.NAT_PORT_TAKEN, true, true]);
    expect(table.snat(from('10.0.0.3', 1000, '198.51.100.8'), PUBLIC)).toEqual([
      answer,
      C.NAT_SAME_SOURCE,
      true,
    ]);
  });

  test('is as it was if it lies in the range', () => {
    expect(new Table().snat(from('203.0.113.1', 5002), FIVE)).toEqual(['203.0.113.1 5002', C.NAT_KEPT, true]);
  });

  test('gets every port of a range, and is refused when there is none left', () => {
    const table = new Table();
    const found = [2, 3, 4, 5, 6].map((i) => table.snat(from(`10.0.0.${i}`, 1000), FIVE));
    expect(new Set(found.map(([answer]) => answer)).size).toBe(5);
    expect(found.every(([, why, isIn]) => why === C.NAT_PORT_RANGE && isIn)).toBe(true);
    const [, why, isIn] = table.snat(from('10.0.0.9', 1000), FIVE);
    expect([why, isIn]).toEqual([C.NAT_EXHAUSTED, false]);
  });

  test('of ICMP has an id for a port', () => {
    const table = new Table();
    const ping = (src: string): Uint8Array => icmpPacket({ src, dst: '198.51.100.7', type: 8, id: 9 });
    expect(table.snat(ping('10.0.0.2'), PUBLIC)).toEqual(['203.0.113.1 9', C.NAT_ADDRESS, true]);
    const [answer] = table.snat(ping('10.0.0.3'), PUBLIC);
    expect(answer).not.toBe('203.0.113.1 9');
  });

  test('of a range of addresses depends on who speaks to whom, or, if it is to be persistent, on who speaks', () => {
    const spread = (flags: number): Set<string> => {
      const table = new Table();
      const some = range({
        address: '203.0.113.0',
        last: '203.0.113.255',
        flags: R.NF_NAT_RANGE_MAP_IPS | flags,
      });
      const one = (i: number): string =>
        table.snat(from('10.0.0.2', 1000 + i, `198.51.100.${i}`), some)[0].split(' ')[0]!;
      return new Set(Array.from({ length: 20 }, (_, i) => one(i)));
    };
    expect(spread(0).size).toBeGreaterThan(10);
    expect(spread(R.NF_NAT_RANGE_PERSISTENT).size).toBe(1);
  });

  test('of which no rule said anything stays, unless its answers are another flow’s', () => {
    const table = new Table();
    table.snat(from('10.0.0.2', 1000), PUBLIC);
    const alone = table.track(from('203.0.113.9', 1000));
    bindNothing(table.ct, alone.flow, R.NF_NAT_MANIP_SRC);
    expect([table.ct.natChoice, statusNames(alone.status)]).toEqual([C.NAT_UNCHANGED, []]);
    const clash = table.track(from('203.0.113.1', 1000));
    bindNothing(table.ct, clash.flow, R.NF_NAT_MANIP_SRC);
    expect(table.ct.natChoice).toBe(C.NAT_PORT_TAKEN);
    expect(readFlow(table.ct, clash.flow).reply.dport).not.toBe(1000);
  });

  test('takes the port of a closed flow that was translated, if its numbers are behind', () => {
    const table = new Table();
    const one = { ...FIVE, maxPort: 5000 };
    const tcp = (src: string, flags: number, seq: number, ack = 0): Uint8Array =>
      tcpPacket({ src, dst: '198.51.100.7', sport: 1000, dport: 22, flags, seq, ack });
    table.snat(tcp('10.0.0.2', 2, 100), one);
    const answer = { src: '198.51.100.7', dst: '203.0.113.1', sport: 22, dport: 5000 };
    for (const bytes of [
      tcpPacket({ ...answer, flags: 18, seq: 900, ack: 101 }),
      tcp('10.0.0.2', 16, 101, 901),
      tcp('10.0.0.2', 20, 101, 901),
    ])
      table.ct.confirm(table.track(bytes));
    expect(table.snat(tcp('10.0.0.3', 2, 100), one)[2]).toBe(false);
    expect(table.snat(tcp('10.0.0.3', 2, 102), one)[2]).toBe(true);
    expect(table.ct.table.count).toBe(1);
  });

  test('of IPv6 has addresses that go when the flow goes', () => {
    const table = new Table();
    const some = range({ address: '2001:db8::99', flags: R.NF_NAT_RANGE_MAP_IPS });
    const ask = (src: string): Uint8Array => udpPacket({ src, dst: '2001:db8:5::1', sport: 1000, dport: 53 });
    for (const src of ['fd00::2', 'fd00::3'])
      expect(table.snat(ask(src), some)[0].split(' ')[0]).toBe('2001:db8::99');
    expect(table.ct.pool.size).toBe(4);
    table.ct.flush();
    expect([table.ct.pool.size, table.ct.table.count]).toEqual([0, 0]);
  });
});
