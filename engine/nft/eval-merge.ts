import type { ExprNode } from './ast-expr.ts';
import type { MatchStmt, StmtNode } from './ast-stmt.ts';
import { numberOf } from './eval-scope.ts';
import { type Place, placeOf } from './lower-bits.ts';
import { findProtocol } from './proto-table.ts';

/** Matches of neighbouring fields that nft tests with one load; in the packet's order. */
export interface Merged {
  readonly parts: readonly MatchStmt[];
  readonly place: Place;
  /** The bits of all fields as one number. */
  readonly value: bigint;
}

/** What becomes of a statement: itself, or a test that takes the place of several. */
export type Item = { readonly stmt: StmtNode } | { readonly merged: Merged };

interface Candidate {
  readonly index: number;
  readonly stmt: MatchStmt;
  readonly place: Place;
  readonly value: bigint;
}

const LINK = 0;
/** Bits that the kernel reads fast: longer tests are only made where one of the fields is longer anyhow. */
const FAST = 32;
const LONGEST = 128;

/**
 * Joins tests of neighbouring fields for equality, as nft does before it sends a rule (measured: `tcp sport 1 tcp
 * dport 2` is one load of four bytes; where they stand apart, the joined test stands where the first field's was). A
 * statement that is no match ends a run, but only one that has two fields already.
 */
export function mergePayloads(statements: readonly StmtNode[]): Item[] {
  const items: (Item | null)[] = statements.map((stmt) => ({ stmt }));
  if (!isMergeable(statements)) return items as Item[];
  let run: Candidate[] = [];
  statements.forEach((stmt, index) => {
    if (!('match' in stmt)) {
      if (run.length < 2) return;
      mergeRun(items, run);
      run = [];
      return;
    }
    const found = candidate(stmt, index);
    if (found !== null) run.push(found);
  });
  mergeRun(items, run);
  return items.filter((item) => item !== null);
}

/** Whether there may be anything to join: of most rules the first look says no. */
function isMergeable(statements: readonly StmtNode[]): boolean {
  let matches = 0;
  for (const stmt of statements) {
    if (!('match' in stmt)) continue;
    const { left } = stmt.match;
    if ('payload' in left || 'rawPayload' in left) matches++;
  }
  return matches > 1;
}

function candidate(stmt: MatchStmt, index: number): Candidate | null {
  const { op, left, right } = stmt.match;
  if (op !== '==' && op !== 'in') return null;
  const place = placeOf(left);
  const value = numberOf(right);
  if (place === null || value === undefined || 'binop' in left) return null;
  return { index, stmt, place, value };
}

function mergeRun(items: (Item | null)[], run: readonly Candidate[]): void {
  const sorted = [...run].sort((a, b) => a.place.base - b.place.base || a.place.offset - b.place.offset);
  let at = 0;
  while (at < sorted.length) {
    const first = sorted[at]!;
    const parts = [first];
    let { place, value } = first;
    let next = at + 1;
    while (next < sorted.length && mergeable(place, sorted[next]!.place)) {
      const one = sorted[next]!;
      place = { base: place.base, offset: place.offset, bits: place.bits + one.place.bits };
      value = (value << BigInt(one.place.bits)) | one.value;
      parts.push(one);
      next++;
    }
    if (parts.length > 1) joinAt(items, parts, { parts: parts.map((one) => one.stmt), place, value });
    at = next;
  }
}

/** Puts a joined test where the field stood that says what follows the header, or else where the first field did. */
function joinAt(items: (Item | null)[], parts: readonly Candidate[], merged: Merged): void {
  for (const part of parts) items[part.index] = null;
  const key = parts.find((part) => saysWhatFollows(part.stmt.match.left)) ?? parts[0]!;
  items[key.index] = { merged };
}

function saysWhatFollows(left: ExprNode): boolean {
  return 'payload' in left && findProtocol(left.payload.protocol)?.upper?.field === left.payload.field;
}

function mergeable(a: Place, b: Place): boolean {
  if (a.base !== b.base || a.offset + a.bits !== b.offset) return false;
  if (a.offset % 8 !== 0 || a.bits % 8 !== 0 || b.bits % 8 !== 0) return false;
  const total = a.bits + b.bits;
  if (total > LONGEST) return false;
  return total <= FAST || a.base === LINK || a.bits > FAST || b.bits > FAST;
}
