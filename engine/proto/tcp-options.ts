import { after } from '../base/seq.ts';

const OPT_EOL = 0;
const OPT_NOP = 1;
const OPT_WINDOW = 3;
const OPT_SACK_PERM = 4;
const OPT_SACK = 5;
const SACK_BLOCK = 8;
/** Largest shift that is believed (RFC 7323, section 2.3). */
const MAX_WSCALE = 14;
/** NOP NOP timestamp(10): what most segments carry, so no need to walk it. */
export const ONLY_TIMESTAMP = 0x0101080a;

/** What a SYN announced: bits of {@link synOptions}'s result. */
export const SYN_WSCALE = 0x100;
/** SACK permitted. */
export const SYN_SACK_PERM = 0x200;

/**
 * Where the option at `at` ends, or 0 if it is malformed: from there on nothing is read (a length below 2 or
 * past the header; RFC 9293 section 3.1).
 */
function optionEnd(view: DataView, at: number, end: number): number {
  if (at + 2 > end) return 0;
  const size = view.getUint8(at + 1);
  return size < 2 || at + size > end ? 0 : at + size;
}

/**
 * Reads the options of a SYN.
 * @param at first byte of the options, `end` first byte past the TCP header
 * @returns window scale (0 to 14) | SYN_WSCALE if one was announced | SYN_SACK_PERM
 */
export function synOptions(view: DataView, at: number, end: number): number {
  let found = 0;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === OPT_EOL) break;
    if (kind === OPT_NOP) {
      at++;
      continue;
    }
    const next = optionEnd(view, at, end);
    if (next === 0) break;
    if (kind === OPT_SACK_PERM && next - at === 2) found |= SYN_SACK_PERM;
    else if (kind === OPT_WINDOW && next - at === 3)
      found = (found & ~0xff) | SYN_WSCALE | Math.min(view.getUint8(at + 2), MAX_WSCALE);
    at = next;
  }
  return found;
}

/**
 * The highest sequence number that a segment acknowledges, its SACK blocks included (RFC 2018).
 * @param at first byte of the options, `end` first byte past the TCP header
 * @param ack the segment's acknowledgment number
 */
export function highestSack(view: DataView, at: number, end: number, ack: number): number {
  const size = end - at;
  if (size === 0 || (size === 12 && view.getInt32(at) === ONLY_TIMESTAMP)) return ack;
  return walkSack(view, at, end, ack);
}

function walkSack(view: DataView, at: number, end: number, ack: number): number {
  let highest = ack;
  while (at < end) {
    const kind = view.getUint8(at);
    if (kind === OPT_EOL) break;
    if (kind === OPT_NOP) {
      at++;
      continue;
    }
    const next = optionEnd(view, at, end);
    if (next === 0) break;
    if (kind === OPT_SACK && next - at >= 2 + SACK_BLOCK && (next - at - 2) % SACK_BLOCK === 0) {
      for (let right = at + 6; right < next; right += SACK_BLOCK) {
        const edge = view.getInt32(right);
        if (after(edge, highest)) highest = edge;
      }
    }
    at = next;
  }
  return highest;
}
