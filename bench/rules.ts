/**
 * npm run bench:rules [-- RULES]
 *
 * What rules cost a packet, in CPU nanoseconds: chains of rules of which none matches (the kinds of docs/performance.md),
 * evaluated expression by expression, compiled, and as generated JavaScript; and lookups in sets of ten and of a
 * million elements. One process a case, on one pinned core.
 */
import { table, withWorker } from './bundled.ts';
import { KINDS } from './rules-kinds.ts';

const RULES = Number(process.argv[2] ?? 1000);
const BACKENDS: readonly string[] = ['one by one', 'compiled', 'generated'];
const SETS: readonly string[] = ['hash', 'vmap', 'interval', 'concat'];
const SMALL = 10;
const LARGE = 1_000_000;

interface SetReport {
  readonly lookup: number;
  /** Milliseconds to fill it. */
  readonly load: number;
}

await withWorker('bench/rules-worker.ts', (run) => {
  const chains = KINDS.map((kind) => [
    kind,
    ...BACKENDS.map((backend) => (run(['chain', kind, RULES, backend]) as number).toFixed(0)),
  ]);
  console.log(table([`${RULES} rules`, ...BACKENDS], chains));
  const sets = SETS.map((kind) => {
    const small = run(['set', kind, SMALL]) as SetReport;
    const large = run(['set', kind, LARGE]) as SetReport;
    if (large.lookup > 2 * small.lookup) process.exitCode = 1;
    return [
      kind,
      small.lookup.toFixed(1),
      large.lookup.toFixed(1),
      (large.lookup / small.lookup).toFixed(2),
      `${large.load.toFixed(0)} ms`,
    ];
  });
  console.log(table(['set', `${SMALL} elements`, `${LARGE}`, 'times', 'load'], sets));
});
