import { posixRegExp } from './shell-pattern.ts';

/** What a command printed, and whether it was content. */
export interface Printed {
  readonly text: string;
  readonly status: boolean;
}

/** A command whose output is a matter of its words and its input alone; null where it is not understood. */
type Filter = (words: readonly string[], input: string) => Printed | null;

const RANGE_MAX = 100_000;
const LINE_MAX = 2000;

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function lines(all: readonly string[], status = true): Printed {
  return { text: all.map((line) => `${line}\n`).join(''), status };
}

/** Splits words into options of one letter, with the values of those named, and all else. */
function options(
  words: readonly string[],
  valued: string,
): { flags: Map<string, string>; rest: string[] } | null {
  const flags = new Map<string, string>();
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--') return { flags, rest: [...rest, ...words.slice(i + 1)] };
    if (!/^-./.test(word)) rest.push(word);
    else if (word.startsWith('--')) return null;
    else
      for (let j = 1; j < word.length; j++) {
        const letter = word[j]!;
        if (!valued.includes(letter)) flags.set(letter, '');
        else {
          flags.set(letter, word.slice(j + 1) || (words[++i] ?? ''));
          break;
        }
      }
  }
  return { flags, rest };
}

const only = (flags: ReadonlyMap<string, string>, letters: string): boolean =>
  [...flags.keys()].every((letter) => letters.includes(letter));

function seq(words: readonly string[]): Printed | null {
  const read = options(
    words.filter((word) => !/^-\d/.test(word)),
    'sf',
  );
  const numbers = words.filter((word) => /^-?\d+$/.test(word)).map(Number);
  const isOdd = read === null || !only(read.flags, 'ws') || numbers.length === 0 || numbers.length > 3;
  if (isOdd || words.some((word) => /^-?\d*\.\d/.test(word))) return null;
  const [from, step, to] = [
    numbers.length > 1 ? numbers[0]! : 1,
    numbers.length > 2 ? numbers[1]! : 1,
    numbers.at(-1)!,
  ];
  if (step === 0 || Math.abs((to - from) / step) > RANGE_MAX) return null;
  const out: string[] = [];
  for (let n = from; step > 0 ? n <= to : n >= to; n += step) out.push(String(n));
  const width = read.flags.has('w') ? Math.max(...out.map((text) => text.length)) : 0;
  const text = out.map((each) => each.padStart(width, '0'));
  const between = read.flags.get('s');
  return between === undefined ? lines(text) : { text: `${text.join(between)}\n`, status: true };
}

function cut(words: readonly string[], input: string): Printed | null {
  const read = options(words, 'dfc');
  if (read === null || read.rest.length > 0 || !only(read.flags, 'dfcs')) return null;
  const list = read.flags.get('f') ?? read.flags.get('c') ?? '';
  if (!/^\d*(-\d*)?(,\d*(-\d*)?)*$/.test(list) || list === '') return null;
  const ranges = list.split(',').map((range) => {
    const [from, to] = range.split('-');
    return [Number(from || 1), to === undefined ? Number(from) : Number(to || 1e9)] as const;
  });
  const isIn = (n: number): boolean => ranges.some(([from, to]) => n >= from && n <= to);
  const mark = read.flags.has('c') ? '' : (read.flags.get('d') ?? '\t');
  return lines(
    linesOf(input)
      .filter((line) => !read.flags.has('s') || line.includes(mark))
      .map((line) =>
        line.includes(mark)
          ? line
              .split(mark)
              .filter((_, i) => isIn(i + 1))
              .join(mark)
          : line,
      ),
  );
}

/** The characters of a set of tr. */
function characters(set: string): string | null {
  const text = set.replace(/\\n/g, '\n').replace(/\\t/g, '\t').replace(/\\r/g, '\r').replace(/\\\\/g, '\\');
  const names: Record<string, string> = {
    '[:upper:]': 'A-Z',
    '[:lower:]': 'a-z',
    '[:digit:]': '0-9',
    '[:space:]': ' \t\n\v\f\r',
  };
  const plain = names[text] ?? text;
  if (plain.includes('[:')) return null;
  return plain.replace(/([\s\S])-([\s\S])/g, (_, from: string, to: string) => {
    let out = '';
    for (let c = from.charCodeAt(0); c <= to.charCodeAt(0); c++) out += String.fromCharCode(c);
    return out;
  });
}

