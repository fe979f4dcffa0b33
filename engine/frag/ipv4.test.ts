import { describe, expect, test } from 'vitest';
import { viewOf } from '../packet/build-bytes.ts';
import { fold, sum } from '../packet/checksum.ts';
import { Bench, datagram, piece4 } from './testing.mts';

const DATA = datagram(64);
const HELD = 'held frag-held';
const FIRST = piece4(0, DATA.subarray(0, 32), true);
const LAST = piece4(32, DATA.subarray(32), false);

describe('a reassembled IPv4 datagram', () => {
  test('has the first fragment’s header and options, its own length, and a right checksum', () => {
    const bench = new Bench();
    const router = Uint8Array.of(0x94, 4, 0, 0);
    bench.send(piece4(32, DATA.subarray(32), false, { options: Uint8Array.of(1, 1, 1, 1, 1, 1, 1, 1) }));
    const { bytes } = bench.send(piece4(0, DATA.subarray(0, 32), true, { options: router }));
    const view = viewOf(bytes!);
    expect([bytes!.length, view.getUint16(2), view.getUint16(4), view.getUint16(6)]).toEqual([88, 88, 1, 0]);
    expect(bytes!.slice(20, 24)).toEqual(router);
    expect(fold(sum(view, 0, 24))).toBe(0xffff);
  });

  test('has DF only if the largest fragment had it', () => {
    const df = (sizes: readonly number[], flags: readonly boolean[]): number => {
      const bench = new Bench();
      let at = 0;
      let field = -1;
      const total = sizes.reduce((a, b) => a + b);
      sizes.forEach((size, i) => {
        const bytes = bench.send(
          piece4(at, new Uint8Array(size), at + size < total, { df: flags[i]! }),
        ).bytes;
        if (bytes !== undefined) field = viewOf(bytes).getUint16(6);
        at += size;
      });
      return field;
    };
    expect(df([400, 800, 600], [false, true, false])).toBe(0x4000);
    expect(df([400, 800, 600], [true, false, true])).toBe(0);
    expect(df([400, 600, 800], [true, true, true])).toBe(0x4000);
    expect(df([400, 400], [true, false])).toBe(0x4000);
  });

  test('remembers how large its largest fragment was', () => {
    const bench = new Bench();
    bench.fates(piece4(0, new Uint8Array(800), true), piece4(800, new Uint8Array(40), false));
    expect(bench.defrag.maxSize).toBe(820);
  });

  test('may have 65535 bytes with its header, and not one more', () => {
    const fates = (total: number, options?: Uint8Array): string[] => {
      const o = options === undefined ? {} : { options };
      return new Bench().fates(
        piece4(0, new Uint8Array(32000), true, o),
        piece4(32000, new Uint8Array(32000), true),
        piece4(64000, new Uint8Array(total - 64000), false),
      );
    };
    expect(fates(65515)).toEqual([HELD, HELD, 'pass']);
    expect(fates(65516)).toEqual([HELD, HELD, 'drop frag-too-big']);
    expect(fates(65511, new Uint8Array(4))).toEqual([HELD, HELD, 'pass']);
    expect(fates(65512, new Uint8Array(4))).toEqual([HELD, HELD, 'drop frag-too-big']);
  });
});

