import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { udpPacket } from '../packet/build.ts';
import { AF_INET, AF_INET6, IP_CT_NEW, IP_CT_RELATED } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { IPEXP_NEW } from './events.ts';
import {
  EXPECT_ADDED,
  EXPECT_ALREADY,
  EXPECT_BUSY,
  EXPECT_FULL,
  EXPECT_INACTIVE,
  EXPECT_PERMANENT,
  type ExpectSpec,
} from './expectation.ts';
import { F_MARK, F_MASTER, ROW_WORDS } from './flow-table.ts';
import { HELP_ACCEPT, type Helper } from './helper.ts';
import { IPS_EXPECTED } from './status.ts';
import { packetOf, udp, udp6, Wire } from './testing.mts';

const SERVER = [0x0a010001];
const CLIENT = [0x0a000001];

const HELPER: Helper = {
  name: 'test',
  proto: IPPROTO_UDP,
  families: [AF_INET, AF_INET6],
  ports: [],
  policies: [
    { name: 'few', maxExpected: 2, timeout: 5000 },
    { name: 'many', maxExpected: 0, timeout: 9000 },
  ],
  help: () => HELP_ACCEPT,
};

/** A flow that has a helper, and a note of what is expected. */
class Scene extends Wire {
  readonly notes: string[] = [];
  readonly master: number;

  constructor(master = udp(1000), sysctls: Readonly<Record<string, number>> = {}) {
    super(sysctls);
    this.master = this.begin(master);
  }

  /** One more flow with the helper. */
  begin(bytes: Uint8Array): number {
    const pkt = this.track(bytes);
    this.ct.assignHelper(pkt.flow, HELPER);
    this.ct.confirm(pkt);
    return pkt.flow;
  }

  expectation({ tuple }: { readonly tuple: Int32Array }, event: number, now: number): void {
    this.notes.push(`${event === IPEXP_NEW ? 'NEW' : 'DESTROY'} ${tuple[2]! & 0xffff} ${now - 1_000_000}`);
  }

  /** Expects a flow from the server to a port of the client. */
  expect(destinationPort: number, more: Partial<ExpectSpec> = {}): number {
    return this.ct.expect({
      master: this.master,
      family: AF_INET,
      proto: IPPROTO_UDP,
      source: SERVER,
      destination: CLIENT,
      sourcePort: null,
      destinationPort,
      ...more,
    });
  }

  /** A packet from the server, or somebody else. */
  comes(dport: number, sport = 9, src = '10.1.0.1'): ReturnType<Wire['receive']> {
    return this.receive(udpPacket({ src, dst: '10.0.0.1', sport, dport, payload: 4 }));
  }
}

