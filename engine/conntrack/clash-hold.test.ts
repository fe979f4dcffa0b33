/** Packets set aside between tracking and confirmation, and what happens to their flows meanwhile. */
import { describe, expect, test } from 'vitest';
import { icmpPacket, tcpPacket } from '../packet/build.ts';
import { IP_CT_ESTABLISHED, IP_CT_NEW, type Packet } from '../packet/packet.ts';
import { TH_ACK, TH_FIN, TH_RST, TH_SYN } from '../packet/tcp.ts';
import { mayJoin } from './clash.ts';
import { readFlow } from './flow-record.ts';
import { F_STATUS, ROW_WORDS } from './flow-table.ts';
import { IPS_DST_NAT_DONE, IPS_SRC_NAT_DONE, statusNames } from './status.ts';
import { tcp, udp, udp6, Wire } from './testing.mts';

/** A packet that goes to a queue. */
function queue(wire: Wire, bytes: Uint8Array): Packet {
  const pkt = wire.track(bytes);
  wire.ct.hold(pkt);
  return pkt;
}

/** The queue lets it go on. */
function accept(wire: Wire, pkt: Packet): boolean {
  wire.ct.resume(pkt);
  return wire.ct.confirm(pkt);
}

/** The queue drops it. */
function drop(wire: Wire, pkt: Packet): void {
  wire.ct.resume(pkt);
  wire.ct.abandon(pkt);
}

const status = (wire: Wire, pkt: Packet): string[] =>
  statusNames(wire.ct.table.words[pkt.flow * ROW_WORDS + F_STATUS]!);

describe('a packet that joins the flow that won', () => {
  test('stays NEW and leaves its timer, though it was answered meanwhile', () => {
    const wire = new Wire();
    const late = queue(wire, udp(1));
    wire.receive(udp(1));
    wire.receive(udp(1, true));
    wire.wait(10_000);
    expect(accept(wire, late)).toBe(true);
    expect(late.ctinfo).toBe(IP_CT_NEW);
    expect(wire.flows()).toMatchObject([{ timeout: 20_000, status: 10 }]);
  });

  test('takes the events along that wait for the next packet', () => {
    const wire = new Wire();
    const late = queue(wire, udp(1));
    wire.receive(udp(1));
    const answer = queue(wire, udp(1, true));
    expect(wire.told()).toEqual(['NEW 0']);
    accept(wire, late);
    expect(wire.told()).toEqual(['REPLY 0']);
    accept(wire, answer);
    expect(wire.told()).toEqual([]);
  });

  test('is counted only if its own flow had counters', () => {
    const wire = new Wire({ nf_conntrack_acct: 0 });
    const without = queue(wire, udp(1));
    wire.firewall.settings.set('nf_conntrack_acct', 1);
    const withCounters = queue(wire, udp(1));
    wire.receive(udp(1));
    accept(wire, without);
    expect(wire.flows()[0]!.counters!.original.packets).toBe(1);
    accept(wire, withCounters);
    expect(wire.flows()[0]!.counters!.original.packets).toBe(2);
  });

  test.each([
    ['goes the same way', udp(1), udp(1)],
    ['comes the other way', udp(1), udp(1, true)],
  ])('may do so behind NAT that changed nothing, if it %s', (_name, a, b) => {
    const wire = new Wire();
    const [first, second] = [wire.track(a), wire.track(b)];
    const { words } = wire.ct.table;
    words[first.flow * ROW_WORDS + F_STATUS]! |= IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
    expect(mayJoin(words, second.flow, first.flow)).toBe(true);
  });
});

