import { jiffies, ONE_JIFFY } from '../rules/set-store.ts';
import type { SetNode } from './ast.ts';
import type { U64 } from './ast-expr.ts';

/** A time as the kernel keeps it (ms): whole ticks and at least one; none where it is 0 (measured). */
export function keptTime(ms: U64 | undefined): U64 | undefined {
  if (ms === undefined || BigInt(ms) === 0n) return undefined;
  return typeof ms === 'bigint' ? ms : Math.max(ONE_JIFFY, jiffies(ms));
}

/**
 * What the kernel keeps of a set's declaration (measured): a 0 says nothing, times are whole ticks, and what is constant
 * has room for as many elements as it was declared with.
 */
export function keptDeclaration(node: SetNode): SetNode {
  const { timeout, size, 'gc-interval': gc } = node;
  const interval = BigInt(gc ?? 0) === 0n ? undefined : gc;
  return {
    ...node,
    timeout: keptTime(timeout),
    'gc-interval': interval,
    size: constantSize(node) ?? (size || undefined),
  };
}

function constantSize({ flags = [], declared = 0 }: SetNode): number | undefined {
  if (!flags.includes('constant') || declared === 0) return undefined;
  // An interval is two of the tree's elements; one more begins it.
  return flags.includes('interval') ? 2 * declared + 1 : declared;
}