describe('a flow that is expected', () => {
  test('is RELATED, has a master and the master’s mark; the next one like it is NEW', () => {
    const scene = new Scene();
    scene.ct.setMark(scene.master, 77);
    expect(scene.expect(50)).toBe(EXPECT_ADDED);
    const pkt = scene.comes(50);
    const row = pkt.flow * ROW_WORDS;
    const { words } = scene.ct.table;
    expect(pkt.ctinfo).toBe(IP_CT_RELATED);
    expect(pkt.status & IPS_EXPECTED).toBe(IPS_EXPECTED);
    expect([words[row + F_MASTER], words[row + F_MARK]]).toEqual([scene.master, 77]);
    expect(scene.comes(50, 10).ctinfo).toBe(IP_CT_NEW);
    expect(scene.notes).toEqual(['NEW 50 0', 'DESTROY 50 0']);
  });

  test('comes from whom it was expected, to the port that was said', () => {
    const scene = new Scene();
    scene.expect(50, { sourcePort: 7 });
    expect(scene.comes(51, 7).ctinfo).toBe(IP_CT_NEW);
    expect(scene.comes(50, 8).ctinfo).toBe(IP_CT_NEW);
    expect(scene.comes(50, 7, '10.1.0.2').ctinfo).toBe(IP_CT_NEW);
    expect(scene.comes(50, 7).ctinfo).toBe(IP_CT_RELATED);
  });

  test('may be from anybody, or from a part of the addresses', () => {
    const scene = new Scene();
    scene.expect(50, { source: null });
    expect(scene.comes(50, 7, '192.0.2.1').ctinfo).toBe(IP_CT_RELATED);
    scene.expect(51, { sourceMask: [~0xffff] });
    expect(scene.comes(51, 7, '10.9.0.1').ctinfo).toBe(IP_CT_NEW);
    expect(scene.comes(51, 7, '10.1.77.1').ctinfo).toBe(IP_CT_RELATED);
  });

  test('begins with the helper that was said', () => {
    const scene = new Scene();
    scene.expect(50, { helper: HELPER });
    expect(scene.ct.extension(scene.comes(50).flow)!.helper).toBe(HELPER);
  });

  test('keeps its master readable until it is gone itself', () => {
    const scene = new Scene();
    scene.expect(50);
    const { flow } = scene.comes(50);
    expect(scene.ct.uses(scene.master)).toBe(2);
    scene.ct.delete(scene.master);
    const next = scene.receive(udp(2000)).flow;
    expect(next).not.toBe(scene.master);
    scene.ct.delete(flow);
    expect(scene.receive(udp(2001)).flow).toBeOneOf([scene.master, flow]);
  });

  test('over IPv6', () => {
    const scene = new Scene(udp6(1000));
    const words = (last: number): readonly number[] => [0xfd000000 | 0, 0, 0, last];
    scene.expect(50, { family: AF_INET6, source: words(2), destination: words(1) });
    const come = (src: string): number =>
      scene.receive(udpPacket({ src, dst: 'fd00::1', sport: 9, dport: 50 })).ctinfo;
    expect([come('fd00::3'), come('fd00::2'), come('fd00::2')]).toEqual([
      IP_CT_NEW,
      IP_CT_RELATED,
      IP_CT_RELATED,
    ]);
  });
});

describe('expectations', () => {
  test('are given up in the order of their time, at their moment', () => {
    const scene = new Scene();
    scene.expect(60, { class: 1 });
    scene.wait(100);
    scene.expect(50);
    expect(scene.ct.expectations.nextDue).toBe(1_000_000 + 5100);
    scene.wait(20_000);
    expect(scene.notes).toEqual(['NEW 60 0', 'NEW 50 100', 'DESTROY 50 5100', 'DESTROY 60 9000']);
    expect(scene.ct.expectations.count).toBe(0);
  });

  test('beyond the helper’s number push out the oldest of their class', () => {
    const scene = new Scene();
    for (const port of [50, 51, 52]) expect(scene.expect(port)).toBe(EXPECT_ADDED);
    for (const port of [60, 61, 62]) scene.expect(port, { class: 1 });
    expect(scene.ct.expectations.all().map(({ tuple }) => tuple[2]! & 0xffff)).toEqual([51, 52, 60, 61, 62]);
  });

  test('beyond nf_conntrack_expect_max are refused', () => {
    const scene = new Scene(udp(1000), { nf_conntrack_expect_max: 2 });
    expect([50, 51, 52].map((port) => scene.expect(port, { class: 1 }))).toEqual([
      EXPECT_ADDED,
      EXPECT_ADDED,
      EXPECT_FULL,
    ]);
  });

  test('of the same flow take the place of the same one, unless it is of another class', () => {
    const scene = new Scene();
    scene.expect(50);
    scene.wait(1000);
    expect(scene.expect(50)).toBe(EXPECT_ADDED);
    expect(scene.notes).toEqual(['NEW 50 0', 'DESTROY 50 1000', 'NEW 50 1000']);
    expect(scene.expect(50, { class: 1 })).toBe(EXPECT_ALREADY);
  });

  test('of another flow are in the way; who skips the master finds it there already', () => {
    const scene = new Scene();
    const other = scene.begin(udp(1001));
    scene.expect(50);
    expect(scene.expect(50, { master: other })).toBe(EXPECT_BUSY);
    expect(scene.expect(50, { master: other, skipsMaster: true })).toBe(EXPECT_ALREADY);
    expect(scene.expect(50, { master: other, source: [0x0a010002] })).toBe(EXPECT_ADDED);
    expect(scene.expect(50, { master: other, source: null })).toBe(EXPECT_BUSY);
  });

  test('that are permanent stay, those that are inactive match nothing', () => {
    const scene = new Scene();
    scene.expect(50, { flags: EXPECT_PERMANENT });
    expect([scene.comes(50, 7).ctinfo, scene.comes(50, 8).ctinfo]).toEqual([IP_CT_RELATED, IP_CT_RELATED]);
    scene.expect(51, { flags: EXPECT_INACTIVE });
    expect(scene.comes(51).ctinfo).toBe(IP_CT_NEW);
  });

  test('go with the flow that told of them, the latest first', () => {
    const scene = new Scene();
    for (const port of [60, 61, 62]) scene.expect(port, { class: 1 });
    scene.ct.delete(scene.master);
    expect(scene.notes.slice(3)).toEqual(['DESTROY 62 0', 'DESTROY 61 0', 'DESTROY 60 0']);
    expect(scene.comes(60).ctinfo).toBe(IP_CT_NEW);
  });

  test('of a flow that is not in the table yet match nothing', () => {
    const scene = new Scene();
    const pkt = scene.track(udp(3000));
    scene.ct.assignHelper(pkt.flow, HELPER);
    scene.expect(50, { master: pkt.flow });
    const stranger = scene.track(
      udpPacket({ src: '10.1.0.1', dst: '10.0.0.1', sport: 9, dport: 50, payload: 4 }),
    );
    expect(stranger.ctinfo).toBe(IP_CT_NEW);
    scene.ct.abandon(stranger);
    scene.ct.abandon(pkt);
    expect(scene.ct.expectations.count).toBe(0);
  });

  test('hold IPv6 addresses only as long as they are there', () => {
    const scene = new Scene(udp6(1000));
    const before = scene.ct.pool.size;
    const words = (last: number): readonly number[] => [0x20010db8, 0, 0, last];
    for (let i = 1; i < 20; i++)
      scene.expect(i, { class: 1, family: AF_INET6, source: words(i), destination: words(100 + i) });
    scene.wait(10_000);
    expect(scene.ct.pool.size).toBe(before);
  });
});