describe('a flush while packets are held', () => {
  test('does not touch flows that are not confirmed yet', () => {
    const wire = new Wire();
    const pkt = queue(wire, udp(1));
    wire.ct.flush();
    expect(accept(wire, pkt)).toBe(true);
    expect(wire.flows()).toHaveLength(1);
    expect(wire.told()).toEqual(['NEW 0']);
  });

  test('lets packets of confirmed flows pass, without an entry', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    const pkt = queue(wire, udp(1));
    wire.ct.flush();
    wire.events.length = 0;
    expect(accept(wire, pkt)).toBe(true);
    expect(wire.flows()).toEqual([]);
    expect(wire.told()).toEqual([]);
  });

  test('leaves the flow readable for its packet, and counted, until that has gone on', () => {
    const wire = new Wire();
    wire.receive(udp6(1));
    const pkt = queue(wire, udp6(1));
    const { flowId } = readFlow(wire.ct, pkt.flow);
    wire.ct.flush();
    wire.receive(udp(2));
    expect(readFlow(wire.ct, pkt.flow)).toMatchObject({ flowId, original: { src: 'fd00::1', sport: 1 } });
    expect(status(wire, pkt)).toEqual(['CONFIRMED', 'DYING']);
    expect(wire.ct.table.count).toBe(2);
    accept(wire, pkt);
    expect(wire.ct.table.count).toBe(1);
  });

  test.each([
    ['accepted', accept],
    ['dropped', drop],
  ])('gives nothing to the old packet of what came after: %s', (_name, end) => {
    const wire = new Wire();
    wire.receive(udp(1));
    const old = queue(wire, udp(1));
    wire.ct.flush();
    const young = queue(wire, udp(1));
    wire.events.length = 0;
    end(wire, old);
    expect(wire.flows()).toEqual([]);
    expect(wire.told()).toEqual([]);
    accept(wire, young);
    expect(wire.flows()).toHaveLength(1);
  });

  test('frees the row once, after the last of several packets', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    const packets = [queue(wire, udp(1)), queue(wire, udp(1)), queue(wire, udp(1, true))];
    wire.ct.flush();
    const counts = packets.map((pkt) => {
      accept(wire, pkt);
      return wire.ct.table.count;
    });
    expect(counts).toEqual([1, 1, 0]);
    const rows = [wire.track(udp(2)).flow, wire.track(udp(3)).flow];
    expect(new Set(rows).size).toBe(2);
  });
});

describe('a flow that a TCP packet removed', () => {
  test('is DYING for the RST itself as long as that is held', () => {
    const wire = new Wire();
    wire.receive(tcp(1, TH_SYN));
    const rst = queue(wire, tcp(1, TH_RST | TH_ACK, true));
    const next = queue(wire, tcp(1, TH_SYN));
    expect(next.flow).not.toBe(rst.flow);
    expect(status(wire, rst)).toEqual(['SEEN_REPLY', 'CONFIRMED', 'DYING']);
    expect(wire.ct.table.count).toBe(2);
    accept(wire, rst);
    expect(wire.ct.table.count).toBe(1);
    accept(wire, next);
    expect(wire.flows()).toMatchObject([{ state: 'SYN_SENT' }]);
  });

  test('gives its place back when the RST has passed without being held', () => {
    const wire = new Wire();
    wire.receive(tcp(1, TH_SYN));
    wire.receive(tcp(1, TH_RST | TH_ACK, true));
    expect(wire.ct.table.count).toBe(0);
  });

  test('is not brought back by an old packet when a SYN reopened it and was dropped', () => {
    const wire = new Wire();
    const client = { src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 80 };
    const server = { src: '10.1.0.1', dst: '10.0.0.1', sport: 80, dport: 1 };
    const lastAck = tcpPacket({ ...client, flags: TH_ACK, seq: 102, ack: 502 });
    const course = [
      tcpPacket({ ...client, flags: TH_SYN, seq: 100 }),
      tcpPacket({ ...server, flags: TH_SYN | TH_ACK, seq: 500, ack: 101 }),
      tcpPacket({ ...client, flags: TH_ACK, seq: 101, ack: 501 }),
      tcpPacket({ ...client, flags: TH_FIN | TH_ACK, seq: 101, ack: 501 }),
      tcpPacket({ ...server, flags: TH_FIN | TH_ACK, seq: 501, ack: 102 }),
      lastAck,
    ];
    for (const bytes of course) wire.receive(bytes);
    expect(wire.flows()).toMatchObject([{ state: 'TIME_WAIT' }]);
    const old = queue(wire, lastAck);
    expect(old.ctinfo).toBe(IP_CT_ESTABLISHED);
    const syn = queue(wire, tcpPacket({ ...client, flags: TH_SYN, seq: 9000 }));
    expect(syn.ctinfo).toBe(IP_CT_NEW);
    expect(accept(wire, old)).toBe(true);
    drop(wire, syn);
    expect(wire.flows()).toEqual([]);
    expect(wire.ct.table.count).toBe(0);
  });
});

test('a full table makes room even for a packet that then opens no flow', () => {
  const wire = new Wire({ nf_conntrack_max: 2 });
  wire.receive(udp(1));
  wire.receive(udp(2));
  wire.receive(tcp(1, TH_SYN | TH_ACK));
  expect(wire.ct.stats).toMatchObject({ early_drop: 1, invalid: 1 });
  expect(wire.flows()).toHaveLength(1);
});

test('what ICMP refuses before the look-up is counted as error, what it refuses after as invalid', () => {
  const wire = new Wire();
  const ends = { src: '10.0.0.1', dst: '10.1.0.1' };
  wire.receive(icmpPacket({ ...ends, type: 30 }));
  expect(wire.ct.stats).toMatchObject({ error: 1, invalid: 0 });
  wire.receive(icmpPacket({ ...ends, type: 0, id: 7 }));
  expect(wire.ct.stats).toMatchObject({ error: 1, invalid: 1 });
});
