/**
 * npm run bench [-- --quick] [--packets N] [--runs N] [--keep] [--compare]
 *
 * Packets per CPU second of keepstate beside softflowd on captures that it makes itself, one process a case on
 * one pinned core, the median of several runs. Quote ratios: these machines are noisy.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { table, withWorker } from './bundled.ts';
import { capture, KINDS, type Kind } from './captures.ts';
import { type BenchResult, type KindResult, keep, lastKept, regressions } from './results.ts';
import { runCase } from './run-case.ts';
import { STAGES } from './stages.ts';
import { times, translationCosts } from './traffic-costs.ts';

const PACKETS = 5_000_000;
const QUICK = 1_000_000;

const { values } = parseArgs({
  options: {
    packets: { type: 'string' },
    runs: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    compare: { type: 'boolean', default: false },
  },
});
const packets = Number(values.packets ?? (values.quick ? QUICK : PACKETS));
const runs = Number(values.runs);
if (!Number.isInteger(packets) || packets < 1 || !Number.isInteger(runs) || runs < 1) {
  console.error('bench: --packets and --runs take whole numbers from 1');
  process.exit(2);
}

interface WorkerReport {
  readonly packets: number;
  readonly flows: number;
  readonly peak: number;
}

const hasSoftflowd = spawnSync('softflowd', ['-h']).error === undefined;
if (!hasSoftflowd) console.warn('bench: softflowd is not installed (apt package softflowd): no ratios');

const peaks = new Map<Kind, WorkerReport>();

function measure(kind: Kind, worker: string, cli: string): KindResult {
  const file = capture(kind, packets);
  const stages: Record<string, number> = {};
  let report: WorkerReport | undefined;
  for (const stage of STAGES) {
    const { cpu, stdout } = runCase([process.execPath, worker, file, stage], runs);
    stages[stage] = (cpu * 1e9) / packets;
    report = JSON.parse(stdout) as WorkerReport;
  }
  peaks.set(kind, report!);
  const sysctl = ['--sysctl', 'nf_conntrack_max=100000000'];
  const text = runCase(
    ['bash', '-c', '"$@" > /dev/null', 'bash', process.execPath, cli, 'trace', ...sysctl, file],
    runs,
  );
  const flows = ['softflowd', '-r', file, '-m', '10000000'];
  stages.text = (text.cpu * 1e9) / packets;
  const rate = (cpu: number): number => Math.round(packets / cpu);
  return {
    kind,
    packets,
    flows: report!.flows,
    tracking: Math.round(1e9 / stages.expiry!),
    text: rate(text.cpu),
    softflowd: hasSoftflowd ? rate(runCase(flows, runs).cpu) : null,
    stages,
  };
}

function print(result: BenchResult): void {
  const m = (rate: number): string => `${(rate / 1e6).toFixed(2)}M`;
  const times = (rate: number, rival: number | null): string =>
    rival === null ? '-' : (rate / rival).toFixed(2);
  console.log('\nPackets per CPU second\n');
  const rates = result.kinds.map(({ kind, flows, tracking, text, softflowd }) => {
    const rival = softflowd === null ? '-' : m(softflowd);
    return [
      kind,
      `${flows}`,
      m(tracking),
      m(text),
      rival,
      times(tracking, softflowd),
      times(text, softflowd),
    ];
  });
  const head = ['capture', 'flows', 'keepstate', 'with text', 'softflowd', 'ratio', 'ratio with text'];
  console.log(table(head, rates));
  console.log('\nCPU ns a packet that each stage takes (the last column: all of them)\n');
  const names = [...STAGES, 'text'];
  const rows = result.kinds.map(({ kind, stages }) => {
    const own = names.map((name, i) => stages[name]! - (i === 0 ? 0 : stages[names[i - 1]!]!));
    return [kind, ...own.map((ns) => ns.toFixed(0)), stages.text!.toFixed(0)];
  });
  console.log(table(['capture', ...names, 'all'], rows));
  console.log(
    `\n${result.bytesPerFlow.toFixed(0)} resident bytes a flow at the peak (${result.machine}, Node ${result.node})`,
  );
}

/** Says what translating every flow takes. */
async function printTranslation(): Promise<void> {
  const rows: string[][] = [];
  await withWorker('bench/rules-traffic-worker.ts', async (_run, runTogether) => {
    for (const kind of ['short', 'long', 'mixed'] as const) {
      const rounds = await translationCosts(runTogether, packets, capture(kind, packets));
      rows.push([kind, ...times(rounds, 'snat', 'none').map((each) => each.toFixed(2))]);
    }
  });
  console.log('\nSNAT of every flow: times as much CPU time as tracking alone, whole run and warm\n');
  console.log(table(['capture', 'times', 'warm'], rows));
}

const folder = mkdtempSync(join(tmpdir(), 'keepstate-bench-'));
try {
  const worker = await bundle(folder, 'bench/worker-file.ts', 'worker.mjs');
  const cli = await bundle(folder, 'cli/main.ts', 'cli.mjs');
  const kinds = KINDS.map((kind) => measure(kind, worker, cli));
  const many = peaks.get('manyflows')!;
  const few = peaks.get('long')!;
  const result: BenchResult = {
    date: new Date().toISOString(),
    machine: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    bytesPerFlow: (many.peak - few.peak) / Math.max(1, many.flows - few.flows),
    kinds,
  };
  print(result);
  await printTranslation();
  const before = values.compare ? lastKept(packets) : null;
  if (values.compare && before === null) console.log(`nothing was kept of ${packets} packets`);
  if (values.keep) console.log(`kept in ${keep(result)}`);
  const worse = before === null ? [] : regressions(result, before);
  for (const line of worse) console.log(line);
  if (worse.length > 0) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
