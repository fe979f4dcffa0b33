// What the router's kernel made of real programs' packets: all that entered it and all that left it, each with its
// device, its rules and addresses, and its table at the end.

import { readFileSync } from 'node:fs';
import { CaptureReader, CaptureRecord } from '@keepstate/engine';
import { Network } from '../network.ts';
import { pause, until } from '../process.ts';

/** A frame on one of the router's links. */
export interface Crossing {
  readonly device: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** From its Ethernet header on. */
  readonly frame: Uint8Array;
}

/** What was seen. */
export interface Recorded {
  readonly rules: string;
  readonly addresses: string;
  readonly routes: readonly string[];
  readonly entered: readonly Crossing[];
  readonly left: readonly Crossing[];
  /** `conntrack -L` at the end. */
  readonly table: string;
  /** `conntrack -L expect` at the end. */
  readonly expected: string;
}

/** Real programs talking through a router that translates or filters. */
export interface NatScenario {
  readonly name: string;
  /** nft or a shell script of iptables commands; loaded before anything is sent. */
  readonly rules: string;
  readonly needs: readonly string[];
  /** Seconds after which it is broken off. */
  readonly limit: number;
  readonly prepare?: (network: Network) => Promise<unknown>;
  readonly run: (network: Network) => Promise<unknown>;
}

const DEVICES = ['lan0', 'wan0'];
const DIRECTIONS = ['in', 'out'] as const;

/** The frames of a pcap file of Ethernet. */
function framesOf(file: string, device: string): Crossing[] {
  const reader = new CaptureReader(file);
  reader.push(readFileSync(file));
  const record = new CaptureRecord();
  const out: Crossing[] = [];
  while (reader.next(record)) {
    const frame = record.bytes.slice(record.off, record.off + record.caplen);
    out.push({ device, at: record.time, frame });
  }
  return out;
}

/** Whether a frame is one that hosts send to keep a link going: ARP, neighbour discovery, groups. */
function isUpkeep({ frame }: Crossing): boolean {
  const type = (frame[12]! << 8) | frame[13]!;
  if (type === 0x0800) return false;
  if (type !== 0x86dd) return true;
  const [NEXT, TYPE] = [14 + 6, 14 + 40];
  const hasOptions = frame[NEXT] === 0;
  return hasOptions || (frame[NEXT] === 58 && frame[TYPE]! >= 130 && frame[TYPE]! <= 143);
}

async function text(network: Network, argv: readonly string[]): Promise<string> {
  return (await network.run('router', argv)).stdout;
}

/**
 * Plays a scenario.
 * @throws Error when a program fails or hangs, or tcpdump loses packets
 */
export async function recordThrough(scenario: NatScenario): Promise<Recorded> {
  const network = await Network.create();
  const timer = setTimeout(() => void network.destroy(), scenario.limit * 1000);
  try {
    await loadRules(network, scenario.rules);
    await scenario.prepare?.(network);
    const captures = await startCaptures(network);
    await scenario.run(network);
    await pause(200);
    for (const { program } of captures) program.signal('SIGINT');
    for (const { program } of captures) {
      const { stderr } = await program.ended;
      if (!/^0 packets dropped by kernel/m.test(stderr)) throw new Error(program.describe('lost packets'));
    }
    const frames = (direction: string): Crossing[] =>
      captures
        .filter((capture) => capture.direction === direction)
        .flatMap(({ file, device }) => framesOf(file, device))
        .filter((crossing) => !isUpkeep(crossing))
        .sort((a, b) => a.at - b.at);
    return {
      rules: scenario.rules,
      addresses: await text(network, ['ip', '-j', 'addr']),
      routes: [await text(network, ['ip', '-j', 'route']), await text(network, ['ip', '-j', '-6', 'route'])],
      entered: frames('in'),
      left: frames('out'),
      table: await text(network, ['conntrack', '-L']),
      expected: await text(network, ['conntrack', '-L', 'expect']),
    };
  } finally {
    clearTimeout(timer);
    await network.destroy();
  }
}

async function loadRules(network: Network, rules: string): Promise<void> {
  const isShell = rules.startsWith('#!/bin/sh');
  await network.run('router', isShell ? ['sh', '-e'] : ['nft', '-f', '-'], { input: rules });
}

interface Tap {
  readonly device: string;
  readonly direction: string;
  readonly file: string;
  readonly program: ReturnType<Network['start']>;
}

/** tcpdump on both links, one for each direction: a frame of both would not say which way it went. */
async function startCaptures(network: Network): Promise<Tap[]> {
  const taps = DEVICES.flatMap((device) =>
    DIRECTIONS.map((direction) => {
      const file = network.path(`${device}-${direction}.pcap`);
      const options = ['-n', '-U', '--immediate-mode', '-B', '16384', '-Z', 'root', '-w', file];
      const argv = ['tcpdump', '-i', device, '-Q', direction, ...options];
      return { device, direction, file, program: network.start('router', argv) };
    }),
  );
  for (const { program } of taps)
    await until('tcpdump to listen', () => {
      if (!program.running) throw new Error(program.describe('ended instead of listening'));
      return program.stderr.includes('listening on');
    });
  return taps;
}
