import { AF_INET, AF_INET6, ipv4Text, ipv6Text, parseAddress } from '@keepstate/engine';
import { usage } from './words.ts';

/** An address as 32-bit words: one for IPv4, four for IPv6. */
export type Words = readonly number[];

/** A number as strtoul(3) of base 0 takes it: decimal, 0x hexadecimal, 0 octal; null if there is more behind it. */
function wholeNumber(text: string): number | null {
  if (/^0x[0-9a-f]+$/i.test(text)) return Number.parseInt(text, 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d*$/.test(text) ? Number(text) : null;
}

/**
 * An IPv4 address as inet_aton(3) takes it: one to four numbers, of which the last fills what is left (10.1 is
 * 10.0.0.1); what is behind a blank does not count.
 */
function inetAton(text: string): Words | null {
  const parts = text
    .split(/[ \t\n]/)[0]!
    .split('.')
    .map(wholeNumber);
  if (parts.length > 4) return null;
  let word = 0;
  for (const [i, part] of parts.entries()) {
    if (part === null) return null;
    const last = i === parts.length - 1;
    const bytes = last ? 4 - i : 1;
    if (part >= 2 ** (8 * bytes)) return null;
    word = last ? word + part : word + part * 2 ** (8 * (3 - i));
  }
  return [word | 0];
}

/** An address of either family, null if the text is none. */
export function addressWords(text: string): Words | null {
  const four = inetAton(text);
  if (four !== null) return four;
  const six = parseAddress(text);
  return six?.length === 4 ? six : null;
}

/** AF_INET or AF_INET6. */
export function familyOf(words: Words): number {
  return words.length === 1 ? AF_INET : AF_INET6;
}

/** Canonical text. */
export function wordsText(words: Words): string {
  return words.length === 1 ? ipv4Text(words[0]!) : ipv6Text(words[0]!, words[1]!, words[2]!, words[3]!);
}

/** Whether two addresses of one family are equal under a mask. */
export function sameUnder(a: Words, b: Words, mask: Words | null): boolean {
  return (
    a.length === b.length && a.every((word, i) => ((word ^ b[i]!) & (mask === null ? -1 : mask[i]!)) === 0)
  );
}

/** The mask of a prefix length. */
export function prefixMask(length: number, words: number): Words {
  return Array.from({ length: words }, (_, i) => {
    const bits = Math.min(32, Math.max(0, length - 32 * i));
    return bits === 0 ? 0 : -1 << (32 - bits);
  });
}

/** An address of an option, and the mask if it had a prefix length less than its own. */
export interface Network {
  readonly words: Words;
  readonly mask: Words | null;
}

/**
 * Reads the address of an option.
 * @param option as it is written, where it takes no prefix length; null where it does
 * @param ofFamily told the family before a prefix length is looked at; throws if it is not the one of the others
 * @throws ToolError
 */
export function parseNetwork(
  text: string,
  option: string | null,
  ofFamily: (family: number) => void,
): Network {
  const slash = text.indexOf('/');
  const words = addressWords(slash < 0 ? text : text.slice(0, slash));
  if (words === null) usage(`Invalid IP address \`${text}'`);
  ofFamily(familyOf(words));
  if (slash < 0) return { words, mask: null };
  if (option !== null) usage(`CIDR notation unavailable for \`${option}'`);
  const digits = /^\s*(?:\+?(\d+))?$/.exec(text.slice(slash + 1));
  const length = Number(digits?.[1] ?? 0);
  if (digits === null || length > words.length * 32) usage('Invalid netmask');
  // Measured: a prefix of the whole length is none.
  return { words, mask: length === words.length * 32 ? null : prefixMask(length, words.length) };
}

/** An address with a port, for translation: `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]:80`. */
export interface Endpoint {
  readonly words: Words;
  readonly port: number | null;
}

/** Reads what --src-nat and its like take, as {@link parseNetwork} does. @throws ToolError */
export function parseEndpoint(text: string, option: string, ofFamily: (family: number) => void): Endpoint {
  const six = /^\[(.*)\]:(.*)$/.exec(text);
  const four = /^([^:]*):([^:]*)$/.exec(text);
  const parts = six ?? four;
  // Here the family is looked at last (measured).
  const { words } = parseNetwork(parts?.[1] ?? text, option, () => undefined);
  const port = parts?.[2];
  if (port === undefined) {
    ofFamily(familyOf(words));
    return { words, port: null };
  }
  if (port === '') usage("No port specified after `:'");
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65535) usage(`Invalid port \`${port}'`);
  ofFamily(familyOf(words));
  return { words, port: Number(port) === 0 ? null : Number(port) };
}
