import { describe, expect, test } from 'vitest';
import { R_TABLE_FULL } from '../base/reason.ts';
import { reasonText } from '../base/reason-text.ts';
import { CTINFO_NONE, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY, IP_CT_NEW } from '../packet/packet.ts';
import { stream, tcp, udp, udp6, Wire } from './testing.mts';

const ports = (wire: Wire): (number | undefined)[] => wire.flows().map((flow) => flow.original.sport);

describe('a full table', () => {
  test('evicts a flow that is not ASSURED for a new one, and says so in its event', () => {
    const wire = new Wire({ nf_conntrack_max: 3 });
    stream(wire, 1);
    stream(wire, 2);
    wire.receive(udp(3));
    wire.events.length = 0;
    expect(wire.receive(udp(4)).ctinfo).toBe(IP_CT_NEW);
    expect(ports(wire)).toEqual([1, 2, 4]);
    expect(wire.events).toMatchObject([
      { bits: 'DESTROY', reason: 'early-drop', flow: { original: { sport: 3 } } },
      { bits: 'NEW', reason: '' },
    ]);
    expect(wire.ct.stats).toMatchObject({ early_drop: 1, drop: 0 });
  });

  test('drops a new packet with its reason if every flow is ASSURED, and makes no entry', () => {
    const wire = new Wire({ nf_conntrack_max: 2 });
    stream(wire, 1);
    stream(wire, 2);
    const pkt = wire.receive(udp(3));
    expect(pkt.ctinfo).toBe(CTINFO_NONE);
    expect(pkt.reason).toBe(R_TABLE_FULL);
    expect(pkt.flow).toBe(0);
    expect(reasonText(pkt.reason, pkt.operands)).toBe('nf_conntrack: table full, dropping packet: limit 2');
    expect(ports(wire)).toEqual([1, 2]);
    expect(wire.ct.stats).toMatchObject({ early_drop: 0, drop: 1 });
  });

  test('lets packets of the flows that it has pass', () => {
    const wire = new Wire({ nf_conntrack_max: 2 });
    stream(wire, 1);
    stream(wire, 2);
    wire.receive(udp(3));
    expect(wire.receive(udp(1)).ctinfo).toBe(IP_CT_ESTABLISHED);
    expect(wire.receive(udp(2, true)).ctinfo).toBe(IP_CT_ESTABLISHED_REPLY);
  });

  test('has room again when a flow has expired', () => {
    const wire = new Wire({ nf_conntrack_max: 1 });
    stream(wire, 1);
    expect(wire.receive(udp(2)).reason).toBe(R_TABLE_FULL);
    wire.wait(120_000);
    expect(wire.receive(udp(2)).ctinfo).toBe(IP_CT_NEW);
  });

  test('counts flows that are not confirmed yet', () => {
    const wire = new Wire({ nf_conntrack_max: 1 });
    const first = wire.track(udp(1));
    expect(wire.track(udp(2)).reason).toBe(R_TABLE_FULL);
    wire.ct.abandon(first);
    expect(wire.track(udp(2)).ctinfo).toBe(IP_CT_NEW);
  });

  test('a limit of 0 is none, and a lower limit drives nobody out', () => {
    const wire = new Wire({ nf_conntrack_max: 0 });
    for (let port = 1; port <= 100; port++) wire.receive(udp(port));
    expect(wire.flows()).toHaveLength(100);
    wire.firewall.settings.set('nf_conntrack_max', 10);
    wire.receive(udp(1));
    expect(wire.flows()).toHaveLength(100);
    wire.receive(udp(101));
    expect(wire.flows()).toHaveLength(100);
  });

  test('never holds more than its limit, whatever comes', () => {
    const wire = new Wire({ nf_conntrack_max: 50 });
    for (let port = 1; port <= 2000; port++) {
      wire.receive(port % 3 === 0 ? udp6(port) : port % 3 === 1 ? udp(port) : tcp(port, 2));
      expect(wire.ct.table.count).toBeLessThanOrEqual(50);
    }
    expect(wire.ct.stats.early_drop).toBe(1950);
  });
});
