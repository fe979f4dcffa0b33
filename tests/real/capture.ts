// tcpdump on the router: started before a scenario, ended when everything it saw is in the file.

import { readFileSync, statSync } from 'node:fs';
import type { Network } from './network.ts';
import { outcomeOf, type Program, pause, until } from './process.ts';

/**
 * What the capture looks like:
 * - `ethernet`: the router's interface towards the client, each packet once, as on the wire.
 * - `any`: all interfaces, Linux cooked v2; a forwarded packet stands there twice, as it came and as it left.
 * - `any-v1`: all interfaces, incoming packets only (`-Q in`), Linux cooked v1; nothing the router sends itself.
 */
export type CaptureKind = 'ethernet' | 'any' | 'any-v1';

const TCPDUMP_OPTIONS: Readonly<Record<CaptureKind, readonly string[]>> = {
  ethernet: ['-i', 'lan0'],
  any: ['-i', 'any', '-y', 'LINUX_SLL2'],
  'any-v1': ['-i', 'any', '-y', 'LINUX_SLL', '-Q', 'in'],
};

/** Nothing more is expected once the file has not grown for so long (milliseconds). */
const QUIET = 150;

/** A running capture. */
export class Capture {
  readonly file: string;
  readonly #tcpdump: Program;

  private constructor(file: string, tcpdump: Program) {
    this.file = file;
    this.#tcpdump = tcpdump;
  }

  /** Starts tcpdump on the router and waits until it listens. @throws Error with tcpdump's words. */
  static async start(network: Network, kind: CaptureKind, file: string): Promise<Capture> {
    const tcpdump = network.start('router', [
      'tcpdump',
      ...TCPDUMP_OPTIONS[kind],
      ...['-n', '-U', '--immediate-mode', '-B', '16384'],
      // Debian's tcpdump gives root up before it opens the file, which then may lie where it cannot write.
      ...['-Z', 'root', '-w', file],
    ]);
    await until('tcpdump to listen', () => {
      if (!tcpdump.running) throw new Error(tcpdump.describe('ended instead of listening'));
      return tcpdump.stderr.includes('listening on');
    });
    return new Capture(file, tcpdump);
  }

  /**
   * Waits for silence and ends tcpdump.
   * @throws Error when tcpdump lost packets: a capture with holes would be judged wrongly.
   */
  async stop(): Promise<void> {
    let size = -1;
    let since = Date.now();
    while (Date.now() - since < QUIET) {
      const now = statSync(this.file).size;
      if (now !== size) since = Date.now();
      size = now;
      await pause(10);
    }
    this.#tcpdump.signal('SIGINT');
    const { stderr } = await outcomeOf(this.#tcpdump, { limit: 5_000 });
    const count = (what: string): number =>
      Number(new RegExp(`^(\\d+) packets? ${what}`, 'm').exec(stderr)?.[1]);
    // tcpdump picks the direction (-Q) itself, after the count of those received.
    const unread = this.#tcpdump.argv.includes('-Q') ? 0 : count('received by filter') - count('captured');
    if (unread !== 0 || count('dropped by kernel') !== 0) {
      throw new Error(this.#tcpdump.describe('did not write all it received'));
    }
  }
}

/** What a pcap file's header and records say: DLT number (1 Ethernet, 113 and 276 Linux cooked) and count. */
export type PcapSummary = { readonly linktype: number; readonly packets: number };

/** Counts without keepstate's own reader, which these captures are there to test. @throws Error if no pcap. */
export function summarizePcap(file: string): PcapSummary {
  const bytes = readFileSync(file);
  const LITTLE_ENDIAN_MICROSECONDS = 0xa1b2c3d4;
  if (bytes.readUInt32LE(0) !== LITTLE_ENDIAN_MICROSECONDS)
    throw new Error(`${file} is no pcap of this machine`);
  let packets = 0;
  for (let at = 24; at < bytes.length; at += 16 + bytes.readUInt32LE(at + 8)) packets++;
  return { linktype: bytes.readUInt32LE(20) & 0xffff, packets };
}
