import type { Chain, Rule } from './chain.ts';
import { BLOCK_RULES, type Constraints, constrain, indexSlots, makeBlock } from './compile-index.ts';
import { type FusedTest, fuse, type SourceTest } from './compile-test.ts';
import type { Expr } from './expr.ts';
import { BitwiseExpr, ShiftExpr } from './expr-bitwise.ts';
import { ByteorderExpr } from './expr-byteorder.ts';
import { CmpExpr } from './expr-cmp.ts';
import { CounterExpr } from './expr-counter.ts';
import { CtExpr } from './expr-ct.ts';
import { ExthdrExpr } from './expr-exthdr.ts';
import { FibExpr } from './expr-fib.ts';
import { ImmediateExpr } from './expr-immediate.ts';
import { LookupExpr, NFT_REG_VERDICT } from './expr-lookup.ts';
import { MetaExpr } from './expr-meta.ts';
import { PayloadExpr } from './expr-payload.ts';
import { RangeExpr } from './expr-range.ts';
import { VerdictExpr } from './expr-verdict.ts';
import { NFT_META_PRANDOM } from './meta-keys.ts';
import * as P from './program.ts';
import { changesPacket, targetIndex } from './rule-effects.ts';
import { NFT_CONTINUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from './verdict.ts';

/** Stands for the place where a rule that does not match goes on, until that is known. */
const FAIL: number = -1;

/** Puts a chain together. */
class ChainCompiler {
  private readonly chain: Chain;
  private readonly code: number[] = [];
  private readonly exprs: Expr[] = [];
  private readonly blocks: P.Block[] = [];
  /** Places of operands that are to hold where the rule goes on if it fails. */
  private fails: number[] = [];
  private rule = 0;

  constructor(chain: Chain) {
    this.chain = chain;
  }

  compile(): P.ChainProgram {
    const { chain } = this;
    const { rules } = chain;
    for (let first = 0; first < rules.length; first += BLOCK_RULES)
      this.stretch(rules, first, Math.min(rules.length, first + BLOCK_RULES));
    this.code.push(P.OP_RETURN);
    return {
      chain,
      rules,
      code: Int32Array.from(this.code),
      exprs: this.exprs,
      blocks: this.blocks,
    };
  }

  /** A stretch of rules, with an index before them if that pays. */
  private stretch(rules: readonly Rule[], first: number, last: number): void {
    const steps = rules.slice(first, last).map(stepsOf);
    const constraints = steps.map(constraintsOf);
    const slots = indexSlots(constraints);
    const indexed = slots.length > 0;
    // Rules at the head that the index says nothing of decide most packets: "what belongs to a connection passes".
    const head = indexed ? constraints.findIndex((asked) => slots.some((slot) => asked.has(slot))) : 0;
    for (let i = 0; i < head; i++) this.whole(rules[first + i]!, first + i, steps[i]!);
    const block = this.blocks.length;
    if (indexed) {
      // The place is taken: blocks of chains further in are other programs'.
      this.blocks.push(makeBlock([], [], [], 0));
      this.code.push(P.OP_FIRST, block);
    }
    const entries: number[] = [];
    for (let i = first + head; i < last; i++) {
      entries.push(this.code.length);
      this.whole(rules[i]!, i, steps[i - first]!);
      if (indexed) this.code.push(P.OP_NEXT, block);
    }
    if (indexed) this.blocks[block] = makeBlock(constraints.slice(head), slots, entries, this.code.length);
  }

  /** A rule, and where it goes on if it fails. */
  private whole(rule: Rule, index: number, steps: readonly Step[]): void {
    this.oneRule(rule, index, steps);
    this.resolveFails(this.code.length);
  }

  private resolveFails(place: number): void {
    for (const at of this.fails) this.code[at] = place;
    this.fails = [];
  }

  private oneRule(rule: Rule, index: number, steps: readonly Step[]): void {
    this.rule = index;
    const target = rule.counters === null ? -1 : targetIndex(rule);
    let at = 0;
    for (const step of steps) {
      if (at === target) this.code.push(P.OP_COUNT_RULE, index);
      if (isFused(step)) {
        this.fused(step);
        at += step.length;
      } else {
        this.expr(step);
        if (endsRule(step)) return;
        at++;
      }
    }
    if (target === rule.exprs.length) this.code.push(P.OP_COUNT_RULE, index);
  }

  private fused(fused: FusedTest): void {
    if (!fused.anyDiffers) {
      for (const test of fused.tests) this.test(test);
      return;
    }
    this.code.push(P.OP_NE_WORDS, fused.tests.length);
    for (const { slot, mask, ranges } of fused.tests) this.code.push(slot, mask | 0, ranges[0]![0] | 0);
    this.pushFail();
  }

  private test({ slot, mask, ranges, invert }: SourceTest): void {
    const [range] = ranges;
    const bits = mask | 0;
    if (ranges.length === 1 && range![0] === range![1]) {
      this.code.push(invert ? P.OP_NE : P.OP_EQ, slot, bits, range![0] | 0);
      this.pushFail();
    } else if (ranges.length === 1) {
      this.code.push(
        invert ? P.OP_NOT_RANGE : P.OP_RANGE,
        slot,
        bits,
        range![0] ^ P.FLIP,
        range![1] ^ P.FLIP,
      );
      this.pushFail();
    } else {
      this.code.push(invert ? P.OP_NOT_IN : P.OP_IN, slot, bits);
      this.pushFail();
      this.code.push(ranges.length);
      for (const [low, high] of ranges) this.code.push(low ^ P.FLIP, high ^ P.FLIP);
    }
  }

  private pushFail(): void {
    this.fails.push(this.code.length);
    this.code.push(FAIL);
  }

  private expr(expr: Expr): void {
    if (expr instanceof VerdictExpr) this.verdict(expr);
    else if (expr instanceof CounterExpr) this.code.push(P.OP_COUNT, this.place(expr));
    else this.evaluate(operation(expr), expr);
  }

  private verdict(expr: VerdictExpr): void {
    if (expr.code === NFT_CONTINUE) return;
    if (expr.code === NFT_RETURN) this.code.push(P.OP_RETURN);
    else if (expr.code === NFT_JUMP) this.code.push(P.OP_JUMP, this.place(expr), this.rule);
    else if (expr.code === NFT_GOTO) this.code.push(P.OP_GOTO, this.place(expr), this.rule);
    else this.code.push(P.OP_VERDICT, expr.code, this.rule);
  }

  private evaluate(op: number, expr: Expr): void {
    this.code.push(op, this.place(expr));
    this.pushFail();
    this.code.push(this.rule);
  }

  private place(expr: Expr): number {
    return this.exprs.push(expr) - 1;
  }
}

function endsRule(expr: Expr): boolean {
  return expr instanceof VerdictExpr && expr.code !== NFT_CONTINUE;
}

function operation(expr: Expr): number {
  if (expr instanceof PayloadExpr) return P.OP_PAYLOAD;
  if (expr instanceof MetaExpr) return P.OP_META;
  if (expr instanceof CmpExpr) return P.OP_CMP;
  if (expr instanceof LookupExpr) return P.OP_LOOKUP;
  return changesPacket(expr) ? P.OP_CHANGE : P.OP_EVAL;
}

/** A part of a rule as it is compiled: expressions that were understood together, or one by itself. */
type Step = FusedTest | Expr;

function isFused(step: Step): step is FusedTest {
  return 'anyDiffers' in step;
}

function stepsOf({ exprs }: Rule): Step[] {
  const steps: Step[] = [];
  for (let i = 0; i < exprs.length; ) {
    const fused = fuse(exprs, i);
    steps.push(fused ?? exprs[i]!);
    i += fused?.length ?? 1;
  }
  return steps;
}

/** What a rule asks of sources before anything in it could be noticed, even if it fails later. */
function constraintsOf(steps: readonly Step[]): Constraints {
  const out = new Map<number, readonly (readonly [number, number])[]>();
  for (const step of steps) {
    if (isFused(step)) {
      if (!step.anyDiffers) for (const test of step.tests) constrain(out, test);
    } else if (!isSilent(step)) break;
  }
  return out;
}

/** Whether nobody can tell that an expression was evaluated, unless the rule goes on to match. */
function isSilent(expr: Expr): boolean {
  if (expr instanceof MetaExpr) return expr.key !== NFT_META_PRANDOM && isKnown(expr);
  if (expr instanceof LookupExpr)
    return (
      expr.dreg !== NFT_REG_VERDICT &&
      (expr.set.spec.exprs ?? []).length === 0 &&
      expr.set.spec.constant === true
    );
  return (
    expr instanceof PayloadExpr ||
    expr instanceof CtExpr ||
    expr instanceof CmpExpr ||
    expr instanceof RangeExpr ||
    expr instanceof BitwiseExpr ||
    expr instanceof ShiftExpr ||
    expr instanceof ByteorderExpr ||
    expr instanceof ImmediateExpr ||
    expr instanceof FibExpr ||
    (expr instanceof ExthdrExpr && expr.op < 4)
  );
}

/** Whether a key is one that keepstate always knows; the others make a verdict unknown. */
function isKnown(expr: MetaExpr): boolean {
  const unknown: readonly number[] = [10, 11, 17, 18, 23, 26, 27, 28, 29, 35];
  return !unknown.includes(expr.key);
}

/** Compiles a chain by itself; jumps lead into programs of other chains. */
export function compileChain(chain: Chain): P.ChainProgram {
  return new ChainCompiler(chain).compile();
}
