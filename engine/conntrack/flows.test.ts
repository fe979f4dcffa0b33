import { describe, expect, test } from 'vitest';
import { Firewall } from '../hook/firewall.ts';
import { icmpErrorPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { CTINFO_INVALID, IP_CT_ESTABLISHED_REPLY, IP_CT_NEW, IP_CT_RELATED_REPLY } from '../packet/packet.ts';
import { TH_ACK, TH_RST, TH_SYN } from '../packet/tcp.ts';
import { findFlow } from './flow-find.ts';
import { readFlow } from './flow-record.ts';
import { LINUX_2_4 } from './profile.ts';
import { packetOf, stream, tcp, udp, udp6, Wire } from './testing.mts';

const QUERY = { src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 53, protonum: 17 };

describe('a new flow', () => {
  test('cannot be found before its first packet is confirmed, not even by its answer or an error', () => {
    const wire = new Wire();
    const pkt = wire.track(udp(1));
    expect(pkt.flow).toBeGreaterThan(0);
    expect(wire.flows()).toEqual([]);
    expect(findFlow(wire.ct, QUERY)).toBe(0);
    expect(wire.track(udp(1, true)).ctinfo).toBe(IP_CT_NEW);
    const error = icmpErrorPacket({ src: '10.1.0.1', type: 3, code: 3, quoted: udp(1) });
    expect(wire.track(error).ctinfo).toBe(CTINFO_INVALID);
    wire.ct.confirm(pkt);
    expect(findFlow(wire.ct, QUERY)).toBe(pkt.flow << 1);
    expect(wire.track(error).ctinfo).toBe(IP_CT_RELATED_REPLY);
  });

  test('starts its timer when it is confirmed', () => {
    const wire = new Wire();
    const pkt = wire.track(udp(1));
    wire.wait(10_000);
    wire.ct.confirm(pkt);
    expect(wire.flows()).toMatchObject([{ timeout: 30_000 }]);
  });

  test('whose packet is abandoned is gone without any event', () => {
    const wire = new Wire();
    const pkt = wire.track(udp6(1));
    expect(wire.ct.table.count).toBe(1);
    wire.ct.abandon(pkt);
    expect(wire.ct.table.count).toBe(0);
    expect(wire.ct.pool.size).toBe(0);
    expect(wire.told()).toEqual([]);
    wire.ct.abandon(pkt);
    expect(wire.ct.table.count).toBe(0);
  });

  test('that its tracker refuses is gone at once', () => {
    const wire = new Wire();
    const six = { src: 'fd00::1', dst: 'fd00::2', sport: 1, dport: 2 };
    expect(wire.receive(tcpPacket({ ...six, flags: TH_SYN | TH_ACK })).ctinfo).toBe(CTINFO_INVALID);
    expect(wire.ct.table.count).toBe(0);
    expect(wire.ct.pool.size).toBe(0);
  });

  test('has an id that no flow before it had, also in the same row', () => {
    const wire = new Wire();
    const ids = new Set<number>();
    for (let i = 0; i < 100; i++) {
      wire.receive(udp(1));
      const [flow] = wire.flows();
      ids.add(flow!.flowId);
      wire.ct.flush();
    }
    expect(ids.size).toBe(100);
    expect(wire.ct.table.limit).toBe(2);
    expect(ids.has(0)).toBe(false);
  });
});

describe('an abandoned packet of a known flow', () => {
  test('leaves the flow where it is, with what it brought', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    const pkt = wire.track(udp(1, true));
    expect(pkt.ctinfo).toBe(IP_CT_ESTABLISHED_REPLY);
    wire.ct.abandon(pkt);
    expect(wire.flows()).toMatchObject([{ status: 0b1010 }]);
  });
});

