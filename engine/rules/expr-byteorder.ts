import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** NFT_BYTEORDER_NTOH. */
export const NFT_BYTEORDER_NTOH = 0;
/** NFT_BYTEORDER_HTON. */
export const NFT_BYTEORDER_HTON = 1;

/** `byteorder`: turns each number in a register from network order into this machine's, or back: the same thing. */
export class ByteorderExpr implements Expr {
  readonly name = 'byteorder';
  readonly sreg: number;
  readonly dreg: number;
  readonly op: number;
  readonly len: number;
  /** Bytes of each number: 2, 4 or 8. */
  readonly size: number;
  private readonly from: number;
  private readonly to: number;

  constructor(sreg: number, dreg: number, op: number, len: number, size: number) {
    this.sreg = sreg;
    this.dreg = dreg;
    this.op = op;
    this.len = len;
    this.size = size;
    this.from = registerOffset(sreg);
    this.to = registerOffset(dreg);
  }

  eval(state: HookState): number {
    const { regView: view } = state;
    const { from, to, len, size } = this;
    for (let i = 0; i + size <= len; i += size) {
      if (size === 2) view.setUint16(to + i, view.getUint16(from + i, true));
      else if (size === 4) view.setInt32(to + i, view.getInt32(from + i, true));
      else {
        const low = view.getInt32(from + i, true);
        const high = view.getInt32(from + i + 4, true);
        view.setInt32(to + i, high);
        view.setInt32(to + i + 4, low);
      }
    }
    return NFT_CONTINUE;
  }
}
