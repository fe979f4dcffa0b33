import * as F from '../../engine/conntrack/flow-table.ts';
import * as T from '../../engine/conntrack/tuple.ts';
import type { Firewall } from '../../engine/hook/firewall.ts';
import { AF_INET } from '../../engine/packet/packet.ts';

/** Both tuples of a row. */
function tuplesOf(words: Int32Array, row: number): [T.Tuple, T.Tuple] {
  const at = row * F.ROW_WORDS;
  const side = (first: number, zone: number): T.Tuple => {
    const t = new Int32Array(T.TUPLE_WORDS);
    t.set(words.subarray(at + first, at + first + 3), T.T_SRC);
    t[T.T_KIND] = words[at + F.F_KIND]!;
    t[T.T_ZONE] = zone;
    return t;
  };
  const zones = words[at + F.F_ZONES]!;
  return [side(F.F_SRC, zones & 0xffff), side(F.F_RSRC, zones >>> 16)];
}

/** Plain comparisons: expect() would take most of the time of a fuzz run. */
function same(found: number, wanted: number, what: string, row: number): void {
  if (found !== wanted) throw new Error(`the table is broken: ${what} ${row} is ${found}, not ${wanted}`);
}

/**
 * Checks that a firewall's table holds together, between two packets, when no flow is unconfirmed: every row is found
 * by both its tuples, is not due, and has an id of its own; addresses are held as often as rows hold them.
 * @throws Error with what is wrong
 */
export function checkTable({ conntrack, settings }: Firewall): void {
  const { table, pool, now } = conntrack;
  const held = new Map<number, number>();
  const ids = new Set<number>();
  let rows = 0;
  conntrack.eachFlow((row) => {
    rows++;
    const [original, reply] = tuplesOf(table.words, row);
    same(table.find(original) >> 1, row, 'by its original tuple, row', row);
    same(table.find(reply), (row << 1) | 1, 'by its reply tuple, row', row);
    ids.add(table.words[row * F.ROW_WORDS + F.F_ID]!);
    const due = table.doubles[(row * F.ROW_WORDS + F.F_EXPIRES) / 2]!;
    if (!(due > now)) throw new Error(`the table is broken: row ${row} was due at ${due}, it is ${now}`);
    if (original[T.T_KIND]! >>> 8 === AF_INET) return;
    for (const handle of [original[T.T_SRC]!, original[T.T_DST]!])
      held.set(handle, (held.get(handle) ?? 0) + 1);
  });
  same(rows, table.count, 'confirmed rows of all', table.count);
  same(ids.size, rows, 'ids of rows', rows);
  if (rows > settings.get('nf_conntrack_max')) throw new Error(`${rows} rows are more than nf_conntrack_max`);
  same(pool.size, held.size, 'addresses of', held.size);
  const { refs } = pool as unknown as { refs: Int32Array };
  for (const [handle, count] of held) same(refs[handle]!, count, 'references of handle', handle);
}
