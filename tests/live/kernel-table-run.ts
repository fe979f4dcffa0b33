/** conntrack(8) and `keepstate conntrack --kernel` on tables of the kernel, each in a namespace of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FlowRequest } from '@keepstate/live';
import { type Did, wordsOf } from '../kernel/conntrack-command-run.ts';

const WORKER = fileURLToPath(new URL('./kernel-table-worker.ts', import.meta.url));
/** How node runs sources. */
export const NODE: readonly string[] = [
  '--conditions=keepstate-source',
  '--import',
  // By its place: nsenter changes the folder.
  import.meta.resolve('tsx'),
];

/** Waits for the first message or line of a process. @throws Error if it ends before */
function ready(child: ChildProcess, of: 'message' | 'line'): Promise<void> {
  return new Promise((resolve, reject) => {
    if (of === 'message') child.once('message', () => resolve());
    else child.stdout!.once('data', () => resolve());
    child.once('exit', (status) => reject(new Error(`it ended with status ${status}`)));
  });
}

/** A network namespace, and keepstate in it. */
export class KernelNamespace {
  private readonly holder: ChildProcess;
  private readonly worker: ChildProcess;
  private readonly folder: string;
  private readonly waiting: Map<number, (did: unknown) => void> = new Map();
  private asked = 0;

  private constructor(folder: string, holder: ChildProcess, worker: ChildProcess) {
    this.folder = folder;
    this.holder = holder;
    this.worker = worker;
    worker.on('message', (message) => {
      const { id, did } = message as { id: number; did: unknown };
      this.waiting.get(id)?.(did);
      this.waiting.delete(id);
    });
  }

  /** @param setup run in it before anything else; it has mounts of its own */
  static async open(folder: string, setup = '', env: Record<string, string> = {}): Promise<KernelNamespace> {
    const script = `${setup}\necho ready\nexec sleep 3600`;
    const holder = spawn('unshare', ['-n', '-m', 'sh', '-ec', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await ready(holder, 'line');
    const enter = ['-t', String(holder.pid), '-n', '--', process.execPath, ...NODE, WORKER];
    const worker = spawn('nsenter', enter, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, ...env },
    });
    await ready(worker, 'message');
    return new KernelNamespace(folder, holder, worker);
  }

  /** Starts a program in it. */
  start(command: readonly string[]): ChildProcess {
    return spawn('nsenter', ['-t', String(this.holder.pid), '-n', '-m', '--', ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: this.folder,
    });
  }

  /** Runs a program in it. */
  inside(command: readonly string[], input = ''): Did {
    const args = ['-t', String(this.holder.pid), '-n', '-m', '--', ...command];
    const { status, stdout, stderr } = spawnSync('nsenter', args, {
      encoding: 'utf8',
      input,
      cwd: this.folder,
    });
    return { status, out: stdout, err: stderr };
  }

  /** Runs a line of conntrack(8); one that begins with < is a file for -R, its lines parted by |. */
  real(line: string): Did {
    return this.inside(['conntrack', ...this.words(line)]);
  }

  /** Runs a line of keepstate. */
  ours(line: string): Promise<Did> {
    const id = ++this.asked;
    this.worker.send({ id, args: this.words(line) });
    return new Promise((resolve) => this.waiting.set(id, resolve as (did: unknown) => void));
  }

  /** Makes a flow. @returns 0, or the errno */
  create(flow: FlowRequest): Promise<number> {
    const id = ++this.asked;
    this.worker.send({ id, flow });
    return new Promise((resolve) => this.waiting.set(id, resolve as (did: unknown) => void));
  }

  /** Ends the commands of keepstate that follow events. */
  interrupt(): void {
    this.worker.send('SIGINT');
  }

  close(): void {
    this.worker.kill();
    this.holder.kill();
  }

  private words(line: string): string[] {
    if (!line.startsWith('<')) return wordsOf(line);
    const file = join(this.folder, 'lines');
    writeFileSync(file, `${line.slice(1).replaceAll('|', '\n')}\n`);
    return ['-R', file];
  }
}