describe('the events of a flow', () => {
  test('are NEW when it enters, updates when it gets an answer and is ASSURED, DESTROY when it leaves', () => {
    const wire = new Wire();
    stream(wire, 1);
    wire.wait(120_000);
    expect(wire.told()).toEqual(['NEW 0', 'REPLY 0', 'ASSURED 2001', 'DESTROY 122001 expired']);
  });

  test('of TCP tell each change of state, and nothing of a packet that changes none', () => {
    const wire = new Wire();
    wire.receive(tcp(1, TH_SYN));
    wire.receive(tcp(1, TH_SYN | TH_ACK, true));
    wire.receive(tcpPacket({ ...QUERY, dport: 80, flags: TH_ACK, seq: 101, ack: 501 }));
    wire.receive(tcpPacket({ ...QUERY, dport: 80, flags: TH_ACK, seq: 101, ack: 501 }));
    expect(wire.told()).toEqual(['NEW PROTOINFO 0', 'REPLY PROTOINFO 0', 'ASSURED PROTOINFO 0']);
  });

  test('come out at the end of the packet that caused them', () => {
    const wire = new Wire();
    const pkt = wire.track(udp(1));
    expect(wire.told()).toEqual([]);
    wire.ct.confirm(pkt);
    expect(wire.told()).toEqual(['NEW 0']);
  });

  test('let its row be read, the leaving one too', () => {
    const wire = new Wire({ nf_conntrack_acct: 1, nf_conntrack_timestamp: 1 });
    wire.receive(udp6(1));
    wire.receive(udp6(1, true));
    wire.ct.flush();
    const { flow } = wire.events.at(-1)!;
    expect(flow).toMatchObject({
      flowId: 1,
      original: { src: 'fd00::1', dst: 'fd00::2', sport: 1, dport: 53 },
      counters: { original: { packets: 1, bytes: 48 }, reply: { packets: 1, bytes: 48 } },
      start: 1_000_000,
    });
    expect(wire.ct.pool.size).toBe(0);
  });

  test('can be had without anybody listening', () => {
    const wire = new Wire();
    wire.ct.sink = null;
    stream(wire, 1);
    wire.ct.flush();
    expect(wire.flows()).toEqual([]);
    expect(wire.told()).toEqual([]);
  });
});

