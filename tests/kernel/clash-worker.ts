/** Child process of {@link HeldKernel}: plays scripts of held packets in a namespace of its own. */

import { NF_ACCEPT, NF_DROP, PacketQueue } from './clash-queue.ts';
import type { HeldOptions, KernelStep, Step } from './clash-script.ts';
import { VERDICTS } from './codes.ts';
import { readPacket, writePacket } from './libc.ts';
import { Namespace, runCommand } from './namespace.ts';
import { eachAttribute, message, NetlinkSocket, NLM_F_DUMP } from './netlink.ts';
import type { KernelEvent } from './types.ts';

const QUEUE = 5;
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET_STATS_CPU = 4;
/** CTA_STATS_* that say anything here; the kernel counts them for each CPU. */
const STATISTICS: readonly (readonly [number, string])[] = [
  [2, 'found'],
  [4, 'invalid'],
  [8, 'insert'],
  [9, 'insert_failed'],
  [10, 'drop'],
  [11, 'early_drop'],
  [12, 'error'],
  [13, 'search_restart'],
  [14, 'clash_resolve'],
  [15, 'chaintoolong'],
];

/**
 * Behind confirmation (hooks of equal priority run youngest first, and conntrack's come with the first rule that
 * asks for it): what the packet's ct state is then, written into its DSCP field, which TUN shows.
 */
const BEHIND = 'table inet behind {\nchain c {\ntype filter hook postrouting priority 2147483647;\n}\n}\n';
const MARKERS: string = VERDICTS.flatMap(({ state, dir }, code) => {
  if (state === null) return [];
  const match = `ct state ${state.toLowerCase()} ${dir === null ? '' : `ct direction ${dir}`}`;
  return [
    `add rule inet behind c meta nfproto ipv4 ${match} ip dscp set ${code}`,
    `add rule inet behind c meta nfproto ipv6 ${match} ip6 dscp set ${code}`,
  ];
}).join('\n');

const sleeper = new Int32Array(new SharedArrayBuffer(4));
const packetBuffer = new Uint8Array(1 << 17);

function must(command: readonly string[], stdin = ''): void {
  const { status, stderr } = runCommand(command, stdin);
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr.trim()}`);
}

/** "NEW original", "INVALID": state and direction with this code. */
function stateText(code: number): string | null {
  const { state, dir } = VERDICTS[code]!;
  return dir === null ? state : `${state} ${dir}`;
}

class Player {
  private readonly namespace: Namespace;
  private readonly queue: PacketQueue;
  private readonly asking: NetlinkSocket;
  private counted: Map<string, number> = new Map();
  private readonly held: Map<string, number> = new Map();

  constructor(options: HeldOptions) {
    this.namespace = new Namespace({
      sysctls: { nf_conntrack_acct: 1, ...options.sysctls },
      events: true,
      ruleset: BEHIND + (options.ruleset ?? ''),
    });
    must(['nft', '-f', '-'], MARKERS);
    this.asking = new NetlinkSocket(); // not earlier: it belongs to the namespace that the process is in
    this.queue = new PacketQueue(QUEUE);
    for (const tool of ['iptables', 'ip6tables'])
      must([
        tool,
        '-t',
        'mangle',
        '-A',
        options.hook ?? 'POSTROUTING',
        '-j',
        'NFQUEUE',
        '--queue-num',
        String(QUEUE),
      ]);
  }

  play(steps: readonly Step[]): KernelStep[] {
    for (const id of this.held.values()) this.queue.verdict(id, NF_DROP);
    this.held.clear();
    this.namespace.table.flush();
    this.statistics();
    this.events();
    return steps.map((step) => this.step(step));
  }

  private step(step: Step): KernelStep {
    const { log, table } = this.namespace;
    let state: string | null = null;
    let status = 0;
    if (step.op === 'wait') Atomics.wait(sleeper, 0, 0, step.ms);
    else if (step.op === 'flush') table.flush();
    else if (step.op === 'exec') must(step.command);
    else if (step.op === 'arrive') {
      writePacket(this.namespace.input, step.bytes);
      log.read();
      state = stateText(log.code);
      status = log.status;
      const [id] = this.queue.arrived();
      if (id !== undefined) this.held.set(step.packet, id);
      if (id !== undefined && step.hold === false) this.release(step.packet, NF_ACCEPT);
    } else this.release(step.packet, step.op === 'accept' ? NF_ACCEPT : NF_DROP);
    const out = this.output();
    return {
      step: 'packet' in step ? `${step.op} ${step.packet}` : step.op,
      state,
      status,
      log: [...log.reasons],
      left: out.length,
      after: out.length === 0 ? null : stateText(dscpOf(out[0]!)),
      events: this.events(),
      statistics: this.statistics(),
      table: table.dump(),
    };
  }

  private release(packet: string, verdict: number): void {
    const id = this.held.get(packet);
    if (id === undefined) throw new Error(`packet ${packet} is not held`);
    this.held.delete(packet);
    this.queue.verdict(id, verdict);
    if (this.queue.arrived().length > 0) throw new Error('a verdict queued another packet');
  }

  private output(): Uint8Array[] {
    const packets: Uint8Array[] = [];
    for (;;) {
      const length = readPacket(this.namespace.output, packetBuffer);
      if (length < 0) return packets;
      packets.push(packetBuffer.slice(0, length));
    }
  }

  private events(): KernelEvent[] {
    const events: KernelEvent[] = [];
    this.namespace.events!.read(events, false);
    return events;
  }

  /** What `conntrack -S` counts, summed over CPUs: the increase since the last call. */
  private statistics(): Record<string, number> {
    const sums = new Map<string, number>();
    const request = message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, 0, 0);
    this.asking.dump(request, 'read statistics', ({ buffer, from, to }) => {
      eachAttribute(buffer, from, to, (type, at) => {
        const name = STATISTICS.find(([number]) => number === type)?.[1];
        if (name) sums.set(name, (sums.get(name) ?? 0) + buffer.readUInt32BE(at));
      });
    });
    const increase: Record<string, number> = {};
    for (const [name, sum] of sums) {
      const more = sum - (this.counted.get(name) ?? 0);
      if (more > 0) increase[name] = more;
    }
    this.counted = sums;
    return increase;
  }
}

function dscpOf(packet: Uint8Array): number {
  if (packet[0]! >> 4 === 4) return packet[1]! >> 2;
  return (((packet[0]! & 15) << 4) | (packet[1]! >> 4)) >> 2;
}

let player: Player | null = null;

process.on('message', ({ id, options, steps }: { id: number; options?: HeldOptions; steps?: Step[] }) => {
  try {
    if (options) player = new Player(options);
    process.send!({ reply: id, value: steps ? player!.play(steps) : [] });
  } catch (error) {
    process.send!({ reply: id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
