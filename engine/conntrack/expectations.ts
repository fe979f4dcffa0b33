import { AF_INET, type Packet } from '../packet/packet.ts';
import type { AddressPool } from './address-pool.ts';
import type { Expectation } from './expectation.ts';
import { EXPECT_INACTIVE } from './expectation.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, type Tuple } from './tuple.ts';

/** Where the source address stands in an IPv6 header. */
const IPV6_SOURCE = 8;

/** All that is expected, found by destination (the kernel's nf_ct_expect_hash). Empty on most machines. */
export class Expectations {
  /** How many there are. */
  count = 0;
  /** When the next one is given up (ms), Infinity if none ever. */
  nextDue: number = Number.POSITIVE_INFINITY;
  /** The id that the next one gets. */
  nextId = 1;

  /** What happened, with the names of `conntrack -S`: flows that were expected, expectations made and gone. */
  readonly counts: { expect_new: number; expect_create: number; expect_delete: number } = {
    expect_new: 0,
    expect_create: 0,
    expect_delete: 0,
  };

  private readonly pool: AddressPool;
  private readonly byDestination: Map<number, Expectation[]> = new Map();

  constructor(pool: AddressPool) {
    this.pool = pool;
  }

  /** Enters an expectation, whatever else is there; its id is set. */
  add(expected: Expectation): void {
    const key = keyOf(expected.tuple);
    const there = this.byDestination.get(key);
    if (there === undefined) this.byDestination.set(key, [expected]);
    else there.push(expected);
    expected.id = this.nextId++;
    this.count++;
    this.counts.expect_create++;
    if (expected.expires < this.nextDue) this.nextDue = expected.expires;
    this.holdAddresses(expected);
  }

  /** Takes one out. Returns false if it is out already. */
  remove(expected: Expectation): boolean {
    const key = keyOf(expected.tuple);
    const there = this.byDestination.get(key) ?? [];
    const at = there.indexOf(expected);
    if (at < 0) return false;
    if (there.length === 1) this.byDestination.delete(key);
    else there.splice(at, 1);
    this.count--;
    this.counts.expect_delete++;
    if (expected.expires <= this.nextDue) this.findNextDue();
    this.releaseAddresses(expected);
    return true;
  }

  /** The time of one changed. */
  moved(): void {
    this.findNextDue();
  }

  /**
   * Finds what a packet was expected by, the latest first.
   * @param t the packet's tuple; `pkt` tells the addresses that the pool does not know
   */
  match(t: Tuple, pkt: Packet): Expectation | null {
    const there = this.byDestination.get(keyOf(t));
    if (there === undefined) return null;
    for (let i = there.length - 1; i >= 0; i--) {
      const expected = there[i]!;
      if ((expected.flags & EXPECT_INACTIVE) === 0 && this.matches(expected, t, pkt)) return expected;
    }
    return null;
  }

  /** Those whose destination is a tuple's, in the order in which they came; for whoever looks for rivals. */
  at(t: Tuple): readonly Expectation[] {
    return this.byDestination.get(keyOf(t)) ?? [];
  }

  /** All of them, oldest first. */
  all(): Expectation[] {
    return [...this.byDestination.values()].flat().sort((a, b) => a.id - b.id);
  }

  /** Those that are given up by a time (ms), in order of time. */
  due(now: number): Expectation[] {
    return this.all()
      .filter((expected) => expected.expires <= now)
      .sort((a, b) => a.expires - b.expires);
  }

  private matches(expected: Expectation, t: Tuple, pkt: Packet): boolean {
    const { tuple } = expected;
    if (tuple[T_DST] !== t[T_DST] || tuple[T_KIND] !== t[T_KIND] || tuple[T_ZONE] !== t[T_ZONE]) return false;
    if (((tuple[T_PORTS]! ^ t[T_PORTS]!) & ((expected.portMask << 16) | 0xffff)) !== 0) return false;
    return this.matchesSource(expected, t, pkt);
  }

  private matchesSource({ tuple, sourceMask }: Expectation, t: Tuple, pkt: Packet): boolean {
    if (sourceMask.length === 1) return ((tuple[T_SRC]! ^ t[T_SRC]!) & sourceMask[0]!) === 0;
    const { view, off } = pkt;
    for (let i = 0; i < sourceMask.length; i++) {
      const word = view.getInt32(off + IPV6_SOURCE + i * 4);
      if (((this.pool.word(tuple[T_SRC]!, i) ^ word) & sourceMask[i]!) !== 0) return false;
    }
    return true;
  }

  private findNextDue(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const there of this.byDestination.values())
      for (const { expires } of there) if (expires < next) next = expires;
    this.nextDue = next;
  }

  private holdAddresses({ tuple }: Expectation): void {
    if (tuple[T_KIND]! >>> 8 === AF_INET) return;
    if (tuple[T_SRC] !== 0) this.pool.hold(tuple[T_SRC]!);
    this.pool.hold(tuple[T_DST]!);
  }

  private releaseAddresses({ tuple }: Expectation): void {
    if (tuple[T_KIND]! >>> 8 === AF_INET) return;
    if (tuple[T_SRC] !== 0) this.pool.release(tuple[T_SRC]!);
    this.pool.release(tuple[T_DST]!);
  }
}

function keyOf(t: Tuple): number {
  return t[T_DST]! ^ ((t[T_PORTS]! & 0xffff) << 12) ^ t[T_KIND]!;
}
