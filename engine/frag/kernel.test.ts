import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kernel, type KernelRun, kernelUsable } from '../../tests/kernel/oracle.ts';
import { concat } from '../packet/build-bytes.ts';
import { destinationOptions, hopByHop, routingHeader } from '../packet/build-ipv6.ts';
import { Bench, datagram, type Piece, piece4, piece6 } from './testing.mts';

// Fragments of all kinds go through this machine's kernel and through Defrag. Compared are the fate of each one,
// and every byte of what comes out. A queue that is left over would spoil the next run, so every datagram has a
// source of its own.

const LONG = 3600;

interface Sent {
  readonly from: number;
  readonly to: number;
  readonly more: boolean;
}

interface Plan {
  readonly six: boolean;
  readonly proto: number;
  readonly length: number;
  readonly sent: readonly Sent[];
  readonly ecn: readonly number[];
  readonly df: readonly boolean[];
  readonly options: readonly number[];
}

/** The pieces of a datagram in some order, with some that do not belong. */
const planned: fc.Arbitrary<Plan> = fc
  .record({
    six: fc.boolean(),
    proto: fc.constantFrom(17, 17, 6, 132, 50, 44, 60),
    length: fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 8, max: 300 }) },
      { weight: 2, arbitrary: fc.integer({ min: 300, max: 5000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 65400, max: 65535 }) },
    ),
    cuts: fc.array(fc.nat({ max: 8191 }), { maxLength: 6 }),
    order: fc.oneof(fc.constant([]), fc.constant(null), fc.array(fc.nat(), { minLength: 9, maxLength: 9 })),
    odd: fc.array(fc.record({ kind: fc.nat({ max: 7 }), a: fc.nat(), b: fc.nat(), at: fc.nat() }), {
      maxLength: 3,
    }),
    ecn: fc.oneof(fc.constant([1]), fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 })),
    df: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
    options: fc.oneof(fc.constant([0]), fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 3 })),
  })
  .map(({ cuts, order, odd, ...plan }) => {
    const { length } = plan;
    const blocks = new Set(cuts.map((cut) => ((cut * 8) % length) & ~7));
    for (let at = 48000; at < length; at += 48000) blocks.add(at);
    const starts = [...blocks.add(0)].sort((a, b) => a - b);
    let sent: Sent[] = starts.map((from, i) => {
      const to = starts[i + 1] ?? length;
      return { from, to, more: to !== length };
    });
    if (order === null) sent.reverse();
    else
      sent = sent
        .map((s, i) => ({ s, key: order[i % 9] ?? 0 }))
        .sort((x, y) => x.key - y.key)
        .map(({ s }) => s);
    for (const { kind, a, b, at } of odd) {
      if (sent.length === 0) break;
      const one = sent[a % sent.length]!;
      const start = (a % (length + 16)) & ~7;
      const extra: Sent[] = [
        one,
        { ...one, more: !one.more },
        { from: start, to: start + (b % 100), more: true },
        { from: start, to: start + (b % 40), more: false },
        { ...one, to: one.from },
        { ...one, to: one.from + (b % (one.to - one.from + 1)) },
        { from: 0, to: length, more: false },
        { from: 65528 - (b % 9) * 8, to: 65528 + (a % 20), more: b % 2 === 0 },
      ];
      sent.splice(at % (sent.length + 1), b % 11 === 0 ? 1 : 0, extra[kind]!);
    }
    return { ...plan, sent };
  });

// No options that a router writes into, and no AH, before which Linux puts the fragment header when it sends on.
const OPTIONS = [[], [], [], [1, 1, 1, 0], [0x94, 4, 0, 0], [1, 1, 1, 1, 1, 1, 1, 0]];
const EXTENSIONS = [
  [],
  [],
  [],
  [destinationOptions()],
  [hopByHop(), destinationOptions()],
  [destinationOptions(new Uint8Array(20)), routingHeader()],
];

