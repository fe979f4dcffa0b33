import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { toWords } from './registers.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** NFT_BITWISE_LSHIFT. */
export const NFT_BITWISE_LSHIFT = 1;
/** NFT_BITWISE_RSHIFT. */
export const NFT_BITWISE_RSHIFT = 2;

/** `bitwise`: dreg = (sreg & mask) ^ xor, word by word. */
export class BitwiseExpr implements Expr {
  readonly name = 'bitwise';
  readonly sreg: number;
  readonly dreg: number;
  /** Bytes of the value. */
  readonly len: number;
  readonly mask: Uint8Array;
  readonly xor: Uint8Array;
  private readonly from: number;
  private readonly to: number;
  private readonly maskWords: readonly number[];
  private readonly xorWords: readonly number[];

  /** @param mask and `xor` are `len` bytes long */
  constructor(sreg: number, dreg: number, len: number, mask: Uint8Array, xor: Uint8Array) {
    this.sreg = sreg;
    this.dreg = dreg;
    this.len = len;
    this.mask = mask;
    this.xor = xor;
    this.from = registerOffset(sreg) >> 2;
    this.to = registerOffset(dreg) >> 2;
    this.maskWords = toWords(mask);
    this.xorWords = toWords(xor);
  }

  eval(state: HookState): number {
    const { words } = state;
    const { maskWords, xorWords, from, to } = this;
    for (let i = 0; i < maskWords.length; i++)
      words[to + i] = (words[from + i]! & maskWords[i]!) ^ xorWords[i]!;
    return NFT_CONTINUE;
  }
}

/** `bitwise` as a shift: of words in this machine's order, with carry from each word to its neighbour. */
export class ShiftExpr implements Expr {
  readonly name = 'bitwise';
  readonly sreg: number;
  readonly dreg: number;
  readonly len: number;
  readonly op: number;
  readonly bits: number;
  private readonly from: number;
  private readonly to: number;

  /** @param op NFT_BITWISE_LSHIFT or NFT_BITWISE_RSHIFT, `bits` 0 to 31 */
  constructor(sreg: number, dreg: number, len: number, op: number, bits: number) {
    this.sreg = sreg;
    this.dreg = dreg;
    this.len = len;
    this.op = op;
    this.bits = bits;
    this.from = registerOffset(sreg) >> 2;
    this.to = registerOffset(dreg) >> 2;
  }

  eval(state: HookState): number {
    if (this.op === NFT_BITWISE_LSHIFT) this.left(state.words);
    else this.right(state.words);
    return NFT_CONTINUE;
  }

  private left(words: Int32Array): void {
    const { bits, from, to } = this;
    let carry = 0;
    for (let i = ((this.len + 3) >> 2) - 1; i >= 0; i--) {
      const word = words[from + i]!;
      words[to + i] = (word << bits) | carry;
      carry = bits === 0 ? 0 : word >>> (32 - bits);
    }
  }

  private right(words: Int32Array): void {
    const { bits, from, to } = this;
    let carry = 0;
    for (let i = 0; i < (this.len + 3) >> 2; i++) {
      const word = words[from + i]!;
      words[to + i] = carry | (word >>> bits);
      carry = bits === 0 ? 0 : word << (32 - bits);
    }
  }
}
