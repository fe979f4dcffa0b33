/** Tables from which line-writer.ts writes four bytes at once: ASCII in words whose lowest byte comes first. */

/** Up to four ASCII characters as a word, the first in the lowest byte. */
function asciiWord(text: string): number {
  let word = 0;
  for (let i = 0; i < text.length; i++) word |= text.charCodeAt(i) << (i * 8);
  return word;
}

/**
 * Groups of three digits of a number: `0` to `999`, then from {@link THREE_DIGITS} on `000` to `999`; in the fourth
 * byte how many digits there are. Of three digits, not four: all these tables together must leave room in the
 * first-level cache.
 */
export const GROUPS: Int32Array = Int32Array.from({ length: 2000 }, (_, n) => {
  const text = n < 1000 ? String(n) : String(n - 1000).padStart(3, '0');
  return asciiWord(text) | (text.length << 24);
});

/** Where in {@link GROUPS} those with leading zeros begin. */
export const THREE_DIGITS = 1000;

/** A byte of an IPv4 address with the dot behind it: `0.` to `255.`. */
export const OCTETS: Int32Array = Int32Array.from({ length: 256 }, (_, n) => asciiWord(`${n}.`));

/** Bytes of those, with the dot. */
export const OCTET_LENGTHS: Uint8Array = Uint8Array.from({ length: 256 }, (_, n) => String(n).length + 1);

/** A byte in hex: `00` to `ff`. */
export const HEX_PAIRS: Uint16Array = Uint16Array.from({ length: 256 }, (_, n) =>
  asciiWord(n.toString(16).padStart(2, '0')),
);

/**
 * What `::` stands for in an IPv6 address (RFC 5952, section 4.2: the longest run of zero groups, the first of
 * equals, never a single one), by which groups are zero: bit 7 is the first. First group of the run << 4 | groups in
 * it; 0 if there is none.
 */
export const ZERO_RUNS: Uint8Array = Uint8Array.from({ length: 256 }, (_, zeros) => {
  let found = 0;
  let length = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = (zeros >> (7 - i)) & 1 ? run + 1 : 0;
    if (run > length) {
      length = run;
      found = ((i - run + 1) << 4) | run;
    }
  }
  return found;
});