function tr(words: readonly string[], input: string): Printed | null {
  const read = options(words, '');
  if (read === null || !only(read.flags, 'ds') || read.flags.size > 1) return null;
  const from = characters(read.rest[0] ?? '');
  const to = characters(read.rest[1] ?? '');
  if (from === null || to === null || from === '') return null;
  if (read.flags.has('d'))
    return { text: [...input].filter((c) => !from.includes(c)).join(''), status: true };
  const mapped =
    to === ''
      ? input
      : [...input].map((c) => (from.includes(c) ? (to[from.indexOf(c)] ?? to.at(-1)!) : c)).join('');
  if (!read.flags.has('s')) return to === '' ? null : { text: mapped, status: true };
  const squeezed = to === '' ? from : to;
  return {
    text: [...mapped].filter((c, i, all) => c !== all[i - 1] || !squeezed.includes(c)).join(''),
    status: true,
  };
}

function grep(words: readonly string[], input: string): Printed | null {
  const read = options(words, 'em');
  if (read === null || !only(read.flags, 'evicqEFowxs')) return null;
  const { flags, rest } = read;
  const pattern = flags.get('e') ?? rest.shift();
  if (pattern === undefined || rest.length > 0) return null;
  const source = flags.has('F') ? pattern.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&') : pattern;
  const whole = flags.has('x') ? `^${source}$` : flags.has('w') ? `\\b${source}\\b` : source;
  const regExp = posixRegExp(whole, flags.has('E') || flags.has('F'), flags.has('i') ? 'i' : '');
  const all = linesOf(input);
  if (regExp === null || all.some((line) => line.length > LINE_MAX)) return null;
  const hits = all.filter((line) => regExp.test(line) !== flags.has('v'));
  const status = hits.length > 0;
  if (flags.has('q')) return { text: '', status };
  if (flags.has('c')) return lines([String(hits.length)], status);
  if (!flags.has('o')) return lines(hits, status);
  const every = new RegExp(regExp.source, `${regExp.flags}g`);
  return lines(
    hits.flatMap((line) => line.match(every) ?? []),
    status,
  );
}

