/**
 * The kernel oracle: replays raw IP packets through this machine's nf_conntrack, in a network namespace of a child
 * process, and reports what the kernel decided about each. README.md tells how it works and what its limits are.
 */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { STAGES, VERDICTS } from './codes.ts';
import type { PackedPackets, PackedRun } from './replay.ts';
import type {
  CommandResult,
  KernelEntry,
  KernelOptions,
  KernelPacket,
  KernelRun,
  KernelVerdict,
  ReplayOptions,
} from './types.ts';
import type { Reply, Request } from './worker.ts';

export type {
  CommandResult,
  KernelCounters,
  KernelEntry,
  KernelEvent,
  KernelOptions,
  KernelPacket,
  KernelRun,
  KernelSctp,
  KernelSeqAdj,
  KernelStage,
  KernelState,
  KernelTcp,
  KernelTuple,
  KernelVerdict,
  ReplayOptions,
} from './types.ts';

const WORKER: string = fileURLToPath(new URL('./worker.ts', import.meta.url));
const NO_LOG: readonly string[] = [];

/** Why the oracle cannot run on this machine, or null if it can. */
export function kernelUnavailable(): string | null {
  if (process.platform !== 'linux') return 'the kernel oracle needs Linux';
  if (process.getuid?.() !== 0) return 'the kernel oracle needs root';
  if (!existsSync('/dev/net/tun')) return 'the kernel oracle needs /dev/net/tun';
  for (const module of ['koffi', 'tsx']) {
    try {
      createRequire(import.meta.url).resolve(module);
    } catch {
      return `the kernel oracle needs the npm package ${module}`;
    }
  }
  for (const command of [
    ['ip', '-V'],
    ['nft', '--version'],
    ['unshare', '-n', 'true'],
  ]) {
    const { status } = spawnSync(command[0]!, command.slice(1), { stdio: 'ignore' });
    if (status !== 0) return `the kernel oracle needs \`${command.join(' ')}\` to work`;
  }
  return null;
}

/**
 * For `describe.skipIf(!kernelUsable())`: true if the oracle can run here. If it cannot, prints why and returns
 * false, but throws when CI=true, where nothing may be skipped.
 */
export function kernelUsable(): boolean {
  const reason = kernelUnavailable();
  if (reason === null) return true;
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

function pack(packets: readonly KernelPacket[]): PackedPackets {
  const lengths = Uint32Array.from(packets, (packet) => packet.bytes.length);
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let offset = 0;
  for (const packet of packets) {
    bytes.set(packet.bytes, offset);
    offset += packet.bytes.length;
  }
  const pauses = packets.some((packet) => (packet.waitMs ?? 0) > 0);
  return {
    bytes,
    lengths,
    waits: pauses ? Float64Array.from(packets, (packet) => packet.waitMs ?? 0) : null,
  };
}

function unpack(run: PackedRun): KernelRun {
  const logs = new Map<number, string[]>();
  for (const [n, packet] of run.reasonAt.entries()) {
    const texts = logs.get(packet);
    if (texts) texts.push(run.reasons[n]!);
    else logs.set(packet, [run.reasons[n]!]);
  }
  const verdicts = Array.from(run.codes, (code, i): KernelVerdict => {
    const { state, dir } = VERDICTS[code]!;
    const stage = run.stages === null ? null : STAGES[run.stages[i]!]!;
    return { state, dir, status: run.statuses[i]!, log: logs.get(i) ?? NO_LOG, stage };
  });
  return {
    verdicts,
    table: run.table,
    times: run.times,
    elapsedMs: run.elapsedMs,
    ...(run.tables && { tables: run.tables }),
    ...(run.events && { events: run.events }),
    ...(run.out && { out: run.out }),
  };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A namespace with conntrack in it, alive until `close`. Requests are carried out one after the other. */
export class Kernel {
  private readonly child: ChildProcess;
  private readonly options: KernelOptions;
  private readonly waiting: Map<number, Waiting> = new Map();
  private nextId = 1;
  private stderr = '';

  private constructor(options: KernelOptions) {
    this.options = options;
    this.child = fork(WORKER, [], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      execArgv: ['--conditions=keepstate-source', '--import', 'tsx'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    this.child.on('message', (message) => this.onReply(message as Reply));
    this.child.on('error', (error) => this.onEnd(error.message));
    this.child.on('exit', (code, signal) =>
      this.onEnd(`ended with ${signal ?? code}: ${this.stderr.trim()}`),
    );
  }

  /** Starts the child and builds the namespace. Rejects with the step that failed. */
  static async open(options: KernelOptions = {}): Promise<Kernel> {
    const kernel = new Kernel(options);
    try {
      await kernel.ask({ op: 'open', options });
    } catch (error) {
      kernel.child.kill('SIGKILL');
      throw error;
    }
    return kernel;
  }

  /**
   * Replays the packets on top of the table as it is. Rejects if any message of the kernel got lost; the namespace
   * is then to be reset or closed.
   */
  async replay(packets: readonly KernelPacket[], options: ReplayOptions = {}): Promise<KernelRun> {
    const collect = {
      dumpEvery: options.dumpEvery ?? false,
      output: options.output ?? false,
      table: options.table ?? true,
      stages: this.options.stages ?? false,
    };
    return unpack((await this.ask({ op: 'replay', packets: pack(packets), collect })) as PackedRun);
  }

  /** All entries now. */
  async table(): Promise<readonly KernelEntry[]> {
    return (await this.ask({ op: 'table' })) as KernelEntry[];
  }

  /** Empties the conntrack table. Fragments that wait for others stay: `reset` takes those too. */
  async flush(): Promise<void> {
    await this.ask({ op: 'flush' });
  }

  /** Leaves the namespace for a new one with the options given to `open`. */
  async reset(): Promise<void> {
    await this.ask({ op: 'reset' });
  }

  /** Sets these sysctls; all others return to the namespace's defaults, those given to `open` included. */
  async sysctls(sysctls: Readonly<Record<string, string | number>>): Promise<void> {
    await this.ask({ op: 'sysctls', sysctls });
  }

  /** Runs a command (`conntrack -L`, `nft -f -`) inside the namespace. */
  async exec(command: readonly string[], stdin = ''): Promise<CommandResult> {
    return (await this.ask({ op: 'exec', command, stdin })) as CommandResult;
  }

  /** Ends the child, and with it the namespace. */
  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    await new Promise<void>((resolve) => {
      this.child.once('exit', () => resolve());
      if (this.child.connected) this.child.disconnect();
    });
  }

  private ask(request: Request): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.child.connected) {
        reject(new Error(`kernel oracle: the child is gone. ${this.stderr.trim()}`));
        return;
      }
      const id = this.nextId++;
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, request });
    });
  }

  private onReply(message: Partial<Reply>): void {
    const waiting = message.reply === undefined ? undefined : this.waiting.get(message.reply);
    if (waiting === undefined) return; // tsx talks on this channel too
    this.waiting.delete(message.reply!);
    if (message.error === undefined) waiting.resolve(message.value);
    else waiting.reject(new Error(`kernel oracle: ${message.error}`));
  }

  private onEnd(reason: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(`kernel oracle: child ${reason}`));
    this.waiting.clear();
  }
}

/** Replays the packets in a namespace of their own. Starting it takes about half a second: see Kernel. */
export async function runKernel(
  packets: readonly KernelPacket[],
  options: KernelOptions & ReplayOptions = {},
): Promise<KernelRun> {
  const kernel = await Kernel.open(options);
  try {
    return await kernel.replay(packets, options);
  } finally {
    await kernel.close();
  }
}
