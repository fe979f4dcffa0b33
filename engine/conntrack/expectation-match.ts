import type { AddressPool } from './address-pool.ts';
import type { Expectation } from './expectation.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE } from './tuple.ts';

/** Whether two expectations are of the same flows: tuple and mask (expect_matches). Masters are not looked at. */
export function isSame(a: Expectation, b: Expectation): boolean {
  return (
    a.tuple.every((word, i) => word === b.tuple[i]) &&
    a.portMask === b.portMask &&
    a.sourceMask.every((word, i) => word === b.sourceMask[i])
  );
}

/** Whether one flow could match both (expect_clash): where both masks look they want the same. */
export function clashes(a: Expectation, b: Expectation, pool: AddressPool): boolean {
  const { tuple: s } = a;
  const { tuple: t } = b;
  if (s[T_DST] !== t[T_DST] || s[T_KIND] !== t[T_KIND] || s[T_ZONE] !== t[T_ZONE]) return false;
  const ports = ((a.portMask & b.portMask) << 16) | 0xffff;
  if (((s[T_PORTS]! ^ t[T_PORTS]!) & ports) !== 0) return false;
  const word = (of: number, i: number): number => (a.sourceMask.length === 1 ? of : pool.word(of, i));
  return a.sourceMask.every(
    (mask, i) => ((word(s[T_SRC]!, i) ^ word(t[T_SRC]!, i)) & mask & b.sourceMask[i]!) === 0,
  );
}
