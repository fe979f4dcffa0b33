import type { Chain, Rule } from './chain.ts';
import type { Expr } from './expr.ts';

/**
 * Operations of a compiled chain. Each is its number and its operands; `fail` is where to go on if a test does not
 * hold. `slot` is a source's (source.ts), `rule` a rule's place in its chain, `expr` a place in `exprs`.
 */

/** slot mask value fail: (source & mask) = value. */
export const OP_EQ = 0;
/** slot mask value fail: (source & mask) ≠ value. */
export const OP_NE = 1;
/** slot mask low high fail: low ≤ (source & mask) ≤ high, as unsigned numbers whose highest bit is flipped. */
export const OP_RANGE = 2;
/** slot mask low high fail: the opposite. */
export const OP_NOT_RANGE = 3;
/** slot mask fail count (low high)…: (source & mask) lies in one of the ranges. */
export const OP_IN = 4;
/** slot mask fail count (low high)…: it lies in none of them. */
export const OP_NOT_IN = 5;
/** expr: counts the packet in a CounterExpr. */
export const OP_COUNT = 6;
/** rule: counts the packet in the rule's own counters. */
export const OP_COUNT_RULE = 7;
/** verdict rule: the way ends. */
export const OP_VERDICT = 8;
/** expr rule: a VerdictExpr whose jump to follow; comes back behind it. */
export const OP_JUMP = 9;
/** expr rule: a VerdictExpr whose goto to follow. */
export const OP_GOTO = 10;
/** Back to the chain that jumped here, or to the policy. */
export const OP_RETURN = 11;
/** block: on with the first rule of a block that may match. */
export const OP_FIRST = 12;
/** block: on with the next rule of a block that may match. */
export const OP_NEXT = 13;
/** expr fail rule: a PayloadExpr. */
export const OP_PAYLOAD = 14;
/** expr fail rule: a MetaExpr. */
export const OP_META = 15;
/** expr fail rule: a CmpExpr. */
export const OP_CMP = 16;
/** expr fail rule: a LookupExpr. */
export const OP_LOOKUP = 17;
/** expr fail rule: any expression that leaves the packet alone. */
export const OP_EVAL = 18;
/** expr fail rule: an expression that may change the packet, so that sources have to be read again. */
export const OP_CHANGE = 19;
/** count (slot mask value)… fail: not all of (source & mask) = value hold. */
export const OP_NE_WORDS = 20;

/** Flips the highest bit: unsigned numbers then compare as signed ones. */
export const FLIP: number = 1 << 31;

/** What one source says of the rules of a block: which of them its number leaves as possible. */
export interface Dimension {
  readonly slot: number;
  /** Where each stretch of numbers begins, their highest bit flipped; the first is the lowest of all. */
  readonly bounds: Int32Array;
  /** How far to shift a number to have its highest byte, as long as the source is. */
  readonly shift: number;
  /** By that byte: the stretch that its lowest number lies in; one more at the end. */
  readonly starts: Uint32Array;
  /** Of each stretch: where its bits begin in `bits`. */
  readonly classes: Int32Array;
  /** Where the bits begin if the packet has no such source. */
  readonly absent: number;
  readonly bits: Int32Array;
}

/** A stretch of rules of which an index tells the ones that may match. */
export interface Block {
  /** Words of a set of its rules. */
  readonly words: number;
  /** Where each rule begins in the program. */
  readonly entries: Int32Array;
  readonly dimensions: readonly Dimension[];
  /** Where the program goes on behind the last rule. */
  readonly end: number;
}

/** A chain as it runs. */
export interface ChainProgram {
  readonly chain: Chain;
  /** The rules that it was made of; if the chain has others by now it is out of date. */
  readonly rules: readonly Rule[];
  readonly code: Int32Array;
  readonly exprs: readonly Expr[];
  readonly blocks: readonly Block[];
}

/** Most words of a set of a block's rules. */
export const BLOCK_WORDS = 16;
