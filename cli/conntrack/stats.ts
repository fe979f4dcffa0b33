import type { ControlStats } from '../control/protocol.ts';
import type { CpuStats, TableStats } from './table.ts';

function cpuLine({ cpu, counts }: CpuStats): string {
  const fields = counts.map(([name, count]) => `${name}=${count} `).join('');
  return `cpu=${String(cpu).padEnd(4)}\t${fields}\n`;
}

/** The counts of a table without CPUs as those of one CPU: what it does not count is 0. */
function oneCpu(stats: TableStats, expect: boolean): CpuStats {
  const counts: CpuStats['counts'] = expect
    ? [
        ['expect_new', stats.expectNew],
        ['expect_create', stats.expectCreate],
        ['expect_delete', stats.expectDelete],
      ]
    : [
        ...(['found', 'invalid'] as const).map((name) => [name, 0] as const),
        ['insert', stats.insert],
        ...(['insert_failed', 'drop', 'early_drop', 'error'] as const).map((name) => [name, 0] as const),
        ...(['search_restart', 'clash_resolve', 'chaintoolong'] as const).map((name) => [name, 0] as const),
      ];
  return { cpu: 0, counts };
}

/** What `conntrack -S` prints: a line for each CPU. @param expect of the table of expectations */
export function statsText(stats: TableStats, expect: boolean): string {
  const { cpus } = stats;
  const all = expect ? cpus?.expectations : cpus?.flows;
  return (all ?? [oneCpu(stats, expect)]).map(cpuLine).join('');
}

/** The counts of a running keepstate, which are those of one CPU. */
export function oneCpuOf(stats: ControlStats): NonNullable<TableStats['cpus']> {
  const flows: CpuStats['counts'] = [
    ['found', stats.found],
    ['invalid', stats.invalid],
    ['insert', stats.insert],
    ['insert_failed', stats.insert_failed],
    ['drop', stats.drop],
    ['early_drop', stats.early_drop],
    ['error', stats.error],
    // A table that grows neither restarts a search nor has chains.
    ['search_restart', 0],
    ['clash_resolve', stats.clash_resolve],
    ['chaintoolong', 0],
  ];
  return {
    flows: [{ cpu: 0, counts: flows }],
    expectations: [{ cpu: 0, counts: oneCpu(stats, true).counts }],
  };
}
