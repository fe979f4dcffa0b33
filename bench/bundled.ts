import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { PINNED } from './pinned.ts';

/** Runs a bundled worker with arguments and returns what it printed, read as JSON. */
export type Run = (args: readonly (string | number)[], nodeOptions?: readonly string[]) => unknown;

/**
 * Bundles a worker for as long as a callback wants to run it, each time in a process of its own on one pinned core.
 * @param entry path of the worker's source, from the root of the project
 */
export async function withWorker(entry: string, use: (run: Run) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-bench-'));
  try {
    const worker = await bundle(folder, entry, 'worker.mjs');
    await use((args, nodeOptions = []) => {
      const command = [...PINNED, process.execPath, ...nodeOptions, worker, ...args.map(String)];
      const { status, stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${entry} ${args.join(' ')} failed: ${stderr.trim()}`);
      return JSON.parse(stdout);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rows of a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
