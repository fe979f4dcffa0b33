import { reciprocalScale } from '../base/jhash.ts';
import { type Expr, registerOffset } from './expr.ts';
import { symmetricHash } from './expr-hash.ts';
import type { HookState } from './hook-state.ts';
import { NF_QUEUE } from './verdict.ts';

/** NFT_QUEUE_FLAG_BYPASS: accept where nobody listens. */
export const NFT_QUEUE_FLAG_BYPASS = 1;
/** NFT_QUEUE_FLAG_CPU_FANOUT: the queue by the number of the CPU, which here is always 0. */
export const NFT_QUEUE_FLAG_CPU_FANOUT = 2;
/** NF_VERDICT_FLAG_QUEUE_BYPASS. */
export const NF_VERDICT_FLAG_QUEUE_BYPASS = 0x8000;

/** The verdict that hands a packet to a queue. */
function queueVerdict(num: number, flags: number): number {
  return NF_QUEUE | (num << 16) | ((flags & NFT_QUEUE_FLAG_BYPASS) !== 0 ? NF_VERDICT_FLAG_QUEUE_BYPASS : 0);
}

/** `queue`: hands the packet to user space. */
export class QueueExpr implements Expr {
  readonly name = 'queue';
  readonly num: number;
  readonly total: number;
  readonly flags: number;

  /** @param num first queue, `total` how many there are, `flags` NFT_QUEUE_FLAG_* */
  constructor(num: number, total: number, flags: number) {
    this.num = num;
    this.total = total;
    this.flags = flags;
  }

  eval(state: HookState): number {
    const spread = this.total > 1 && (this.flags & NFT_QUEUE_FLAG_CPU_FANOUT) === 0;
    const num = spread ? this.num + reciprocalScale(symmetricHash(state.pkt), this.total) : this.num;
    return queueVerdict(num, this.flags);
  }
}

/** `queue` to the number in a register. */
export class QueueRegExpr implements Expr {
  readonly name = 'queue';
  readonly sreg: number;
  readonly flags: number;
  private readonly at: number;

  constructor(sreg: number, flags: number) {
    this.sreg = sreg;
    this.flags = flags;
    this.at = registerOffset(sreg);
  }

  eval(state: HookState): number {
    return queueVerdict(state.regView.getUint32(this.at, true) & 0xffff, this.flags);
  }
}
