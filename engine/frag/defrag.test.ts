import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fragmentIpv4, fragmentIpv6 } from '../packet/build-fragment.ts';
import { ipv4 } from '../packet/build-ipv4.ts';
import { destinationOptions, hopByHop, ipv6 } from '../packet/build-ipv6.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { Bench, datagram, type Piece, piece4, piece6 } from './testing.mts';

const DATA = datagram(64);
const HELD = 'held frag-held';

const FAMILIES = [
  ['IPv4', piece4, 'net.ipv4.ipfrag_time', 'net.ipv4.ipfrag_high_thresh', 30, 200],
  ['IPv6', piece6, 'nf_conntrack_frag6_timeout', 'nf_conntrack_frag6_high_thresh', 60, 184],
] as const;

describe.each(FAMILIES)('%s fragments', (_, piece, timeout, high, seconds, queueSize) => {
  /** The datagram in pieces that begin at these offsets. */
  const cut = (offsets: readonly number[], o: Piece = {}): Uint8Array[] =>
    offsets.map((from, i) => piece(from, DATA.subarray(from, offsets[i + 1]), i + 1 < offsets.length, o));

  test('become one datagram with the last of them, whatever the order', () => {
    const [a, b, c] = cut([0, 24, 40]) as [Uint8Array, Uint8Array, Uint8Array];
    for (const order of [
      [a, b, c],
      [c, b, a],
      [b, c, a],
    ]) {
      const bench = new Bench();
      expect(bench.fates(...order.slice(0, 2))).toEqual([HELD, HELD]);
      const whole = bench.send(order[2]!);
      expect(whole.fate).toBe('pass');
      expect(whole.pkt).toMatchObject({ frag: 0, proto: IPPROTO_UDP, l4: whole.pkt.end - 64, off: 0 });
      expect(whole.bytes!.slice(-64)).toEqual(DATA);
      expect([bench.defrag.queues, bench.defrag.memory]).toEqual([0, 0]);
    }
  });

  test('are held for ever if one is missing', () => {
    const [a, , c] = cut([0, 24, 40]);
    expect(new Bench().fates(a!, c!)).toEqual([HELD, HELD]);
  });

  test('that came before are dropped alone', () => {
    const [a, b] = cut([0, 32]);
    expect(new Bench().fates(a!, a!, b!)).toEqual([HELD, 'drop frag-duplicate', 'pass']);
    expect(new Bench().fates(b!, b!, a!)).toEqual([HELD, 'drop frag-duplicate', 'pass']);
  });

  test('that overlap others end their datagram', () => {
    const [a, b] = cut([0, 32]);
    const overlap = piece(24, DATA.subarray(24), false);
    const bench = new Bench();
    expect(bench.fates(a!, overlap)).toEqual([HELD, 'drop frag-overlap']);
    expect(bench.defrag.queues).toBe(0);
    expect(bench.fates(b!)).toEqual([HELD]);
  });

  test('within what came in order are duplicates, within what came out of order they overlap', () => {
    const [a, b, c] = cut([0, 16, 32]);
    const inside = piece(8, DATA.subarray(8, 24), true);
    expect(new Bench().fates(a!, b!, inside, c!)).toEqual([HELD, HELD, 'drop frag-duplicate', 'pass']);
    expect(new Bench().fates(b!, a!, inside, c!)).toEqual([HELD, HELD, 'drop frag-overlap', HELD]);
  });

  test('tell the end of the datagram even as duplicates', () => {
    const first = piece(0, DATA.subarray(0, 16), true);
    const more = piece(16, DATA.subarray(16, 32), true);
    const last = piece(16, DATA.subarray(16, 32), false);
    const bench = new Bench();
    expect(bench.fates(more, last)).toEqual([HELD, 'drop frag-duplicate']);
    expect(bench.send(first).bytes?.slice(-32)).toEqual(DATA.slice(0, 32));
  });

  test('of another datagram, source, or zone are kept apart', () => {
    const [a, b] = cut([0, 32]);
    const bench = new Bench();
    bench.send(a!);
    expect(bench.fates(cut([0, 32], { id: 2 })[1]!)).toEqual([HELD]);
    expect(bench.fates(cut([0, 32], { src: piece === piece4 ? '10.0.0.7' : '2001:db8::7' })[1]!)).toEqual([
      HELD,
    ]);
    bench.zone = 3;
    expect(bench.fates(b!)).toEqual([HELD]);
    bench.zone = 0;
    expect(bench.fates(b!)).toEqual(['pass']);
  });

  test('give the datagram the mark, hop limit and type of service of the first', () => {
    const bench = new Bench();
    const [a] = cut([0, 32], { ttl: 50, tos: 0x10 });
    const [, b] = cut([0, 32], { ttl: 60, tos: 0x20 });
    bench.mark = 7;
    bench.send(a!);
    bench.mark = 8;
    const { bytes, pkt } = bench.send(b!);
    expect(pkt.mark).toBe(7);
    const v4 = [bytes![8], bytes![1]];
    const v6 = [bytes![7], ((bytes![0]! & 15) << 4) | (bytes![1]! >> 4)];
    expect(piece === piece4 ? v4 : v6).toEqual([50, 0x10]);
  });

  test('time out, counted from the first', () => {
    const [a, b, c] = cut([0, 24, 40]);
    for (const [late, fate] of [
      [0, 'pass'],
      [1, HELD],
    ] as const) {
      const bench = new Bench();
      bench.send(a!);
      bench.now = seconds * 500;
      bench.send(b!);
      bench.now = seconds * 1000 + late;
      expect(bench.fates(c!)).toEqual([fate]);
    }
  });

  test('are forgotten by tick', () => {
    const bench = new Bench();
    bench.fates(...cut([0, 24, 40]).slice(0, 2), cut([0, 32], { id: 2 })[0]!);
    expect(bench.defrag.queues).toBe(2);
    bench.defrag.tick(seconds * 1000);
    expect(bench.defrag.queues).toBe(2);
    bench.defrag.tick(seconds * 1000 + 1);
    expect([bench.defrag.queues, bench.defrag.memory]).toEqual([0, 0]);
  });

  test('obey a new timeout only in datagrams that begin after it', () => {
    const bench = new Bench();
    const [a, b] = cut([0, 32]);
    const [a2, b2] = cut([0, 32], { id: 2 });
    bench.send(a!);
    bench.set(timeout, 1);
    bench.send(a2!);
    bench.now = 2000;
    expect(bench.fates(b2!, b!)).toEqual([HELD, 'pass']);
  });

  test('are refused while memory is above its limit, even those that would complete a datagram', () => {
    const bench = new Bench({ [high]: 832 + queueSize - 1 });
    const [a, b] = cut([0, 32]);
    expect(bench.fates(a!, b!)).toEqual([HELD, 'drop frag-memory']);
    bench.set(high, 832 + queueSize);
    expect(bench.fates(b!)).toEqual(['pass']);
    bench.set(high, 0);
    expect(bench.fates(a!)).toEqual(['drop frag-memory']);
  });

  test('in a flood fill memory to its limit and no further', () => {
    const bench = new Bench({ 'net.ipv4.ipfrag_max_dist': 0 });
    for (let id = 0; id < 20000; id++) bench.send(piece(0, DATA.subarray(0, 32), true, { id }));
    const size = 832 + queueSize;
    expect(bench.defrag.queues).toBe(Math.floor(4194304 / size) + 1);
    expect(bench.defrag.memory).toBe(bench.defrag.queues * size);
    bench.now = seconds * 1000 + 1;
    expect(bench.fates(...cut([0, 32], { id: 90000 }))).toEqual([HELD, 'pass']);
    expect(bench.defrag.memory).toBe(0);
  });

  test('keep, of ECN, what one sender can have meant', () => {
    /** ECN of the datagram by the fields of its two fragments (RFC 3168, section 5.3), or -1 if dropped. */
    const expected = [
      [0, -1, -1, -1],
      [-1, 1, 1, 3],
      [-1, 2, 2, 3],
      [-1, 3, 3, 3],
    ];
    const found = expected.map((row, first) =>
      row.map((__, second) => {
        const bench = new Bench();
        bench.send(piece(0, DATA.subarray(0, 32), true, { tos: first }));
        const { bytes, fate } = bench.send(piece(32, DATA.subarray(32), false, { tos: second }));
        if (bytes === undefined) return fate === 'drop frag-ecn' ? -1 : fate;
        return piece === piece4 ? bytes[1]! & 3 : (bytes[1]! >> 4) & 3;
      }),
    );
    expect(found).toEqual(expected);
  });
});

