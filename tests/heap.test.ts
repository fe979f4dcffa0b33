/**
 * What "nothing is allocated for a packet" means: bytes on V8's heap, counted in a process of its own that runs the
 * bundle users run. `node --expose-gc … worker.mjs sample` (bench/heap-worker.ts) tells where they come from.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../bench/bundle.ts';
import { capture } from '../bench/captures.ts';
import type { HeapReport } from '../bench/heap-worker.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keepstate-heap-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function node(args: readonly string[]): { stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
  return { stdout, stderr };
}

describe('the heap', () => {
  test('takes not a byte for a packet once warm: TCP, UDP, ICMP of both families, new flows and expiring ones', async () => {
    const worker = await bundle(folder, 'bench/heap-worker.ts', 'heap.mjs');
    // So large that nothing is collected between two readings.
    const young = ['--min-semi-space-size=256', '--max-semi-space-size=256'];
    const read = (): HeapReport => JSON.parse(node(['--expose-gc', ...young, worker]).stdout) as HeapReport;
    let report = read();
    // On a machine that has much else to do V8 compiles late, and what is not compiled yet boxes numbers.
    for (let again = 0; again < 2 && report.perPacket >= 1; again++) report = read();
    expect(report.inserted).toBeGreaterThan(report.packets / 10);
    expect(report.flows).toBeLessThan(report.inserted / 5);
    // Less than before, if only now V8 gave back what loading left.
    expect(report.buffers).toBeLessThanOrEqual(0);
    expect(report.perPacket).toBeLessThan(1);
  });
});

/** How often V8 collects the young generation while the command line traces a capture. */
function scavenges(cli: string, packets: number): number {
  const script = '"$0" --trace-gc "$1" trace "$2" 2>/dev/null | grep -ac "ms: Scavenge"';
  const args = ['-c', script, process.execPath, cli, capture('mixed', packets)];
  return Number(spawnSync('bash', args, { encoding: 'utf8' }).stdout);
}

describe('keepstate trace', () => {
  test('collects garbage no more often for twice the packets, their text included', async () => {
    const cli = await bundle(folder, 'cli/main.ts', 'cli.mjs');
    const few = scavenges(cli, 250_000);
    expect(few).toBeGreaterThan(0);
    expect(scavenges(cli, 500_000) - few).toBeLessThan(5);
  });
});
