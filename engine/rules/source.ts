/**
 * Where compiled tests get their numbers from: bytes of the packet, facts about it, facts about its flow. Each source
 * has a slot, in which its number is kept once it was read for a packet, however many rules ask for it.
 *
 * Numbers are such that comparing registers byte by byte is comparing numbers: bytes of the packet are read as
 * big-endian; what the kernel keeps in its own byte order is the number itself.
 */

/** Bytes from the network header on. */
export const SOURCE_NETWORK = 0;
/** Bytes from the transport header on. */
export const SOURCE_TRANSPORT = 1;
/** Bytes from the link header on. */
export const SOURCE_LINK = 2;
/** `meta`: `offset` is the key. */
export const SOURCE_META = 3;
/** `ct`: `offset` is the key. */
export const SOURCE_CT = 4;
/** Number of the input device's name, see {@link nameNumber}. */
export const SOURCE_IIFNAME = 5;
/** Number of the output device's name. */
export const SOURCE_OIFNAME = 6;

/** By slot: SOURCE_*. */
export const SOURCE_KINDS: number[] = [];
/** By slot: offset in bytes, or the key. */
export const SOURCE_OFFSETS: number[] = [];
/** By slot: bytes, 1 to 4. */
export const SOURCE_LENGTHS: number[] = [];

const slots = new Map<number, number>();
const names = new Map<string, number>();

/** The slot of a source; there are as many as rulesets have asked for different ones. */
export function sourceSlot(kind: number, offset: number, length: number): number {
  const key = (offset * 8 + kind) * 8 + length;
  let slot = slots.get(key);
  if (slot === undefined) {
    slot = SOURCE_KINDS.length;
    slots.set(key, slot);
    SOURCE_KINDS.push(kind);
    SOURCE_OFFSETS.push(offset);
    SOURCE_LENGTHS.push(length);
  }
  return slot;
}

/** A number for a device name, so that names compare as numbers do. No device is the empty name. */
export function nameNumber(name: string): number {
  let number = names.get(name);
  if (number === undefined) {
    number = names.size;
    names.set(name, number);
  }
  return number;
}

nameNumber('');
