import type { Family } from './ast.ts';

type Names = readonly (readonly [name: string, value: number, hooks?: readonly string[]])[];

/** Names of priorities (NF_IP_PRI_*) of ip, ip6 and inet; the last two only at their hooks. */
const INET: Names = [
  ['raw', -300],
  ['mangle', -150],
  ['dstnat', -100, ['prerouting']],
  ['filter', 0],
  ['security', 50],
  ['srcnat', 100, ['postrouting']],
];

/** NF_BR_PRI_*. */
const BRIDGE: Names = [
  ['dstnat', -300, ['prerouting']],
  ['filter', -200],
  ['out', 100, ['output']],
  ['srcnat', 300, ['postrouting']],
];

const FILTER: Names = [['filter', 0]];

// nft names what is within ten of a named priority.
const NEAR = 10;

function namesOf(family: Family): Names {
  if (family === 'bridge') return BRIDGE;
  return family === 'arp' || family === 'netdev' ? FILTER : INET;
}

/** The number of a priority's name in a family and at a hook, or undefined if it has none there. */
export function priorityNumber(name: string, family: Family, hook: string): number | undefined {
  return namesOf(family).find(([known, , hooks]) => known === name && (hooks?.includes(hook) ?? true))?.[1];
}

/** `filter`, `dstnat - 1`, `305`. */
export function priorityText(priority: number, family: Family, hook: string): string {
  for (const [name, value, hooks] of namesOf(family)) {
    const offset = priority - value;
    if (Math.abs(offset) > NEAR || !(hooks?.includes(hook) ?? true)) continue;
    if (offset === 0) return name;
    return `${name} ${offset > 0 ? '+' : '-'} ${Math.abs(offset)}`;
  }
  return String(priority);
}
