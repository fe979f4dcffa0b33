import { AF_INET } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import type { Expectation } from './expectation.ts';
import type { SavedExpectation } from './snapshot-format.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE, TUPLE_WORDS } from './tuple.ts';

/**
 * Puts an expectation back.
 * @param master row of its master, which is in the table
 * @param shift what is added to all times (ms)
 * @returns false if the function that translates its flow, or the helper of that flow, is not there
 */
export function restoreExpectation(
  ct: Conntrack,
  one: SavedExpectation,
  master: number,
  shift: number,
): boolean {
  const ext = ct.extend(master);
  const maker =
    one.fn === undefined ? null : (ext.helper?.expectFns?.get(one.fn) ?? ct.expectFns.get(one.fn));
  const helper = one.helper === undefined ? null : ct.findHelper(one.helper[0], one.helper[2], one.helper[1]);
  if (maker === undefined || (one.helper !== undefined && helper === null)) return false;
  const tuple = new Int32Array(TUPLE_WORDS);
  const held: number[] = [];
  const word = (words: readonly number[], isSource: boolean): number => {
    if (one.family === AF_INET) return words[0]! | 0;
    // Of IPv6 no source is handle 0, as helpers leave it.
    if (isSource && words.every((w) => w === 0)) return 0;
    const handle = ct.addressWord(words);
    ct.pool.hold(handle);
    held.push(handle);
    return handle;
  };
  tuple[T_SRC] = word(one.src, true);
  tuple[T_DST] = word(one.dst, false);
  tuple[T_PORTS] = one.ports;
  tuple[T_KIND] = one.proto | (one.family << 8);
  tuple[T_ZONE] = one.zone;
  const expected: Expectation = {
    master,
    tuple,
    sourceMask: one.sourceMask.map((w) => w | 0),
    portMask: one.portMask,
    class: one.class,
    flags: one.flags,
    helper,
    expires: one.expires + shift,
    id: 0,
    onMatch: maker === null ? null : maker(ct, master),
    dir: one.dir,
    savedPort: one.savedPort,
    savedAddress: one.savedAddress,
  };
  ct.expectations.nextId = one.id;
  ct.expectations.add(expected);
  // It was counted when it was made.
  ct.expectations.counts.expect_create--;
  ext.expectations.push(expected);
  for (const handle of held) ct.pool.release(handle);
  return true;
}
