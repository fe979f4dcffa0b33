/** CRC-32 (ISO 3309, polynomial 0xedb88320 reflected), four bytes at a time. */

const TABLES: Int32Array = new Int32Array(1024);

for (let byte = 0; byte < 256; byte++) {
  let word = byte;
  for (let bit = 0; bit < 8; bit++) word = (word >>> 1) ^ (word & 1 ? 0xedb88320 | 0 : 0);
  TABLES[byte] = word;
}
for (let at = 256; at < 1024; at++) {
  const before = TABLES[at - 256]!;
  TABLES[at] = (before >>> 8) ^ TABLES[before & 255]!;
}

/**
 * The CRC-32 of bytes[from, to).
 * @param crc of what comes before them; 0 if nothing does
 * @returns an int32
 */
export function crc32(bytes: Uint8Array, from: number, to: number, crc = 0): number {
  const t = TABLES;
  let c = ~crc;
  let at = from;
  for (const stop = to - 3; at < stop; at += 4) {
    c ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    c = t[768 + (c & 255)]! ^ t[512 + ((c >>> 8) & 255)]! ^ t[256 + ((c >>> 16) & 255)]! ^ t[c >>> 24]!;
  }
  for (; at < to; at++) c = (c >>> 8) ^ t[(c ^ bytes[at]!) & 255]!;
  return ~c;
}
