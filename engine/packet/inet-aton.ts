const NUMBER = /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/;

/**
 * An IPv4 address as the C library's inet_aton(3) reads it: one to four numbers, decimal, 0x hexadecimal or 0 octal; the
 * last takes all bytes that are left, so that 10 is 0.0.0.10 and 10.1 is 10.0.0.1.
 * @returns its four bytes as one big-endian word, not signed; undefined if it is none
 */
export function inetAton(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length > 4 || !parts.every((part) => NUMBER.test(part))) return undefined;
  const numbers = parts.map((part) => Number(/^0[0-7]/.test(part) ? `0o${part}` : part));
  const last = numbers.pop()!;
  if (numbers.some((number) => number > 255) || last >= 2 ** (8 * (4 - numbers.length))) return undefined;
  return numbers.reduce((word, number, i) => word + number * 2 ** (24 - 8 * i), last);
}
