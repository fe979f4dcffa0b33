import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Output } from '../output.ts';
import { run } from '../run.ts';

/** How node starts keepstate from its sources. */
export const FROM_SOURCES: readonly string[] = [
  '--conditions=keepstate-source',
  '--import',
  import.meta.resolve('tsx'),
  fileURLToPath(new URL('../main.ts', import.meta.url)),
];

/** What a run left behind. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
  /** `out` by lines, without the last newline. */
  readonly lines: readonly string[];
}

function ran(status: number | null, out: string, err: string): Ran {
  return { status, out, err, lines: out === '' ? [] : out.replace(/\n$/, '').split('\n') };
}

/** A folder of captures that are gone when the tests are over, and keepstate to run on them. */
export class Place {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keepstate-cli-'));
  /** How often {@link run} was called: the output of the last is in `out-N` with N one less. */
  runs = 0;

  /** Writes a file and returns its path. */
  file(name: string, bytes: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, bytes);
    return path;
  }

  /** Runs keepstate in this process, as without a terminal. */
  async run(...args: readonly string[]): Promise<Ran> {
    const path = join(this.folder, `out-${this.runs++}`);
    const fd = openSync(path, 'w');
    let err = '';
    const say = (line: string): void => {
      err += `${line}\n`;
    };
    const world = { out: new Output(fd), say, env: {}, outIsTTY: false, errIsTTY: false };
    const status = await run(args, world);
    closeSync(fd);
    return ran(status, readFileSync(path, 'utf8'), err);
  }

  /** Runs it as a process of its own, with standard input. */
  spawn(args: readonly string[], input: Uint8Array | string = '', env: Record<string, string> = {}): Ran {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...FROM_SOURCES, ...args], {
      cwd: this.folder,
      input,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      env: { PATH: process.env.PATH ?? '', TZ: 'UTC', ...env },
    });
    return ran(status, stdout, stderr);
  }

  /** Removes the folder. */
  end(): void {
    rmSync(this.folder, { recursive: true });
  }
}
