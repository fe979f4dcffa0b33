import type { Random } from '../base/random.ts';
import { WordTable } from '../ipset/word-table.ts';
import { ConnCount } from '../rules/conn-count.ts';
import type { HookState } from '../rules/hook-state.ts';

/** From so many networks on those without a connection are looked for, and forgotten. */
const MANY = 4096;

/**
 * The connections of networks, each made when its first packet comes. Whoever makes up addresses makes no more of them
 * than twice as many as have connections: the others go each time that there are twice as many as were left.
 */
export class ConnNetworks {
  private readonly table: WordTable;
  private readonly counts: ConnCount[] = [];
  private sweepAt = MANY;

  /** @param width words of a network's key, `random` keys the hash table */
  constructor(width: number, random: Random) {
    this.table = new WordTable(width, random);
  }

  /** How many networks are known. */
  get size(): number {
    return this.table.count;
  }

  /** As {@link ConnCount.add}, for the network of a key. */
  add(key: Int32Array, state: HookState): number {
    if (this.table.count >= this.sweepAt) this.sweep(state);
    const row = this.table.insert(key);
    this.counts[row] ??= new ConnCount();
    return this.counts[row].add(state);
  }

  private sweep(state: HookState): void {
    for (let row = 0; row < this.table.rows; row++) {
      if (!this.table.has(row) || !this.counts[row]!.isIdle(state)) continue;
      this.table.remove(row);
      this.counts[row] = new ConnCount();
    }
    this.sweepAt = Math.max(MANY, 2 * this.table.count);
  }
}
