/**
 * npm run bench:memory [-- --quick]
 *
 * Resident bytes a flow at two million flows, and whether what is resident grows with the packets that have passed or
 * with the size of a capture. Fails if it does.
 */
import { IPPROTO_TCP, IPPROTO_UDP } from '../engine/index.ts';
import { type Run, table, withWorker } from './bundled.ts';
import type { MemoryReport } from './memory-worker.ts';

const quick = process.argv.includes('--quick');
const MiB = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
const GC: readonly string[] = ['--expose-gc'];

function perFlow(run: Run): void {
  const count = quick ? 500_000 : 2_000_000;
  const rows = [['UDP', IPPROTO_UDP] as const, ['TCP', IPPROTO_TCP] as const].map(([name, proto]) => {
    const empty = run(['flows', proto, 1], GC) as MemoryReport;
    const full = run(['flows', proto, count], GC) as MemoryReport;
    const bytes = (full.rss - empty.rss) / (full.flows - empty.flows);
    if (full.features || bytes > 160.5) process.exitCode = 1;
    return [name, `${full.flows}`, MiB(empty.rss), MiB(full.rss), MiB(full.peak), bytes.toFixed(1)];
  });
  console.log('\nResident MiB, counters and start times off\n');
  console.log(table(['flows of', 'flows', 'none', 'all', 'peak', 'bytes a flow'], rows));
}

function growth(run: Run): void {
  const packets = quick ? 5_000_000 : 50_000_000;
  const chunks = quick ? 500 : 5000;
  const churn = run(['churn', packets], GC) as MemoryReport;
  const capture = run(['capture', chunks], GC) as MemoryReport;
  console.log('\nResident MiB at each tenth of the way\n');
  const row = (name: string, r: MemoryReport): string[] => [
    name,
    `${r.flows}`,
    ...r.tenths.map(MiB),
    MiB(r.peak),
  ];
  const tenths = Array.from({ length: 10 }, (_, i) => `${i + 1}/10`);
  console.log(
    table(
      ['', 'flows', ...tenths, 'peak'],
      [
        row(`${packets / 1e6}M packets of short flows`, churn),
        row(`a capture of ${((chunks * 4) / 1024).toFixed(1)} GiB`, capture),
      ],
    ),
  );
  for (const { tenths: all, peak } of [churn, capture])
    if (all.at(-1)! > all[1]! * 1.05 + 2 ** 21 || peak > 300 * 2 ** 20) process.exitCode = 1;
}

await withWorker('bench/memory-worker.ts', (run) => {
  perFlow(run);
  growth(run);
});
