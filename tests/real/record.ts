// Captures of real programs talking through a router, fresh in every run.
//
//   node --conditions=keepstate-source --import tsx tests/real/record.ts [--out DIR] [NAME…]
//   node --conditions=keepstate-source --import tsx tests/real/record.ts --examples [--out DIR] [NAME…]
//
// The first records the scenarios (default DIR: /tmp/keepstate-captures), the second the captures of
// examples/ (default DIR: that folder). Needs root; `--needs` prints the apt packages.

import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Capture, summarizePcap } from './capture.ts';
import { Network } from './network.ts';
import { APT_PACKAGE, BASE_PROGRAMS, missingPrograms, missingText } from './programs.ts';
import { DNS_SCENARIOS } from './scenarios/dns.ts';
import { EXAMPLES } from './scenarios/examples.ts';
import { FTP_SCENARIOS } from './scenarios/ftp.ts';
import { HTTP_SCENARIOS } from './scenarios/http.ts';
import { ICMP_SCENARIOS } from './scenarios/icmp.ts';
import { IPERF_SCENARIOS } from './scenarios/iperf.ts';
import { MTU_SCENARIOS } from './scenarios/mtu.ts';
import { PEER_SCENARIOS } from './scenarios/peers.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { SSH_SCENARIOS } from './scenarios/ssh.ts';

export type { Scenario } from './scenarios/scenario.ts';

/** All scenarios; none depends on another, each has a network of its own. */
export const SCENARIOS: readonly Scenario[] = [
  ...HTTP_SCENARIOS,
  ...SSH_SCENARIOS,
  ...DNS_SCENARIOS,
  ...ICMP_SCENARIOS,
  ...MTU_SCENARIOS,
  ...IPERF_SCENARIOS,
  ...FTP_SCENARIOS,
  ...PEER_SCENARIOS,
];

/** A capture made. `linktype` is the pcap file's number: 1 Ethernet, 113 Linux cooked v1, 276 v2. */
export type Recording = {
  readonly name: string;
  readonly file: string;
  readonly linktype: number;
  readonly packets: number;
};

/** Why `scenarios` cannot be recorded here, in words that say what to do, or null if they can. */
function whyNot(scenarios: readonly Scenario[]): string | null {
  if (process.platform !== 'linux') return 'real programs are recorded in Linux network namespaces only';
  if (process.getuid?.() !== 0) return 'not root: network namespaces cannot be made';
  const missing = missingPrograms([...BASE_PROGRAMS, ...scenarios.flatMap(({ needs }) => needs)]);
  if (missing.length > 0) return missingText(missing);
  const probe = spawnSync('unshare', ['--net', '--mount', 'true'], { encoding: 'utf8' });
  return probe.status === 0 ? null : `network namespaces cannot be made here: ${probe.stderr.trim()}`;
}

/** Why not everything can be recorded here, in words that say what to do, or null if it can. */
export function realUnavailable(): string | null {
  return whyNot([...SCENARIOS, ...EXAMPLES]);
}

/**
 * Records scenarios, one after the other, into `DIR/NAME.pcap`.
 * @param names which ones; all if left out
 * @throws Error for a name that is none, where it cannot run, when a program fails or hangs, and when
 *   packets are lost
 */
export function recordReal(dir: string, names?: readonly string[]): Promise<Recording[]> {
  return recordAll(SCENARIOS, dir, names);
}

/** Records the captures of the folder examples/ (`http`, `ftp`). @throws as `recordReal` */
export function recordExamples(dir: string, names?: readonly string[]): Promise<Recording[]> {
  return recordAll(EXAMPLES, dir, names);
}

async function recordAll(
  from: readonly Scenario[],
  dir: string,
  names: readonly string[] = from.map(({ name }) => name),
): Promise<Recording[]> {
  const chosen = names.map((name) => {
    const found = from.find((scenario) => scenario.name === name);
    if (found === undefined) throw new Error(`no scenario '${name}': ${from.map((s) => s.name).join(', ')}`);
    return found;
  });
  const reason = whyNot(chosen);
  if (reason !== null) throw new Error(reason);
  mkdirSync(dir, { recursive: true });
  const recordings: Recording[] = [];
  for (const scenario of chosen) {
    const file = resolve(dir, `${scenario.name}.pcap`);
    await record(scenario, file);
    recordings.push({ name: scenario.name, file, ...summarizePcap(file) });
  }
  return recordings;
}

async function record(scenario: Scenario, file: string): Promise<void> {
  const network = await Network.create();
  let late = false;
  const timer = setTimeout(() => {
    // Ends all programs, whereupon the scenario fails.
    late = true;
    void network.destroy();
  }, scenario.limit * 1000);
  try {
    await scenario.prepare?.(network);
    const capture = await Capture.start(network, scenario.capture, file);
    await scenario.run(network);
    await capture.stop();
  } catch (cause) {
    const reason = late ? `not done within ${scenario.limit} s` : (cause as Error).message;
    throw new Error(`scenario ${scenario.name}: ${reason}`, { cause });
  } finally {
    clearTimeout(timer);
    await network.destroy();
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { out: { type: 'string' }, examples: { type: 'boolean' }, needs: { type: 'boolean' } },
    allowPositionals: true,
  });
  const scenarios = values.examples ? EXAMPLES : SCENARIOS;
  if (values.needs) {
    const programs = [...BASE_PROGRAMS, ...scenarios.flatMap(({ needs }) => needs)];
    console.log([...new Set(programs.map((program) => APT_PACKAGE[program]))].sort().join(' '));
    return;
  }
  const examples = join(dirname(fileURLToPath(import.meta.url)), '../../examples');
  const dir = values.out ?? (values.examples ? examples : '/tmp/keepstate-captures');
  const names = positionals.length > 0 ? positionals : scenarios.map(({ name }) => name);
  for (const name of names) {
    const [{ file, linktype, packets }] = await recordAll(scenarios, dir, [name]);
    console.log(`${file}: ${packets} packets, link type ${linktype}`);
  }
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
