/** Numbers compared. */
const COMPARE: ReadonlyMap<string, (a: number, b: number) => boolean> = new Map([
  ['-eq', (a, b) => a === b],
  ['-ne', (a, b) => a !== b],
  ['-lt', (a, b) => a < b],
  ['-le', (a, b) => a <= b],
  ['-gt', (a, b) => a > b],
  ['-ge', (a, b) => a >= b],
]);
/** Tools that a script may look for before it uses them. */
const TOOL = /\/(ip6?tables(-legacy|-nft)?(-restore|-save)?|ipset)$/;

/**
 * What `[ … ]` says of words whose variables are put in.
 * @returns null if keepstate cannot tell
 */
export function shellTest(words: readonly string[]): boolean | null {
  const [first, second, third] = words;
  if (first === '!') {
    const rest = shellTest(words.slice(1));
    return rest === null ? null : !rest;
  }
  if (words.length === 1) return first !== '';
  if (words.length === 2) {
    if (first === '-z') return second === '';
    if (first === '-n') return second !== '';
    return /^-[xfer]$/.test(first!) && TOOL.test(second!) ? true : null;
  }
  if (words.length !== 3) return null;
  if (second === '=' || second === '==') return first === third;
  if (second === '!=') return first !== third;
  const compare = COMPARE.get(second!);
  if (compare === undefined || !/^-?\d+$/.test(first!) || !/^-?\d+$/.test(third!)) return null;
  return compare(Number(first), Number(third));
}

/** Whether a word fits a pattern of `case`: `*` any text, `?` any character, all else itself. */
export function shellPattern(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]');
  return new RegExp(`^${source}$`).test(text);
}
