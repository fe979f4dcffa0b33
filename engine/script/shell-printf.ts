import { ansiText } from './shell-close.ts';

const FORMAT = /%(?:%|([-+ 0#]*)(\d+|\*)?(?:\.(\d+))?([sdiuxXocbq]))/g;
/** So that a width cannot fill the memory. */
const WIDTH_MAX = 10_000;

/** What `printf format words` prints, null if that cannot be told. */
export function printfText(words: readonly string[]): string | null {
  const [format, ...values] = words[0] === '--' ? words.slice(1) : words;
  if (format === undefined) return null;
  let out = '';
  let next = 0;
  let isKnown = true;
  const text = ansiText(format);
  // The format is used again as long as there are words.
  do {
    const before = next;
    out += text.replace(
      FORMAT,
      (all, flags: string | undefined, width, precision, type: string | undefined) => {
        if (all === '%%' || type === undefined) return '%';
        const value = formatted(values[next++] ?? '', type, precision);
        if (value === null || width === '*' || Number(width ?? 0) > WIDTH_MAX) isKnown = false;
        const isLeft = flags!.includes('-');
        const fill = flags!.includes('0') && !isLeft ? '0' : ' ';
        const length = Math.min(WIDTH_MAX, Number(width ?? 0) || 0);
        return isLeft ? (value ?? '').padEnd(length) : (value ?? '').padStart(length, fill);
      },
    );
    if (next === before) break;
  } while (next < values.length);
  return isKnown ? out : null;
}

function formatted(value: string, type: string, precision: string | undefined): string | null {
  if (type === 's') return precision === undefined ? value : value.slice(0, Number(precision));
  if (type === 'b') return ansiText(value);
  if (type === 'c') return value.slice(0, 1);
  if (type === 'q') return /^[\w./:@%+-]+$/.test(value) ? value : null;
  if (!/^(-?\d+|0[xX][0-9a-fA-F]+|)$/.test(value) || precision !== undefined) return null;
  const number = /^0[0-7]+$/.test(value) ? Number.parseInt(value, 8) : Number(value);
  if (type === 'x') return number.toString(16);
  if (type === 'X') return number.toString(16).toUpperCase();
  return type === 'o' ? number.toString(8) : String(number);
}

/** What `echo words` prints. @param isDash whether escapes are meant without -e, as /bin/sh has it */
export function echoText(words: readonly string[], isDash: boolean): string {
  let first = 0;
  let isEscaped = isDash;
  let end = '\n';
  for (; /^-[neE]+$/.test(words[first] ?? ''); first++) {
    if (isDash && words[first] !== '-n') break;
    if (words[first]!.includes('n')) end = '';
    if (words[first]!.includes('e')) isEscaped = true;
  }
  const text = words.slice(first).join(' ');
  return (isEscaped ? ansiText(text) : text) + end;
}
