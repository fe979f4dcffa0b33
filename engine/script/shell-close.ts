const CLOSE: ReadonlyMap<string, string> = new Map([
  ['(', ')'],
  ['{', '}'],
  ['[', ']'],
]);

/** Where a single or double quote that opens at a place is closed, -1 if nowhere; `$'…'` has escapes, too. */
export function closingQuote(text: string, open: number): number {
  const quote = text[open]!;
  const escapes = quote === '"' || text[open - 1] === '$';
  for (let i = open + 1; i < text.length; i++) {
    if (text[i] === quote) return i;
    if (text[i] === '\\' && escapes) i++;
  }
  return -1;
}

/**
 * Where the bracket `(`, `{` or `[` that stands at a place is closed, -1 if nowhere. Brackets in quotes do not count.
 * @param isQuoted whether it stands in double quotes, in which a single quote is an ordinary character
 * @param length how many characters are looked at
 */
export function closingBracket(
  text: string,
  from: number,
  isQuoted = false,
  length: number = text.length,
): number {
  const open = text[from]!;
  const close = CLOSE.get(open)!;
  let depth = 0;
  const limit = Math.min(text.length, from + length);
  for (let i = from; i < limit; i++) {
    const c = text[i]!;
    if (c === '\\') i++;
    else if (c === '"' || (c === "'" && !(isQuoted && open === '{'))) {
      i = closingQuote(text, i);
      if (i < 0) return -1;
    } else if (c === '#' && open === '(' && /[\s;]/.test(text[i - 1]!)) {
      // A comment, whose quotes mean nothing.
      const end = text.indexOf('\n', i);
      if (end < 0) return -1;
      i = end;
    } else if (c === open) depth++;
    else if (c === close && --depth === 0) return i;
  }
  return -1;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['a', '\x07'],
  ['b', '\b'],
  ['e', '\x1b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

/** What `$'…'`, `echo -e` and printf make of escapes. */
export function ansiText(text: string): string {
  return text.replace(
    /\\(x[0-9a-fA-F]{1,2}|0?[0-7]{1,3}|u[0-9a-fA-F]{1,4}|[\s\S])/g,
    (all: string, code: string) => {
      if (/^[xu]./.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
      if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 255);
      return ESCAPES.get(code) ?? ('\\\'"?'.includes(code) ? code : all);
    },
  );
}
