import type { ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Namespace } from './namespace.ts';

const NODE = [process.execPath, '--conditions=keepstate-source', '--import', 'tsx'];

/** A script of this folder running in a namespace: says `ready`, answers lines with lines, ends with its input. */
export class Worker {
  readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly ended: Promise<void>;
  private stderr = '';

  private constructor(space: Namespace, script: string, args: readonly string[]) {
    const file = fileURLToPath(new URL(script, import.meta.url));
    this.child = space.start([...NODE, file, ...args], { cwd: fileURLToPath(new URL('.', import.meta.url)) });
    this.child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.lines = createInterface({ input: this.child.stdout! });
    this.ended = new Promise((resolve) => this.child.once('exit', () => resolve()));
  }

  /** Starts a script and waits until it is ready. Rejects with what it said if it ends before. */
  static async start(space: Namespace, script: string, ...args: readonly string[]): Promise<Worker> {
    const worker = new Worker(space, script, args);
    const line = await worker.line();
    if (line !== 'ready') throw new Error(`${script}: ${line}`);
    return worker;
  }

  /** Its answer to a line. */
  async ask(): Promise<string> {
    const line = this.line();
    this.child.stdin!.write('\n');
    return line;
  }

  /** Its next line. */
  private line(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.lines.once('line', resolve);
      void this.ended.then(() => reject(new Error(`ended: ${this.stderr}`)));
    });
  }

  /** Ends it with a signal, and waits until it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }

  /** Lets it end by itself. @returns what it said on stderr */
  async close(): Promise<string> {
    this.child.stdin!.end();
    await this.ended;
    return this.stderr;
  }
}
