/**
 * npm run bench:expiry [-- RUNS]
 *
 * How much of a packet's time goes to letting time pass: the wheel, and taking out what has run out. Fails if it is
 * more than a tenth.
 */
import { type Run, table, withWorker } from './bundled.ts';
import type { ExpiryReport } from './expiry-worker.ts';

const RUNS = Number(process.argv[2] ?? 3);
const SIZES: readonly number[] = [10_000, 100_000, 1_000_000, 2_000_000];

/** Of several runs the one with the median share. */
function median(run: Run, kind: string, flows: number): ExpiryReport {
  const reports = Array.from({ length: RUNS }, () => run([kind, flows]) as ExpiryReport);
  return reports.sort((a, b) => a.expiry / a.packet - b.expiry / b.packet)[RUNS >> 1]!;
}

await withWorker('bench/expiry-worker.ts', (run) => {
  const rows = ['short', 'long'].flatMap((kind) =>
    SIZES.map((size) => {
      const { flows, expired, packet, expiry } = median(run, kind, size);
      if (expiry > packet / 10) process.exitCode = 1;
      return [
        kind,
        `${flows}`,
        `${expired}`,
        packet.toFixed(0),
        expiry.toFixed(1),
        `${((100 * expiry) / packet).toFixed(1)} %`,
      ];
    }),
  );
  console.log(table(['flows', 'at once', 'expired', 'ns a packet', 'of that expiry', 'share'], rows));
});
