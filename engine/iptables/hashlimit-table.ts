import type { Random } from '../base/random.ts';
import { NO_ROW, WordTable } from '../ipset/word-table.ts';
import type { HookState } from '../rules/hook-state.ts';
import { HZ, jiffies, U32 } from './jiffies.ts';

/** Credits that a packet's bucket gains each jiffy are 2^39: the greatest power of two that fits (kernel: xt_hashlimit). */
const CREDIT_BITS = 39;
/** Of the upper part of a bucket: 64 bits less the 39 below. */
const UPPER: number = 2 ** (64 - CREDIT_BITS);
const LOWER: number = 2 ** CREDIT_BITS;
/** Credits for a millionth of a second, rounded down as the kernel does. */
const CREDITS_PER_PART = 137438953n;
/** Credits of a byte bucket for a jiffy and for a second. */
const BYTE_CREDITS: number = 2 ** 24;
const BYTE_CREDITS_MAX: number = BYTE_CREDITS * HZ;

/** A number of 64 bits in two parts: times 2^39, and the rest. */
export interface Credits {
  readonly upper: number;
  readonly lower: number;
}

/** Credits for a time in millionths of a second, 64 bits (kernel: user2credits). */
function creditsOf(parts: bigint): Credits {
  const value = BigInt.asUintN(64, BigInt.asUintN(64, parts) * CREDITS_PER_PART);
  return { upper: Number(value >> BigInt(CREDIT_BITS)), lower: Number(value & (BigInt(LOWER) - 1n)) };
}

/** Whether a burst times a period overflows so that the kernel refuses it. */
export function burstOverflows(period: number, burst: number): boolean {
  const one = BigInt.asUintN(64, BigInt(period) * CREDITS_PER_PART);
  const all = BigInt.asUintN(64, BigInt.asUintN(64, BigInt(period) * BigInt(burst)) * CREDITS_PER_PART);
  return all < one;
}

/** What the buckets of a table are like. */
export interface BucketRule {
  /** Time for one packet in millionths of a second, or the cost of 16 bytes. */
  readonly period: number;
  readonly burst: number;
  readonly bytes: boolean;
  /** ms that a bucket lives without packets, and between two sweeps. */
  readonly expire: number;
  readonly sweep: number;
  /** Most buckets. */
  readonly max: number;
}

/** {@link HashlimitTable.take}: the packet's share was there. */
export const ENOUGH = 1;
/** It was not. */
const TOO_LITTLE = 0;
/** {@link HashlimitTable.take}: there is no room for a bucket of the packet's. */
export const NO_BUCKET: number = -1;

/** Words of a key: source, destination, ports. */
export const BUCKET_WORDS = 9;

/** The buckets of a name, made when a packet of a new key comes. Its first rule says what they are like. */
export class HashlimitTable {
  private readonly rule: BucketRule;
  private readonly table: WordTable;
  private readonly cost: Credits;
  private readonly cap: Credits;
  private readonly byteCost: number;
  /** Two parts of the credit; a byte bucket has its credit in the first and its bursts left in the second. */
  private upper: Float64Array = new Float64Array(16);
  private lower: Float64Array = new Float64Array(16);
  /** Jiffies: last packet, end of life. */
  private prev: Float64Array = new Float64Array(16);
  private expires: Float64Array = new Float64Array(16);
  private sweepAt = 0;

  /** @param random keys the hash table */
  constructor(rule: BucketRule, random: Random) {
    this.rule = rule;
    this.table = new WordTable(BUCKET_WORDS, random);
    this.cost = creditsOf(BigInt(rule.period));
    this.cap = creditsOf(BigInt(rule.period) * BigInt(rule.burst));
    this.byteCost = Math.floor((rule.period * HZ * BYTE_CREDITS) / U32);
  }

  /**
   * Takes a packet's share from its bucket.
   * @param length bytes of the packet
   * @returns {@link ENOUGH}, {@link NO_BUCKET}, or 0 if it was not there
   */
  take(key: Int32Array, state: HookState, length: number): number {
    const now = jiffies(state);
    this.sweep(now);
    let row = this.table.find(key);
    if (row === NO_ROW) {
      if (this.table.count >= this.rule.max) return NO_BUCKET;
      row = this.open(key, now);
    } else this.fill(row, now);
    this.expires[row] = now + Math.ceil((this.rule.expire * HZ) / 1000);
    const taken = this.rule.bytes ? this.takeBytes(row, length) : this.takePacket(row);
    return taken ? ENOUGH : TOO_LITTLE;
  }

  private open(key: Int32Array, now: number): number {
    const row = this.table.insert(key);
    if (row >= this.upper.length) this.grow();
    this.prev[row] = now;
    this.upper[row] = this.rule.bytes ? BYTE_CREDITS_MAX : this.cap.upper;
    this.lower[row] = this.rule.bytes ? this.rule.burst : this.cap.lower;
    return row;
  }

  private grow(): void {
    const longer = (from: Float64Array): Float64Array => {
      const to = new Float64Array(from.length * 2);
      to.set(from);
      return to;
    };
    this.upper = longer(this.upper);
    this.lower = longer(this.lower);
    this.prev = longer(this.prev);
    this.expires = longer(this.expires);
  }

  private fill(row: number, now: number): void {
    const delta = now - this.prev[row]!;
    if (delta <= 0) return;
    this.prev[row] = now;
    if (this.rule.bytes) {
      this.upper[row] = Math.min(BYTE_CREDITS_MAX, this.upper[row]! + delta * BYTE_CREDITS);
      return;
    }
    const upper = (this.upper[row]! + delta) % UPPER;
    const { cap } = this;
    if (upper > cap.upper || (upper === cap.upper && this.lower[row]! > cap.lower)) {
      this.upper[row] = cap.upper;
      this.lower[row] = cap.lower;
    } else this.upper[row] = upper;
  }

  private takePacket(row: number): boolean {
    let upper = this.upper[row]! - this.cost.upper;
    let lower = this.lower[row]! - this.cost.lower;
    if (lower < 0) {
      lower += LOWER;
      upper--;
    }
    if (upper < 0) return false;
    this.upper[row] = upper;
    this.lower[row] = lower;
    return true;
  }

  /** A bucket of bytes holds a second's worth; each burst fills it once more. */
  private takeBytes(row: number, length: number): boolean {
    const cost = Math.min(BYTE_CREDITS_MAX, ((length >> 4) + 1) * this.byteCost);
    if (this.upper[row]! < cost && this.lower[row]! > 0) {
      this.lower[row]!--;
      this.upper[row] = BYTE_CREDITS_MAX;
    }
    if (this.upper[row]! < cost) return false;
    this.upper[row]! -= cost;
    return true;
  }

  /** Buckets that had no packet for long enough go, each time the sweep comes round. */
  private sweep(now: number): void {
    if (now < this.sweepAt) return;
    const every = Math.max(1, Math.ceil((this.rule.sweep * HZ) / 1000));
    this.sweepAt = now + every;
    for (let row = 0; row < this.table.rows; row++)
      if (this.table.has(row) && this.expires[row]! <= now) this.table.remove(row);
  }
}
