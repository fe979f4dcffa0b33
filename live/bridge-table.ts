/** Sets of addresses, and how many each holds. */
const SETS = 1024;
const WAYS = 4;
/** Words of an entry: upper 16 bits of the address with the port and a mark that it is in use, lower 32 bits. */
const WORDS = 2;
const USED = 1 << 30;
const PORT_SHIFT = 16;
const PORT_MASK = 0x3ff;
/** Bit of an address's first byte: it is a group's. */
export const GROUP = 1;

/** How long an address is believed to be where it was seen last (ms): the kernel's bridge says 300 s too. */
export const AGEING: number = 300_000;

/**
 * Which port a station was seen at last. Of fixed size: where many addresses fall into one set the oldest is forgotten,
 * and frames to it go to all ports, so that a flood of made up addresses costs nothing but that.
 */
export class BridgeTable {
  private readonly entries: Int32Array = new Int32Array(SETS * WAYS * WORDS);
  private readonly seen: Float64Array = new Float64Array(SETS * WAYS);

  /**
   * Notes where a frame came from.
   * @param at its source address
   * @param port from 0 to 1023
   * @param now ms
   */
  learn(view: DataView, at: number, port: number, now: number): void {
    const high = view.getUint16(at);
    if (((high >>> 8) & GROUP) !== 0) return;
    const low = view.getInt32(at + 2);
    let entry = this.find(high, low);
    if (entry < 0) entry = this.oldest(high, low);
    this.entries[entry * WORDS] = high | USED | (port << PORT_SHIFT);
    this.entries[entry * WORDS + 1] = low;
    this.seen[entry] = now;
  }

  /**
   * @param at a frame's destination address
   * @returns the port behind which it is, -1 if that is not known
   */
  portOf(view: DataView, at: number, now: number): number {
    const entry = this.find(view.getUint16(at), view.getInt32(at + 2));
    if (entry < 0 || now - this.seen[entry]! > AGEING) return -1;
    return (this.entries[entry * WORDS]! >>> PORT_SHIFT) & PORT_MASK;
  }

  /** Forgets the stations at a port. */
  forget(port: number): void {
    const { entries } = this;
    for (let i = 0; i < entries.length; i += WORDS)
      if (((entries[i]! >>> PORT_SHIFT) & PORT_MASK) === port) entries[i] = 0;
  }

  private find(high: number, low: number): number {
    const { entries } = this;
    const wanted = high | USED;
    const first = setOf(high, low);
    for (let entry = first; entry < first + WAYS; entry++) {
      const word = entries[entry * WORDS]! & ~(PORT_MASK << PORT_SHIFT);
      if (word === wanted && entries[entry * WORDS + 1] === low) return entry;
    }
    return -1;
  }

  private oldest(high: number, low: number): number {
    const { entries, seen } = this;
    const first = setOf(high, low);
    let oldest = first;
    for (let entry = first; entry < first + WAYS; entry++) {
      if (entries[entry * WORDS] === 0) return entry;
      if (seen[entry]! < seen[oldest]!) oldest = entry;
    }
    return oldest;
  }
}

/** Index of the first entry of an address's set. */
function setOf(high: number, low: number): number {
  return (Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 22) * WAYS;
}
