import { spawnSync } from 'node:child_process';
import { PINNED } from './pinned.ts';

/** CPU time of one run, in seconds, and what it printed. */
export interface CaseResult {
  /** User and system time of the process and its children. */
  readonly cpu: number;
  readonly stdout: string;
}

/**
 * Runs a command on one pinned core, several times, and takes the median by CPU time. Bash counts the time: it
 * does so for keepstate and its rivals alike.
 * @throws Error if the command fails
 */
export function runCase(command: readonly string[], times: number): CaseResult {
  const runs = Array.from({ length: times }, () => runOnce(command)).sort((a, b) => a.cpu - b.cpu);
  return runs[times >> 1]!;
}

/** Without a file of certificates that Node would read through at each start, as some machines have set it (50 ms). */
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env;

function runOnce(command: readonly string[]): CaseResult {
  const script = 'TIMEFORMAT="cpu %U %S"; time "$@" 2>/dev/null';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...PINNED, ...command], {
    encoding: 'utf8',
    maxBuffer: 1 << 20,
    env: ENVIRONMENT,
  });
  const cpu = /cpu ([\d.]+) ([\d.]+)/.exec(stderr);
  if (status !== 0 || cpu === null) throw new Error(`${command.join(' ')} failed: ${stderr.trim()}`);
  return { cpu: Number(cpu[1]) + Number(cpu[2]), stdout };
}
