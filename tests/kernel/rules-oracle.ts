/**
 * The ruleset oracle: plays packets through this machine's kernel with any mix of nft, iptables (legacy and nft),
 * ip6tables and ipset rulesets, in a network namespace of a child process, and reports what became of each.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { kernelUnavailable } from './oracle.ts';
import type { RuleJob, RuleKernelOptions, RuleRun, StepResult } from './rules-types.ts';
import type { RuleRequest } from './rules-worker.ts';

const WORKER: string = fileURLToPath(new URL('./rules-worker.ts', import.meta.url));
const COMMANDS: readonly (readonly string[])[] = [
  ['iptables-legacy-restore', '--version'],
  ['ip6tables-legacy-restore', '--version'],
  ['iptables-nft-restore', '--version'],
  ['ip6tables-nft-restore', '--version'],
  ['ipset', '--version'],
];

/** Why the ruleset oracle cannot run on this machine, or null if it can. */
export function rulesUnavailable(): string | null {
  const reason = kernelUnavailable();
  if (reason !== null) return reason;
  for (const [command, ...args] of COMMANDS) {
    if (spawnSync(command!, args, { stdio: 'ignore' }).error)
      return `the ruleset oracle needs \`${command}\``;
  }
  return null;
}

/** For `describe.skipIf(!rulesUsable())`: prints why it is skipped, and throws when CI=true. */
export function rulesUsable(): boolean {
  const reason = rulesUnavailable();
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A router between two TUN devices, alive until `close`. Jobs are carried out one after the other. */
export class RuleKernel {
  private readonly child: ChildProcess;
  private readonly waiting: Map<number, Waiting> = new Map();
  private nextId = 1;
  private stderr = '';

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
    this.child.on('message', (message) => this.onReply(message as { reply?: number }));
    this.child.on('error', (error) => this.onEnd(error.message));
    this.child.on('exit', (code, signal) =>
      this.onEnd(`ended with ${signal ?? code}: ${this.stderr.trim()}`),
    );
  }

  /** Starts the child and builds the namespace. Rejects with the step that failed. */
  static async open(options: RuleKernelOptions = {}): Promise<RuleKernel> {
    const kernel = new RuleKernel();
    try {
      await kernel.ask({ op: 'open', options });
    } catch (error) {
      kernel.child.kill('SIGKILL');
      throw error;
    }
    return kernel;
  }

  /** Leaves the namespace for a new one. */
  async reset(options: RuleKernelOptions = {}): Promise<void> {
    await this.ask({ op: 'open', options });
  }

  /** Loads a ruleset, plays the packets, reads what was asked for, and takes the ruleset away again. */
  async run(job: RuleJob): Promise<RuleRun> {
    return (await this.ask({ op: 'job', job })) as RuleRun;
  }

  /** Runs a command inside the namespace. */
  async exec(command: readonly string[], stdin = ''): Promise<StepResult> {
    return (await this.ask({ op: 'exec', command, stdin })) as StepResult;
  }

  /** Ends the child, and with it the namespace. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      if (this.child.connected) this.child.disconnect();
    });
  }

  private ask(request: RuleRequest): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.child.connected) {
        reject(new Error(`ruleset oracle: the child is gone. ${this.stderr.trim()}`));
        return;
      }
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, request });
    });
  }

  private onReply(message: { reply?: number; value?: unknown; error?: string }): void {
    const waiting = message.reply === undefined ? undefined : this.waiting.get(message.reply);
    if (waiting === undefined) return; // tsx talks on this channel too
    this.waiting.delete(message.reply!);
    if (message.error === undefined) waiting.resolve(message.value);
    else waiting.reject(new Error(`ruleset oracle: ${message.error}`));
  }

  private onEnd(reason: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(`ruleset oracle: child ${reason}`));
    this.waiting.clear();
  }
}
