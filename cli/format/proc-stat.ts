import type { CpuStats, TableStats } from '../conntrack/table.ts';

/** The first line of /proc/net/stat/nf_conntrack (Linux 6.18): the blanks are the kernel's. */
const PROC_STAT_HEAD: string =
  'entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  ' +
  'expect_new expect_create expect_delete search_restart';

/** What each column behind `entries` counts, by the names of `conntrack -S`; null for what is no longer counted. */
const COLUMNS: readonly (string | null)[] = [
  ...(['clash_resolve', 'found', null, 'invalid', null, null, 'chaintoolong', 'insert'] as const),
  ...(['insert_failed', 'drop', 'early_drop', 'error'] as const),
  ...(['expect_new', 'expect_create', 'expect_delete', 'search_restart'] as const),
];
/** The columns that two blanks stand before. */
const WIDE: readonly number[] = [0, 12];

function hex(n: number): string {
  return (n >>> 0).toString(16).padStart(8, '0');
}

function cpuLine(entries: number, counts: ReadonlyMap<string, number>): string {
  const cells = COLUMNS.map((name, i) => {
    const count = name === null ? 0 : (counts.get(name) ?? 0);
    return `${WIDE.includes(i) ? '  ' : ' '}${hex(count)}`;
  });
  return hex(entries) + cells.join('');
}

/**
 * The lines of /proc/net/stat/nf_conntrack, without newlines: a head, and one line for each CPU.
 * @param entries how many flows there are, which every line says
 */
export function procStat(entries: number, stats: TableStats): readonly string[] {
  const { insert, expectNew, expectCreate, expectDelete, cpus } = stats;
  const one: CpuStats = { cpu: 0, counts: [['insert', insert]] };
  const expected: CpuStats['counts'] = [
    ['expect_new', expectNew],
    ['expect_create', expectCreate],
    ['expect_delete', expectDelete],
  ];
  const flows = cpus?.flows ?? [one];
  const expectations = cpus?.expectations ?? [{ cpu: 0, counts: expected }];
  return [
    PROC_STAT_HEAD,
    ...flows.map(({ cpu, counts }) => {
      const rest = expectations.find((e) => e.cpu === cpu)?.counts ?? [];
      return cpuLine(entries, new Map([...counts, ...rest]));
    }),
  ];
}
