import type { Status } from './script-tools.ts';
import type { ShellHost } from './shell-host.ts';

/** `read [-r] [-a NAME] NAME …` */
export function readLine(words: readonly string[], shell: ShellHost): Status {
  const { input, variables } = shell;
  const names: string[] = [];
  let array: string | null = null;
  let isRaw = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (!word.startsWith('-')) names.push(word);
    else if (/^-[a-z]*a$/.test(word)) array = words[++i] ?? null;
    else if (/^-[a-z]*[dnNptu]$/.test(word)) i++;
    if (/^-[a-z]*r/.test(word)) isRaw = true;
  }
  if (input === null || !input.isKnown) {
    for (const name of names) variables.set(name, { opaque: `$${name}` });
    return null;
  }
  let line = input.next();
  while (line !== null && !isRaw && /(^|[^\\])(\\\\)*\\$/.test(line))
    line = line.slice(0, -1) + (input.next() ?? '');
  const text = isRaw ? (line ?? '') : (line ?? '').replace(/\\(.)/g, '$1');
  const ifs = variables.get('IFS');
  const marks = typeof ifs === 'string' ? ifs : '';
  if (array !== null) {
    const values = fields(text, marks, Number.POSITIVE_INFINITY).map(
      (value, i) => [String(i), value] as const,
    );
    variables.setArray(array, { isMap: false, items: new Map(values) });
  } else {
    const all = names.length === 0 ? ['REPLY'] : names;
    const values = names.length === 0 ? [text] : fields(text, marks, all.length);
    for (const [i, name] of all.entries()) variables.set(name, values[i] ?? '');
  }
  return line !== null;
}

/** Splits at the characters of IFS; the last field takes all that is left. */
function fields(text: string, marks: string, count: number): string[] {
  const blanks = [...marks].filter((c) => ' \t\n'.includes(c));
  const isBlank = (c: string | undefined): boolean => c !== undefined && blanks.includes(c);
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end--;
  let i = 0;
  while (i < end && isBlank(text[i])) i++;
  const out: string[] = [];
  while (i < end) {
    if (out.length === count - 1) {
      out.push(text.slice(i, end));
      break;
    }
    let to = i;
    while (to < end && !marks.includes(text[to]!)) to++;
    out.push(text.slice(i, to));
    i = to;
    while (i < end && isBlank(text[i])) i++;
    if (i < end && marks.includes(text[i]!) && !isBlank(text[i])) i++;
    while (i < end && isBlank(text[i])) i++;
  }
  return out;
}

/** `mapfile -t NAME`: a line for each value. */
export function mapfile(words: readonly string[], shell: ShellHost): Status {
  const name = words.findLast((word) => !word.startsWith('-')) ?? 'MAPFILE';
  const text = shell.input?.rest() ?? null;
  if (text === null) {
    shell.variables.set(name, { opaque: `$${name}` });
    return null;
  }
  const lines = text.split('\n').slice(0, -1);
  const end = words.some((word) => /^-[a-z]*t/.test(word)) ? '' : '\n';
  const items = new Map(lines.map((line, i) => [String(i), line + end]));
  shell.variables.setArray(name, { isMap: false, items });
  return true;
}