/** The packets of a plan. `n` is part of its source address. */
function packetsOf(plan: Plan, n: number): Uint8Array[] {
  const data = concat(datagram(plan.length), new Uint8Array(66000));
  return plan.sent.map(({ from, to, more }, i) => {
    const option = plan.options[i % plan.options.length]!;
    const o: Piece = {
      id: n & 0xffff,
      proto: plan.proto,
      tos: plan.ecn[i % plan.ecn.length]!,
      df: plan.df[i % plan.df.length]!,
      src: plan.six ? `2001:db8::${n.toString(16)}` : `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
      ...(plan.six ? { before: EXTENSIONS[option]! } : { options: Uint8Array.from(OPTIONS[option]!) }),
    };
    // No fragment is longer than an IP packet.
    return (plan.six ? piece6 : piece4)(from, data.subarray(from, Math.min(to, from + 65400)), more, o);
  });
}

/** Where an IPv6 packet's fragment header is, and the byte that names it; undefined if there is none. */
function fragmentHeaderOf(packet: Uint8Array): { readonly at: number; readonly namedAt: number } | undefined {
  let namedAt = 6;
  let at = 40;
  for (let next = packet[6]!; next !== 44; next = packet[namedAt]!) {
    if (next !== 0 && next !== 43 && next !== 60) return undefined;
    namedAt = at;
    at += (packet[at + 1]! + 1) * 8;
  }
  return { at, namedAt };
}

/**
 * What left the kernel for one packet, as one datagram without the fields that sending it on changes: lengths,
 * flags and checksum of the IP header, hop limit, and the fragment headers that the kernel put in again.
 */
function datagramOf(out: readonly Uint8Array[], length: number): number[] {
  const first = out[0]!;
  if (first[0]! >> 4 === 4) {
    const header = (packet: Uint8Array): number => (packet[0]! & 15) * 4;
    return normal(concat(first.slice(0, header(first)), ...out.map((p) => p.subarray(header(p)))));
  }
  // A second fragment header, within the datagram, is data; Linux may make an atomic fragment of a small datagram.
  if (out.length === 1 && first.length === length) return normal(first);
  const { at, namedAt } = fragmentHeaderOf(first)!;
  const head = first.slice(0, at);
  head[namedAt] = first[at]!;
  return normal(concat(head, ...out.map((p) => p.subarray(fragmentHeaderOf(p)!.at + 8))));
}

/** A datagram as numbers, without the fields named above. */
function normal(packet: Uint8Array): number[] {
  const out = packet.slice();
  if (out[0]! >> 4 === 6) out.fill(0, 4, 6)[7] = 0;
  else out.fill(0, 2, 4).fill(0, 6, 8).fill(0, 10, 12)[8] = 0;
  return [...out];
}

/** What became of packet `i`. @param length bytes of the datagram that we found */
function theirView(run: KernelRun, i: number, length: number): number[] | 'nothing' {
  if (run.verdicts[i]!.state === null) return 'nothing';
  return datagramOf(run.out![i]!, length);
}

describe.skipIf(!kernelUsable())('against the kernel', () => {
  let kernel: Kernel;
  let source = 1;

  const timeouts = {
    'net.ipv4.ipfrag_time': LONG,
    nf_conntrack_frag6_timeout: LONG,
  };

  beforeAll(async () => {
    kernel = await Kernel.open({ log: false });
  });
  afterAll(() => kernel.close());

  /** Sends packets through both, `settings` in force, and compares what became of each. */
  async function compare(packets: readonly Uint8Array[], bench: Bench): Promise<void> {
    const run = await kernel.replay(
      packets.map((bytes) => ({ bytes })),
      { output: true, table: false },
    );
    packets.forEach((packet, i) => {
      const outcome = bench.send(packet);
      const theirs = theirView(run, i, outcome.bytes?.length ?? 0);
      const what = `packet ${i} of ${packets.length}: ${outcome.fate}: ${Buffer.from(packet.subarray(0, 80)).toString('hex')}`;
      expect(outcome.bytes === undefined ? 'nothing' : normal(outcome.bytes), what).toEqual(theirs);
    });
  }

  test('each fragment has the same fate, each datagram the same bytes', async () => {
    const settings = {
      ...timeouts,
      'net.ipv4.ipfrag_high_thresh': 1e9,
      nf_conntrack_frag6_high_thresh: 1e9,
    };
    await kernel.sysctls(settings);
    const bench = new Bench(settings);
    await fc.assert(
      fc.asyncProperty(fc.array(planned, { minLength: 1, maxLength: 8 }), async (plans) => {
        await compare(
          plans.flatMap((plan) => packetsOf(plan, source++)),
          bench,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('memory fills up at the same fragment, whatever their sizes', async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const limit = 500 + seed * seed * 1000;
      const settings = {
        ...timeouts,
        'net.ipv4.ipfrag_low_thresh': 1,
        'net.ipv4.ipfrag_high_thresh': limit,
        nf_conntrack_frag6_low_thresh: 1,
        nf_conntrack_frag6_high_thresh: limit,
      };
      await kernel.reset();
      await kernel.sysctls(settings);
      // Sizes about those at which the kernel takes a larger buffer.
      const sizes = fc.sample(
        fc.tuple(fc.boolean(), fc.constantFrom(64, 160, 608, 1632, 3680, 7776), fc.nat({ max: 6 })),
        { numRuns: 40, seed },
      );
      const small = datagram(32);
      await compare(
        sizes.flatMap(([six, size, more]) => [
          (six ? piece6 : piece4)(8, datagram(size + more * 8), true, { id: source++ & 0xffff }),
          // These come through whole as long as there is memory.
          piece6(0, small, false, { id: source++ & 0xffff }),
          piece4(16, small.subarray(16), false, { id: source & 0xffff }),
          piece4(0, small.subarray(0, 16), true, { id: source++ & 0xffff }),
        ]),
        new Bench(settings),
      );
    }
  });

  test('the same fragments are given up when too many of their source came in between', async () => {
    for (const maxDist of [1, 3, 6, 64]) {
      const settings = { ...timeouts, 'net.ipv4.ipfrag_max_dist': maxDist };
      await kernel.reset();
      await kernel.sysctls(settings);
      const sent = fc.sample(fc.tuple(fc.nat({ max: 8 }), fc.nat({ max: 9 }), fc.nat({ max: 2 })), {
        numRuns: 2000,
        seed: maxDist,
      });
      const data = datagram(48);
      await compare(
        sent.map(([id, host, block]) =>
          piece4(block * 16, data.subarray(block * 16, block * 16 + 16), block < 2, {
            id,
            src: `10.9.9.${host === 9 ? 1 : 2}`,
          }),
        ),
        new Bench(settings),
      );
    }
  });

  test('the same datagrams time out', async () => {
    const settings = { 'net.ipv4.ipfrag_time': 1, nf_conntrack_frag6_timeout: 1 };
    await kernel.reset();
    await kernel.sysctls(settings);
    const bench = new Bench(settings);
    const data = datagram(64);
    const both = (id: number, offset: number): Uint8Array[] =>
      [piece4, piece6].map((piece) =>
        piece(offset, data.subarray(offset, offset + 32), offset === 0, { id }),
      );
    // Linux's timers are up to an eighth late, hence nothing between 1000 and 1125 ms.
    const script: [number, Uint8Array[]][] = [
      [0, [...both(1, 0), ...both(2, 0), ...both(3, 32)]],
      [850, both(1, 32)],
      [400, [...both(2, 32), ...both(3, 0)]],
      [850, both(2, 0)],
    ];
    const packets = script.flatMap(([wait, list]) =>
      list.map((bytes, i) => ({ bytes, waitMs: i === 0 ? wait : 0 })),
    );
    const run = await kernel.replay(packets, { output: true, table: false });
    const outcomes = packets.map(({ bytes }, i) => {
      bench.now = run.times[i]!;
      return bench.send(bytes).bytes;
    });
    const theirs = outcomes.map((bytes, i) => theirView(run, i, bytes?.length ?? 0));
    expect(outcomes.map((bytes) => (bytes === undefined ? 'nothing' : normal(bytes)))).toEqual(theirs);
    expect(outcomes.filter((bytes) => bytes !== undefined)).toHaveLength(4);
  });
});
