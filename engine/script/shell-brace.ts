import { SourceError } from '../base/error.ts';
import type { ShellPart, ShellWord } from './shell-word.ts';

/** So that braces within braces come to an end. */
const WORDS_MAX = 10_000;
/** So that braces that are not closed are not looked for too often. */
const LENGTH_MAX = 4000;
const RANGE = /^(-?\d+|[A-Za-z])\.\.(-?\d+|[A-Za-z])(?:\.\.(-?\d+))?$/;

/** A part or, of unquoted text, a character. */
type Unit = ShellPart | string;

/** Braces that stand for more than {@link WORDS_MAX} words. */
class TooMany extends Error {}

/**
 * The words that `a{b,c}` and `{1..5}` stand for; the word itself where there are no braces.
 * @throws SourceError if they are too many
 */
export function expandBraces(word: ShellWord): readonly ShellWord[] {
  if (!word.parts.some((part) => part.kind === 'text' && !part.quoted && part.text.includes('{')))
    return [word];
  const units = word.parts.flatMap((part): Unit[] =>
    part.kind === 'text' && !part.quoted ? [...part.text] : [part],
  );
  try {
    if (units.length > LENGTH_MAX) throw new TooMany();
    return expanded(units, 0).map((each) => ({ at: word.at, parts: joined(each) }));
  } catch (error) {
    if (!(error instanceof TooMany)) throw error;
    throw new SourceError(`braces are followed up to ${WORDS_MAX} words`, word.at);
  }
}

function joined(units: readonly Unit[]): ShellPart[] {
  const out: ShellPart[] = [];
  for (const unit of units) {
    const last = out.at(-1);
    if (typeof unit !== 'string') out.push(unit);
    else if (last?.kind === 'text' && !last.quoted) out[out.length - 1] = { ...last, text: last.text + unit };
    else out.push({ kind: 'text', text: unit, quoted: false });
  }
  return out;
}

/** @throws TooMany */
function expanded(units: readonly Unit[], depth: number): Unit[][] {
  if (depth > 50) throw new TooMany();
  for (let open = units.indexOf('{'); open >= 0; open = units.indexOf('{', open + 1)) {
    const choices = choicesAt(units, open);
    if (choices === null) continue;
    const rest = expanded(units.slice(choices.end + 1), depth + 1);
    const flat = choices.list.flatMap((choice) => expanded(choice, depth + 1));
    const before = units.slice(0, open);
    if (flat.length * rest.length > WORDS_MAX) throw new TooMany();
    return flat.flatMap((choice) => rest.map((after) => [...before, ...choice, ...after]));
  }
  return [[...units]];
}

/** What stands in the braces that open at a place, null if it is no list and no range. */
function choicesAt(units: readonly Unit[], open: number): { list: Unit[][]; end: number } | null {
  const list: Unit[][] = [[]];
  let depth = 0;
  for (let i = open + 1; i < units.length; i++) {
    const unit = units[i]!;
    if (unit === '}' && depth === 0) {
      if (list.length > 1) return { list, end: i };
      const range = list[0]!.every((each) => typeof each === 'string') ? rangeOf(list[0]!.join('')) : null;
      return range === null ? null : { list: range.map((text) => [...text]), end: i };
    }
    if (unit === '{') depth++;
    else if (unit === '}') depth--;
    if (unit === ',' && depth === 0) list.push([]);
    else list.at(-1)!.push(unit);
  }
  return null;
}

/** `1..5`, `a..e`, `0..20..5`; with a zero in front all are as long. @throws TooMany */
function rangeOf(text: string): string[] | null {
  const m = RANGE.exec(text);
  if (m === null) return null;
  const isLetter = /[A-Za-z]/.test(m[1]!);
  if (isLetter !== /[A-Za-z]/.test(m[2]!)) return null;
  const [from, to] = [m[1]!, m[2]!].map((end) => (isLetter ? end.charCodeAt(0) : Number(end))) as [
    number,
    number,
  ];
  const step = Math.max(1, Math.abs(Number(m[3] ?? 1))) * (from > to ? -1 : 1);
  if (Math.abs((to - from) / step) >= WORDS_MAX) throw new TooMany();
  const width = /^-?0\d/.test(m[1]!) || /^-?0\d/.test(m[2]!) ? Math.max(m[1]!.length, m[2]!.length) : 0;
  const out: string[] = [];
  for (let n = from; step > 0 ? n <= to : n >= to; n += step)
    out.push(isLetter ? String.fromCharCode(n) : padded(n, width));
  return out;
}

function padded(n: number, width: number): string {
  return n < 0 ? `-${String(-n).padStart(width - 1, '0')}` : String(n).padStart(width, '0');
}
