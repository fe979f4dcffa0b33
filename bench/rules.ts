/**
 * npm run bench:rules [-- chains|sets|traffic|nat|load …]
 *
 * What rules cost in CPU time, one process a case, on one pinned core: chains of rules of which none matches (the kinds
 * of docs/performance.md) beside this machine's kernel; look-ups in sets of ten and of a million elements; an ordinary
 * ruleset on top of tracking; translation of none and of all flows; the loading of large ones. Fails if an aim is missed. Quote ratios.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { rulesUnavailable } from '../tests/kernel/rules-oracle.ts';
import { type Run, type RunTogether, table, withWorker } from './bundled.ts';
import { capture, type Kind } from './captures.ts';
import { PINNED } from './pinned.ts';
import { KINDS } from './rules-kinds.ts';
import { costs, times, translationCosts } from './traffic-costs.ts';

const PARTS: readonly string[] = process.argv.slice(2);
const RULES = 1000;
const BACKENDS: readonly string[] = ['one by one', 'compiled', 'generated'];
const KERNELS: readonly string[] = ['nft', 'iptables-legacy'];
const KERNEL_PACKETS = 20_000;
const SETS: readonly string[] = ['hash', 'vmap', 'interval', 'concat'];
const SMALL = 10;
const LARGE = 1_000_000;
const TRAFFIC: readonly Kind[] = ['short', 'long', 'mixed'];
const TRAFFIC_PACKETS = 5_000_000;
const LOADS: readonly (readonly [string, number])[] = [
  ['plain', 50_000],
  ['kube-iptables', 5000],
  ['kube-nft', 5000],
];

/** Aims: part of nft's time, million to ten elements, with rules to without, with unused NAT to without, milliseconds. */
const AIM = { kernel: 0.1, sets: 2, ordinary: 4 / 3, unused: 10 / 9, load: 2000 };

const KERNEL_WORKER: string = fileURLToPath(new URL('./rules-kernel-worker.ts', import.meta.url));

function judge(isMet: boolean): void {
  if (!isMet) process.exitCode = 1;
}

/** CPU nanoseconds a packet that the kernel takes for the rules alone. */
function kernelTime(kind: string, backend: string): number {
  const node = [process.execPath, '--conditions=keepstate-source', '--import', 'tsx', KERNEL_WORKER];
  const command = [...PINNED, ...node, kind, `${RULES}`, backend, `${KERNEL_PACKETS}`];
  const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the kernel's ${backend}, ${kind}: ${stderr.trim()}`);
  return (JSON.parse(stdout) as { rules: number }).rules;
}

function chains(run: Run): void {
  const noKernel = rulesUnavailable();
  if (noKernel !== null) console.warn(`bench: no comparison with the kernel: ${noKernel}`);
  const kernels = noKernel === null ? KERNELS : [];
  console.log('\nCPU ns a packet for rules of which none matches\n');
  const rows = KINDS.map((kind) => {
    const own = BACKENDS.map((backend) => run(['chain', kind, RULES, backend]) as number);
    const theirs = kernels.map((backend) => kernelTime(kind, backend));
    const share = theirs.length === 0 ? Number.NaN : own[1]! / theirs[0]!;
    judge(!(share > AIM.kernel));
    return [kind, ...own.map((ns) => ns.toFixed(0)), ...theirs.map((ns) => ns.toFixed(0)), share.toFixed(3)];
  });
  console.log(table([`${RULES} rules`, ...BACKENDS, ...kernels, 'compiled / nft'], rows));
}

function sets(run: Run): void {
  console.log('\nCPU ns of a look-up\n');
  const rows = SETS.map((kind) => {
    const small = run(['set', kind, SMALL]) as { lookup: number };
    const large = run(['set', kind, LARGE]) as { lookup: number; load: number };
    const times = large.lookup / small.lookup;
    judge(times <= AIM.sets);
    const filled = `${large.load.toFixed(0)} ms`;
    return [kind, small.lookup.toFixed(1), large.lookup.toFixed(1), times.toFixed(2), filled];
  });
  console.log(table(['set', `${SMALL} elements`, `${LARGE}`, 'times', 'filled in'], rows));
}

async function traffic(_run: Run, runTogether: RunTogether): Promise<void> {
  console.log('\nTimes as much CPU time a packet with an ordinary ruleset as without: whole run, and warm\n');
  const rows: string[][] = [];
  for (const kind of TRAFFIC) {
    const file = capture(kind, TRAFFIC_PACKETS);
    const cases = { none: [file, 'none'], nft: [file, 'nft'], iptables: [file, 'iptables'] } as const;
    const rounds = await costs(runTogether, TRAFFIC_PACKETS, cases);
    const all = [...times(rounds, 'nft', 'none'), ...times(rounds, 'iptables', 'none')];
    judge(Math.max(...all) <= AIM.ordinary);
    rows.push([kind, ...all.map((each) => each.toFixed(2))]);
  }
  console.log(table(['capture', 'nft', 'warm', 'iptables', 'warm'], rows));
}

async function nat(_run: Run, runTogether: RunTogether): Promise<void> {
  console.log(
    '\nTimes as much CPU time a packet, whole run and warm: an ordinary ruleset with NAT and a helper that no flow uses',
    'beside the same without; SNAT of all flows beside tracking alone\n',
  );
  const rows: string[][] = [];
  for (const kind of TRAFFIC) {
    const file = capture(kind, TRAFFIC_PACKETS);
    const nft = await costs(runTogether, TRAFFIC_PACKETS, {
      without: [file, 'nft'],
      unused: [file, 'unused-nat'],
    });
    const xt = await costs(runTogether, TRAFFIC_PACKETS, {
      without: [file, 'iptables'],
      unused: [file, 'unused-nat-iptables'],
    });
    const all = await translationCosts(runTogether, TRAFFIC_PACKETS, file);
    const unused = [...times(nft, 'unused', 'without'), ...times(xt, 'unused', 'without')];
    judge(Math.max(...unused) <= AIM.unused);
    rows.push([kind, ...[...unused, ...times(all, 'snat', 'none')].map((each) => each.toFixed(2))]);
  }
  const head = ['unused NAT, nft', 'warm', 'iptables', 'warm', 'SNAT of all', 'warm'];
  console.log(table(['capture', ...head], rows));
}

function load(run: Run): void {
  console.log('\nCPU ms from the text to what runs\n');
  const rows = LOADS.map(([kind, size]) => {
    const report = run([kind, size]) as Record<'load' | 'compiled' | 'rules', number>;
    judge(report.load <= AIM.load);
    return [`${kind} ${size}`, `${report.rules}`, report.load.toFixed(0), report.compiled.toFixed(0)];
  });
  console.log(table(['ruleset', 'rules', 'loaded', 'and compiled'], rows));
}

const ALL = {
  chains: ['bench/rules-worker.ts', chains],
  sets: ['bench/rules-worker.ts', sets],
  traffic: ['bench/rules-traffic-worker.ts', traffic],
  nat: ['bench/rules-traffic-worker.ts', nat],
  load: ['bench/rules-load-worker.ts', load],
} as const;

for (const [name, [worker, measure]] of Object.entries(ALL))
  if (PARTS.length === 0 || PARTS.includes(name)) await withWorker(worker, measure);
