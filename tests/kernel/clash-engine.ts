/** The same scripts in the engine, and what differs. */

import type { Stats } from '../../engine/conntrack/flows.ts';
import { statusNames } from '../../engine/conntrack/status.ts';
import { dissect } from '../../engine/packet/dissect.ts';
import { DLT_RAW, enterLink } from '../../engine/packet/link.ts';
import {
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_UNTRACKED,
  Packet,
  resetPacket,
} from '../../engine/packet/packet.ts';
import type { KernelPlay, KernelStep, Step } from './clash-script.ts';
import { compareTables, kernelLine } from './compare.ts';
import { compareCounters, kernelCounters } from './compare-accounting.ts';
import { RecordingSide } from './compare-events.ts';

const STATES: readonly string[] = [
  'ESTABLISHED original',
  'RELATED original',
  'NEW original',
  'ESTABLISHED reply',
  'RELATED reply',
];
const COUNTED = ['invalid', 'insert_failed', 'drop', 'early_drop', 'error', 'clash_resolve'] as const;
/** The kernel's clock and ours need not be the same at the start. */
const START = 1_000_000;
/** Seconds by which the timeouts of the two sides may differ, beside the kernel's rounding down. */
const SLACK = 0.2;

/** Events of one step; the order in which the kernel's flush finds entries is random. */
function inOrder(op: string, events: readonly string[]): readonly string[] {
  return op === 'flush' ? [...events].sort() : events;
}

function stateText({ ctinfo }: Packet): string | null {
  if (ctinfo === CTINFO_NONE) return null;
  if (ctinfo === CTINFO_INVALID) return 'INVALID';
  return ctinfo === IP_CT_UNTRACKED ? 'UNTRACKED' : STATES[ctinfo]!;
}

/** Plays a script; its clock is the kernel's. */
export class HeldEngine {
  readonly side: RecordingSide;
  private readonly held: Map<string, Packet> = new Map();

  constructor(sysctls: Readonly<Record<string, string | number>>) {
    this.side = new RecordingSide(sysctls);
  }

  /** One step as text: everything that the two sides are to agree in. */
  step(step: Step, time: number): string {
    const ct = this.side.firewall.conntrack;
    const before = { ...ct.stats };
    ct.tick(START + time);
    let arrived: Packet | null = null;
    let left: Packet | null = null;
    if (step.op === 'flush') ct.flush();
    else if (step.op === 'sysctl') this.side.firewall.settings.set(step.name, step.value);
    else if (step.op === 'arrive') {
      arrived = this.arrive(step.packet, step.bytes, START + time);
      if (!step.hold) left = this.release(step.packet, true);
    } else if (step.op !== 'wait') left = this.release(step.packet, step.op === 'accept');
    return [
      'packet' in step ? `${step.op} ${step.packet}` : step.op,
      arrived === null ? null : stateText(arrived),
      arrived === null ? '' : statusNames(arrived.status),
      left === null ? null : stateText(left),
      ...COUNTED.filter((name) => ct.stats[name] > before[name]).map(
        (name: keyof Stats) => `${name} ${ct.stats[name] - before[name]}`,
      ),
      `count ${ct.table.count}`,
      ...inOrder(
        step.op,
        this.side.take().map(({ text }) => text),
      ),
    ].join(' | ');
  }

  private arrive(name: string, bytes: Uint8Array, now: number): Packet {
    const { conntrack } = this.side.firewall;
    const pkt = new Packet();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    resetPacket(pkt, bytes, view, 0, bytes.length);
    pkt.time = now;
    if (!enterLink(pkt, DLT_RAW) || !dissect(pkt) || !conntrack.track(pkt)) return pkt;
    conntrack.hold(pkt);
    this.held.set(name, pkt);
    return pkt;
  }

  private release(name: string, accepted: boolean): Packet | null {
    const pkt = this.held.get(name);
    if (pkt === undefined) return null; // dropped on its way to the queue
    this.held.delete(name);
    const { conntrack } = this.side.firewall;
    conntrack.resume(pkt);
    if (!accepted) conntrack.abandon(pkt);
    return accepted && conntrack.confirm(pkt) ? pkt : null;
  }
}

function kernelStep(s: KernelStep): string {
  return [
    s.step,
    s.state,
    statusNames(s.status),
    s.after,
    ...COUNTED.filter((name) => s.statistics[name] !== undefined).map(
      (name) => `${name} ${s.statistics[name]}`,
    ),
    `count ${s.count}`,
    ...inOrder(
      s.step,
      s.events.map(
        ({ type, entry }) => `${type} ${kernelLine(entry)}${type === 'DESTROY' ? kernelCounters(entry) : ''}`,
      ),
    ),
  ].join(' | ');
}

/** What the engine does differently in a script: steps, and the table at its end. Empty if it agrees. */
export function differences(
  script: readonly Step[],
  kernel: KernelPlay,
  sysctls: Readonly<Record<string, string | number>>,
): string[] {
  const engine = new HeldEngine(sysctls);
  const out: string[] = [];
  for (const [i, step] of script.entries()) {
    const theirs = kernelStep(kernel.steps[i]!);
    const ours = engine.step(step, kernel.steps[i]!.time);
    if (theirs !== ours) out.push(`${i} kernel: ${theirs}`, `${i} engine: ${ours}`);
  }
  const { side } = engine;
  side.firewall.tick(START + kernel.elapsedMs);
  const tables = [
    ...compareTables(-1, kernel.table, side.table(), SLACK),
    ...compareCounters(kernel.table, side),
  ];
  for (const { kernel: theirs, engine: ours } of tables)
    out.push(`table kernel: ${theirs}`, `table engine: ${ours}`);
  return out;
}
