import { dissect, Firewall, ips, Packet, resetPacket, Settings } from '@keepstate/engine';
import { udpPacket } from '@keepstate/engine/build';
import { describe, expect, test } from 'vitest';
import type { NewEntry } from '../conntrack/table.ts';
import { LiveTable } from './live-table.ts';

const NOW = 1_700_000_000_000;
const ORIGINAL = { src: '10.0.0.1', dst: '10.1.0.1', sport: 5, dport: 53 };
const NEW: NewEntry = {
  family: 2,
  protonum: 17,
  original: ORIGINAL,
  reply: null,
  timeout: 100,
  status: 0,
  mark: 0,
  zone: null,
  zoneOriginal: null,
  zoneReply: null,
  state: null,
  vtags: null,
  labels: [],
  srcNat: null,
  dstNat: null,
};

/** A running firewall, its table, and a clock. */
class Live {
  readonly firewall: Firewall;
  readonly table: LiveTable;
  now = NOW;

  constructor(sysctls: Readonly<Record<string, number>> = {}) {
    const settings = new Settings();
    for (const [name, value] of Object.entries(sysctls)) settings.set(name, value);
    this.firewall = new Firewall({ settings });
    this.table = new LiveTable(this.firewall.conntrack, () => this.now);
  }

  /** A packet of UDP, from the client's port. @param held whether it is only tracked, as one that is queued */
  packet(sport: number, held = false): Packet {
    const bytes = udpPacket({ src: '10.0.0.1', dst: '10.1.0.1', sport, dport: 53, payload: 4 });
    const pkt = new Packet();
    resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
    pkt.time = this.now;
    if (held) {
      dissect(pkt);
      this.firewall.conntrack.track(pkt);
    } else this.firewall.receive(pkt, 101);
    return pkt;
  }

  open(from: number, count: number): void {
    for (let port = from; port < from + count; port++) this.packet(port);
  }
}

const sports = (entries: Iterable<{ readonly original: { readonly sport?: number } }>): number[] =>
  [...entries].map((entry) => entry.original.sport!);

