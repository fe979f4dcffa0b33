/** The real `keepstate run`, built as it is shipped, in the router of a live network. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../cli/control/client.ts';
import type { Network } from '../real/network.ts';
import { type Outcome, outcomeOf, type Program, runHere, until } from '../real/process.ts';
import { type Mode, WAYS } from './e2e-net.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** The program as users start it. */
export const BIN: string = `${ROOT}cli/bin.js`;
const BUNDLE = `${ROOT}cli/dist/keepstate-run.js`;
const SOURCES: readonly string[] = ['engine', 'live', 'cli'];
/** Generous: machines of CI are slow. */
const START_LIMIT = 60_000;

function newestSource(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) newest = Math.max(newest, newestSource(path));
    else if (path.endsWith('.ts') && !path.endsWith('.test.ts'))
      newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/**
 * Builds the command line anew if it is older than its sources. To be awaited before a daemon is started. With
 * KEEPSTATE_BUILT=yes what is there is taken.
 */
export async function built(): Promise<void> {
  if (process.env.KEEPSTATE_BUILT === 'yes') return;
  const made = existsSync(BUNDLE) ? statSync(BUNDLE).mtimeMs : 0;
  if (SOURCES.some((folder) => newestSource(`${ROOT}${folder}`) > made))
    await runHere(['npx', '--prefix', ROOT, 'rolldown', '-c', `${ROOT}rolldown.config.ts`], {
      limit: 240_000,
    });
}

/** A running `keepstate run`. */
export class Daemon {
  readonly network: Network;
  readonly program: Program;
  readonly socket: string;
  readonly state: string;

  private constructor(network: Network, program: Program) {
    this.network = network;
    this.program = program;
    this.socket = network.path('run/control.sock');
    this.state = network.path('state/table');
  }

  /** Starts the program without waiting until it is ready. @param args what follows `run` */
  static spawn(network: Network, args: readonly string[], before: readonly string[] = []): Daemon {
    return new Daemon(network, network.start('router', [...before, process.execPath, BIN, 'run', ...args]));
  }

  /** One that was started in another way. */
  static around(network: Network, program: Program): Daemon {
    return new Daemon(network, program);
  }

  /** Arguments with the state and the socket in the network's folder. */
  static args(network: Network, mode: Mode, rules: string, ...more: readonly string[]): string[] {
    const kept = ['--control', network.path('run/control.sock'), '--state', network.path('state/table')];
    return [...WAYS[mode], '--rules', rules, ...kept, ...more];
  }

  /** Starts it in a mode, and waits until packets may pass. @throws with what it said if it ends instead */
  static async start(
    network: Network,
    mode: Mode,
    rules: string,
    ...more: readonly string[]
  ): Promise<Daemon> {
    const daemon = Daemon.spawn(network, Daemon.args(network, mode, rules, ...more));
    await daemon.says(/start: keepstate \S+ runs/);
    return daemon;
  }

  get log(): string {
    return this.program.stderr;
  }

  get pid(): number {
    return this.program.child.pid!;
  }

  /** Waits until its log has something, so often. @throws with the log if it ends before */
  async says(what: RegExp, times = 1): Promise<void> {
    const all = new RegExp(what.source, 'g');
    await until(
      String(what),
      () => {
        if ((this.log.match(all)?.length ?? 0) >= times) return true;
        if (!this.program.running) throw new Error(this.program.describe('ended'));
        return false;
      },
      START_LIMIT,
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`);
    });
  }

  /** Waits until its log has it once more than now, after doing something. */
  async saysAfter(what: RegExp, act: () => void): Promise<void> {
    const times = this.log.match(new RegExp(what.source, 'g'))?.length ?? 0;
    act();
    await this.says(what, times + 1);
  }

  /** Connects to its control socket. */
  client(): Promise<ControlClient> {
    return ControlClient.connect(this.socket, {});
  }

  /** `keepstate …` with its control socket. */
  command(...args: readonly string[]): Promise<Outcome> {
    const [name, ...rest] = args;
    return runHere([process.execPath, BIN, name!, '--control', this.socket, ...rest], { limit: START_LIMIT });
  }

  /** Sends a signal and waits until it is gone. @returns its exit status, null if the signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.program.signal(signal);
    return (
      await outcomeOf(this.program, { limit: START_LIMIT, codes: [0, 1, 2] }).catch(() => ({ code: null }))
    ).code;
  }

  /** Memory that it has now (bytes). */
  get memory(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)![1]) * 1024;
  }
}
