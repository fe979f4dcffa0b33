import { ips } from '@keepstate/engine';
import { badParameter } from './words.ts';

/**
 * Words separated by commas, each of which may be shortened and in either case: the first of `known` that begins
 * with it is meant.
 * @throws ToolError
 */
export function parseWords<T extends string>(text: string, known: readonly T[]): T[] {
  const found: T[] = [];
  let rest = text;
  for (;;) {
    const comma = rest.indexOf(',');
    const word = comma < 0 ? rest : rest.slice(0, comma);
    const match = known.find((k) => k.toLowerCase().startsWith(word.toLowerCase()));
    if (comma === 0 || word === '' || match === undefined) badParameter(comma === 0 ? rest : word);
    found.push(match);
    if (comma < 0) return found;
    rest = rest.slice(comma + 1);
  }
}

/** What -o takes; json is keepstate's own. */
export const OUTPUT_WORDS = [
  'xml',
  'extended',
  'timestamp',
  'id',
  'ktimestamp',
  'labels',
  'save',
  'userspace',
  'json',
] as const;
export type OutputWord = (typeof OUTPUT_WORDS)[number];

/** What -e takes. */
export const EVENT_WORDS = ['ALL', 'NEW', 'UPDATES', 'DESTROY'] as const;
export type EventWord = (typeof EVENT_WORDS)[number];

const STATUS_WORDS = [
  'ASSURED',
  'SRC_NAT',
  'SEEN_REPLY',
  'DST_NAT',
  'UNSET',
  'FIXED_TIMEOUT',
  'UNREPLIED',
  'EXPECTED',
  'OFFLOAD',
  'HW_OFFLOAD',
] as const;

const STATUS_BITS: Readonly<Record<(typeof STATUS_WORDS)[number], number>> = {
  ASSURED: ips.IPS_ASSURED,
  SRC_NAT: 0,
  SEEN_REPLY: ips.IPS_SEEN_REPLY,
  DST_NAT: 0,
  UNSET: 0,
  FIXED_TIMEOUT: ips.IPS_FIXED_TIMEOUT,
  UNREPLIED: 0,
  EXPECTED: ips.IPS_EXPECTED,
  OFFLOAD: ips.IPS_OFFLOAD,
  HW_OFFLOAD: ips.IPS_HW_OFFLOAD,
};

/** What -u says: bits to set or that must be set, and of a listing what the kernel compares. */
export interface StatusGiven {
  readonly bits: number;
  /** Bits that listings look at, and what they have to be there: those of the last -u only (measured). */
  readonly mask: number;
  readonly value: number;
}

/** Reads one -u behind those before it. @param warn told of words that do nothing @throws ToolError */
export function parseStatus(
  text: string,
  before: StatusGiven | null,
  warn: (line: string) => void,
): StatusGiven {
  const found = parseWords(text, STATUS_WORDS);
  for (const word of found)
    if (word === 'SRC_NAT' || word === 'DST_NAT')
      warn(`WARNING: ignoring ${word}, use --${word === 'SRC_NAT' ? 'src' : 'dst'}-nat instead`);
  const unreplied = found.includes('UNREPLIED') ? ips.IPS_SEEN_REPLY : 0;
  const bits = found.reduce((sum, word) => sum | STATUS_BITS[word], 0);
  return {
    bits: (before?.bits ?? 0) | bits,
    mask: (before?.mask ?? 0) | bits | unreplied,
    value: bits & ~unreplied,
  };
}

/** Status bits that `-o save` has words for, in the order in which it prints them. */
const SAVED: readonly (readonly [number, string])[] = [
  [ips.IPS_EXPECTED, 'EXPECTED'],
  [ips.IPS_SEEN_REPLY, 'SEEN_REPLY'],
  [ips.IPS_ASSURED, 'ASSURED'],
  [ips.IPS_FIXED_TIMEOUT, 'FIXED_TIMEOUT'],
];

/** The value of -u for `-o save`. */
export function savedStatus(status: number): string {
  const found = SAVED.filter(([bit]) => (status & bit) !== 0).map(([, word]) => word);
  return found.length === 0 ? 'UNSET' : found.join(',');
}
