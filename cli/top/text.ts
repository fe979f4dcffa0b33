const UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** A number in five characters at most: `0`, `999`, `9999`, `12.3k`, `450k`, `1.2M`. Thousands are 1000. */
export function short(n: number): string {
  let value = n;
  let unit = 0;
  // What would be rounded up to one digit more has the next unit.
  while (Math.round(value) > (unit === 0 ? 9999 : 999) && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  if (unit === 0)
    return value > 0 && value < 9.95 && !Number.isInteger(value) ? value.toFixed(1) : value.toFixed(0);
  return `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)}${UNITS[unit]}`;
}

/** The same, `-` for what is not known. */
export function shortOr(n: number | null): string {
  return n === null ? '-' : short(n);
}

/** A whole number with commas: `262,144`. */
export function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Text cut to a width, with `…` where something was cut off. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : width <= 0 ? '' : `${text.slice(0, width - 1)}…`;
}

/** Text in lines of a width, broken at blanks; what is more than `most` lines is cut off. */
export function folded(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  if (lines.length > most) lines.splice(most - 1, lines.length, `${lines[most - 1]} …`);
  return lines.map((one) => cut(one, width));
}

/** A bar of `width` characters, so much of it filled. */
export function bar(share: number, width: number): string {
  const filled = Math.min(width, Math.max(share > 0 ? 1 : 0, Math.round(share * width)));
  return '#'.repeat(filled) + '-'.repeat(width - filled);
}
