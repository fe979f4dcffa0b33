import type { Chain } from './chain.ts';
import { compileChain } from './compile.ts';
import type { CmpExpr } from './expr-cmp.ts';
import type { CounterExpr } from './expr-counter.ts';
import type { LookupExpr } from './expr-lookup.ts';
import type { MetaExpr } from './expr-meta.ts';
import type { PayloadExpr } from './expr-payload.ts';
import type { VerdictExpr } from './expr-verdict.ts';
import type { HookState } from './hook-state.ts';
import * as P from './program.ts';
import { SourceReader } from './source-reader.ts';
import { Doubts } from './unknown.ts';
import {
  NF_ACCEPT,
  NF_DROP,
  NF_UNKNOWN,
  NFT_BREAK,
  NFT_CONTINUE,
  NFT_GOTO,
  NFT_JUMP,
  NFT_RETURN,
} from './verdict.ts';

/** NFT_JUMP_STACK_SIZE: how deep jumps may go in nf_tables. */
const JUMP_STACK_SIZE = 16;
/** {@link Runner.step}: the way has ended; {@link Runner.verdict} says how. */
const DONE: number = -1;

/** A chain's program, made anew if its rules are others than when it was made. */
export function programOf(chain: Chain): P.ChainProgram {
  const { program } = chain;
  if (program !== null && program.rules === chain.rules) return program;
  const made = compileChain(chain);
  chain.program = made;
  return made;
}

/** Runs compiled chains. Holds what is under way, so that nothing is made for a packet. */
export class Runner extends SourceReader {
  private base: Chain | null = null;
  private program: P.ChainProgram | null = null;
  private verdict: number = NF_ACCEPT;
  private readonly doubts: Doubts = new Doubts();
  private readonly programs: P.ChainProgram[] = [];
  private readonly places: number[] = [];
  private depth = 0;
  /** Of each depth: the rules of the block under way that may match and were not run yet. */
  private candidates = new Int32Array((JUMP_STACK_SIZE + 1) * P.BLOCK_WORDS);
  /** Of each depth: the round of sources that those were found with. */
  private rounds = new Int32Array(JUMP_STACK_SIZE + 1);
  /** Of each depth: the rule of the block that runs. */
  private running = new Int32Array(JUMP_STACK_SIZE + 1);

  /** As {@link runChain}. */
  run(chain: Chain, state: HookState): number {
    this.begin(state);
    this.base = chain;
    this.depth = 0;
    this.doubts.clear();
    this.program = programOf(chain);
    this.makeRoom();
    this.loop(state);
    return this.doubts.any ? this.doubts.settle(state, this.verdict) : this.verdict;
  }

  /** The tests that nearly all operations are; the others are {@link step}'s. */
  private loop(state: HookState): void {
    let { program, values, stamps, round } = this;
    let code = program!.code;
    let pc = 0;
    for (;;) {
      const op = code[pc]!;
      if (op <= P.OP_NOT_RANGE) {
        const slot = code[pc + 1]!;
        if (stamps[slot] !== round && !this.read(slot)) {
          pc = code[pc + (op <= P.OP_NE ? 4 : 5)]!;
          continue;
        }
        const value = values[slot]! & code[pc + 2]!;
        if (op === P.OP_EQ) pc = value === code[pc + 3] ? pc + 5 : code[pc + 4]!;
        else if (op === P.OP_NE) pc = value !== code[pc + 3] ? pc + 5 : code[pc + 4]!;
        else {
          const flipped = value ^ P.FLIP;
          const inside = flipped >= code[pc + 3]! && flipped <= code[pc + 4]!;
          pc = inside === (op === P.OP_RANGE) ? pc + 6 : code[pc + 5]!;
        }
        continue;
      }
      pc = this.step(state, code, op, pc);
      if (pc === DONE) return;
      if (program !== this.program) {
        program = this.program;
        code = program!.code;
      }
      // A chain compiled on the way, or a changed packet, may have replaced these.
      values = this.values;
      stamps = this.stamps;
      round = this.round;
    }
  }

