/** Bob Jenkins' lookup3 hash (public domain, 2006) as Linux uses it for `jhash`. */

const START = 0xdeadbeef | 0;

const scratch = new Int32Array(3);

function rol(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

function mix(s: Int32Array): void {
  let a = s[0]!;
  let b = s[1]!;
  let c = s[2]!;
  a = ((a - c) | 0) ^ rol(c, 4);
  c = (c + b) | 0;
  b = ((b - a) | 0) ^ rol(a, 6);
  a = (a + c) | 0;
  c = ((c - b) | 0) ^ rol(b, 8);
  b = (b + a) | 0;
  a = ((a - c) | 0) ^ rol(c, 16);
  c = (c + b) | 0;
  b = ((b - a) | 0) ^ rol(a, 19);
  a = (a + c) | 0;
  c = ((c - b) | 0) ^ rol(b, 4);
  b = (b + a) | 0;
  s[0] = a;
  s[1] = b;
  s[2] = c;
}

function final(s: Int32Array): number {
  let a = s[0]!;
  let b = s[1]!;
  let c = s[2]!;
  c = ((c ^ b) - rol(b, 14)) | 0;
  a = ((a ^ c) - rol(c, 11)) | 0;
  b = ((b ^ a) - rol(a, 25)) | 0;
  c = ((c ^ b) - rol(b, 16)) | 0;
  a = ((a ^ c) - rol(c, 4)) | 0;
  b = ((b ^ a) - rol(a, 14)) | 0;
  return ((c ^ b) - rol(b, 24)) | 0;
}

/** The four bytes from `at` as a little-endian word; those from `end` on count as zero. */
function word(bytes: Uint8Array, at: number, end: number): number {
  let out = 0;
  for (let i = 0; i < 4 && at + i < end; i++) out |= bytes[at + i]! << (8 * i);
  return out;
}

/**
 * The hash of `len` bytes from `at`.
 * @returns an int32
 */
export function jhash(bytes: Uint8Array, at: number, len: number, seed: number): number {
  const s = scratch;
  s.fill((START + len + seed) | 0);
  const end = at + len;
  for (; end - at > 12; at += 12) {
    for (let i = 0; i < 3; i++) s[i] = s[i]! + word(bytes, at + 4 * i, end);
    mix(s);
  }
  if (end === at) return s[2]!;
  for (let i = 0; i < 3; i++) s[i] = s[i]! + word(bytes, at + 4 * i, end);
  return final(s);
}

/** Brings a 32-bit number evenly into 0 to `n` - 1 (kernel: reciprocal_scale). */
export function reciprocalScale(value: number, n: number): number {
  return Math.floor(((value >>> 0) * n) / 0x100000000);
}
