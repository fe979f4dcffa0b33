import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashKey } from '../base/hash.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import * as F from './flow-table.ts';
import { FlowTable, ROW_WORDS } from './flow-table.ts';
import { swapPorts, TUPLE_WORDS, type Tuple } from './tuple.ts';

const UDP4 = IPPROTO_UDP | (AF_INET << 8);
const TCP4 = IPPROTO_TCP | (AF_INET << 8);
const ICMP4 = IPPROTO_ICMP | (AF_INET << 8);

/** One direction of a flow. */
interface Side {
  readonly src: number;
  readonly dst: number;
  readonly ports: number;
  readonly kind: number;
  readonly zone: number;
}

function side(src: number, dst: number, sport: number, dport: number, kind = UDP4, zone = 0): Side {
  return { src: src | 0, dst: dst | 0, ports: (sport << 16) | dport, kind, zone };
}

function inverse(s: Side): Side {
  return { ...s, src: s.dst, dst: s.src, ports: swapPorts(s.ports) };
}

function tuple(s: Side): Tuple {
  const t = new Int32Array(TUPLE_WORDS);
  t.set([s.src, s.dst, s.ports, s.kind, s.zone]);
  return t;
}

/** Puts a flow into the table by hand. */
function put(table: FlowTable, original: Side, reply: Side = inverse(original)): number {
  const row = table.alloc();
  const { words } = table;
  const at = row * ROW_WORDS;
  words.set([original.src, original.dst, original.ports, reply.src, reply.dst, reply.ports], at);
  words[at + F.F_KIND] = original.kind;
  words[at + F.F_ZONES] = original.zone | (reply.zone << 16);
  table.insert(row);
  return row;
}

function take(table: FlowTable, row: number): void {
  table.remove(row);
  table.release(row);
}

const open = (): FlowTable => new FlowTable(hashKey(1));

describe('FlowTable', () => {
  test('finds a flow by its original tuple as direction 0 and by the reply as direction 1', () => {
    const table = open();
    const s = side(0x0a000001, 0x0a000002, 1000, 53);
    const row = put(table, s);
    expect(table.find(tuple(s))).toBe(row << 1);
    expect(table.find(tuple(inverse(s)))).toBe((row << 1) | 1);
  });

  test('finds nothing for another address, port, protocol, family or zone', () => {
    const table = open();
    const s = side(0x0a000001, 0x0a000002, 1000, 53);
    put(table, s);
    for (const other of [
      { ...s, src: 0x0a000003 },
      { ...s, dst: 0x0a000003 },
      { ...s, ports: s.ports + 1 },
      { ...s, ports: swapPorts(s.ports) },
      { ...s, src: s.dst, dst: s.src },
      { ...s, kind: TCP4 },
      { ...s, kind: IPPROTO_UDP | (AF_INET6 << 8) },
      { ...s, zone: 1 },
    ])
      expect(table.find(tuple(other)), JSON.stringify(other)).toBe(0);
  });

  test('finds ICMP by id, type and code: the reply has the answering type', () => {
    const table = open();
    const request = { ...side(0x0a000001, 0x0a000002, 7, 8 << 8), kind: ICMP4 };
    const reply = { ...request, src: request.dst, dst: request.src, ports: 7 << 16 };
    const row = put(table, request, reply);
    expect(table.find(tuple(request))).toBe(row << 1);
    expect(table.find(tuple(reply))).toBe((row << 1) | 1);
    expect(table.find(tuple({ ...reply, src: request.src, dst: request.dst }))).toBe(0);
    expect(table.find(tuple({ ...reply, ports: 8 << 16 }))).toBe(0);
  });

  test('finds a flow whose reply is translated by either tuple, and by neither once it is removed', () => {
    const table = open();
    const original = side(0xc0a80001, 0x08080808, 1000, 53);
    const reply = side(0x08080808, 0x01010101, 53, 61000);
    const row = put(table, original, reply);
    expect(table.find(tuple(original))).toBe(row << 1);
    expect(table.find(tuple(reply))).toBe((row << 1) | 1);
    expect(table.find(tuple(inverse(original)))).toBe(0);
    take(table, row);
    expect(table.find(tuple(original))).toBe(0);
    expect(table.find(tuple(reply))).toBe(0);
  });

  test('tells zones of the two directions apart', () => {
    const table = open();
    const original = { ...side(1, 2, 3, 4), zone: 5 };
    const reply = { ...inverse(original), zone: 0 };
    const row = put(table, original, reply);
    expect(table.find(tuple(original))).toBe(row << 1);
    expect(table.find(tuple(reply))).toBe((row << 1) | 1);
    expect(table.find(tuple({ ...original, zone: 0 }))).toBe(0);
    expect(table.find(tuple({ ...reply, zone: 5 }))).toBe(0);
  });

  test('finds the reply direction where both are alike, as the kernel does', () => {
    const table = open();
    const s = side(0x7f000001, 0x7f000001, 9, 9);
    const row = put(table, s);
    expect(table.find(tuple(s))).toBe((row << 1) | 1);
  });

  test('gives a row all zero, also one that was in use before', () => {
    const table = open();
    const row = put(table, side(1, 2, 3, 4));
    table.words.fill(-1, row * ROW_WORDS + F.F_STATUS, (row + 1) * ROW_WORDS);
    take(table, row);
    expect(table.count).toBe(0);
    const again = table.alloc();
    expect(again).toBe(row);
    expect([...table.words.subarray(again * ROW_WORDS, (again + 1) * ROW_WORDS)]).toEqual(Array(32).fill(0));
  });

  test('keeps every row, counter and start time when it grows', () => {
    const table = open();
    const rows: number[] = [];
    const at = (i: number): Side => side(0x0a000000 + i, 0x0b000000 + (i % 7), i & 0xffff, 53);
    for (let i = 0; i < 5000; i++) {
      const row = put(table, at(i));
      rows.push(row);
      table.words[row * ROW_WORDS + F.F_MARK] = i;
      table.doubles[row * (ROW_WORDS / 2) + F.F_EXPIRES / 2] = i + 0.5;
      table.wantCounters()[row * 4 + 3] = i;
      table.wantStarts()[row] = i;
    }
    expect(table.count).toBe(5000);
    expect(table.limit).toBe(5001);
    for (const [i, row] of rows.entries()) {
      expect(table.find(tuple(at(i)))).toBe(row << 1);
      expect(table.words[row * ROW_WORDS + F.F_MARK]).toBe(i);
      expect(table.doubles[row * (ROW_WORDS / 2) + F.F_EXPIRES / 2]).toBe(i + 0.5);
      expect(table.counters![row * 4 + 3]).toBe(i);
      expect(table.starts![row]).toBe(i);
    }
  });

  test('visits flows near a tuple, no more than asked for, until one is taken', () => {
    const table = open();
    for (let i = 0; i < 50; i++) put(table, side(i, 1000, 1, 2));
    const seen: number[] = [];
    const look = (row: number): boolean => {
      seen.push(row);
      return false;
    };
    expect(table.near(tuple(side(7, 1000, 1, 2)), 10, look)).toBe(0);
    expect(seen).toHaveLength(10);
    // The walk begins where the flow of that tuple stands.
    expect(seen).toContain(table.find(tuple(side(7, 1000, 1, 2))) >> 1);
    seen.length = 0;
    table.near(tuple(side(7, 1000, 1, 2)), 1000, look);
    expect(new Set(seen).size).toBe(50);
    expect(table.near(tuple(side(7, 1000, 1, 2)), 10, (row) => row > 0)).toBeGreaterThan(0);
  });

  test('has one hash for a tuple and its inverse, and hardly ever the same for two flows', () => {
    const table = open();
    const hash = (s: Side): number => table.hash(s.src, s.dst, s.ports, s.kind, s.zone);
    const hashes = new Set<number>();
    for (let i = 0; i < 20_000; i++) {
      const s = side(0x0a000000 + (i >> 8), 0x0b000001, 1024 + (i & 255), 80);
      expect(hash(inverse(s))).toBe(hash(s));
      hashes.add(hash(s));
    }
    // Of 20,000 random 32-bit numbers about 0.05 pairs are alike.
    expect(hashes.size).toBeGreaterThan(19_997);
  });
});

