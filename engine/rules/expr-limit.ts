import type { HookState } from './hook-state.ts';
import type { StatefulExpr } from './stateful.ts';
import { packetTime } from './time.ts';
import { NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** NFT_LIMIT_PKTS: the rate is one of packets. */
export const NFT_LIMIT_PKTS = 0;
/** NFT_LIMIT_PKT_BYTES: the rate is one of bytes. */
export const NFT_LIMIT_PKT_BYTES = 1;
/** NFT_LIMIT_F_INV: `limit rate over`. */
export const NFT_LIMIT_F_INV = 1;

const NANOS_A_SECOND = 1e9;
const NANOS_A_MS = 1e6;
/** Packets at once where the rule names none. */
const DEFAULT_BURST = 5;

/**
 * `limit`: a token bucket whose tokens are nanoseconds, as the kernel's is. It fills as time passes, up to the
 * burst; a packet that it holds enough for takes its share and matches, another takes nothing.
 */
export class LimitExpr implements StatefulExpr {
  readonly name = 'limit';
  readonly rate: number;
  /** Seconds. */
  readonly unit: number;
  readonly burst: number;
  /** NFT_LIMIT_PKTS or NFT_LIMIT_PKT_BYTES. */
  readonly type: number;
  readonly flags: number;
  private readonly nsecs: number;
  private readonly most: number;
  private readonly cost: number;
  private tokens: number;
  /** When the bucket was filled last (ms); NaN before the first packet, when it is full. */
  private last: number = Number.NaN;

  /**
   * @param rate packets or bytes in each unit
   * @param unit seconds
   * @param burst packets (0: five) or bytes beyond the rate
   */
  constructor(rate: number, unit: number, burst: number, type: number, flags: number) {
    this.rate = rate;
    this.unit = unit;
    this.burst = type === NFT_LIMIT_PKTS && burst === 0 ? DEFAULT_BURST : burst;
    this.type = type;
    this.flags = flags;
    this.nsecs = unit * NANOS_A_SECOND;
    this.cost = Math.floor(this.nsecs / rate);
    this.most = type === NFT_LIMIT_PKTS ? this.cost * this.burst : share(this.nsecs, rate + this.burst, rate);
    this.tokens = this.most;
  }

  eval(state: HookState): number {
    const now = packetTime(state);
    const cost =
      this.type === NFT_LIMIT_PKTS ? this.cost : share(this.nsecs, state.pkt.end - state.pkt.off, this.rate);
    if (now > this.last)
      this.tokens = Math.min(this.most, this.tokens + Math.round((now - this.last) * NANOS_A_MS));
    this.last = now;
    const inverse = (this.flags & NFT_LIMIT_F_INV) !== 0;
    if (this.tokens < cost) return inverse ? NFT_CONTINUE : NFT_BREAK;
    this.tokens -= cost;
    return inverse ? NFT_BREAK : NFT_CONTINUE;
  }

  clone(): LimitExpr {
    return new LimitExpr(this.rate, this.unit, this.burst, this.type, this.flags);
  }
}

/** nsecs * part / rate without a fraction; the product may lie beyond the integers that a double holds exactly. */
function share(nsecs: number, part: number, rate: number): number {
  const whole = Math.floor(part / rate);
  return whole * nsecs + Math.floor(((part - whole * rate) * nsecs) / rate);
}
