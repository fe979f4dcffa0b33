import { F_KIND, F_PORTS, F_SRC, F_ZONES, type FlowTable, ROW_WORDS } from './flow-table.ts';

const START_ROWS = 256;

/**
 * Flows whose source is translated, by protocol, source address and source port of their original direction
 * (the kernel's nf_nat_bysource): so that whoever has a translated address and port already gets the same for other
 * destinations. Of one source the latest flow comes first. Empty, and without any memory, where nothing is translated.
 */
export class BySource {
  private readonly table: FlowTable;
  /** First flow of each source, by a hash that different sources may share. */
  private readonly heads: Map<number, number> = new Map();
  /** By row: the next and the previous flow of the same hash, 0 for none. */
  private next: Int32Array = new Int32Array(0);
  private prev: Int32Array = new Int32Array(0);

  constructor(table: FlowTable) {
    this.table = table;
  }

  /** Enters a flow. */
  add(flow: number): void {
    if (flow >= this.next.length) this.grow(flow + 1);
    const key = this.keyOf(flow);
    const head = this.heads.get(key) ?? 0;
    this.next[flow] = head;
    this.prev[flow] = 0;
    if (head !== 0) this.prev[head] = flow;
    this.heads.set(key, flow);
  }

  /** Takes a flow out, which must be in and have the tuple that it had when it was entered. */
  remove(flow: number): void {
    const next = this.next[flow]!;
    const prev = this.prev[flow]!;
    if (next !== 0) this.prev[next] = prev;
    if (prev !== 0) this.next[prev] = next;
    else if (next !== 0) this.heads.set(this.keyOf(flow), next);
    else this.heads.delete(this.keyOf(flow));
  }

  /** The latest flow that may be of a source, 0 if there is none. Compare: others may be among them. */
  first(src: number, port: number, kind: number, zone: number): number {
    return this.heads.get(hash(src, port, kind, zone)) ?? 0;
  }

  /** The one before that, 0 if there is none. */
  after(flow: number): number {
    return this.next[flow]!;
  }

  private keyOf(flow: number): number {
    const w = this.table.words;
    const at = flow * ROW_WORDS;
    return hash(w[at + F_SRC]!, w[at + F_PORTS]! >>> 16, w[at + F_KIND]!, w[at + F_ZONES]! & 0xffff);
  }

  private grow(least: number): void {
    const length = Math.max(START_ROWS, least, this.next.length * 2);
    const next = new Int32Array(length);
    next.set(this.next);
    const prev = new Int32Array(length);
    prev.set(this.prev);
    this.next = next;
    this.prev = prev;
  }
}

/** Nobody gains by making these collide: a list is walked only for a source's own new flows. */
function hash(src: number, port: number, kind: number, zone: number): number {
  let h = Math.imul(src ^ (kind << 24), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ port, 0x85ebca6b);
  return h ^ (h >>> 13) ^ (zone << 8) ^ kind;
}
