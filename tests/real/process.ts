// Starting, waiting for and surely ending the programs of a scenario.

import { type ChildProcess, spawn } from 'node:child_process';

/** What a finished program left behind. `code` is null where a signal ended it. */
export type Outcome = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** How a program is run. Times are in milliseconds. */
export type RunOptions = {
  /** Killed, and an error thrown, after this time. Default 15,000. */
  readonly limit?: number;
  /** Exit codes that are no error. Default `[0]`. */
  readonly codes?: readonly number[];
  /** Text for the program's standard input, which is empty otherwise. */
  readonly input?: string;
};

/** A started program: its text so far, and its end. */
export class Program {
  readonly argv: readonly string[];
  readonly child: ChildProcess;
  /** Resolves when the program has ended and its output has been read. Never rejects. */
  readonly ended: Promise<Outcome>;
  stdout = '';
  stderr = '';
  #running = true;

  constructor(argv: readonly string[], input = '') {
    this.argv = argv;
    // setpriv --pdeathsig: should this process die without a chance to tidy up (SIGKILL), the kernel
    // ends the servers for us. detached: own process group, so that their children end with them.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], { detached: true });
    this.child.stdout?.on('data', (data) => {
      this.stdout += data;
    });
    this.child.stderr?.on('data', (data) => {
      this.stderr += data;
    });
    // A program that ends without reading its input is no trouble of ours (EPIPE).
    this.child.stdin?.on('error', () => {});
    this.child.stdin?.end(input);
    this.ended = new Promise((resolve) => {
      const end = (code: number | null): void => {
        this.#running = false;
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      };
      this.child.on('close', end);
      this.child.on('error', (error) => {
        this.stderr += String(error);
        end(null);
      });
    });
  }

  get running(): boolean {
    return this.#running;
  }

  /** Sends a signal to the program and its children; without effect once it has ended. */
  signal(name: NodeJS.Signals): void {
    if (!this.#running || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // ended in between
    }
  }

  /** "curl -s http://… ended with 7" and what it said, for error messages. */
  describe(what: string): string {
    return `${this.argv.join(' ')}\n  ${what}\n${this.stdout}${this.stderr}`.trimEnd();
  }
}

/**
 * Waits for a program's end and judges it.
 * @throws Error when it takes longer than the limit or ends with another code than those allowed.
 */
export async function outcomeOf(program: Program, options: RunOptions = {}): Promise<Outcome> {
  const limit = options.limit ?? 15_000;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    program.signal('SIGKILL');
  }, limit);
  const outcome = await program.ended;
  clearTimeout(timer);
  if (late) throw new Error(program.describe(`did not end within ${limit} ms`));
  if (outcome.code === null || !(options.codes ?? [0]).includes(outcome.code)) {
    throw new Error(program.describe(`ended with ${outcome.code ?? program.child.signalCode}`));
  }
  return outcome;
}

/** Runs a program on this host (outside the namespaces): ip, tcpdump -r, ssh-keygen. */
export function runHere(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return outcomeOf(new Program(argv, options.input), options);
}

/** Resolves after so many milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Asks again every 10 ms until `isSo()` holds.
 * @throws Error "gave up waiting for …" after `limit` milliseconds; whatever `isSo` throws.
 */
export async function until(what: string, isSo: () => boolean, limit = 10_000): Promise<void> {
  const end = Date.now() + limit;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`gave up waiting for ${what} after ${limit} ms`);
    await pause(10);
  }
}
