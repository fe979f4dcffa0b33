import { ips } from '@keepstate/engine';
import { badParameter } from './words.ts';

/** The first of `known` that a word stands for: it may be shortened and in either case. */
function meant<T extends string>(word: string, known: readonly T[]): T | undefined {
  return word === '' ? undefined : known.find((k) => k.toLowerCase().startsWith(word.toLowerCase()));
}

/**
 * Words separated by commas.
 * @param read what one stands for
 * @throws ToolError with all from the first on that stands for nothing
 */
function* eachWord<T>(text: string, read: (word: string) => T | undefined): Generator<T, void> {
  for (let rest: string | null = text; rest !== null; ) {
    const comma = rest.indexOf(',');
    const found = read(comma < 0 ? rest : rest.slice(0, comma));
    if (found === undefined) badParameter(rest);
    yield found;
    rest = comma < 0 ? null : rest.slice(comma + 1);
  }
}

/** Words of a list, separated by commas. @throws ToolError */
export function parseWords<T extends string>(text: string, known: readonly T[]): T[] {
  return [...eachWord(text, (word) => meant(word, known))];
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
  'EXPECTED',
  'OFFLOAD',
  'HW_OFFLOAD',
] as const;
const UNREPLIED = 'UNREPLIED';
type StatusWord = (typeof STATUS_WORDS)[number] | typeof UNREPLIED;

const STATUS_BITS: Readonly<Record<StatusWord, number>> = {
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

/** What -u says. */
export interface StatusGiven {
  /** Bits to set, or that must be set. */
  readonly bits: number;
  /** Bits that listings look at: those that are not in {@link bits} have to be clear. */
  readonly mask: number;
}

/** Measured: UNREPLIED may have a tail, and may not be shortened or in small letters. */
function statusMeant(word: string): StatusWord | undefined {
  return word.startsWith(UNREPLIED) ? UNREPLIED : meant(word, STATUS_WORDS);
}

/**
 * Reads one -u behind those before it. Measured: the first that says anything says which bits are looked at, and later
 * ones do not, but for UNREPLIED: what they say besides is found nowhere.
 * @param warn told of words that do nothing
 * @throws ToolError
 */
export function parseStatus(
  text: string,
  before: StatusGiven | null,
  warn: (line: string) => void,
): StatusGiven {
  let { bits, mask } = before ?? { bits: 0, mask: 0 };
  for (const word of eachWord(text, statusMeant)) {
    if (word === 'SRC_NAT' || word === 'DST_NAT')
      warn(`WARNING: ignoring ${word}, use --${word === 'SRC_NAT' ? 'src' : 'dst'}-nat instead`);
    if (word === UNREPLIED) mask |= ips.IPS_SEEN_REPLY;
    bits |= STATUS_BITS[word];
  }
  return { bits, mask: mask === 0 ? bits : mask };
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
