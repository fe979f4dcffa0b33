import { AF_INET } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { Conntrack } from './conntrack.ts';
import * as F from './flow-table.ts';
import type { Helper } from './helper.ts';
import { behindFixed, type SavedTable, timerAt } from './restore-read.ts';
import type { SeqAdjust } from './seq-adjust.ts';
import * as R from './snapshot-format.ts';
import { type SavedExtension, SnapshotError } from './snapshot-format.ts';
import * as S from './status.ts';

/** What a flow has beside its row, ready to be put there. */
export interface FlowExtras {
  readonly saved: SavedExtension;
  readonly helper: Helper | null;
  readonly data: unknown;
}

/** What is known of a record beside its bytes. */
export interface FlowPlace {
  /** Whether it goes into the table; else it is only the master of others. */
  readonly isAlive: boolean;
  /** Row of its master, 0 for none. */
  readonly master: number;
  /** What is added to all its times (ms): nothing, or less if the clock went back. */
  readonly shift: number;
  readonly device: ((saved: number) => number) | undefined;
  readonly extra: FlowExtras | undefined;
  /** TCP: flags of a flow whose windows are not known, so that none is minded (as of what conntrack(8) makes); or 0. */
  readonly liberal: number;
}

/**
 * Finds helpers and makes their data, before anything is changed.
 * @param unknown gets the names of helpers that are not there
 * @throws SnapshotError for data that the helper does not know as its own
 */
export function prepareExtras(
  ct: Conntrack,
  table: SavedTable,
  unknown: Set<string>,
): Map<number, FlowExtras> {
  const found = new Map<number, FlowExtras>();
  for (const [number, saved] of table.extensions) {
    const helper =
      saved.helper === undefined ? null : ct.findHelper(saved.helper[0], saved.helper[2], saved.helper[1]);
    if (saved.helper !== undefined && helper === null) unknown.add(saved.helper[0]);
    let data: unknown = helper?.start?.() ?? null;
    if (helper?.restore !== undefined && saved.data !== undefined) {
      data = helper.restore(saved.data);
      if (data === undefined)
        throw new SnapshotError(
          table.offsets[number]!,
          `expected data of helper '${helper.name}' of flow ${number}`,
        );
    }
    found.set(number, { saved, helper, data });
  }
  return found;
}

/** IP_CT_TCP_FLAG_BE_LIBERAL. */
export const BE_LIBERAL = 0x08;
/** The same, and IP_CT_TCP_FLAG_SACK_PERM: nothing at all is known. */
export const BLIND = 0x0a;

const scratch: Int32Array = new Int32Array(F.ROW_WORDS);

/** Looks at what only the protocol's tracker knows. @throws SnapshotError */
export function checkFlow(ct: Conntrack, { bytes, offsets }: SavedTable, number: number): void {
  const at = offsets[number]!;
  const kind = bytes.count(at + 4);
  const { isSane } = ct.tracker(kind & 255);
  if (isSane === undefined) return;
  const words = behindFixed(at, kind >>> 8) - R.PROTO_WORDS * 4;
  for (let i = 0; i < R.PROTO_WORDS; i++) scratch[F.F_PROTO + i] = bytes.word(words + 4 * i);
  if (!isSane(scratch, 0)) throw new SnapshotError(words, `expected a state of flow ${number}'s protocol`);
}

/**
 * Makes the flow of a record.
 * @param translated gets its row if its source is translated: to be entered by its source
 * @returns its row, 0 if another flow has one of its tuples
 */