/** Tuples whose places all lie at the end and the start of the table, so that they push each other around. */
function crowd(table: FlowTable, count: number): Side[] {
  const found: Side[] = [];
  for (let port = 1; found.length < count; port++) {
    const s = side(0x0a000001, 0x0a000002 + (port >> 16), port & 0xffff, 53);
    const place = table.hash(s.src, s.dst, s.ports, s.kind, s.zone) & 2047;
    if (place >= 2044 || place < 2) found.push(s);
  }
  return found;
}

/** A step of the comparison: which tuple of the crowd, and which of them a translated reply takes (-1: none). */
const STEP = fc.tuple(fc.nat(39), fc.integer({ min: -1, max: 39 }));

describe('FlowTable against a Map', () => {
  test('holds what was put in and not taken out, however the flows push each other around', () => {
    const sides = crowd(open(), 40);
    const key = (s: Side): string => JSON.stringify(s);
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 120 }), (steps) => {
        const table = open();
        const model = new Map<string, number>();
        const rows = new Map<number, readonly [Side, Side]>();
        for (const [which, translated] of steps) {
          const original = sides[which]!;
          const reply = translated < 0 ? inverse(original) : inverse(sides[translated]!);
          const there = model.get(key(original));
          if (there !== undefined) {
            const row = there >> 1;
            for (const s of rows.get(row)!) model.delete(key(s));
            rows.delete(row);
            take(table, row);
          } else if (!model.has(key(reply))) {
            const row = put(table, original, reply);
            model.set(key(original), row << 1);
            model.set(key(reply), (row << 1) | 1);
            rows.set(row, [original, reply]);
          }
          for (const s of sides) {
            expect(table.find(tuple(s))).toBe(model.get(key(s)) ?? 0);
            expect(table.find(tuple(inverse(s)))).toBe(model.get(key(inverse(s))) ?? 0);
          }
          expect(table.count).toBe(rows.size);
        }
      }),
      { numRuns: 60 },
    );
  });
});