describe('the table of a running keepstate', () => {
  test('is as of now: what has run out is not in it, whether or not packets came', () => {
    const live = new Live();
    live.open(1, 3);
    live.now += 29_999;
    expect(live.table.list('conntrack').map((entry) => entry.timeout)).toEqual([1, 1, 1]);
    live.now += 1;
    expect([live.table.list('conntrack'), live.table.count(), live.table.now]).toEqual([[], 0, live.now]);
  });

  test('shows flows of packets that are held as unconfirmed, and nothing as dying', () => {
    const live = new Live();
    live.packet(1);
    const pkt = live.packet(2, true);
    expect(sports(live.table.list('conntrack'))).toEqual([1]);
    expect(live.table.list('unconfirmed')).toMatchObject([{ original: { sport: 2 }, timeout: 30_000 }]);
    expect([live.table.list('dying'), live.table.count()]).toEqual([[], 2]);
    live.firewall.conntrack.confirm(pkt);
    expect([sports(live.table.list('conntrack')), live.table.list('unconfirmed')]).toEqual([[1, 2], []]);
  });

  test('makes, finds, changes and deletes a flow, with labels and translation', () => {
    const { table } = new Live();
    expect(table.create({ ...NEW, labels: [3, 127], srcNat: { address: '203.0.113.1', port: 7 } })).toBe(
      null,
    );
    expect(table.create(NEW)).toBe('EEXIST');
    const entry = table.get(2, 17, ORIGINAL)!;
    expect(entry).toMatchObject({
      labels: [3, 127],
      timeout: 100_000,
      reply: { dst: '203.0.113.1', dport: 7 },
    });
    expect(table.get(10, 17, ORIGINAL)).toBe(null);
    expect(table.get(2, 17, { src: 'nobody', dst: '10.1.0.1' })).toBe(null);
    expect(table.update(entry, { timeout: 9, mark: 4, status: ips.IPS_ASSURED, labels: [] })).toMatchObject({
      timeout: 9000,
      mark: 4,
      labels: [],
      status: entry.status | ips.IPS_ASSURED,
    });
    expect(table.update(entry, { timeout: 0 })).toBe(null);
    expect(table.update(entry, { mark: 1 })).toBe('ENOENT');
    table.create(NEW);
    table.delete(entry);
    // That was another flow of the same tuple.
    expect(table.count()).toBe(1);
    table.delete(table.get(2, 17, ORIGINAL)!);
    expect(table.count()).toBe(0);
  });

  test('changes SCTP’s state together with its tags, of which those not named stay', () => {
    const { table } = new Live();
    const sctp = { ...NEW, protonum: 132, state: 4, vtags: { original: 5, reply: 4_000_000_000 } };
    expect(table.create(sctp)).toBe(null);
    const entry = table.get(2, 132, ORIGINAL)!;
    expect(entry).toMatchObject({ state: 'ESTABLISHED', vtags: sctp.vtags });
    expect(table.update(entry, { state: 5 })).toBe('EINVAL');
    expect(table.update(entry, { vtags: { original: 6, reply: null } })).toMatchObject({
      state: 'ESTABLISHED',
      vtags: { original: 6, reply: 4_000_000_000 },
    });
  });

  test('sets counters to 0, at once or while they are read', () => {
    const live = new Live({ nf_conntrack_acct: 1 });
    live.open(1, 2);
    expect(live.table.listAndZero().map((entry) => entry.counters!.original.packets)).toEqual([1, 1]);
    expect(live.table.list('conntrack').map((entry) => entry.counters!.original.packets)).toEqual([0, 0]);
    live.open(1, 1);
    live.table.zero();
    expect(live.table.list('conntrack').map((entry) => entry.counters!.original.bytes)).toEqual([0, 0]);
  });

  test('expects what it is told to, and forgets it by id or all at once', () => {
    const { table, firewall } = new Live();
    table.create(NEW);
    const mask = { src: '255.255.255.255', dst: '255.255.255.255', sport: 0, dport: 65535 };
    const spec = {
      family: 2,
      protonum: 17,
      tuple: { src: '1.1.1.1', dst: '2.2.2.2', dport: 9 },
      mask,
      master: ORIGINAL,
      timeout: 10,
    };
    expect(table.createExpectation(spec)).toBe('EOPNOTSUPP');
    firewall.conntrack.assignHelper(1, firewall.conntrack.findHelper('tftp', 2, 17)!);
    expect(table.createExpectation(spec)).toBe(null);
    expect(table.createExpectation(spec)).toBe('EEXIST');
    expect(table.expectations()).toMatchObject([{ helper: 'tftp', masterId: 1, tuple: { dport: 9 } }]);
    table.deleteExpectation(table.expectations()[0]!);
    table.createExpectation(spec);
    table.flushExpectations();
    expect(table.expectations()).toEqual([]);
    expect(table.stats()).toMatchObject({ expectNew: 0, expectCreate: 2, expectDelete: 2 });
  });

  test('counts what the engine counts, as one CPU', () => {
    const live = new Live();
    live.open(1, 3);
    live.table.create(NEW);
    const { insert, cpus } = live.table.stats();
    // Linux counts those that commands make (measured).
    expect(insert).toBe(1);
    expect(cpus!.flows[0]!.counts.map(([name]) => name).join(' ')).toBe(
      'found invalid insert insert_failed drop early_drop error search_restart clash_resolve chaintoolong',
    );
    live.table.flush();
    expect(live.table.count()).toBe(0);
  });
});

describe('slices of the table', () => {
  test('are no longer than asked for, and have every flow once, though flows come and go between them', () => {
    const live = new Live();
    live.open(1, 1000);
    const seen: number[] = [];
    let next = 2000;
    for (const slice of live.table.slices('conntrack', 50)) {
      expect(slice.length).toBeLessThanOrEqual(50);
      seen.push(...sports(slice));
      live.open(next, 3);
      next += 3;
      const gone = seen.length + 7;
      const entry = live.table.get(2, 17, { ...ORIGINAL, sport: gone });
      if (entry !== null) live.table.delete(entry);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThan(950);
  });
});
