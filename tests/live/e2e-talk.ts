/** A program in a live network that is talked to while it runs: an ssh session. */
import { type ChildProcess, spawn } from 'node:child_process';
import { type Network, SERVER4 } from '../real/network.ts';
import { until } from '../real/process.ts';

/** Generous: what was lost while nobody carried packets comes again only after a while. */
const ANSWER_LIMIT = 60_000;

/** A session of ssh with the server, in which what is said comes back. */
export class Session {
  private readonly child: ChildProcess;
  private heard = '';
  private count = 0;

  private constructor(network: Network) {
    const options = [
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'BatchMode=yes',
      'ConnectTimeout=2',
    ];
    const ssh = ['ssh', '-i', network.path('ssh/key'), ...options.flatMap((option) => ['-o', option])];
    const enter = ['--pdeathsig', 'KILL', 'ip', 'netns', 'exec', network.namespace('client')];
    this.child = spawn('setpriv', [...enter, ...ssh, `root@${SERVER4}`, 'exec cat']);
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.heard += text;
      });
    this.child.stdin!.on('error', () => {});
  }

  /** Logs in, and waits for the first answer. */
  static async start(network: Network): Promise<Session> {
    const session = new Session(network);
    await session.answers();
    return session;
  }

  /** Says something, and waits until it comes back. @throws if the session ends or nothing comes */
  async answers(): Promise<void> {
    const line = `line ${this.count++}.`;
    this.child.stdin!.write(`${line}\n`);
    await until(
      `${line} from ssh`,
      () => {
        if (this.heard.includes(line)) return true;
        if (this.child.exitCode !== null || this.child.signalCode !== null)
          throw new Error(`ssh ended with ${this.child.exitCode ?? this.child.signalCode}: ${this.heard}`);
        return false;
      },
      ANSWER_LIMIT,
    );
  }

  close(): void {
    this.child.kill('SIGKILL');
  }
}
