/** Which prefix lengths the elements of a set have, longest first, so that a search asks for no others. */
export class Prefixes {
  /** The lengths; only the first {@link count} count. */
  readonly lengths: Uint8Array = new Uint8Array(129);
  count = 0;
  private readonly uses: Int32Array = new Int32Array(129);

  /** An element of this length was added. */
  add(length: number): void {
    if (this.uses[length]!++ === 0) this.rebuild();
  }

  /** An element of this length is gone. */
  remove(length: number): void {
    if (--this.uses[length]! === 0) this.rebuild();
  }

  /** All elements are gone. */
  clear(): void {
    this.uses.fill(0);
    this.count = 0;
  }

  private rebuild(): void {
    this.count = 0;
    for (let length = 128; length >= 0; length--)
      if (this.uses[length]! > 0) this.lengths[this.count++] = length;
  }
}
