/**
 * The whole table after every packet, at the price of its few entries: a dump walks the hash table of the machine
 * (262,144 buckets, 5 to 11 ms), a lookup costs microseconds. New entries become known by their NEW events.
 */
import { type ConntrackTable, EventReader, entryRequest } from './ctnetlink.ts';
import type { NetlinkMessage } from './netlink.ts';
import type { KernelEntry } from './types.ts';

/** Follows the entries of one table. */
export class TableWatch {
  private readonly table: ConntrackTable;
  private readonly events: EventReader = new EventReader();
  private readonly known: Map<string, Buffer> = new Map();
  private last: readonly KernelEntry[] = [];

  constructor(table: ConntrackTable) {
    this.table = table;
    table.dump((received) => this.learn(received));
  }

  /** All entries now, in the order of their creation. */
  snapshot(): KernelEntry[] {
    this.events.drain((type, received) => {
      if (type === 'NEW') this.learn(received);
    });
    const entries: KernelEntry[] = [];
    for (const [key, request] of this.known) {
      const entry = this.table.get(request);
      if (entry === null) this.known.delete(key);
      else entries.push(entry);
    }
    this.last = entries;
    return entries;
  }

  /** Throws if a real dump, made after the last snapshot, has an entry that the snapshot had not. */
  verify(dump: readonly KernelEntry[]): void {
    const ids = new Set(this.last.map((entry) => entry.id));
    if (dump.every((entry) => ids.has(entry.id))) return;
    throw new Error('dumpEvery missed an entry: are conntrack events switched off?');
  }

  close(): void {
    this.events.close();
  }

  private learn(received: NetlinkMessage): void {
    const request = entryRequest(received);
    const key = request.toString('latin1');
    this.known.delete(key); // the tuple may have been taken by a younger entry
    this.known.set(key, request);
  }
}
