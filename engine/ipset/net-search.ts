import type { Random } from '../base/random.ts';
import type { ElementContext } from './element.ts';
import type { IfaceIds } from './iface-ids.ts';
import { prefixMask } from './parse-value.ts';
import { Prefixes } from './prefixes.ts';
import { NO_ROW, WordTable } from './word-table.ts';

const MASKS_4: readonly (readonly number[])[] = Array.from({ length: 33 }, (_, n) => prefixMask(n, 4));
const MASKS_16: readonly (readonly number[])[] = Array.from({ length: 129 }, (_, n) => prefixMask(n, 16));

/** Says of a row that has the right key whether it counts: not ended, counters as asked. */
export interface RowJudge {
  accepts(row: number): boolean;
  /** Whether a row's interface name is a prefix. */
  isWildcard(row: number): boolean;
}

/** The key without the interface: how many elements a network has. */
class Networks {
  private readonly table: WordTable;
  private readonly uses: number[] = [];
  private readonly last: number[] = [];
  private readonly key: Int32Array;
  private readonly words: number;

  constructor(width: number, words: number, random: Random) {
    this.table = new WordTable(width - 1, random);
    this.key = new Int32Array(width - 1);
    this.words = words;
  }

  /** How many elements a network has. */
  count(key: Int32Array): number {
    this.take(key);
    const row = this.table.find(this.key);
    return row === NO_ROW ? 0 : this.uses[row]!;
  }

  /** Whether a row was the last to come into its network. */
  isLast(key: Int32Array, row: number): boolean {
    this.take(key);
    return this.last[this.table.find(this.key)] === row;
  }

  add(key: Int32Array, element: number): void {
    this.take(key);
    const isNew = this.table.find(this.key) === NO_ROW;
    const row = this.table.insert(this.key);
    this.uses[row] = isNew ? 1 : this.uses[row]! + 1;
    this.last[row] = element;
  }

  remove(key: Int32Array): void {
    this.take(key);
    const row = this.table.find(this.key);
    if (--this.uses[row]! === 0) this.table.remove(row);
  }

  clear(): void {
    this.table.clear();
  }

  private take(key: Int32Array): void {
    for (let i = 0; i < this.words; i++) this.key[i] = key[i]!;
    this.key[this.words] = key[this.words + 1]!;
  }
}

/**
 * Finds what an address is in: the longest prefix first, of the first net before those of the second. As many
 * searches as there are prefix lengths, whatever the number of elements.
 */
export class NetSearch {
  /** Which prefix lengths there are, of the first net and of the second. */
  readonly lengths: readonly Prefixes[] = [new Prefixes(), new Prefixes()];
  /** What is looked for, cut to a prefix. */
  readonly probe: Int32Array;
  /** How many elements have an interface name that is a prefix. */
  wildcards = 0;
  /** The element that was found last, if it does not count. */
  private passedOver: number = NO_ROW;
  private readonly context: ElementContext;
  private readonly table: WordTable;
  private readonly ifaces: IfaceIds;
  private readonly judge: RowJudge;
  private readonly key: Int32Array;
  /** First words of the nets. */
  private readonly nets: readonly number[];
  private readonly masks: readonly (readonly number[])[];
  /** Of hash:net,iface. */
  private readonly networks: Networks | null;

  /** @param key what a packet says, addresses whole */
  constructor(
    context: ElementContext,
    table: WordTable,
    ifaces: IfaceIds,
    judge: RowJudge,
    key: Int32Array,
    random: Random,
  ) {
    const { type, layout } = context;
    this.context = context;
    this.table = table;
    this.ifaces = ifaces;
    this.judge = judge;
    this.key = key;
    this.probe = new Int32Array(layout.width);
    this.nets = type.parts.flatMap((p, i) => (p === 'net' ? [layout.at[i]!] : []));
    this.masks = layout.addressWords === 1 ? MASKS_4 : MASKS_16;
    this.networks = type.parts.includes('iface')
      ? new Networks(layout.width, layout.addressWords, random)
      : null;
  }

