import type { HookState } from './hook-state.ts';

/**
 * How values get into registers, as the kernel puts them there: a value shorter than a word leaves the rest of that
 * word zero; words of a longer value that it does not fill to the end are zero behind it.
 */

/** Stores a byte; the three bytes behind it become zero. */
export function store8(state: HookState, at: number, value: number): void {
  state.regView.setUint32(at, value & 0xff, true);
}

/** Stores 16 bits in this machine's order; the two bytes behind them become zero. */
export function store16(state: HookState, at: number, value: number): void {
  state.regView.setUint32(at, value & 0xffff, true);
}

/** Stores 16 bits in network order; the two bytes behind them become zero. */
export function store16be(state: HookState, at: number, value: number): void {
  state.regView.setUint32(at, (value & 0xffff) << 16, false);
}

/** Stores a word in this machine's order. */
export function store32(state: HookState, at: number, value: number): void {
  state.regView.setInt32(at, value, true);
}

/** Stores a word in network order. */
export function store32be(state: HookState, at: number, value: number): void {
  state.regView.setInt32(at, value, false);
}

/** Stores a whole number up to 2^53 as 64 bits in this machine's order. */
export function store64(state: HookState, at: number, value: number): void {
  state.regView.setInt32(at, value | 0, true);
  state.regView.setInt32(at + 4, Math.floor(value / 0x100000000), true);
}

/**
 * Copies bytes of a packet or of data into registers, with zeros to the end of the last word.
 * @param at first byte of the register
 * @param from where they stand, `off` their first byte
 */
export function storeBytes(state: HookState, at: number, from: DataView, off: number, len: number): void {
  const { regs, regView } = state;
  let i = 0;
  for (; i + 4 <= len; i += 4) regView.setInt32(at + i, from.getInt32(off + i));
  if (i === len) return;
  regView.setInt32(at + i, 0);
  for (; i < len; i++) regs[at + i] = from.getUint8(off + i);
}

/**
 * Compares a register with data, byte by byte from the first (memcmp).
 * @returns below 0, 0 or above 0
 */
export function compareRegister(regs: Uint8Array, at: number, data: Uint8Array): number {
  for (let i = 0; i < data.length; i++) {
    const difference = regs[at + i]! - data[i]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Bytes as words as registers hold them, the last one filled up with zeros. A plain array: rulesets have many
 * thousands of a word or two, and a typed array has two hundred bytes beside them.
 */
export function toWords(bytes: Uint8Array): number[] {
  const out: number[] = new Array<number>((bytes.length + 3) >> 2).fill(0);
  for (let i = 0; i < bytes.length; i++) out[i >> 2]! |= bytes[i]! << (8 * (i & 3));
  return out;
}
