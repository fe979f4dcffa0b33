import type { Dice } from '../traffic/dice.ts';

/** Room for what is put in and grows; more than any frame or file made here. */
const ROOM = 1 << 17;
/** Numbers of 8, 16 and 32 bits that lengths, types, versions and counters do not survive. */
const BYTES: readonly number[] = [0, 1, 4, 5, 6, 0x40, 0x45, 0x4f, 0x60, 127, 128, 254, 255];
const HALVES: readonly number[] = [
  0, 1, 3, 4, 7, 8, 19, 20, 21, 39, 40, 255, 256, 0x7fff, 0x8000, 0xfffe, 0xffff,
];
const WORDS: readonly number[] = [
  0, 1, 3, 4, 8, 11, 12, 13, 16, 20, 28, 32, 0xff, 0xffff, 0x10000, 0x40001, 0xffffff, 0x1000000, 0x1000001,
  0x7fffffff, 0x80000000, 0xfffffff0, 0xfffffffc, 0xfffffffd, 0xffffffff,
];

/** Bytes under mutation, in one buffer that is used again and again. What they are lies from `off` to `end`. */
export class Clay {
  readonly bytes: Uint8Array = new Uint8Array(ROOM);
  readonly view: DataView = new DataView(this.bytes.buffer);
  off = 0;
  end = 0;

  /** Takes a copy of some bytes. */
  load(source: Uint8Array): void {
    this.off = 0;
    this.end = source.length;
    this.bytes.set(source);
  }

  /** The bytes as they are now, in the same memory. */
  get now(): Uint8Array {
    return this.bytes.subarray(this.off, this.end);
  }

  /** Moves the bytes so that they end with the buffer: what reads past them throws. */
  toBrink(): void {
    const length = this.end - this.off;
    this.bytes.copyWithin(ROOM - length, this.off, this.end);
    this.off = ROOM - length;
    this.end = ROOM;
  }

  /**
   * One to four changes: flipped bits, tempting numbers, noise, a piece taken out, put in or copied, or all cut short.
   * @param from first byte that may change
   * @param most how many bytes from there on most changes hit
   */
  mutate(dice: Dice, from: number, most: number): void {
    for (let changes = dice.between(1, 4); changes > 0 && this.end > from; changes--) {
      const length = this.end - from;
      this.change(dice, from + dice.below(dice.chance(70) ? Math.min(length, most) : length));
    }
  }

  /** Puts a tempting 32-bit number, of either byte order, or one near to the number that stands there. */
  lie(dice: Dice, at: number): void {
    if (at + 4 > this.end) return;
    const little = dice.chance(50);
    const word = dice.chance(50) ? dice.pick(WORDS) : this.view.getUint32(at, little) + dice.between(-20, 20);
    this.view.setUint32(at, word, little);
  }

  private change(dice: Dice, at: number): void {
    const { bytes, end } = this;
    switch (dice.below(12)) {
      case 0:
      case 1:
      case 2:
        bytes[at]! ^= 1 << dice.below(8);
        break;
      case 3:
      case 4:
        bytes[at] = dice.pick(BYTES);
        break;
      case 5:
        if (at + 2 <= end) this.view.setUint16(at, dice.pick(HALVES));
        break;
      case 6:
        this.lie(dice, at);
        break;
      case 7:
        for (let i = Math.min(dice.between(1, 8), end - at) - 1; i >= 0; i--) bytes[at + i] = dice.below(256);
        break;
      case 8:
        this.takeOut(at, Math.min(dice.between(1, 20), end - at));
        break;
      case 9:
        this.putIn(dice, at, dice.between(1, 20));
        break;
      case 10:
        bytes.copyWithin(at, dice.between(this.off, end - 1), Math.min(end, at + dice.between(1, 64)));
        break;
      default:
        this.end = at;
    }
    if (this.end > ROOM - 64) this.end = ROOM - 64;
  }

  private takeOut(at: number, length: number): void {
    this.bytes.copyWithin(at, at + length, this.end);
    this.end -= length;
  }

  private putIn(dice: Dice, at: number, length: number): void {
    this.bytes.copyWithin(at + length, at, Math.min(this.end, ROOM - length - 64));
    for (let i = 0; i < length; i++) this.bytes[at + i] = dice.below(256);
    this.end += length;
  }
}
