import { ipv4Text, ipv6Text, parseAddress } from '../packet/address.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { XtError } from './extension.ts';
import { readUint } from './values.ts';

/** An address and which of its bits count: one signed big-endian word each for IPv4, four for IPv6. */
export interface XtAddress {
  readonly addr: readonly number[];
  readonly mask: readonly number[];
}

/** Names that every machine's /etc/hosts and /etc/networks have, so that they need nobody's answer. */
const KNOWN_NAMES: ReadonlyMap<string, number> = new Map([
  ['localhost', 0x7f000001],
  ['loopback', 0x7f000000],
]);

/** The usual form, in which no number may be taken for octal. */
const DOTTED = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/**
 * An IPv4 address as iptables reads it: one to four numbers in the C library's bases, missing ones are zero.
 * @returns a signed big-endian word, undefined if it is none
 */
function readIpv4(text: string): number | undefined {
  const plain = DOTTED.exec(text);
  if (plain !== null && +plain[1]! < 256 && +plain[2]! < 256 && +plain[3]! < 256 && +plain[4]! < 256)
    return (+plain[1]! << 24) | (+plain[2]! << 16) | (+plain[3]! << 8) | +plain[4]!;
  const parts = text.split('.');
  if (parts.length > 4) return undefined;
  let word = 0;
  for (let i = 0; i < 4; i++) {
    const part = i < parts.length ? readUint(parts[i]!, 0, 255) : 0;
    if (part === undefined || /\s/.test(parts[i] ?? '')) return undefined;
    word = (word << 8) | part;
  }
  return word;
}

/**
 * A single address of a family.
 * @returns its words, undefined if it is none of that family; names are not looked up but for localhost
 */
export function readAddress(text: string, family: number): readonly number[] | undefined {
  if (family === NFPROTO_IPV4) {
    const word = readIpv4(text) ?? KNOWN_NAMES.get(text);
    return word === undefined ? undefined : [word | 0];
  }
  const words = parseAddress(text);
  return words?.length === 4 ? words : undefined;
}

/** @throws XtError "host/network `x' not found", with the reason why keepstate does not ask a name server */
export function hostAddress(text: string, family: number): readonly number[] {
  const words = readAddress(text, family);
  if (words !== undefined) return words;
  const isName = /^[A-Za-z][A-Za-z0-9.-]*$/.test(text);
  const other = parseAddress(text);
  let hint: string | undefined;
  if (other !== undefined)
    hint = other.length === 4 ? 'an IPv6 address: use ip6tables' : 'an IPv4 address: use iptables';
  else if (isName) hint = 'names are not looked up: write the address';
  throw new XtError(`host/network \`${text}' not found`, hint);
}

/** Masks made so far: of IPv4 up to 32, of IPv6 from 64 on. */
const MASKS: (readonly number[] | undefined)[] = [];
const MASKS6 = 64;

/** The mask of a prefix length. */
export function prefixMask(length: number, family: number): readonly number[] {
  const at = family === NFPROTO_IPV4 ? length : MASKS6 + length;
  let mask = MASKS[at];
  if (mask === undefined) {
    mask = Array.from({ length: family === NFPROTO_IPV4 ? 1 : 4 }, (_, i) => {
      const bits = Math.min(32, Math.max(0, length - 32 * i));
      return bits === 0 ? 0 : (-1 << (32 - bits)) | 0;
    });
    MASKS[at] = mask;
  }
  return mask;
}

/** @throws XtError "invalid mask `x' specified" */
export function readMask(text: string, family: number): readonly number[] {
  const bits = family === NFPROTO_IPV4 ? 32 : 128;
  const length = readUint(text, 0, bits);
  if (length !== undefined) return prefixMask(length, family);
  const parts = text.split('.').length;
  const words = family === NFPROTO_IPV4 && parts !== 4 ? undefined : readAddress(text, family);
  if (words === undefined)
    throw new XtError(`invalid mask \`${text}' specified`, `a prefix length of 0 to ${bits}, or a mask`);
  return words;
}

/** The length of a mask that is a prefix, undefined for others. */
export function maskLength(mask: readonly number[]): number | undefined {
  // The one of a whole address is the one met most.
  if (mask === prefixMask(32, NFPROTO_IPV4)) return 32;
  let length = 0;
  for (const word of mask) length += Math.clz32(~word);
  const family = mask.length === 1 ? NFPROTO_IPV4 : 0;
  return prefixMask(length, family).every((word, i) => word === (mask[i]! | 0)) ? length : undefined;
}

/**
 * `address[/mask]`, with the bits cleared that do not count.
 * @throws XtError
 */
export function addressMask(text: string, family: number): XtAddress {
  const slash = text.lastIndexOf('/');
  const host = slash < 0 ? text : text.slice(0, slash);
  const bits = family === NFPROTO_IPV4 ? 32 : 128;
  const mask = slash < 0 ? prefixMask(bits, family) : readMask(text.slice(slash + 1), family);
  // Measured: behind a mask of no bits anything will do, even what is no address.
  const addr = mask.every((word) => word === 0) ? mask : hostAddress(host, family);
  return { addr: addr.map((word, i) => word & mask[i]!), mask };
}

/** As the real tool prints an address. */
export function addressText(words: readonly number[]): string {
  if (words.length === 1) return ipv4Text(words[0]!);
  const [a, b, c, d] = words as [number, number, number, number];
  return ipv6Text(a, b, c, d);
}

/** `/24`, or the mask spelled out if it is no prefix. */
export function maskText(mask: readonly number[]): string {
  const length = maskLength(mask);
  return length === undefined ? `/${addressText(mask)}` : `/${length}`;
}

/** The words as bytes, first byte first. */
export function wordBytes(words: readonly number[]): Uint8Array {
  const out = new Uint8Array(words.length * 4);
  for (let i = 0; i < out.length; i++) out[i] = words[i >> 2]! >>> (24 - (i & 3) * 8);
  return out;
}
