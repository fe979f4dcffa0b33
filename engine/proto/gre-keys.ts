/** One direction of a call's GRE packets, as a PPTP control connection told of it. */
interface GreKey {
  /** Who told of it; removed with it. */
  readonly owner: object;
  /** 0 for what the client sends, 1 for the server. */
  readonly dir: number;
  readonly src: number;
  readonly dst: number;
  readonly srcKey: number;
  readonly dstKey: number;
}

/** Direction, addresses of sender and receiver as words, and call ids of both. */
export type GreKeyWords = readonly [dir: number, src: number, dst: number, srcKey: number, dstKey: number];

/**
 * Call ids that PPTP control connections told of (nf_ct_gre_keymap). A GRE packet carries only its receiver's call id;
 * the sender's, which makes both directions one flow, is looked up here. IPv4 alone.
 */
export class GreKeys {
  /** How many there are; nearly always none. */
  count = 0;
  private readonly byDestination: Map<number, GreKey[]> = new Map();

  /**
   * Notes one direction of a call.
   * @param src address of the sender, `dst` of the receiver, as words
   * @returns false if the owner has told of another one in this direction, which stays
   */
  add(owner: object, dir: number, src: number, dst: number, srcKey: number, dstKey: number): boolean {
    const there = this.all().find((key) => key.owner === owner && key.dir === dir);
    if (there !== undefined) return there.src === src && there.dst === dst && there.dstKey === dstKey;
    const at = mix(src, dst, dstKey);
    const list = this.byDestination.get(at);
    const made = { owner, dir, src, dst, srcKey, dstKey };
    if (list === undefined) this.byDestination.set(at, [made]);
    else list.push(made);
    this.count++;
    return true;
  }

  /** Forgets what an owner told of. */
  remove(owner: object): void {
    if (this.count === 0) return;
    for (const [at, list] of this.byDestination) {
      const left = list.filter((key) => key.owner !== owner);
      this.count -= list.length - left.length;
      if (left.length === 0) this.byDestination.delete(at);
      else if (left.length < list.length) this.byDestination.set(at, left);
    }
  }

  /** The sender's call id, 0 if it is not known. */
  find(src: number, dst: number, dstKey: number): number {
    const list = this.byDestination.get(mix(src, dst, dstKey));
    if (list === undefined) return 0;
    for (let i = 0; i < list.length; i++) {
      const key = list[i]!;
      if (key.src === src && key.dst === dst && key.dstKey === dstKey) return key.srcKey;
    }
    return 0;
  }

  /** What an owner told of, as {@link add} takes it: dir, src, dst, srcKey, dstKey. */
  of(owner: object): GreKeyWords[] {
    return this.all()
      .filter((key) => key.owner === owner)
      .map(({ dir, src, dst, srcKey, dstKey }) => [dir, src, dst, srcKey, dstKey]);
  }

  private all(): GreKey[] {
    return [...this.byDestination.values()].flat();
  }
}

function mix(src: number, dst: number, dstKey: number): number {
  return src ^ Math.imul(dst, 0x9e3779b1) ^ (dstKey << 8);
}
