/** A namespace whose packets are held between tracking and confirmation until a script lets them go. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HeldOptions, KernelPlay, Step } from './clash-script.ts';
import type { HeldRequest } from './clash-worker.ts';
import { kernelUsable } from './oracle.ts';

const WORKER: string = fileURLToPath(new URL('./clash-worker.ts', import.meta.url));

/** What holds the packets; nft's own queue statement is missing in some kernels. */
const HOLD = ['-t', 'mangle', '-A', 'POSTROUTING', '-j', 'NFQUEUE', '--queue-num', '5'] as const;

/** For `describe.skipIf(!clashUsable())`: as the oracle; in CI whatever is missing is an error. */
export function clashUsable(): boolean {
  if (!kernelUsable()) return false;
  for (const tool of ['iptables', 'ip6tables']) {
    const { status } = spawnSync('unshare', ['-n', tool, ...HOLD], { stdio: 'ignore' });
    if (status === 0) continue;
    if (process.env.CI === 'true') throw new Error(`${tool} cannot use NFQUEUE here`);
    console.warn(`skipped: ${tool} cannot use NFQUEUE here`);
    return false;
  }
  return true;
}

/** Plays scripts in a child process, one after the other, until `close`. */
export class HeldKernel {
  private readonly child: ChildProcess;
  private stderr = '';
  private settle: ((reply: { value?: unknown; error?: string }) => void) | null = null;

  private constructor() {
    this.child = fork(WORKER, [], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      execArgv: ['--conditions=keepstate-source', '--import', 'tsx'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    this.child.on('message', (message: { reply?: number; value?: unknown; error?: string }) => {
      if (message.reply !== undefined) this.settle?.(message); // tsx talks on this channel too
    });
    this.child.on('exit', () => this.settle?.({ error: `the child ended: ${this.stderr.trim()}` }));
  }

  /** Builds the namespace. Rejects with the step that failed. */
  static async open(options: HeldOptions = {}): Promise<HeldKernel> {
    const kernel = new HeldKernel();
    try {
      await kernel.ask({ options });
    } catch (error) {
      kernel.child.kill('SIGKILL');
      throw error;
    }
    return kernel;
  }

  /** Plays a script on an empty table. */
  async play(script: readonly Step[]): Promise<KernelPlay> {
    return (await this.ask({ script })) as KernelPlay;
  }

  /** Ends the child, and with it the namespace. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      this.child.disconnect();
    });
  }

  private ask(request: HeldRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.settle = ({ value, error }) => {
        this.settle = null;
        if (error === undefined) resolve(value);
        else reject(new Error(`held packets: ${error}`));
      };
      this.child.send({ id: 0, request });
    });
  }
}