  /**
   * All operations but the plain tests.
   * @returns where to go on, or DONE
   */
  private step(state: HookState, code: Int32Array, op: number, pc: number): number {
    const { exprs } = this.program!;
    switch (op) {
      case P.OP_COUNT: {
        const counter = exprs[code[pc + 1]!] as CounterExpr;
        counter.packets++;
        counter.bytes += state.pkt.end - state.pkt.off;
        return pc + 2;
      }
      case P.OP_NEXT:
        return this.next(this.program!.blocks[code[pc + 1]!]!);
      case P.OP_FIRST:
        return this.first(this.program!.blocks[code[pc + 1]!]!);
      case P.OP_VERDICT:
        return this.finish(state, code[pc + 1]!, code[pc + 2]!);
      case P.OP_RETURN:
        return this.leave(state);
      case P.OP_JUMP:
      case P.OP_GOTO: {
        const { chain } = exprs[code[pc + 1]!] as VerdictExpr;
        return this.follow(chain!, op === P.OP_JUMP, pc + 3);
      }
      case P.OP_IN:
      case P.OP_NOT_IN:
        return this.among(code, op, pc);
      case P.OP_NE_WORDS:
        return this.anyDiffers(code, pc);
      case P.OP_COUNT_RULE: {
        const { counters } = this.program!.rules[code[pc + 1]!]!;
        counters!.packets++;
        counters!.bytes += state.pkt.end - state.pkt.off;
        return pc + 2;
      }
      default:
        return this.evaluate(state, code, op, pc);
    }
  }

  /** Expressions: those that are met most at a call of their own, so that V8 puts them in line. */
  private evaluate(state: HookState, code: Int32Array, op: number, pc: number): number {
    const { exprs, chain, rules } = this.program!;
    const expr = exprs[code[pc + 1]!]!;
    let result: number;
    if (op === P.OP_PAYLOAD) result = (expr as PayloadExpr).eval(state);
    else if (op === P.OP_META) result = (expr as MetaExpr).eval(state);
    else if (op === P.OP_CMP) result = (expr as CmpExpr).eval(state);
    else {
      state.chain = chain;
      state.rule = rules[code[pc + 3]!]!;
      if (op === P.OP_LOOKUP) result = (expr as LookupExpr).eval(state);
      else {
        result = expr.eval(state);
        if (op === P.OP_CHANGE) this.round++;
      }
    }
    if (result === NFT_CONTINUE) return pc + 4;
    if (result === NFT_BREAK) return code[pc + 2]!;
    return this.decide(state, result, code[pc + 3]!, pc);
  }

  /** An expression gave a verdict. */
  private decide(state: HookState, result: number, rule: number, pc: number): number {
    const program = this.program!;
    if (result === NF_UNKNOWN) {
      const from = program.rules[rule]!;
      const index = from.exprs.indexOf(program.exprs[program.code[pc + 1]!]!);
      if (this.doubts.meet(state, program.chain, from, index) === NFT_BREAK) return program.code[pc + 2]!;
    }
    if (result === NFT_RETURN) return this.leave(state);
    // Back from there the chain goes on behind the rule, which is where it goes on if a rule fails.
    if (result === NFT_JUMP || result === NFT_GOTO)
      return this.follow(state.target!, result === NFT_JUMP, program.code[pc + 2]!);
    return this.finish(state, result, rule);
  }

  private among(code: Int32Array, op: number, pc: number): number {
    const slot = code[pc + 1]!;
    const fail = code[pc + 3]!;
    const end = pc + 5 + code[pc + 4]! * 2;
    if (this.stamps[slot] !== this.round && !this.read(slot)) return fail;
    const value = (this.values[slot]! & code[pc + 2]!) ^ P.FLIP;
    let inside = false;
    for (let at = pc + 5; at < end && !inside; at += 2) inside = value >= code[at]! && value <= code[at + 1]!;
    return inside === (op === P.OP_IN) ? end : fail;
  }

  private anyDiffers(code: Int32Array, pc: number): number {
    const end = pc + 2 + code[pc + 1]! * 3;
    let differs = false;
    for (let at = pc + 2; at < end; at += 3) {
      const slot = code[at]!;
      if (this.stamps[slot] !== this.round && !this.read(slot)) return code[end]!;
      if ((this.values[slot]! & code[at + 1]!) !== code[at + 2]!) differs = true;
    }
    return differs ? end + 1 : code[end]!;
  }

