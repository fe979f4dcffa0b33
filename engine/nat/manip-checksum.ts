import { fold, halves } from '../packet/checksum.ts';
import { AF_INET } from '../packet/packet.ts';
import { addressAt, type ManipTarget } from './target.ts';

/** Brings a checksum up to date (RFC 1624, equation 3). @param change sum of the new words and of the old ones' complements */
export function addChange(view: DataView, at: number, change: number): void {
  view.setUint16(at, ~fold((~view.getUint16(at) & 0xffff) + change) & 0xffff);
}

/** How the sum of an end's address changes. @param ip first byte of the IP header, its address still the old one */
export function addressChange(view: DataView, ip: number, target: ManipTarget): number {
  const { family, manip, words } = target;
  const at = ip + addressAt(family, manip);
  if (family === AF_INET) return halves(~view.getInt32(at)) + halves(words[0]!);
  let change = 0;
  for (let i = 0; i < 4; i++) change += halves(~view.getInt32(at + 4 * i)) + halves(words[i]!);
  return change;
}

/**
 * Writes another 16-bit number, and brings the checksum up to date with it.
 * @param at of the number, `check` of the checksum
 */
export function replaceNumber(view: DataView, at: number, check: number, to: number): void {
  addChange(view, check, (~view.getUint16(at) & 0xffff) + to);
  view.setUint16(at, to);
}
