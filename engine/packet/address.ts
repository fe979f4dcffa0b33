/**
 * An IPv4 address as text.
 * @param word its four bytes as one big-endian word, signed or not
 */
export function ipv4Text(word: number): string {
  return `${(word >>> 24) & 255}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16));
const HEX_PADDED: readonly string[] = HEX.map((digits) => digits.padStart(2, '0'));

/** A 16-bit group in hex, without leading zeros. From tables: toString(16) alone takes longer than all the rest. */
function groupText(group: number): string {
  return group < 256 ? HEX[group]! : HEX[group >> 8]! + HEX_PADDED[group & 255]!;
}

/** Group 0 to 7 of an IPv6 address given as four big-endian words. */
function groupAt(i: number, a: number, b: number, c: number, d: number): number {
  const word = i < 4 ? (i < 2 ? a : b) : i < 6 ? c : d;
  return i & 1 ? word & 0xffff : word >>> 16;
}

/**
 * An IPv6 address as text, as RFC 5952 and inet_ntop(3) write it: lower case, the longest run of zero groups as
 * `::`, and a dotted tail for IPv4-mapped (`::ffff:1.2.3.4`) and, as glibc does (measured), IPv4-compatible
 * addresses (`::1.2.3.4`).
 * @param a first of its four big-endian words, signed or not
 */
export function ipv6Text(a: number, b: number, c: number, d: number): string {
  let from = -1;
  let length = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = groupAt(i, a, b, c, d) === 0 ? run + 1 : 0;
    if (run > length) {
      from = i - run + 1;
      length = run;
    }
  }
  if (from === 0 && length === 6) return `::${ipv4Text(d)}`;
  if (from === 0 && length === 5 && c === 0xffff) return `::ffff:${ipv4Text(d)}`;
  let text = '';
  for (let i = 0; i < 8; i++) {
    if (i === from) {
      text += '::';
      i += length - 1;
    } else {
      if (i > 0 && i !== from + length) text += ':';
      text += groupText(groupAt(i, a, b, c, d));
    }
  }
  return text;
}

/** An IPv6 address with every digit, as /proc/net/nf_conntrack prints it: `fd00:0001:0000:…`. */
export function ipv6FullText(a: number, b: number, c: number, d: number): string {
  const words = [a, b, c, d].map((w) => (w >>> 0).toString(16).padStart(8, '0'));
  return words.map((w) => `${w.slice(0, 4)}:${w.slice(4)}`).join(':');
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((p) => /^(0|[1-9]\d{0,2})$/.test(p) && Number(p) < 256))
    return undefined;
  return parts.reduce((word, p) => (word << 8) | Number(p), 0);
}

/**
 * The groups that one side of `::` spells out, or undefined if it is malformed.
 * @param last whether the address ends here, so that its tail may be dotted
 */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (last && part.includes('.') && i === parts.length - 1) {
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
  const head = parseGroups(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : [];
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
