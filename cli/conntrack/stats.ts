import type { TableStats } from './table.ts';

/** What `conntrack -S` prints: one line, since a table has no CPUs. @param expect of the table of expectations */
export function statsText(stats: TableStats, expect: boolean): string {
  const fields = expect
    ? `expect_new=${stats.expectNew} expect_create=${stats.expectCreate} expect_delete=${stats.expectDelete} `
    : `found=0 invalid=0 insert=${stats.insert} insert_failed=0 drop=0 early_drop=0 error=0 ` +
      'search_restart=0 clash_resolve=0 chaintoolong=0 ';
  return `cpu=0   \t${fields}\n`;
}
