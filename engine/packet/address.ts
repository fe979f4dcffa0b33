/**
 * An IPv4 address as text.
 * @param word its four bytes as one big-endian word, signed or not
 */
export function ipv4Text(word: number): string {
  return `${(word >>> 24) & 255}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

/** The eight 16-bit groups of an IPv6 address given as four big-endian words. */
function groupsOf(a: number, b: number, c: number, d: number): number[] {
  return [a, b, c, d].flatMap((w) => [(w >>> 16) & 0xffff, w & 0xffff]);
}

/**
 * An IPv6 address as text in its canonical form (RFC 5952): lower case, the longest run of zero groups as `::`,
 * IPv4-mapped addresses with a dotted tail.
 * @param a first of its four big-endian words, signed or not
 */
export function ipv6Text(a: number, b: number, c: number, d: number): string {
  if (a === 0 && b === 0 && c === 0xffff) return `::ffff:${ipv4Text(d)}`;
  const groups = groupsOf(a, b, c, d);
  let from = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === 0) run++;
    if (run > length) {
      from = i;
      length = run;
    }
    i += run;
  }
  const hex = groups.map((g) => g.toString(16));
  if (from < 0) return hex.join(':');
  return `${hex.slice(0, from).join(':')}::${hex.slice(from + length).join(':')}`;
}

/** An IPv6 address with every digit, as /proc/net/nf_conntrack prints it: `fd00:0001:0000:…`. */
export function ipv6FullText(a: number, b: number, c: number, d: number): string {
  return groupsOf(a, b, c, d)
    .map((g) => g.toString(16).padStart(4, '0'))
    .join(':');
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256)) return undefined;
  return parts.reduce((word, p) => (word << 8) | Number(p), 0);
}

/** The groups that one side of `::` spells out, or undefined if it is malformed. */
function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.') && i === parts.length - 1) {
      const v4 = parseIpv4(part);
      if (v4 === undefined) return undefined;
      out.push(v4 >>> 16, v4 & 0xffff);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) out.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return out;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!);
  const tail = halves.length === 2 ? parseGroups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const g = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((i) => (g[i]! << 16) | g[i + 1]!);
}

/**
 * Parses an IPv4 or IPv6 address (RFC 4291 section 2.2, dotted tail included).
 * @returns one signed big-endian word for IPv4, four for IPv6, undefined if it is no address
 */
export function parseAddress(text: string): readonly number[] | undefined {
  if (text.includes(':')) return parseIpv6(text);
  const word = parseIpv4(text);
  return word === undefined ? undefined : [word];
}