describe('time', () => {
  test('ends a flow at the very millisecond, with the time that was due in its event', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.wait(29_999);
    expect(wire.flows()).toHaveLength(1);
    wire.told();
    wire.wait(5000);
    expect(wire.told()).toEqual(['DESTROY 30000 expired']);
    expect(wire.flows()).toEqual([]);
  });

  test('a packet that comes when the timer runs out does not find the flow any more', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.now += 30_000;
    expect(wire.receive(udp(1, true)).ctinfo).toBe(IP_CT_NEW);
    expect(wire.told()).toEqual(['NEW 0', 'DESTROY 30000 expired', 'NEW 30000']);
  });

  test('events of several flows come in order, between those of packets', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.wait(1000);
    wire.receive(tcp(1, TH_SYN));
    wire.wait(1000);
    wire.receive(udp(2));
    wire.wait(200_000);
    expect(wire.told()).toEqual([
      'NEW 0',
      'NEW PROTOINFO 1000',
      'NEW 2000',
      'DESTROY 30000 expired',
      'DESTROY 32000 expired',
      'DESTROY 121000 expired',
    ]);
  });

  test('does not run backwards: an earlier packet counts as simultaneous', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.now -= 500_000;
    wire.receive(udp(2));
    expect(wire.told()).toEqual(['NEW 0', 'NEW 0']);
    expect(wire.flows().map(({ timeout }) => timeout)).toEqual([30_000, 30_000]);
  });

  test('is taken in whole milliseconds', () => {
    const wire = new Wire();
    wire.now += 0.9;
    wire.receive(udp(1));
    wire.wait(29_999.05);
    expect(wire.flows()).toHaveLength(1);
    wire.wait(0.1);
    expect(wire.told()).toEqual(['NEW 0', 'DESTROY 30000 expired']);
  });

  test.each([0, -1])(
    'with a timeout of %i s a flow is gone before the next packet of the same moment',
    (seconds) => {
      const wire = new Wire({ nf_conntrack_udp_timeout: seconds });
      expect(wire.receive(udp(1)).ctinfo).toBe(IP_CT_NEW);
      expect(wire.ct.nextDue()).toBeLessThanOrEqual(wire.now);
      expect(wire.receive(udp(1, true)).ctinfo).toBe(IP_CT_NEW);
      expect(wire.told()).toEqual(['NEW 0', 'DESTROY 0 expired', 'NEW 0']);
      expect(wire.ct.table.count).toBe(1);
    },
  );

  test('says when something is due at the earliest, and never if the table is empty', () => {
    const wire = new Wire();
    expect(wire.ct.nextDue()).toBe(Number.POSITIVE_INFINITY);
    wire.receive(udp(1));
    let steps = 0;
    while (wire.flows().length > 0 && steps++ < 100) {
      expect(wire.ct.nextDue()).toBeLessThanOrEqual(1_030_000);
      wire.wait(wire.ct.nextDue() - wire.now);
    }
    expect(wire.now).toBe(1_030_000);
    expect(wire.ct.nextDue()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('from outside', () => {
  test('a flow is deleted with its reason, and the next packet is NEW', () => {
    const wire = new Wire();
    stream(wire, 1);
    wire.told();
    wire.ct.delete(findFlow(wire.ct, QUERY) >> 1);
    expect(wire.told()).toEqual(['DESTROY 2001 deleted']);
    expect(wire.receive(udp(1)).ctinfo).toBe(IP_CT_NEW);
  });

  test('all flows are flushed, each with its event', () => {
    const wire = new Wire();
    for (let port = 1; port <= 3; port++) wire.receive(udp(port));
    wire.receive(udp6(9));
    wire.told();
    wire.ct.flush();
    expect(wire.told()).toEqual(Array(4).fill('DESTROY 0 flushed'));
    expect([wire.ct.table.count, wire.ct.pool.size]).toEqual([0, 0]);
  });

  test('some flows are deleted while all are visited', () => {
    const wire = new Wire();
    for (let port = 1; port <= 10; port++) wire.receive(udp(port));
    wire.ct.eachFlow((flow) => {
      if ((readFlow(wire.ct, flow).original.sport ?? 0) % 2 === 0) wire.ct.delete(flow);
    });
    expect(wire.flows().map(({ original }) => original.sport)).toEqual([1, 3, 5, 7, 9]);
  });

  test('a packet under way passes although its flow was deleted meanwhile', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    const pkt = wire.track(udp(1));
    wire.ct.flush();
    expect(wire.ct.confirm(pkt)).toBe(true);
    expect(wire.flows()).toEqual([]);
  });

  test('a timer is set: longer, shorter, and to nothing', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    const flow = findFlow(wire.ct, QUERY) >> 1;
    wire.ct.setTimeout(flow, 500_000);
    wire.wait(499_999);
    expect(wire.ct.left(flow)).toBe(1);
    wire.ct.setTimeout(flow, 1000.5);
    expect(wire.ct.left(flow)).toBe(1000);
    wire.wait(999);
    expect(wire.flows()).toHaveLength(1);
    wire.told();
    wire.ct.setTimeout(flow, 0);
    expect(wire.receive(udp(1)).ctinfo).toBe(IP_CT_NEW);
    expect(wire.told()).toEqual(['DESTROY 500998 expired', 'NEW 500998']);
  });

  test('a mark is set', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.ct.setMark(findFlow(wire.ct, QUERY) >> 1, 0xffffffff);
    expect(wire.flows()).toMatchObject([{ mark: 0xffffffff }]);
  });
});

