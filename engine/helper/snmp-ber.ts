/** What SNMP needs of the basic encoding rules (X.690). */

/** Where one is in an encoding. */
export interface Ber {
  readonly view: DataView;
  /** The next byte. */
  at: number;
  /** First byte past what one is in. */
  end: number;
  /** Length of the last value. */
  length: number;
}

/** Bit of a tag: what follows is made of other values. */
const CONSTRUCTED = 0x20;
/** Length of what ends with two zero bytes. */
const INDEFINITE = 0x80;
/** Most bytes that a length may take (measured). */
const LENGTH_BYTES = 2;

/**
 * Reads tag and length.
 * @returns false if there is another tag, or not all of it is there
 */
function readHeader(ber: Ber, tags: readonly number[]): boolean {
  if (ber.end - ber.at < 2 || !tags.includes(ber.view.getUint8(ber.at))) return false;
  let length = ber.view.getUint8(ber.at + 1);
  ber.at += 2;
  if (length >= 0x80) {
    const count = length - 0x80;
    if (count === 0 || count > LENGTH_BYTES || count > ber.end - ber.at) return false;
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + ber.view.getUint8(ber.at++);
  }
  ber.length = length;
  return length <= ber.end - ber.at;
}

/** Reads a primitive value of one of these tags. @returns where its bytes are, -1 if it is none */
export function readValue(ber: Ber, tags: readonly number[]): number {
  if (!readHeader(ber, tags)) return -1;
  const at = ber.at;
  ber.at += ber.length;
  return at;
}

/** What one has stepped into. */
export interface Inside {
  /** Where that around it ends. */
  readonly outer: number;
  /** Whether two zero bytes end it, and not its length. */
  readonly isIndefinite: boolean;
}

/**
 * Steps into a constructed value. Measured: its tag may lack the bit that says so.
 * @param tag with that bit
 * @returns what {@link leave} wants, null if it is none
 */
export function enter(ber: Ber, tag: number): Inside | null {
  const outer = ber.end;
  const { view, at } = ber;
  const isIndefinite = outer - at >= 4 && view.getUint8(at) === tag && view.getUint8(at + 1) === INDEFINITE;
  if (isIndefinite) ber.at += 2;
  else if (!readHeader(ber, [tag, tag ^ CONSTRUCTED])) return null;
  else ber.end = ber.at + ber.length;
  return { outer, isIndefinite };
}

/** Whether there is nothing more in it. */
export function isAtEnd({ view, at, end }: Ber, { isIndefinite }: Inside): boolean {
  return isIndefinite ? end - at < 2 || view.getUint8(at) === 0 : at >= end;
}

/** Steps out of it. @returns false if something is left */
export function leave(ber: Ber, { outer, isIndefinite }: Inside): boolean {
  if (isIndefinite) {
    ber.at += 2;
    return ber.at <= ber.end && ber.view.getUint16(ber.at - 2) === 0;
  }
  const isEnd = ber.at === ber.end;
  ber.end = outer;
  return isEnd;
}