  /** Whether the type has any net. */
  get hasNets(): boolean {
    return this.nets.length > 0;
  }

  /** An element with this key was added, to this row. */
  added(key: Int32Array, row: number): void {
    for (let i = 0; i < this.nets.length; i++) this.lengths[i]!.add(this.prefixOf(key, i));
    this.networks?.add(key, row);
  }

  /** An element with this key is gone. */
  removed(key: Int32Array): void {
    for (let i = 0; i < this.nets.length; i++) this.lengths[i]!.remove(this.prefixOf(key, i));
    this.networks?.remove(key);
  }

  /** All elements are gone. */
  clear(): void {
    for (const l of this.lengths) l.clear();
    this.networks?.clear();
    this.wildcards = 0;
  }

  /** The row that counts for the key, NO_ROW if there is none. */
  find(): number {
    if (this.nets.length === 0) {
      const row = this.table.find(this.key);
      return row !== NO_ROW && this.judge.accepts(row) ? row : NO_ROW;
    }
    const first = this.lengths[0]!;
    this.probe.set(this.key);
    for (let i = 0; i < first.count; i++) {
      this.cut(0, first.lengths[i]!);
      const row = this.nets.length === 1 ? this.lookup() : this.findSecond();
      if (row !== NO_ROW) return row;
      if (this.networks !== null && this.endsSearch(this.networks)) return NO_ROW;
    }
    return NO_ROW;
  }

  /**
   * Measured: a network with elements of other interfaces ends the search, unless the one of this interface came
   * last, but does not count (its time is over, or its counters are not as asked).
   */
  private endsSearch(networks: Networks): boolean {
    if (networks.count(this.probe) === 0) return false;
    return this.passedOver === NO_ROW || !networks.isLast(this.probe, this.passedOver);
  }

  /** A packet is added and removed with the longest prefixes that the set has (measured); the key goes to `probe`. */
  cutToOwn(): void {
    const whole = 32 * this.context.layout.addressWords;
    this.probe.set(this.key);
    this.nets.forEach((_, i) => {
      const l = this.lengths[i]!;
      this.cut(i, l.count > 0 ? l.lengths[0]! : whole);
    });
  }

  private findSecond(): number {
    const second = this.lengths[1]!;
    for (let i = 0; i < second.count; i++) {
      this.cut(1, second.lengths[i]!);
      const row = this.lookup();
      if (row !== NO_ROW) return row;
    }
    return NO_ROW;
  }

  private lookup(): number {
    const row = this.table.find(this.probe);
    if (row !== NO_ROW && this.judge.accepts(row)) return row;
    this.passedOver = row;
    return this.wildcards === 0 ? NO_ROW : this.lookupWild();
  }

  private lookupWild(): number {
    const at = this.context.layout.at[1]!;
    const own = this.probe[at]!;
    for (const id of this.ifaces.last) {
      this.probe[at] = (id << 1) | (own & 1);
      const wild = this.table.find(this.probe);
      this.probe[at] = own;
      if (wild !== NO_ROW && this.judge.isWildcard(wild) && this.judge.accepts(wild)) return wild;
    }
    return NO_ROW;
  }

  private prefixOf(key: Int32Array, net: number): number {
    return (key[this.context.layout.prefixes]! >> (8 * net)) & 255;
  }

  /** Writes an address of the key into the probe, cut to a prefix. */
  private cut(net: number, length: number): void {
    const mask = this.masks[length]!;
    const at = this.nets[net]!;
    for (let i = 0; i < mask.length; i++) this.probe[at + i] = this.key[at + i]! & mask[i]!;
    const { prefixes } = this.context.layout;
    this.probe[prefixes] = (this.probe[prefixes]! & ~(255 << (8 * net))) | (length << (8 * net));
  }
}
