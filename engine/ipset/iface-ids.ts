import type { IfaceNames } from './element.ts';

/** Which numbers the name of an interface and its beginnings have, kept so that a packet makes nothing. */
export class IfaceIds {
  /** Of the name that was asked for last: the numbers of its beginnings, longest first. */
  last: readonly number[] = [];
  private readonly names: IfaceNames;
  private readonly known: Map<string, readonly number[]> = new Map();
  private size = 0;

  constructor(names: IfaceNames) {
    this.names = names;
  }

  /** The number of a device's name, -1 if no element has it; {@link last} is set. */
  idOf(name: string): number {
    this.last = this.prefixesOf(name);
    return this.names.find(name);
  }

  /** The numbers of a name and its beginnings that any element has, longest first. */
  prefixesOf(name: string): readonly number[] {
    if (this.size !== this.names.size) {
      this.size = this.names.size;
      this.known.clear();
    }
    let ids = this.known.get(name);
    if (ids === undefined) {
      ids = Array.from({ length: name.length }, (_, i) => this.names.find(name.slice(0, name.length - i)));
      ids = ids.filter((id) => id >= 0);
      this.known.set(name, ids);
    }
    return ids;
  }
}
