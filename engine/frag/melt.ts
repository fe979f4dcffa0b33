/**
 * Sizes of the fragments that a datagram leaves in, where some of its first bytes were brought together to be changed
 * (measured: what was eaten up by them is one fragment; where that does not end at a multiple of eight, is longer than
 * any was, or is all of it, the datagram is cut evenly; so it is where one is longer than the next link takes).
 * @param sizes bytes of data of each fragment, as they came
 * @param linear bytes of data brought together, below 1 for none
 * @param length bytes of data in all
 * @param most bytes of data that a fragment may have
 */
export function meltedSizes(
  sizes: readonly number[],
  linear: number,
  length: number,
  most: number,
): readonly number[] {
  const fits = sizes.every((size) => size <= most);
  if (fits && linear <= sizes[0]!) return sizes;
  if (!fits || linear >= length || (linear & 7) !== 0 || linear > most) return evenSizes(length, most);
  const out = [linear];
  let end = 0;
  for (const size of sizes) {
    end += size;
    if (end > linear) out.push(Math.min(size, end - linear));
  }
  return out;
}

function evenSizes(length: number, most: number): number[] {
  const out: number[] = [];
  for (let left = length; left > 0; ) {
    const size = left > most ? Math.max(8, most & ~7) : left;
    out.push(size);
    left -= size;
  }
  return out;
}
