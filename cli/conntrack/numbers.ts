const U32 = 0xffff_ffff;
const U64 = 2n ** 64n;

function limited(digits: string, base: number, negative: boolean): bigint {
  let value = 0n;
  for (const d of digits) {
    value = value * BigInt(base) + BigInt(Number.parseInt(d, base));
    // However many more there are: a line of a file may be long.
    if (value >= U64) return U64 - 1n;
  }
  return negative ? (U64 - value) % U64 : value;
}

/**
 * A number as strtoul(3) reads it: what follows does not count, no number is 0, a minus wraps around.
 * @param base 0 takes 0x and a leading 0 as C does
 * @returns the value (64 bits) and the text behind it
 */
export function strtoul(text: string, base: 0 | 10): { readonly value: bigint; readonly rest: string } {
  const hex = base === 0 ? /^\s*([+-]?)0x([0-9a-f]+)/i.exec(text) : null;
  const octal = base === 0 && hex === null ? /^\s*([+-]?)0([0-7]*)/.exec(text) : null;
  const found = hex ?? octal ?? /^\s*([+-]?)(\d+)/.exec(text);
  if (found === null) return { value: 0n, rest: text };
  const value = limited(found[2]!, hex !== null ? 16 : octal !== null ? 8 : 10, found[1] === '-');
  return { value, rest: text.slice(found[0].length) };
}

/** The lower 32 bits of what strtoul(3) reads. */
export function u32(text: string, base: 0 | 10): number {
  return Number(strtoul(text, base).value & BigInt(U32));
}

/** The lower 16 bits of what strtoul(3) reads. */
export function u16(text: string, base: 0 | 10): number {
  return u32(text, base) & 0xffff;
}

/** The lower 8 bits of what strtoul(3) reads. */
export function u8(text: string): number {
  return u32(text, 10) & 0xff;
}

/**
 * Seconds of a timeout, in decimal (measured: 0x17 is 0): more than 32 bits hold are that many. (Measured: 99999999999
 * and -1 give the same, the longest that there is.)
 */
export function seconds(text: string): number {
  const { value } = strtoul(text, 10);
  return value > BigInt(U32) ? U32 : Number(value);
}

/** `MARK[/MASK]`; the mask is all bits if there is none. */
export function markAndMask(text: string): { readonly value: number; readonly mask: number } {
  const { value, rest } = strtoul(text, 0);
  const mask = rest.startsWith('/') ? u32(rest.slice(1), 0) : U32;
  return { value: Number(value & BigInt(U32)), mask };
}
