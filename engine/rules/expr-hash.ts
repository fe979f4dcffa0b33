import { hashKey, hashWords } from '../base/hash.ts';
import { jhash, reciprocalScale } from '../base/jhash.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE } from '../packet/protocols.ts';
import { type Expr, registerOffset } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { store32 } from './registers.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** `jhash`: a register hashed into a number from `offset` on. */
export class JhashExpr implements Expr {
  readonly name = 'hash';
  readonly sreg: number;
  readonly dreg: number;
  readonly len: number;
  readonly modulus: number;
  readonly offset: number;
  /** Null until the first packet where the rule names none: Linux then draws one. */
  private seed: number | null;
  private readonly from: number;
  private readonly at: number;

  /** @param seed null to have one drawn */
  constructor(sreg: number, dreg: number, len: number, modulus: number, seed: number | null, offset: number) {
    this.sreg = sreg;
    this.dreg = dreg;
    this.len = len;
    this.modulus = modulus;
    this.seed = seed;
    this.offset = offset;
    this.from = registerOffset(sreg);
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    this.seed ??= state.random.word();
    const hash = jhash(state.regs, this.from, this.len, this.seed);
    store32(state, this.at, reciprocalScale(hash, this.modulus) + this.offset);
    return NFT_CONTINUE;
  }
}

const symmetricKey = hashKey(0x73796d);

function addressWord(view: DataView, at: number, length: number): number {
  let out = 0;
  for (let i = 0; i < length; i += 4) out = Math.imul(out, 0x9e3779b1) + view.getInt32(at + i);
  return out | 0;
}

/** A hash of the packet's flow that is the same in both directions; Linux keys its own with a random number. */
export function symmetricHash(pkt: Packet): number {
  const { view, off, l4, proto } = pkt;
  const v4 = pkt.family === AF_INET;
  const length = v4 ? 4 : 16;
  const from = off + (v4 ? 12 : 8);
  const a = addressWord(view, from, length);
  const b = addressWord(view, from + length, length);
  const ported =
    proto === IPPROTO_TCP || proto === IPPROTO_UDP || proto === IPPROTO_UDPLITE || proto === IPPROTO_SCTP;
  const ports = ported && l4 >= 0 && l4 + 4 <= pkt.end ? view.getUint16(l4) ^ view.getUint16(l4 + 2) : 0;
  return hashWords(symmetricKey, a ^ b, (a + b) | 0, ports, proto);
}

/** `symhash`: the packet's flow hashed into a number from `offset` on, the same in both directions. */
export class SymhashExpr implements Expr {
  readonly name = 'hash';
  readonly dreg: number;
  readonly modulus: number;
  readonly offset: number;
  private readonly at: number;

  constructor(dreg: number, modulus: number, offset: number) {
    this.dreg = dreg;
    this.modulus = modulus;
    this.offset = offset;
    this.at = registerOffset(dreg);
  }

  eval(state: HookState): number {
    store32(state, this.at, reciprocalScale(symmetricHash(state.pkt), this.modulus) + this.offset);
    return NFT_CONTINUE;
  }
}