export function insertFlow(
  ct: Conntrack,
  { bytes, offsets }: SavedTable,
  number: number,
  place: FlowPlace,
  translated: number[],
): number {
  const at = offsets[number]!;
  const kind = bytes.word(at + 4);
  const family = kind >>> 8;
  const length = family === AF_INET ? 1 : 4;
  const address = (index: number): number[] => {
    const words: number[] = [];
    for (let i = 0; i < length; i++)
      words.push(bytes.word(at + R.RECORD_WORDS * 4 + (index * length + i) * 4));
    return words;
  };
  const flow = ct.takeRow({
    src: address(0),
    dst: address(1),
    rsrc: address(2),
    rdst: address(3),
    ports: bytes.word(at + 28),
    rports: bytes.word(at + 32),
    kind,
    zones: bytes.word(at + 8),
  });
  if (place.isAlive && ct.isTaken(flow)) {
    ct.giveBack(flow);
    return 0;
  }
  fillRow(ct, flow, { bytes, at, family }, place);
  if (place.extra !== undefined) giveExtras(ct, flow, place.extra, place.device);
  const words = ct.table.words;
  const status = words[flow * F.ROW_WORDS + F.F_STATUS]!;
  if ((status & S.IPS_SRC_NAT) !== 0) translated.push(flow);
  if (place.master !== 0) ct.bindMaster(flow, place.master);
  if (place.shift !== 0) ct.tracker(kind & 255).shift?.(ct, flow, place.shift);
  if (place.liberal !== 0 && (kind & 255) === IPPROTO_TCP)
    ct.tracker(IPPROTO_TCP).edit?.(ct, flow, { flags: place.liberal, mask: place.liberal });
  if (place.isAlive) ct.readmit(flow);
  else words[flow * F.ROW_WORDS + F.F_STATUS]! |= S.IPS_DYING;
  return flow;
}

/** Where a record stands. */
interface Place {
  readonly bytes: SavedTable['bytes'];
  readonly at: number;
  readonly family: number;
}

function fillRow(
  ct: Conntrack,
  flow: number,
  { bytes, at, family }: Place,
  { shift, device }: FlowPlace,
): void {
  const { words: w, doubles } = ct.table;
  const row = flow * F.ROW_WORDS;
  const flags = bytes.count(at);
  const events = bytes.word(at + 24);
  w[row + F.F_STATUS] = (bytes.word(at + 12) & S.IPS_MASK & ~S.IPS_DYING) | S.IPS_CONFIRMED;
  w[row + F.F_MARK] = bytes.word(at + 16);
  w[row + F.F_ID] = bytes.word(at + 20);
  w[row + F.F_EVENTS] = events & ~(F.FLAG_ACCT | F.FLAG_TSTAMP);
  const masq = (events & F.MASQ_BITS) >>> F.MASQ_SHIFT;
  if (masq !== 0 && device !== undefined) {
    const now = device(masq);
    const fits = now >= 0 && now <= F.MASQ_BITS >>> F.MASQ_SHIFT;
    w[row + F.F_EVENTS] = (w[row + F.F_EVENTS]! & ~F.MASQ_BITS) | (fits ? now << F.MASQ_SHIFT : 0);
    if (!fits && now > 0) ct.extend(flow).masqDevice = now;
  }
  doubles[(row + F.F_EXPIRES) / 2] = bytes.double(timerAt(at, family)) + shift;
  let from = behindFixed(at, family) - R.PROTO_WORDS * 4;
  for (let i = 0; i < R.PROTO_WORDS; i++, from += 4) w[row + F.F_PROTO + i] = bytes.word(from);
  if ((flags & R.RECORD_COUNTERS) !== 0) {
    const counters = ct.table.wantCounters();
    for (let i = 0; i < 4; i++, from += 8) counters[flow * 4 + i] = bytes.double(from);
    w[row + F.F_EVENTS]! |= F.FLAG_ACCT;
  }
  if ((flags & R.RECORD_START) !== 0) {
    ct.table.wantStarts()[flow] = bytes.double(from);
    w[row + F.F_EVENTS]! |= F.FLAG_TSTAMP;
  }
}

function giveExtras(ct: Conntrack, flow: number, extra: FlowExtras, device: FlowPlace['device']): void {
  const ext = ct.extend(flow);
  const { seq, labels, events, expectEvents, timeouts, policy, masqDevice } = extra.saved;
  ext.helper = extra.helper;
  ext.data = extra.data;
  if (seq !== undefined) ext.seq = [shiftOf(seq, 0), shiftOf(seq, 3)];
  if (labels !== undefined) ext.labels = Int32Array.from(labels);
  if (events !== undefined) ext.events = events;
  if (expectEvents !== undefined) ext.expectEvents = expectEvents;
  if (timeouts !== undefined) ext.timeouts = Float64Array.from(timeouts, (time) => time ?? Number.NaN);
  if (policy !== undefined) ext.policy = policy;
  if (masqDevice !== undefined) ext.masqDevice = device?.(masqDevice) ?? masqDevice;
  extra.helper?.resume?.(ct, extra.data);
}

function shiftOf(seq: readonly number[], at: number): SeqAdjust[0] {
  return { place: seq[at]! | 0, before: seq[at + 1]!, after: seq[at + 2]! };
}
