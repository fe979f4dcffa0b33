/**
 * npm run bench:flood [-- FLOWS [SYNS]]
 *
 * What it costs if tuples are chosen by somebody who knows the hash but not its key, and what a SYN flood does to a
 * table that is full of it and to the established flows in it.
 */
import { ATTACKS, ORDINARY, PINGS } from '../engine/conntrack/hostile-tuples.mts';
import { type Run, table, withWorker } from './bundled.ts';
import type { FloodReport } from './flood-worker.ts';

const [flows = 200_000, syns = 5_000_000] = process.argv.slice(2).map(Number);
const MAX = 262_144;

function hashFlooding(run: Run): void {
  const random = run(['tuples', ORDINARY.name, flows, 4]) as number;
  const random6 = run(['tuples', ORDINARY.name, flows, 6]) as number;
  const rows = [...ATTACKS, PINGS].map(({ name }) => {
    const v4 = run(['tuples', name, flows, 4]) as number;
    const v6 = name.startsWith('ping') ? null : (run(['tuples', name, flows, 6]) as number);
    return [name, v4.toFixed(0), (v4 / random).toFixed(2), v6 === null ? '-' : (v6 / random6).toFixed(2)];
  });
  const known = run(['tuples', 'known', 20_000, 4]) as number;
  rows.push([
    'all alike under the very seed (20,000 flows)',
    known.toFixed(0),
    (known / random).toFixed(2),
    '-',
  ]);
  console.log(
    `\nFirst packets of ${flows} flows, ns each; random tuples: ${random.toFixed(0)}, IPv6 ${random6.toFixed(0)}\n`,
  );
  console.log(table(['tuples', 'ns', 'times random', 'times random, IPv6'], rows));
}

function fullTable(run: Run): void {
  const report = run(['syns', syns, MAX]) as FloodReport;
  console.log(`\nA flood of ${syns} SYNs into nf_conntrack_max = ${MAX}, 1000 established flows going on\n`);
  const rows = report.windows.map((ns, i) => [
    `${(i + 1) * 500_000}`,
    ns.toFixed(0),
    (ns / report.windows[Math.min(1, report.windows.length - 1)]!).toFixed(2),
  ]);
  console.log(table(['SYNs', 'ns a packet', 'times the second window'], rows));
  const { most, kept, earlyDrop, drop } = report;
  console.log(
    `\nat most ${most} flows; ${kept} of 1000 established ones kept; early_drop ${earlyDrop}, drop ${drop}`,
  );
  if (kept !== 1000 || most > MAX) process.exitCode = 1;
}

await withWorker('bench/flood-worker.ts', (run) => {
  fullTable(run);
  hashFlooding(run);
});
