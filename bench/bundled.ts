import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from './bundle.ts';
import { PINNED } from './pinned.ts';

/** Runs a bundled worker with arguments and returns what it printed, read as JSON. */
export type Run = (args: readonly (string | number)[], nodeOptions?: readonly string[]) => unknown;

/** Runs it with each of several lists of arguments, all at once on the pinned core: what disturbs one disturbs all alike. */
export type RunTogether = (cases: readonly (readonly (string | number)[])[]) => Promise<unknown[]>;

/**
 * Bundles a worker for as long as a callback wants to run it, each time in a process of its own on one pinned core.
 * @param entry path of the worker's source, from the root of the project
 */
export async function withWorker(
  entry: string,
  use: (run: Run, runTogether: RunTogether) => void | Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-bench-'));
  try {
    const worker = await bundle(folder, entry, 'worker.mjs');
    const commandOf = (args: readonly (string | number)[], options: readonly string[] = []): string[] => [
      ...[...PINNED, process.execPath, ...options, worker],
      ...args.map(String),
    ];
    const run: Run = (args, nodeOptions) => {
      const [file, ...rest] = commandOf(args, nodeOptions);
      const { status, stdout, stderr } = spawnSync(file!, rest, { encoding: 'utf8' });
      if (status !== 0) throw new Error(`${entry} ${args.join(' ')} failed: ${stderr.trim()}`);
      return JSON.parse(stdout);
    };
    await use(run, (cases) =>
      Promise.all(
        cases.map(async (args) => {
          const [file, ...rest] = commandOf(args);
          return JSON.parse((await promisify(execFile)(file!, rest)).stdout) as unknown;
        }),
      ),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Rows of a Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
