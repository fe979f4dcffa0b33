/** The replay itself: write a packet, take everything the kernel says about it, next packet. */
import { STAGES } from './codes.ts';
import { readPacket, undisturbed, writePacket } from './libc.ts';
import type { Namespace } from './namespace.ts';
import { STAGE_NOTHING, STAGE_SEEN_ARRIVED } from './nflog.ts';
import type { KernelEntry, KernelEvent } from './types.ts';
import { TableWatch } from './watch.ts';

/** Packets as they cross the process border: concatenated, with one length for each. */
export interface PackedPackets {
  readonly bytes: Uint8Array;
  readonly lengths: Uint32Array;
  /** Pause before each in ms; null: no pauses. */
  readonly waits: Float64Array | null;
}

/** What to collect besides the verdicts. */
export interface Collect {
  readonly dumpEvery: boolean;
  readonly output: boolean;
  readonly table: boolean;
  readonly stages: boolean;
}

/** Result as it crosses the process border; see KernelRun for the meaning. */
export interface PackedRun {
  /** Per packet: index into VERDICTS. */
  readonly codes: Uint8Array;
  readonly statuses: Uint32Array;
  /** Per packet: index into STAGES; null if not asked for. */
  readonly stages: Uint8Array | null;
  /** Pairs of packet number and text. */
  readonly reasonAt: number[];
  readonly reasons: string[];
  readonly times: Float64Array;
  readonly elapsedMs: number;
  readonly table: KernelEntry[];
  readonly tables: KernelEntry[][] | null;
  readonly events: KernelEvent[][] | null;
  readonly out: Uint8Array[][] | null;
}

const packetBuffer = new Uint8Array(1 << 17);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

function sleep(milliseconds: number): void {
  Atomics.wait(sleeper, 0, 0, milliseconds);
}

function readOutput(fd: number): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (;;) {
    const length = readPacket(fd, packetBuffer);
    if (length < 0) return packets;
    packets.push(packetBuffer.slice(0, length));
  }
}

function stageOf(seen: number, code: number, left: boolean): number {
  if (left) return STAGES.indexOf('out');
  if (code !== 0) return STAGES.indexOf('forward');
  if (seen === STAGE_NOTHING) return STAGES.indexOf('ip');
  return STAGES.indexOf(seen === STAGE_SEEN_ARRIVED ? 'defrag' : 'conntrack');
}

/** Throws unless nothing is waiting: what is there now belongs to no packet of the run to come. */
function expectSilence(namespace: Namespace): void {
  namespace.log.read();
  if (namespace.log.code !== 0 || namespace.log.reasons.length > 0) {
    throw new Error('NFLOG: a message that belongs to no packet');
  }
  readOutput(namespace.output);
}

/** Replays the packets in order. Throws when a log message, event or verdict got lost. */
export function replay(namespace: Namespace, packets: PackedPackets, collect: Collect): PackedRun {
  const watch = collect.dumpEvery ? new TableWatch(namespace.table) : null;
  try {
    expectSilence(namespace);
    const before = namespace.rules.reached();
    const run = undisturbed(() => writeAll(namespace, packets, collect, watch));
    expectSilence(namespace);
    const reached = namespace.rules.reached() - before;
    const logged = run.codes.reduce((sum, code) => sum + (code !== 0 ? 1 : 0), 0);
    if (reached !== logged) throw new Error(`${reached} packets passed conntrack, but ${logged} were logged`);
    const table = collect.table || watch ? namespace.table.dump() : [];
    watch?.verify(table);
    return { ...run, table };
  } finally {
    watch?.close();
  }
}

function writeAll(
  namespace: Namespace,
  packets: PackedPackets,
  collect: Collect,
  watch: TableWatch | null,
): Omit<PackedRun, 'table'> {
  const { bytes, lengths, waits } = packets;
  const { log } = namespace;
  const count = lengths.length;
  const codes = new Uint8Array(count);
  const statuses = new Uint32Array(count);
  const times = new Float64Array(count);
  const reasonAt: number[] = [];
  const reasons: string[] = [];
  const stages = collect.stages ? new Uint8Array(count) : null;
  const out: Uint8Array[][] | null = collect.output ? [] : null;
  const events: KernelEvent[][] | null = namespace.events ? [] : null;
  const tables: KernelEntry[][] | null = watch ? [] : null;

  let offset = 0;
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const packet = bytes.subarray(offset, offset + lengths[i]!);
    offset += packet.length;
    if (waits !== null && waits[i]! > 0) sleep(waits[i]!);
    if (events !== null) {
      events.push([]);
      namespace.events!.read(events[i]!, true);
    }
    times[i] = performance.now() - start;
    writePacket(namespace.input, packet);
    log.read();
    codes[i] = log.code;
    statuses[i] = log.status;
    for (const reason of log.reasons) {
      reasonAt.push(i);
      reasons.push(reason);
    }
    if (events !== null) namespace.events!.read(events[i]!, false);
    if (out !== null || stages !== null) {
      const left = readOutput(namespace.output);
      out?.push(left);
      if (stages !== null) stages[i] = stageOf(log.stage, log.code, left.length > 0);
    }
    if (watch !== null) tables!.push(watch.snapshot());
  }
  const elapsedMs = performance.now() - start;
  return { codes, statuses, stages, reasonAt, reasons, times, elapsedMs, tables, events, out };
}