describe('an IPv4 fragment', () => {
  test('with more to come loses what is beyond a multiple of 8', () => {
    const bench = new Bench();
    expect(bench.fates(piece4(0, DATA.subarray(0, 13), true))).toEqual([HELD]);
    expect(bench.send(piece4(8, DATA.subarray(8), false)).bytes?.slice(20)).toEqual(DATA);
  });

  test('with more to come and less than 8 bytes ends its datagram, and so does one without data', () => {
    for (const [data, mf, reason] of [
      [DATA.subarray(0, 5), true, 'drop frag-length'],
      [DATA.subarray(0, 0), true, 'drop frag-empty'],
      [DATA.subarray(0, 0), false, 'drop frag-empty'],
    ] as const) {
      const bench = new Bench();
      expect(bench.fates(FIRST, piece4(32, data, mf), LAST)).toEqual([HELD, reason, HELD]);
    }
  });

  test('that contradicts the known end ends its datagram', () => {
    const shorter = piece4(32, DATA.subarray(32, 40), false);
    const beyond = piece4(64, DATA.subarray(0, 8), true);
    const before = piece4(8, DATA.subarray(8, 16), false);
    expect(new Bench().fates(LAST, shorter, FIRST)).toEqual([HELD, 'drop frag-end', HELD]);
    expect(new Bench().fates(LAST, beyond, FIRST)).toEqual([HELD, 'drop frag-end', HELD]);
    expect(new Bench().fates(FIRST, before, LAST)).toEqual([HELD, 'drop frag-end', HELD]);
  });

  test('of another protocol belongs to another datagram', () => {
    expect(new Bench().fates(FIRST, piece4(32, DATA.subarray(32), false, { proto: 6 }))).toEqual([
      HELD,
      HELD,
    ]);
  });

  test('with offset 0 and nothing to come is a packet, not a fragment', () => {
    expect(new Bench().fates(FIRST, piece4(0, DATA, false), LAST)).toEqual([HELD, 'pass', 'pass']);
  });
});

describe('ipfrag_max_dist', () => {
  const FAR = 'held frag-distance';
  const between = (bench: Bench, count: number, src = '10.0.0.1'): void => {
    for (let id = 100; id < 100 + count; id++) bench.send(piece4(0, DATA.subarray(0, 8), true, { id, src }));
  };

  test('counts the fragments of the same source in between, and beyond it the datagram begins anew', () => {
    const bench = new Bench({ 'net.ipv4.ipfrag_max_dist': 3 });
    bench.send(FIRST);
    between(bench, 2);
    bench.send(FIRST);
    between(bench, 3);
    expect(bench.fates(LAST)).toEqual([FAR]);
    expect(bench.send(FIRST).bytes?.slice(20)).toEqual(DATA);
  });

  test('goes on counting when a datagram of the source is complete', () => {
    const bench = new Bench({ 'net.ipv4.ipfrag_max_dist': 3 });
    bench.send(FIRST);
    const other = { id: 2 };
    bench.fates(
      piece4(0, DATA.subarray(0, 32), true, other),
      piece4(32, DATA.subarray(32), false, other),
      FIRST,
    );
    between(bench, 3);
    expect(bench.fates(LAST)).toEqual([FAR]);
  });

  test('leaves other sources alone, and 0 turns it off', () => {
    const bench = new Bench({ 'net.ipv4.ipfrag_max_dist': 3 });
    bench.send(FIRST);
    between(bench, 9, '10.0.0.2');
    expect(bench.fates(LAST)).toEqual(['pass']);
    bench.set('net.ipv4.ipfrag_max_dist', 0);
    bench.send(FIRST);
    between(bench, 9);
    expect(bench.fates(LAST)).toEqual(['pass']);
  });

  test('starts the timer anew and frees the memory of what was given up', () => {
    const bench = new Bench({ 'net.ipv4.ipfrag_max_dist': 1 });
    bench.send(piece4(0, new Uint8Array(1648), true));
    between(bench, 1);
    bench.now = 20_000;
    bench.defrag.tick(bench.now);
    expect(bench.defrag.memory).toBe(200 + 4352 + 200 + 832);
    expect(bench.fates(LAST)).toEqual([FAR]);
    expect(bench.defrag.memory).toBe(2 * (200 + 832));
    bench.now = 45_000;
    expect(bench.fates(FIRST)).toEqual(['pass']);
  });

  test('does not make Linux forget the largest size of what was given up', () => {
    const bench = new Bench({ 'net.ipv4.ipfrag_max_dist': 1 });
    bench.send(piece4(0, new Uint8Array(800), true));
    between(bench, 1);
    bench.fates(
      piece4(32, DATA.subarray(32), false, { df: true }),
      piece4(0, DATA.subarray(0, 32), true, { df: true }),
    );
    expect(bench.defrag.maxSize).toBe(820);
    expect(viewOf(bench.pkt.bytes).getUint16(6)).toBe(0);
  });
});
