/** Child process of HeldKernel (clash-kernel.ts): plays scripts of held packets in a namespace of its own. */
import { readFileSync, writeFileSync } from 'node:fs';
import { NF_ACCEPT, NF_DROP, PacketQueue } from './clash-queue.ts';
import type { HeldOptions, KernelPlay, KernelStep, Step } from './clash-script.ts';
import { VERDICTS } from './codes.ts';
import { readPacket, writePacket } from './libc.ts';
import { Namespace, runCommand } from './namespace.ts';
import { eachAttribute, message, NetlinkSocket, NLM_F_DUMP } from './netlink.ts';
import type { KernelEvent } from './types.ts';

const PROC = '/proc/sys/net/netfilter';
const QUEUE = 5;
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_GET_STATS_CPU = 4;
/** CTA_STATS_*; the kernel counts them for each CPU. */
const STATISTICS: ReadonlyMap<number, string> = new Map([
  [4, 'invalid'],
  [9, 'insert_failed'],
  [10, 'drop'],
  [11, 'early_drop'],
  [12, 'error'],
  [14, 'clash_resolve'],
]);

/**
 * Behind confirmation (of hooks with one priority the youngest comes first, and conntrack's come with the first
 * rule that asks for it): the packet's ct state is written into its DSCP field, where the TUN device shows it.
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

function dscpOf(packet: Uint8Array): number {
  if (packet[0]! >> 4 === 4) return packet[1]! >> 2;
  return (((packet[0]! & 15) << 4) | (packet[1]! >> 4)) >> 2;
}

/** The namespace with a queue in its way. */
class Player {
  private readonly namespace: Namespace;
  private readonly queue: PacketQueue;
  private readonly asking: NetlinkSocket;
  private counted: ReadonlyMap<string, number> = new Map();
  private readonly held: Map<string, number> = new Map();

  constructor(options: HeldOptions) {
    this.namespace = new Namespace({
      sysctls: options.sysctls ?? {},
      events: true,
      ruleset: BEHIND + (options.ruleset ?? ''),
    });
    must(['nft', '-f', '-'], MARKERS);
    this.asking = new NetlinkSocket();
    this.queue = new PacketQueue(QUEUE);
    const rule = ['-A', options.hook ?? 'POSTROUTING', '-j', 'NFQUEUE', '--queue-num', `${QUEUE}`];
    for (const tool of ['iptables', 'ip6tables']) must([tool, '-t', 'mangle', ...rule]);
  }

  /** Plays a script on an empty table. */
  play(steps: readonly Step[]): KernelPlay {
    for (const packet of this.held.keys()) this.release(packet, NF_DROP);
    this.namespace.table.flush();
    this.output();
    this.events();
    this.statistics();
    const start = performance.now();
    const played = steps.map((step) => this.step(step, start));
    return { steps: played, elapsedMs: performance.now() - start, table: this.namespace.table.dump() };
  }

  private step(step: Step, start: number): KernelStep {
    const { log, table } = this.namespace;
    const time = performance.now() - start;
    if (step.op === 'wait') Atomics.wait(sleeper, 0, 0, step.ms);
    else if (step.op === 'flush') table.flush();
    else if (step.op === 'sysctl') writeFileSync(`${PROC}/${step.name}`, `${step.value}`);
    else if (step.op === 'arrive') this.arrive(step.packet, step.bytes, step.hold);
    else this.release(step.packet, step.op === 'accept' ? NF_ACCEPT : NF_DROP);
    const arrived = step.op === 'arrive';
    const out = this.output();
    if (out.length > 1) throw new Error('two packets left in one step');
    return {
      step: 'packet' in step ? `${step.op} ${step.packet}` : step.op,
      time,
      state: arrived ? stateText(log.code) : null,
      status: arrived ? log.status : 0,
      left: out.length > 0,
      after: out.length > 0 ? stateText(dscpOf(out[0]!)) : null,
      events: this.events(),
      statistics: this.statistics(),
      count: Number(readFileSync(`${PROC}/nf_conntrack_count`, 'latin1')),
    };
  }

  private arrive(packet: string, bytes: Uint8Array, hold: boolean): void {
    writePacket(this.namespace.input, bytes);
    this.namespace.log.read();
    const [id] = this.queue.arrived();
    if (id === undefined) return;
    this.held.set(packet, id);
    if (!hold) this.release(packet, NF_ACCEPT);
  }

  private release(packet: string, verdict: number): void {
    const id = this.held.get(packet);
    if (id === undefined) return; // dropped on its way to the queue
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

  /** The increase since the last call, summed over CPUs. */
  private statistics(): Record<string, number> {
    const sums = new Map<string, number>();
    const request = message(NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, 0, 0);
    this.asking.dump(request, 'read statistics', ({ buffer, from, to }) => {
      eachAttribute(buffer, from, to, (type, at) => {
        const name = STATISTICS.get(type);
        if (name) sums.set(name, (sums.get(name) ?? 0) + buffer.readUInt32BE(at));
      });
    });
    const more = [...sums].map(([name, sum]) => [name, sum - (this.counted.get(name) ?? 0)] as const);
    this.counted = sums;
    return Object.fromEntries(more.filter(([, increase]) => increase > 0));
  }
}

/** What the parent may ask: to build the namespace, or to play a script in it. */
export type HeldRequest = { readonly options: HeldOptions } | { readonly script: readonly Step[] };

let player: Player | null = null;

function answer(request: HeldRequest): KernelPlay | null {
  if ('script' in request) return player!.play(request.script);
  player = new Player(request.options);
  return null;
}

process.on('message', ({ id, request }: { id: number; request: HeldRequest }) => {
  try {
    process.send!({ reply: id, value: answer(request) });
  } catch (error) {
    process.send!({ reply: id, error: error instanceof Error ? error.message : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