describe('counters and start times', () => {
  test('are kept of flows that were made while acct and timestamp were on, and of no other', () => {
    const wire = new Wire();
    wire.receive(udp(1));
    wire.firewall.settings.set('nf_conntrack_acct', 1);
    wire.firewall.settings.set('nf_conntrack_timestamp', 1);
    wire.wait(5);
    wire.receive(udp(1));
    wire.receive(udp(2));
    wire.receive(udp(2, true));
    wire.firewall.settings.set('nf_conntrack_acct', 0);
    wire.receive(udp(2));
    wire.receive(udp(3));
    expect(wire.flows()).toMatchObject([
      { counters: null, start: null },
      {
        counters: { original: { packets: 2, bytes: 64 }, reply: { packets: 1, bytes: 32 } },
        start: 1_000_005,
      },
      { counters: null, start: 1_000_005 },
    ]);
  });

  test('begin anew in a row that another flow had before', () => {
    const wire = new Wire({ nf_conntrack_acct: 1 });
    wire.receive(udp(1));
    wire.receive(udp(1));
    wire.ct.flush();
    wire.receive(udp(2));
    expect(wire.flows()).toMatchObject([{ counters: { original: { packets: 1 } } }]);
  });
});

describe('a flow that its own packet ends', () => {
  test.each([
    ['linux-6.18', new Wire()],
    ['linux-2.4', new Wire({}, LINUX_2_4)],
  ])('(RST that answers the SYN, %s) is gone, its packet passes, its row is free', (_name, wire) => {
    wire.receive(tcp(1, TH_SYN));
    wire.told();
    const rst = wire.receive(tcp(1, TH_RST | TH_ACK, true));
    expect(rst.ctinfo).toBe(IP_CT_ESTABLISHED_REPLY);
    expect(wire.told()).toEqual(['DESTROY 0 tcp-reset']);
    expect(wire.ct.table.count).toBe(0);
    wire.receive(tcp(1, TH_SYN));
    expect(wire.told()).toEqual(['NEW PROTOINFO 0']);
  });

  test('(SYN in TIME_WAIT) makes room for a new one with another id', () => {
    const wire = new Wire();
    const side = (back: boolean, flags: number, seq: number, ack: number): Uint8Array =>
      back
        ? tcpPacket({ src: '10.1.0.1', dst: '10.0.0.1', sport: 80, dport: 1, flags, seq, ack })
        : tcpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 80, flags, seq, ack });
    wire.receive(side(false, 0x02, 100, 0));
    wire.receive(side(true, 0x12, 500, 101));
    wire.receive(side(false, 0x10, 101, 501));
    wire.receive(side(false, 0x11, 101, 501));
    wire.receive(side(true, 0x11, 501, 102));
    wire.receive(side(false, 0x10, 102, 502));
    const [old] = wire.flows();
    expect(old!.state).toBe('TIME_WAIT');
    wire.told();
    expect(wire.receive(side(false, 0x02, 9000, 0)).ctinfo).toBe(IP_CT_NEW);
    expect(wire.told()).toEqual(['DESTROY 0 tcp-reopened', 'NEW PROTOINFO 0']);
    expect(wire.flows()).toMatchObject([{ state: 'SYN_SENT', status: 8 }]);
    expect(wire.flows()[0]!.flowId).not.toBe(old!.flowId);
  });
});

describe('a packet without a place in the table', () => {
  test.each([
    ['cut short before its ports', udpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport: 1, dport: 2 }), 22],
  ])('(%s) is INVALID and makes none', (_name, bytes, length) => {
    const cut = bytes.slice(0, length);
    new DataView(cut.buffer).setUint16(2, length);
    const wire = new Wire({ nf_conntrack_checksum: 0 });
    const pkt = packetOf(cut);
    pkt.family = 2;
    pkt.l4 = 20;
    pkt.proto = 17;
    pkt.time = wire.now;
    expect(wire.ct.track(pkt)).toBe(true);
    expect(pkt.ctinfo).toBe(CTINFO_INVALID);
    expect(wire.ct.table.count).toBe(0);
    expect(wire.ct.stats.invalid).toBe(1);
  });
});

describe('a time that no clock shows', () => {
  test.each([Number.POSITIVE_INFINITY, Number.NaN, 2 ** 60, -1])(
    '%d counts as the last one: timers go on as before',
    (odd) => {
      const firewall = new Firewall();
      firewall.tick(1000);
      firewall.tick(odd);
      expect(firewall.conntrack.now).toBe(1000);
      firewall.tick(2000);
      expect(firewall.conntrack.now).toBe(2000);
    },
  );
});