describe('a packet that is no fragment', () => {
  test('passes as it is', () => {
    const bench = new Bench();
    for (const packet of [
      ipv4({ src: '10.0.0.1', dst: '10.0.0.2', proto: IPPROTO_UDP, payload: DATA, df: true }),
      ipv6({ src: '2001:db8::1', dst: '2001:db8::2', proto: IPPROTO_UDP, payload: DATA }),
      ipv6({
        src: '2001:db8::1',
        dst: '2001:db8::2',
        proto: IPPROTO_UDP,
        extensions: [hopByHop(), destinationOptions()],
        payload: DATA,
      }),
    ]) {
      const { fate, bytes, pkt } = bench.send(packet);
      expect([fate, bytes, pkt.off]).toEqual(['pass', packet, 5]);
    }
    expect(bench.defrag.queues).toBe(0);
  });
});

describe('reassembly', () => {
  const v4 = (payload: Uint8Array): Uint8Array =>
    ipv4({ src: '10.0.0.1', dst: '10.0.0.2', proto: IPPROTO_UDP, id: 9, payload });
  const v6 = (payload: Uint8Array): Uint8Array =>
    ipv6({
      src: '2001:db8::1',
      dst: '2001:db8::2',
      proto: IPPROTO_UDP,
      extensions: [hopByHop()],
      payload,
    });

  test('undoes any cutting without overlap, whatever the order and whatever comes twice', () => {
    const scenario = fc
      .record({
        six: fc.boolean(),
        length: fc.integer({ min: 17, max: 4000 }),
        sizes: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 }),
        order: fc.infiniteStream(fc.nat()),
        repeats: fc.array(fc.nat(), { maxLength: 3 }),
      })
      .map(({ six, length, sizes, order, repeats }) => {
        const packet = (six ? v6 : v4)(datagram(length));
        const blocks = [2, ...sizes].map((size) => size * 8);
        const pieces = six ? fragmentIpv6(packet, blocks) : fragmentIpv4(packet, blocks);
        const keyed = pieces.map((bytes) => ({ bytes, key: order.next().value as number }));
        keyed.sort((a, b) => a.key - b.key);
        const sent = keyed.map(({ bytes }) => bytes);
        // A repetition of any but the last cannot begin a new datagram.
        const last = sent.pop()!;
        for (const r of repeats) if (sent.length > 0) sent.push(sent[r % sent.length]!);
        return { packet, sent: [...sent, last] };
      });
    fc.assert(
      fc.property(scenario, ({ packet, sent }) => {
        const bench = new Bench();
        const outcomes = sent.map((bytes) => bench.send(bytes));
        expect(outcomes.slice(0, -1).every(({ bytes }) => bytes === undefined)).toBe(true);
        expect(outcomes.at(-1)!.bytes).toEqual(packet);
        expect([bench.defrag.queues, bench.defrag.memory]).toEqual([0, 0]);
      }),
    );
  });

  test('of any fragments whatever stays within its buffer and its memory', () => {
    const limit = 5000;
    const piece = fc.record({
      six: fc.boolean(),
      offset: fc.integer({ min: 0, max: 8191 }),
      near: fc.boolean(),
      length: fc.integer({ min: 0, max: 200 }),
      more: fc.boolean(),
      proto: fc.constantFrom(0, 6, 17, 43, 44, 51, 58, 59, 60, 132),
      tos: fc.constantFrom(0, 0, 0, 1, 3),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const bench = new Bench({
          'net.ipv4.ipfrag_high_thresh': limit,
          nf_conntrack_frag6_high_thresh: limit,
        });
        for (const { six, offset, near, length, more, proto, tos } of pieces) {
          const at = (near ? offset % 8 : offset) * 8;
          bench.send((six ? piece6 : piece4)(at, datagram(length), more, { proto, tos }));
          expect(bench.pkt.end).toBeLessThanOrEqual(bench.pkt.bytes.length);
          expect(bench.defrag.memory).toBeLessThan(2 * (limit + 2304));
        }
        bench.defrag.tick(1e9);
        expect([bench.defrag.queues, bench.defrag.memory]).toEqual([0, 0]);
      }),
    );
  });
});
