// The engine has no TextDecoder (no DOM, no Node): names, comments and prefixes are UTF-8.

const REPLACEMENT = '\ufffd';

/** The text of bytes [from, to) read as UTF-8; what is not UTF-8 becomes U+FFFD, byte by byte. Never throws. */
export function decodeUtf8(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  let at = from;
  while (at < to) {
    const first = bytes[at];
    const extra =
      first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    const code = extra < 0 || at + extra >= to ? -1 : codePoint(bytes, at, extra);
    text += code < 0 ? REPLACEMENT : String.fromCodePoint(code);
    at += code < 0 ? 1 : extra + 1;
  }
  return text;
}

/** The code point of 1 + `extra` bytes, or -1 if they are no shortest form of one (RFC 3629, section 4). */
function codePoint(bytes: Uint8Array, at: number, extra: number): number {
  if (extra === 0) return bytes[at];
  let code = bytes[at] & (0x3f >> extra);
  for (let i = 1; i <= extra; i++) {
    const next = bytes[at + i];
    if ((next & 0xc0) !== 0x80) return -1;
    code = (code << 6) | (next & 0x3f);
  }
  if (extra === 2 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return -1;
  if (extra === 3 && (code < 0x1_0000 || code > 0x10_ffff)) return -1;
  return code;
}

/** The UTF-8 bytes of a text; half of a surrogate pair becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    let code = char.codePointAt(0)!;
    if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
    else if (code < 0x1_0000) {
      bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    } else {
      bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 0x3f));
      bytes.push(0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
    }
  }
  return new Uint8Array(bytes);
}
