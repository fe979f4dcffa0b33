/** The same command of conntrack(8) and of keepstate, each on its own table, and what differs. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Output } from '../../cli/output.ts';
import { run } from '../../cli/run.ts';
import { kernelUsable } from './oracle.ts';

/** What a command did. */
export interface Did {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

const VERSION = 'conntrack v1.4.7 (conntrack-tools)\n';

/** For `describe.skipIf`: whether the command of the version that keepstate follows is here. Throws if CI=true and not. */
export function commandUsable(): boolean {
  if (!kernelUsable()) return false;
  const { stdout } = spawnSync('conntrack', ['-V'], { encoding: 'utf8' });
  if (stdout === VERSION) return true;
  const reason = `conntrack is not ${VERSION.trim()} but ${stdout?.trim() ?? 'not there'}`;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

/** A line as words: '' is an empty one. */
export function wordsOf(line: string): string[] {
  return line.split(' ').map((word) => (word === "''" ? '' : word));
}

/** Two tables, the kernel's in a namespace of its own and keepstate's in a file. */
export class TwoTables {
  private readonly folder: string;
  private readonly holder: ChildProcess;
  private readonly table: string;
  private readonly env: Record<string, string>;

  private constructor(folder: string, holder: ChildProcess, env: Record<string, string>) {
    this.folder = folder;
    this.holder = holder;
    this.table = join(folder, 'table');
    this.env = env;
  }

  /**
   * @param folder for files, removed by the caller
   * @param setup run in the namespace, which has mounts of its own, before anything else
   */
  static async open(folder: string, setup = '', env: Record<string, string> = {}): Promise<TwoTables> {
    const script = `${setup}\necho ready\nexec sleep 3600`;
    const holder = spawn('unshare', ['-n', '-m', 'sh', '-ec', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      holder.stdout!.on('data', (data: Buffer) => {
        if (data.includes('ready')) resolve();
      });
      holder.on('exit', (status) => reject(new Error(`the namespace ended with status ${status}`)));
    });
    return new TwoTables(folder, holder, env);
  }

  /** Runs a program in the namespace. */
  inside(command: readonly string[]): Did {
    const args = ['-t', String(this.holder.pid), '-n', '-m', '--', ...command];
    const { status, stdout, stderr } = spawnSync('nsenter', args, {
      encoding: 'utf8',
      cwd: this.folder,
    });
    return { status, out: stdout, err: stderr };
  }

  /** Runs keepstate in this process, on the table in a file. */
  keepstate(args: readonly string[]): Promise<Did> {
    return this.keepstateOn(['--table', this.table], args);
  }

  /** Runs keepstate on what the real program printed. */
  onDump(dump: string, args: readonly string[]): Promise<Did> {
    const file = join(this.folder, 'dump');
    writeFileSync(file, dump);
    return this.keepstateOn(['--from', file], args);
  }

  private async keepstateOn(source: readonly string[], args: readonly string[]): Promise<Did> {
    const path = join(this.folder, 'out');
    const fd = openSync(path, 'w');
    let err = '';
    const world = {
      out: new Output(fd),
      say: (line: string) => {
        err += `${line}\n`;
      },
      env: this.env,
      outIsTTY: false,
      errIsTTY: false,
      exact: true,
    };
    const status = await run(['conntrack', ...source, ...args], world);
    closeSync(fd);
    return { status, out: readFileSync(path, 'utf8'), err };
  }

  /** Runs one line on both. A line that begins with < is the file of -R, its lines parted by |. */
  async both(line: string): Promise<{ readonly kernel: Did; readonly ours: Did }> {
    if (!line.startsWith('<')) {
      const words = wordsOf(line);
      return { kernel: this.inside(['conntrack', ...words]), ours: await this.keepstate(words) };
    }
    const text = `${line.slice(1).replaceAll('|', '\n')}\n`;
    const file = join(this.folder, 'lines');
    writeFileSync(file, text);
    return {
      kernel: this.inside(['conntrack', '-R', file]),
      ours: await this.keepstate(['-R', file]),
    };
  }

  close(): void {
    this.holder.kill();
  }
}

/** Seconds by which timeouts may differ: the two tables are filled one after the other. */
const SLACK = 2;
/** Timeouts, in each format. */
const TIMEOUT = /^((?:ipv[46] +\d+ )?\S+ +\d+ )(\d+) |(<timeout>)(\d+)<|(-[AUD] -t )(\d+) /;
const IDS = /(?<=use=\d+) id=\d+|<id>\d+<\/id>/g;

const HELP = /^Command line interface/;

interface Line {
  readonly text: string;
  readonly timeout: number;
}

/** Lines in an order that both have, without ids and timeouts. */
function linesOf(out: string): Line[] {
  return out
    .split('\n')
    .map((line) => {
      const found = TIMEOUT.exec(line);
      const timeout = Number(found?.[2] ?? found?.[4] ?? found?.[6] ?? 0);
      const text = line
        .replace(TIMEOUT, '$1$3$5T ')
        .replace(IDS, ' ID')
        .replace(/ delta-time=\d /, ' ');
      return { text, timeout };
    })
    .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

/**
 * What differs between two runs, null if nothing does.
 * @param slack seconds by which timeouts may differ
 */
export function difference(kernel: Did, ours: Did, slack: number = SLACK): string | null {
  // Help is in keepstate's own words.
  if (HELP.test(kernel.out) && /^conntrack of keepstate/.test(ours.out)) return null;
  const [a, b] = [linesOf(kernel.out), linesOf(ours.out)];
  const same =
    kernel.status === ours.status &&
    kernel.err === ours.err &&
    a.length === b.length &&
    a.every((line, i) => line.text === b[i]!.text && Math.abs(line.timeout - b[i]!.timeout) <= slack);
  if (same) return null;
  const say = ({ status, out, err }: Did): string => `status ${status}\n${err}${out}`;
  return `kernel: ${say(kernel)}\nkeepstate: ${say(ours)}`;
}