/** `sed 's/from/to/g'`, `/pattern/d` and `-n /pattern/p`; -E and -e. */
function sed(words: readonly string[], input: string): Printed | null {
  const read = options(words, 'e');
  if (read === null || !only(read.flags, 'eErn')) return null;
  const script = read.flags.get('e') ?? read.rest.shift() ?? '';
  const isExtended = read.flags.has('E') || read.flags.has('r');
  const m = /^s([/|,#:@])((?:\\[\s\S]|(?!\1)[^\\])*)\1((?:\\[\s\S]|(?!\1)[^\\])*)\1(g?)$/.exec(script);
  const chosen = /^\/((?:\\[\s\S]|[^\\/])*)\/([dp])$/.exec(script);
  const all = linesOf(input);
  if (read.rest.length > 0 || all.some((line) => line.length > LINE_MAX)) return null;
  const regExp = posixRegExp(
    (m?.[2] ?? chosen?.[1] ?? '').replaceAll(`\\${m?.[1] ?? '/'}`, m?.[1] ?? '/'),
    isExtended,
    m?.[4] ?? '',
  );
  if (regExp === null) return null;
  if (chosen !== null && (chosen[2] === 'p') === read.flags.has('n'))
    return lines(all.filter((line) => regExp.test(line) === (chosen[2] === 'p')));
  if (m === null || read.flags.has('n') || /\\[^1-9&/|,#:@]/.test(m[3]!)) return null;
  const by = m[3]!
    .replace(/\$/g, '$$$$')
    .replace(/\\([1-9])/g, '$$$1')
    .replace(/(^|[^\\])&/g, '$1$$&')
    .replace(/\\(.)/g, '$1');
  return lines(all.map((line) => line.replace(regExp, by)));
}

/** `awk '{print $1}'`, perhaps with -F. */
function awk(words: readonly string[], input: string): Printed | null {
  const read = options(words, 'F');
  if (read === null || !only(read.flags, 'F') || read.rest.length !== 1) return null;
  const m = /^\s*\{\s*print\s+(\$(?:\d+|NF)(?:\s*,\s*\$(?:\d+|NF))*)\s*;?\s*\}\s*$/.exec(read.rest[0]!);
  const mark = read.flags.get('F') ?? ' ';
  if (m === null || !/^([ ,:;=/|@_]|\t|\\t)$/.test(mark)) return null;
  const fields = m[1]!.split(',').map((each) => each.trim().slice(1));
  return lines(
    linesOf(input).map((line) => {
      const all = mark === ' ' ? line.trim().split(/[ \t]+/) : line.split(mark === '\\t' ? '\t' : mark);
      return fields
        .map((f) => (f === '0' ? line : f === 'NF' ? all.at(-1) : (all[Number(f) - 1] ?? '')))
        .join(' ');
    }),
  );
}

function headTail(words: readonly string[], input: string, isHead: boolean): Printed | null {
  const number = /^-(?:n\s*)?(\+?\d+)$/.exec(words.join(' '))?.[1] ?? (words.length === 0 ? '10' : '');
  if (number === '') return null;
  const all = linesOf(input);
  const n = Number(number);
  if (number.startsWith('+')) return isHead ? null : lines(all.slice(n - 1));
  return lines(isHead ? all.slice(0, n) : n === 0 ? [] : all.slice(-n));
}

function sort(words: readonly string[], input: string): Printed | null {
  const read = options(words, '');
  if (read === null || read.rest.length > 0 || !only(read.flags, 'unr')) return null;
  const byNumber = (a: string, b: string): number => Number.parseFloat(a) - Number.parseFloat(b);
  if (read.flags.has('n') && linesOf(input).some((line) => !/^\d+$/.test(line))) return null;
  const all = linesOf(input).sort(read.flags.has('n') ? byNumber : undefined);
  const out = read.flags.has('u') ? all.filter((line, i) => line !== all[i - 1]) : all;
  return lines(read.flags.has('r') ? out.reverse() : out);
}

function wc(words: readonly string[], input: string): Printed | null {
  const counts: Record<string, number> = {
    '-l': input.split('\n').length - 1,
    '-w': input.split(/\s+/).filter((word) => word !== '').length,
    '-c': input.length,
  };
  const count = words.length === 1 ? counts[words[0]!] : undefined;
  return count === undefined ? null : lines([String(count)]);
}

function basename(words: readonly string[]): Printed | null {
  if (words.length === 0 || words.length > 2 || words[0]!.startsWith('-')) return null;
  const base = words[0]!.replace(/(.)\/+$/, '$1').replace(/^.*\/(?=.)/, '');
  const suffix = words[1] ?? '';
  return lines([
    suffix !== '' && base !== suffix && base.endsWith(suffix) ? base.slice(0, -suffix.length) : base,
  ]);
}

function dirname(words: readonly string[]): Printed | null {
  if (words.length !== 1 || words[0]!.startsWith('-')) return null;
  const path = words[0]!.replace(/(.)\/+$/, '$1');
  return lines([path.includes('/') ? path.replace(/\/+[^/]*$/, '') || '/' : '.']);
}

function uniq(words: readonly string[], input: string): Printed | null {
  return words.length > 0 ? null : lines(linesOf(input).filter((line, i, all) => line !== all[i - 1]));
}

/** Commands that take words and input and print, by name. */
const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  ['seq', seq],
  ['cut', cut],
  ['tr', tr],
  ['grep', grep],
  ['egrep', (words, input) => grep(['-E', ...words], input)],
  ['fgrep', (words, input) => grep(['-F', ...words], input)],
  ['sed', sed],
  ['awk', awk],
  ['gawk', awk],
  ['mawk', awk],
  ['head', (words, input) => headTail(words, input, true)],
  ['tail', (words, input) => headTail(words, input, false)],
  ['sort', sort],
  ['uniq', uniq],
  ['wc', wc],
  ['tac', (words, input) => (words.length > 0 ? null : lines(linesOf(input).reverse()))],
  ['basename', basename],
  ['dirname', dirname],
  ['whoami', () => lines(['root'])],
  [
    'id',
    (words) => (words.join(' ') === '-u' ? lines(['0']) : words.join(' ') === '-un' ? lines(['root']) : null),
  ],
]);
/** Those whose last word may be a file to read instead of the input. */
const READS_FILE: ReadonlySet<string> = new Set(
  'cut grep egrep fgrep sed awk gawk mawk head tail sort uniq wc tac'.split(' '),
);

/** Commands that `filtered` may understand. */
export const FILTER_NAMES: readonly string[] = [...FILTERS.keys()];

/**
 * What a command prints, null if that cannot be told.
 * @param input what it reads, null if that is not known
 * @param read a file's text, null if there is none
 */
export function filtered(
  name: string,
  words: readonly string[],
  input: string | null,
  read: (path: string) => string | null,
): Printed | null {
  const filter = FILTERS.get(name)!;
  const file = READS_FILE.has(name) && words.length > 0 ? words.at(-1)! : '';
  const text = file === '' || file.startsWith('-') ? null : read(file);
  if (text !== null) {
    const printed = filter(words.slice(0, -1), text);
    if (printed !== null)
      return name === 'wc' ? { ...printed, text: `${printed.text.trimEnd()} ${file}\n` } : printed;
  }
  return input === null && READS_FILE.has(name) ? null : filter(words, input ?? '');
}