  private finish(state: HookState, verdict: number, rule: number): number {
    this.verdict = verdict;
    state.chain = this.program!.chain;
    state.rule = this.program!.rules[rule]!;
    return DONE;
  }

  /** Into another chain, which is run at once. @param back where this one goes on afterwards */
  private follow(chain: Chain, returns: boolean, back: number): number {
    if (returns) {
      if (this.depth >= JUMP_STACK_SIZE && !this.deeper()) {
        this.verdict = NF_DROP;
        return DONE;
      }
      this.programs[this.depth] = this.program!;
      this.places[this.depth] = back;
      this.depth++;
    }
    this.program = programOf(chain);
    this.makeRoom();
    return 0;
  }

  /** Legacy tables have as much room as their chains need. */
  private deeper(): boolean {
    if (this.base!.table.backend === 'nft') return false;
    if (this.depth + 1 < this.rounds.length) return true;
    const rooms = this.rounds.length * 2;
    const candidates = new Int32Array(rooms * P.BLOCK_WORDS);
    candidates.set(this.candidates);
    const rounds = new Int32Array(rooms);
    rounds.set(this.rounds);
    const running = new Int32Array(rooms);
    running.set(this.running);
    this.candidates = candidates;
    this.rounds = rounds;
    this.running = running;
    return true;
  }

  /** Back to where the chain was jumped to from, or to the policy. */
  private leave(state: HookState): number {
    if (this.depth > 0) {
      this.depth--;
      this.program = this.programs[this.depth]!;
      return this.places[this.depth]!;
    }
    const chain = this.base!;
    const { policyCounters } = chain;
    if (policyCounters !== null) {
      policyCounters.packets++;
      policyCounters.bytes += state.pkt.end - state.pkt.off;
    }
    state.chain = chain;
    state.rule = null;
    this.verdict = chain.base === null ? NF_ACCEPT : chain.base.policy;
    return DONE;
  }

  private first(block: P.Block): number {
    this.running[this.depth] = -1;
    this.collect(block);
    return this.next(block);
  }

  private next(block: P.Block): number {
    const { depth, candidates } = this;
    if (this.rounds[depth] !== this.round) this.collect(block);
    const base = depth * P.BLOCK_WORDS;
    const last = this.running[depth]!;
    let word = (last + 1) >> 5;
    if (word >= block.words) return block.end;
    let bits = candidates[base + word]! & (-1 << ((last + 1) & 31));
    while (bits === 0) {
      if (++word >= block.words) return block.end;
      bits = candidates[base + word]!;
    }
    const rule = (word << 5) + 31 - Math.clz32(bits & -bits);
    this.running[depth] = rule;
    return block.entries[rule]!;
  }

  /** Which rules of a block may match: those that none of its sources rules out. */
  private collect(block: P.Block): void {
    const { candidates, depth } = this;
    const { words, dimensions } = block;
    const base = depth * P.BLOCK_WORDS;
    this.rounds[depth] = this.round;
    for (let i = 0; i < dimensions.length; i++) {
      const { bits } = dimensions[i]!;
      const from = this.classOf(dimensions[i]!);
      let several = 0;
      for (let w = 0; w < words; w++) {
        const left = i === 0 ? bits[from + w]! : candidates[base + w]! & bits[from + w]!;
        candidates[base + w] = left;
        several |= left & (left - 1);
      }
      // One rule or none: to ask it costs less than the next source.
      if (several === 0) return;
    }
  }

  private classOf(dimension: P.Dimension): number {
    const { slot, bounds, shift, starts, classes } = dimension;
    if (this.stamps[slot] !== this.round && !this.read(slot)) return dimension.absent;
    const value = this.values[slot]!;
    const byte = value >>> shift;
    let low = starts[byte]!;
    let high = starts[byte + 1]! + 1;
    const flipped = value ^ P.FLIP;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (bounds[middle]! <= flipped) low = middle;
      else high = middle;
    }
    return classes[low]!;
  }
}
