/**
 * npm run bench:profile [-- KIND [STAGE]]
 *
 * Where the time of a packet goes by V8's CPU profile: the ten functions with most samples of their own, what V8 put in
 * line in them included.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { table } from './bundled.ts';
import { capture, type Kind } from './captures.ts';

interface CpuProfile {
  readonly nodes: readonly { id: number; callFrame: { functionName: string; url: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Microseconds by function name. */
function selfTimes({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => [
      id,
      url.endsWith('.mjs') ? functionName || '(callback)' : `${functionName || '(anonymous)'} (Node)`,
    ]),
  );
  const times = new Map<string, number>();
  samples.forEach((id, i) => {
    const name = names.get(id)!;
    times.set(name, (times.get(name) ?? 0) + timeDeltas[i]!);
  });
  return times;
}

const [kind = 'mixed', stage = 'expiry'] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'keepstate-bench-'));
try {
  const worker = await bundle(folder, 'bench/worker-file.ts', 'worker.mjs');
  const options = ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder}`];
  const args = [...options, worker, capture(kind as Kind, 5_000_000), stage];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'))!;
  const times = selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile);
  const all = [...times.values()].reduce((a, b) => a + b, 0);
  const rows = [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 10)
    .map(([name, us]) => [name, `${((100 * us) / all).toFixed(1)} %`]);
  console.log(`\n${kind}, 5 million packets\n`);
  console.log(table(['function', 'share'], rows));
} finally {
  rmSync(folder, { recursive: true });
}
