import type { Span } from '../base/error.ts';
import type { At } from './ast-expr.ts';

/**
 * The longest length that an {@link At} can say. So small that for texts of up to 16 MB a position is a small integer
 * to V8, which a node holds without another object for it.
 */
const AT_MAX_LEN = 127;

interface SourceText {
  readonly name: string;
  readonly text: string;
  /** Where its offset 0 lies among all that was read. */
  readonly base: number;
  /** Offsets of the lines' begins; made when first asked for. */
  lines: number[] | null;
  /** The line that was found last: mostly the same one is asked for next, or one that follows it. */
  line: number;
}

/** Offsets of the first character of each line. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) {
    starts.push(i + 1);
  }
  return starts;
}

/** How many lines further on a line is looked for one by one. */
const NEAR = 8;

/** The last line that begins at or before `x`, of a text whose line `from` was found last. */
function lineOf(lines: readonly number[], x: number, from: number): number {
  let low = 0;
  let high = lines.length - 1;
  if (lines[from]! <= x) {
    for (let line = from; line < from + NEAR && line <= high; line++) {
      if (line === high || lines[line + 1]! > x) {
        return line;
      }
    }
    low = from;
  }
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]! <= x) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/** All texts that were read, so that one number says where a node stands ({@link At}). */
export class Sources {
  readonly #texts: SourceText[] = [];
  #end = 0;

  /**
   * Registers a text.
   * @returns where its offset 0 lies among all that was read
   */
  add(name: string, text: string): number {
    const base = this.#end;
    this.#texts.push({ name, text, base, lines: null, line: 0 });
    this.#end = base + text.length + 1;
    return base;
  }

  /** Where a node stands, in the file that it came from; null if it is not known. */
  span(at: At | undefined): Span | null {
    const texts = this.#texts;
    if (at === undefined || texts.length === 0) {
      return null;
    }
    const offset = Math.floor(at / (AT_MAX_LEN + 1));
    const len = at - offset * (AT_MAX_LEN + 1);
    let which = texts.length - 1;
    while (which > 0 && texts[which]!.base > offset) {
      which--;
    }
    const source = texts[which]!;
    source.lines ??= lineStarts(source.text);
    const lines = source.lines;
    const inText = offset - source.base;
    const line = lineOf(lines, inText, source.line);
    source.line = line;
    const lineEnd = line + 1 < lines.length ? lines[line + 1]! - 1 : source.text.length;
    return {
      file: source.name,
      line: line + 1,
      col: inText - lines[line]! + 1,
      len: Math.max(1, Math.min(len, lineEnd - inText)),
    };
  }
}

/** The node position of `len` characters from `offset` among all that was read. */
export function atOf(offset: number, len: number): At {
  return offset * (AT_MAX_LEN + 1) + Math.min(len, AT_MAX_LEN);
}

/** From the begin of one position to the end of another. */
export function atJoin(first: At | undefined, last: At | undefined): At | undefined {
  if (first === undefined || last === undefined) {
    return first ?? last;
  }
  const start = Math.floor(first / (AT_MAX_LEN + 1));
  const lastStart = Math.floor(last / (AT_MAX_LEN + 1));
  const end = lastStart + (last - lastStart * (AT_MAX_LEN + 1));
  return end < start ? first : atOf(start, end - start);
}