/** What a naive list says that a packet was expected by: the latest that fits. */
interface Wanted {
  readonly source: number | null;
  readonly sourcePort: number | null;
  readonly port: number;
  readonly inactive: boolean;
}

const wanted: fc.Arbitrary<Wanted> = fc.record({
  source: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
  sourcePort: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
  port: fc.integer({ min: 1, max: 4 }),
  inactive: fc.boolean(),
});

function overlaps(a: Wanted, b: Wanted): boolean {
  const both = (x: number | null, y: number | null): boolean => x === null || y === null || x === y;
  return a.port === b.port && both(a.source, b.source) && both(a.sourcePort, b.sourcePort);
}

test('what matches is what a list searched one by one would give', () => {
  fc.assert(
    fc.property(
      fc.array(wanted, { maxLength: 12 }),
      fc.array(
        fc.tuple(
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 3 }),
          fc.integer({ min: 1, max: 4 }),
        ),
      ),
      (list, packets) => {
        const scene = new Scene();
        const model: Wanted[] = [];
        for (const one of list) {
          const verdict = scene.expect(one.port, {
            class: 1,
            source: one.source === null ? null : [0x0a020000 | one.source],
            sourcePort: one.sourcePort,
            flags: EXPECT_PERMANENT | (one.inactive ? EXPECT_INACTIVE : 0),
          });
          const same = model.findIndex(
            (m) => m.port === one.port && m.source === one.source && m.sourcePort === one.sourcePort,
          );
          const isBusy = model.some((m, i) => i !== same && overlaps(m, one));
          expect(verdict).toBe(isBusy ? EXPECT_BUSY : EXPECT_ADDED);
          if (isBusy) continue;
          if (same >= 0) model.splice(same, 1);
          model.push(one);
        }
        for (const [source, sport, dport] of packets) {
          const fits = model.some(
            (m) =>
              !m.inactive &&
              m.port === dport &&
              (m.source === null || m.source === source) &&
              (m.sourcePort === null || m.sourcePort === sport),
          );
          const pkt = packetOf(
            udpPacket({ src: `10.2.0.${source}`, dst: '10.0.0.1', sport, dport, payload: 4 }),
          );
          pkt.time = scene.now;
          const seen = scene.track(pkt.bytes);
          expect(seen.ctinfo).toBe(fits ? IP_CT_RELATED : IP_CT_NEW);
          scene.ct.abandon(seen);
        }
      },
    ),
    { numRuns: 200 },
  );
});
