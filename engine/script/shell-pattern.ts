/** How much a pattern may cost before nobody waits for it. */
const COST_MAX = 1e7;

/** What a place of a pattern takes: any text, any character, a set of them, or one. */
type Piece = '*' | '?' | { readonly set: RegExp } | { readonly char: string };

/** Quoted text of a pattern stands for itself: each of its characters behind a backslash. */
export function quotePattern(text: string): string {
  return text.replace(/[*?[\]\\!^-]/g, '\\$&');
}

function piecesOf(pattern: string): Piece[] {
  const out: Piece[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern[i]!;
    const set =
      c === '[' ? /^\[([!^]?)(\]?(?:\[:\w+:\]|\\[\s\S]|[^\]\\])*)\]/.exec(pattern.slice(i, i + 200)) : null;
    if (set !== null) {
      out.push({ set: classOf(set[1] !== '', set[2]!) });
      i += set[0].length - 1;
    } else if (c === '*') {
      if (out.at(-1) !== '*') out.push('*');
    } else if (c === '?') out.push('?');
    else if (c === '\\' && i + 1 < pattern.length) out.push({ char: pattern[++i]! });
    else out.push({ char: c });
  }
  return out;
}

const CLASSES: ReadonlyMap<string, string> = new Map([
  ['digit', '0-9'],
  ['alpha', 'A-Za-z'],
  ['alnum', '0-9A-Za-z'],
  ['lower', 'a-z'],
  ['upper', 'A-Z'],
  ['space', ' \\t\\n\\r\\f\\v'],
  ['blank', ' \\t'],
  ['xdigit', '0-9A-Fa-f'],
  ['punct', '!-\\/:-@\\[-`{-~'],
]);

/** `[a-z]` with names such as [:digit:] as a RegExp that takes one character. */
export function classOf(isNegated: boolean, inside: string): RegExp {
  const source = inside
    .replace(/\\(.)/g, '$1')
    .replace(/[\\\]^]/g, '\\$&')
    .replace(/\[:(\w+):\\\]/g, (all, name: string) => CLASSES.get(name) ?? all);
  try {
    return new RegExp(`^[${isNegated ? '^' : ''}${source}]$`);
  } catch {
    return /(?!)/;
  }
}

function takes(piece: Piece, c: string): boolean {
  if (piece === '?' || piece === '*') return true;
  return 'set' in piece ? piece.set.test(c) : piece.char === c;
}

function fits(pieces: readonly Piece[], text: string): boolean {
  let p = 0;
  let star = -1;
  let from = 0;
  for (let i = 0; i < text.length; ) {
    const piece = pieces[p];
    if (piece === '*') {
      star = p++;
      from = i;
    } else if (piece !== undefined && takes(piece, text[i]!)) {
      p++;
      i++;
    } else if (star >= 0) {
      p = star + 1;
      i = ++from;
    } else return false;
  }
  while (pieces[p] === '*') p++;
  return p === pieces.length;
}

/** Whether a word fits a pattern of `case`: `*` any text, `?` any character, `[a-z]` one of them, `\c` itself. */
export function shellPattern(pattern: string, text: string): boolean {
  const pieces = piecesOf(pattern);
  return pieces.length * text.length <= COST_MAX && fits(pieces, text);
}

/**
 * The part of a text that a pattern takes away.
 * @param operator `#` the shortest beginning, `##` the longest, `%` and `%%` the end
 * @returns null if that would take too long
 */
export function trimPattern(text: string, pattern: string, operator: string): string | null {
  const pieces = piecesOf(pattern);
  if (pieces.length * text.length * text.length > COST_MAX) return null;
  const isFront = operator.startsWith('#');
  const isLongest = operator.length === 2;
  for (let n = 0; n <= text.length; n++) {
    const taken = isLongest ? text.length - n : n;
    const cut = isFront ? taken : text.length - taken;
    if (fits(pieces, isFront ? text.slice(0, cut) : text.slice(cut)))
      return isFront ? text.slice(cut) : text.slice(0, cut);
  }
  return text;
}

/**
 * `${text/pattern/by}`.
 * @param operator `/` the first place, `//` all, `/#` at the beginning, `/%` at the end
 * @returns null if that would take too long
 */
export function replacePattern(text: string, pattern: string, by: string, operator: string): string | null {
  if (pattern === '') return operator === '/#' ? by + text : operator === '/%' ? text + by : text;
  const pieces = piecesOf(pattern);
  const isPlain = pieces.every((piece) => typeof piece === 'object' || piece === '?');
  const cost = isPlain ? pieces.length * text.length : pieces.length * text.length ** 3;
  if (cost > COST_MAX) return null;
  let out = '';
  for (let i = 0; i <= text.length; ) {
    const n = operator === '/#' && i > 0 ? -1 : longest(pieces, text, i, isPlain);
    const isHit = n > 0 && (operator !== '/%' || i + n === text.length);
    if (!isHit) {
      out += text[i] ?? '';
      i++;
      continue;
    }
    out += by;
    i += n;
    if (operator !== '//') return out + text.slice(i);
  }
  return out;
}

/** How many characters from a place on fit, at most; -1 for none. */
function longest(pieces: readonly Piece[], text: string, from: number, isPlain: boolean): number {
  if (isPlain) return fits(pieces, text.slice(from, from + pieces.length)) ? pieces.length : -1;
  for (let to = text.length; to >= from; to--) if (fits(pieces, text.slice(from, to))) return to - from;
  return -1;
}

/** What a backslash and a character behind it are in JavaScript. */
function escaped(c: string, isExtended: boolean): string {
  if (/[<>]/.test(c)) return '\\b';
  if (/[bBwWsS]/.test(c)) return `\\${c}`;
  // grep's operators have a backslash, those of grep -E have none.
  if (!isExtended && /[(){}|+?]/.test(c)) return c;
  return c.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
}

/**
 * A POSIX regular expression as one of JavaScript.
 * @param isExtended as `grep -E` has it, else as `grep`
 * @returns null if it is not understood, or may take long
 */
export function posixRegExp(source: string, isExtended: boolean, flags = ''): RegExp | null {
  let out = '';
  for (let i = 0; i < source.length; i++) {
    const c = source[i]!;
    const set = c === '[' ? /^\[(\^?)(\]?(?:\[:\w+:\]|[^\]])*)\]/.exec(source.slice(i, i + 200)) : null;
    if (set !== null) {
      out += classOf(set[1] !== '', set[2]!).source.slice(1, -1);
      i += set[0].length - 1;
    } else if (c === '\\') {
      out += escaped(source[++i] ?? '\\', isExtended);
    } else out += !isExtended && /[(){}|+?]/.test(c) ? `\\${c}` : c;
  }
  // Repeats within repeats may take for ever.
  if (/[*+}][^()]*\)[*+{]|\\\d/.test(out) || (out.match(/[*+{]/g) ?? []).length > 6) return null;
  try {
    return new RegExp(out, flags);
  } catch {
    return null;
  }
}
