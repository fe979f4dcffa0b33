import {
  attributeFrom,
  attributeLength,
  attributeType,
  isAttribute,
  messageEnd,
  messageResource,
  NFNL_HEADER,
  nextAttribute,
} from './netlink.ts';

/** What the kernel counts on one CPU, in its order: names as `conntrack -S` has them. */
export interface KernelCpuStats {
  readonly cpu: number;
  readonly counts: readonly (readonly [name: string, count: number])[];
}

/** Names of CTA_STATS_*; those without were counted by kernels before 4.4 or so, and are shown by their old names. */
const FLOW_COUNTS: readonly (string | undefined)[] = [
  ...([
    undefined,
    'searched',
    'found',
    'new',
    'invalid',
    'ignore',
    'delete',
    'delete_list',
    'insert',
  ] as const),
  ...([
    'insert_failed',
    'drop',
    'early_drop',
    'error',
    'search_restart',
    'clash_resolve',
    'chaintoolong',
  ] as const),
];

/** Names of CTA_STATS_EXP_*. */
const EXPECT_COUNTS: readonly (string | undefined)[] = [
  undefined,
  'expect_new',
  'expect_create',
  'expect_delete',
];

/**
 * Reads the counts of one CPU in the message at `at`.
 * @param expect of expectations: the message does not say, Linux 6.18 gives them the type of the others
 */
export function readCpuStats(view: DataView, at: number, expect: boolean): KernelCpuStats {
  const names = expect ? EXPECT_COUNTS : FLOW_COUNTS;
  return { cpu: messageResource(view, at), counts: readCounts(view, at, names) };
}

function readCounts(view: DataView, at: number, names: readonly (string | undefined)[]): [string, number][] {
  const counts: [string, number][] = [];
  const end = messageEnd(view, at);
  for (let i = at + NFNL_HEADER; isAttribute(view, i, end); i = nextAttribute(view, i)) {
    const name = names[attributeType(view, i)];
    if (name !== undefined && attributeLength(view, i) >= 4)
      counts.push([name, view.getUint32(attributeFrom(i))]);
  }
  return counts;
}

/** Reads how many flows there are out of the answer to CT_GET_STATS at `at`. */
export function readEntryCount(view: DataView, at: number): number {
  return readCounts(view, at, [undefined, 'entries'])[0]?.[1] ?? 0;
}
