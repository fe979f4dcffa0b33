import { parseAddress } from '@keepstate/engine';
import type { Row } from './sampler.ts';

/** What a row is sorted by. */
export type SortKey = number | string;

/** A way to sort. */
export interface Order {
  /** As --sort has it. */
  readonly name: string;
  /** As the screen says it. */
  readonly label: string;
  /** Whether the largest comes first. */
  readonly down: boolean;
  readonly key: (row: Row) => SortKey;
}

/** Addresses in the order of their numbers, IPv4 before IPv6. */
function addressKey(text: string): string {
  const words = parseAddress(text) ?? [];
  return words.length + words.map((w) => (w >>> 0).toString(16).padStart(8, '0')).join('');
}

function total(row: Row, of: 'packets' | 'bytes'): number {
  const { counters } = row.entry;
  return counters === null ? -1 : counters.original[of] + counters.reply[of];
}

/** Every way to sort, in the order in which `>` goes through them. */
export const ORDERS: readonly Order[] = [
  { name: 'rate', label: 'bytes/s', down: true, key: (row) => row.byteRate ?? -1 },
  { name: 'packet-rate', label: 'packets/s', down: true, key: (row) => row.packetRate ?? -1 },
  { name: 'bytes', label: 'bytes', down: true, key: (row) => total(row, 'bytes') },
  { name: 'packets', label: 'packets', down: true, key: (row) => total(row, 'packets') },
  { name: 'src', label: 'source', down: false, key: ({ entry }) => addressKey(entry.original.src) },
  { name: 'dst', label: 'destination', down: false, key: ({ entry }) => addressKey(entry.original.dst) },
  { name: 'sport', label: 'source port', down: false, key: ({ entry }) => entry.original.sport ?? -1 },
  { name: 'dport', label: 'destination port', down: false, key: ({ entry }) => entry.original.dport ?? -1 },
  { name: 'proto', label: 'protocol', down: false, key: ({ entry }) => entry.protonum },
  { name: 'state', label: 'state', down: false, key: ({ entry }) => entry.state ?? '' },
  // Ends are compared, not what was left at different moments.
  { name: 'left', label: 'time left', down: false, key: ({ entry, at }) => at + entry.timeout },
  { name: 'id', label: 'id', down: true, key: ({ entry }) => entry.flowId },
];

function compare(a: SortKey, b: SortKey): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Compares two rows whose `key` is that of an order; equal ones by id, so that they do not jump about. */
export function compareRows(order: Order, reversed: boolean): (a: Row, b: Row) => number {
  const sign = order.down === reversed ? 1 : -1;
  return (a, b) => sign * compare(a.key, b.key) || a.entry.flowId - b.entry.flowId;
}
