import type { Conntrack } from './conntrack.ts';
import { PROFILES } from './profile.ts';
import { restoreExpectation } from './restore-expect.ts';
import { BE_LIBERAL, BLIND, checkFlow, type FlowExtras, insertFlow, prepareExtras } from './restore-flow.ts';
import { ALIVE, readSnapshot, type SavedTable, timerAt } from './restore-read.ts';
import { type SnapshotHead, STATE_DYING, STATE_GONE } from './snapshot-format.ts';

/** What to mind when a table is restored. */
export interface RestoreOptions {
  /** The time (ms). Timers go on running while the table is in a file; if the clock went back, as if no time had passed. */
  readonly now: number;
  /** Number that a device has now, by the snapshot's meta and the one that it had; those that changed let masqueraded flows end when a device loses its address. */
  readonly device?: (meta: unknown, saved: number) => number;
  /**
   * Whether no packet has passed since the snapshot, by its meta; left out, none has. Where packets have, connections
   * went on that the snapshot knows nothing of: what TCP announced is out of date, and no window is minded.
   */
  readonly isLast?: (meta: unknown) => boolean;
}

/** What was restored. */
export interface Restored {
  readonly head: SnapshotHead;
  /** The moment (ms) that the snapshot is of. */
  readonly time: number;
  readonly flows: number;
  /** Flows that are gone but are others' masters. */
  readonly masters: number;
  readonly expectations: number;
  /** Flows and expectations whose time was over, or would have been. */
  readonly expired: number;
  /** Flows that were left out because others in the table have their tuples. */
  readonly taken: number;
  /** Helpers that there are no more: their flows are without. In order, each once. */
  readonly unknownHelpers: readonly string[];
  /** Expectations that were left out because what makes their translation is not there. */
  readonly unknownExpectations: number;
}

/** Counts while it goes on. */
interface Counts {
  flows: number;
  masters: number;
  expectations: number;
  expired: number;
  taken: number;
  unknownExpectations: number;
}

/**
 * Puts a saved table ({@link Snapshot}) into one that is as yet empty, or nearly so. All or nothing: what is wrong is
 * found before anything is changed. Nobody is told of any event. Flows that are there and have the same tuples stay.
 * @throws SnapshotError
 */
export function restore(ct: Conntrack, bytes: Uint8Array, options: RestoreOptions): Restored {
  const saved = readSnapshot(bytes);
  const unknown = new Set<string>();
  const extras = prepareExtras(ct, saved, unknown);
  for (let i = 0; i < saved.offsets.length; i++) checkFlow(ct, saved, i);
  ct.comeTo(options.now);
  const shift = Math.min(0, ct.now - saved.end.time);
  const counts: Counts = {
    flows: 0,
    masters: 0,
    expectations: 0,
    expired: 0,
    taken: 0,
    unknownExpectations: 0,
  };
  ct.silently(() => {
    const rows = restoreFlows(ct, saved, extras, shift, options, counts);
    restoreExpectations(ct, saved, rows, shift, counts);
  });
  ct.nextFlowId = Math.max(ct.nextFlowId, saved.end.nextId);
  ct.expectations.nextId = Math.max(ct.expectations.nextId, saved.end.nextExpectId);
  ct.random.state = saved.end.random | 0 || ct.random.state;
  return { head: saved.head, time: saved.end.time, ...counts, unknownHelpers: [...unknown] };
}

/** What of each record is to be: STATE_GONE, STATE_DYING for masters alone, ALIVE. A master comes before its flows. */
function decide(saved: SavedTable, now: number, shift: number): { states: Uint8Array; expired: number } {
  const { bytes, offsets, masters } = saved;
  const states = saved.states.slice();
  const isNeeded = new Uint8Array(states.length);
  let expired = 0;
  for (let i = states.length - 1; i >= 0; i--) {
    const at = offsets[i]!;
    const expires = bytes.double(timerAt(at, bytes.count(at + 4) >>> 8)) + shift;
    if (states[i] === ALIVE && expires <= now) {
      states[i] = STATE_DYING;
      expired++;
    }
    // A flow that is there needs its master, whatever the file says of that.
    if (states[i] !== ALIVE) states[i] = isNeeded[i] === 1 ? STATE_DYING : STATE_GONE;
    if (states[i] !== STATE_GONE && masters[i]! >= 0) isNeeded[masters[i]!] = 1;
  }
  return { states, expired };
}

/** @returns the row of each record, 0 for none */
function restoreFlows(
  ct: Conntrack,
  saved: SavedTable,
  extras: ReadonlyMap<number, FlowExtras>,
  shift: number,
  options: RestoreOptions,
  counts: Counts,
): Int32Array {
  const device = options.device === undefined ? undefined : options.device.bind(null, saved.head.meta);
  const { states, expired } = decide(saved, ct.now, shift);
  counts.expired += expired;
  // What wrote the words did not follow windows, and what reads them does.
  const wrote = PROFILES.find(({ name }) => name === saved.head.profile);
  const isBlind = wrote !== undefined && !wrote.tcpWindow;
  const isLate = options.isLast?.(saved.head.meta) === false;
  const liberal = !ct.settings.profile.tcpWindow ? 0 : isBlind ? BLIND : isLate ? BE_LIBERAL : 0;
  const rows = new Int32Array(states.length);
  const translated: number[] = [];
  for (let i = 0; i < states.length; i++) {
    if (states[i] === STATE_GONE) continue;
    const isAlive = states[i] === ALIVE;
    const master = saved.masters[i]! < 0 ? 0 : rows[saved.masters[i]!]!;
    const extra = extras.get(i);
    const row = insertFlow(ct, saved, i, { isAlive, master, shift, device, extra, liberal }, translated);
    rows[i] = row;
    if (row === 0) counts.taken++;
    else if (isAlive) counts.flows++;
    else counts.masters++;
  }
  enterBySource(ct, translated);
  dropUnused(ct, rows, states, counts);
  return rows;
}

/** Masters whose flows all were left out go again, and with them their own masters. */
function dropUnused(ct: Conntrack, rows: Int32Array, states: Uint8Array, counts: Counts): void {
  for (let i = states.length - 1; i >= 0; i--) {
    const row = rows[i]!;
    if (states[i] !== STATE_DYING || row === 0 || ct.isMaster(row)) continue;
    if (ct.idOf(row) !== 0) ct.giveBack(row);
    rows[i] = 0;
    counts.masters--;
  }
}

function enterBySource(ct: Conntrack, translated: number[]): void {
  // The latest of a source comes first: ids grow.
  translated.sort((a, b) => ct.idOf(a) - ct.idOf(b));
  for (const flow of translated) ct.bySource.add(flow);
}

function restoreExpectations(
  ct: Conntrack,
  saved: SavedTable,
  rows: Int32Array,
  shift: number,
  counts: Counts,
): void {
  const all = [...saved.expectations].sort((a, b) => a.id - b.id);
  for (const one of all) {
    const master = rows[one.master]!;
    if (one.expires + shift <= ct.now || master === 0 || !ct.isInTable(master)) counts.expired++;
    else if (restoreExpectation(ct, one, master, shift)) counts.expectations++;
    else counts.unknownExpectations++;
  }
}
