import { AF_INET } from '../packet/packet.ts';
import type { EventSink } from './events.ts';
import type { ExpectFnMaker } from './expectation.ts';
import * as F from './flow-table.ts';
import { RelatedFlows } from './related-flows.ts';
import * as S from './status.ts';
import type { Tuple } from './tuple.ts';

/** What a row is filled with that no packet made. Addresses are one word (IPv4) or four, in network order. */
export interface RowSpec {
  readonly src: readonly number[];
  readonly dst: readonly number[];
  /** T_PORTS of both directions. */
  readonly ports: number;
  readonly rsrc: readonly number[];
  readonly rdst: readonly number[];
  readonly rports: number;
  /** As F_KIND. */
  readonly kind: number;
  /** As F_ZONES. */
  readonly zones: number;
}

/**
 * Decides one end of a new flow's translation (nf_nat_setup_info).
 * @param to null if nothing is asked for this end
 * @param manip 0 source, 1 destination
 */
export type NatSetup = (
  flow: number,
  to: { readonly address: readonly number[]; readonly port: number | null } | null,
  manip: number,
) => void;

/** Flows that come and change without packets: by ctnetlink's commands (edit.ts) and from snapshots (restore.ts). */
export abstract class EditFlows extends RelatedFlows {
  /** Translates new flows as a command asks; null where nothing can. */
  setupNat: NatSetup | null = null;
  /** Functions of expectations by the names that they have in snapshots. */
  expectFns: ReadonlyMap<string, ExpectFnMaker> = new Map();

  /** Whether there is room for one more flow with a tuple. */
  abstract makeRoom(t: Tuple): boolean;

  /** The id that the next flow gets. */
  get nextFlowId(): number {
    return this.nextId;
  }

  set nextFlowId(id: number) {
    this.nextId = id;
  }

  /** Whether a flow is in the table: neither under way still nor gone. */
  isInTable(flow: number): boolean {
    return this.isConfirmed(flow);
  }

  /** Whether a row that left the table stays because flows are there whose master it is (or packets that are held). */
  isMaster(flow: number): boolean {
    return this.uses(flow) > 1;
  }

  /** The id of a flow, as an unsigned number; 0 of a row that is free. */
  idOf(flow: number): number {
    return this.table.words[flow * F.ROW_WORDS + F.F_ID]! >>> 0;
  }

  /** F.FLAG_* of flows that are made now. */
  get flagsOfNew(): number {
    return this.newFlags;
  }

  /** Gives a new flow the helper of its port, where helpers go by that. */
  assignAutomatically(flow: number): void {
    if (this.autoHelpers.length > 0) this.assignByPort(flow);
  }

  /** Takes a row and fills in tuples and zones; it has no id, and cannot be found. */
  takeRow(spec: RowSpec): number {
    const flow = this.table.alloc();
    const at = flow * F.ROW_WORDS;
    const isIpv4 = spec.kind >>> 8 === AF_INET;
    const hold = (words: readonly number[]): number => (isIpv4 ? words[0]! | 0 : this.holdWords(words));
    const src = hold(spec.src);
    const dst = hold(spec.dst);
    // Addresses of the answer are held on their own only where they are others.
    const rsrc = isEqual(spec.rsrc, spec.dst) ? dst : hold(spec.rsrc);
    const rdst = isEqual(spec.rdst, spec.src) ? src : hold(spec.rdst);
    const w = this.table.words;
    w[at + F.F_SRC] = src;
    w[at + F.F_DST] = dst;
    w[at + F.F_PORTS] = spec.ports;
    w[at + F.F_RSRC] = rsrc;
    w[at + F.F_RDST] = rdst;
    w[at + F.F_RPORTS] = spec.rports;
    w[at + F.F_KIND] = spec.kind;
    w[at + F.F_ZONES] = spec.zones;
    return flow;
  }

  /** Gives a new row the id that users see. */
  giveId(flow: number): void {
    this.table.words[flow * F.ROW_WORDS + F.F_ID] = this.nextId++;
  }

  /** Whether one of a row's tuples is another flow's in the table. */
  isTaken(flow: number): boolean {
    return this.rivalOf(flow) !== 0;
  }

  /** Frees a row that was taken and is not to be a flow. */
  giveBack(flow: number): void {
    this.discard(flow);
  }

  /** Enters a new flow: its timer has the time (ms) that it has left. It must have no rival. Its events wait. */
  enroll(flow: number): void {
    this.enter(flow);
  }

  /** Enters a flow that was in a table before, without event: its timer is the moment (ms) at which it runs out. */
  readmit(flow: number): void {
    this.table.insert(flow);
    this.wheel.add(flow);
  }

  /** Makes a flow the master of another (as an expectation does). */
  bindMaster(flow: number, master: number): void {
    this.table.words[flow * F.ROW_WORDS + F.F_MASTER] = master;
    this.keep(master);
  }

  /** Tells whoever listens of a flow's events at once. @param events IPCT_* */
  announce(flow: number, events: number): void {
    this.cacheEvent(flow, events);
    this.deliver(flow);
  }

  /** Calls `act` while nobody is told of anything. */
  silently(act: () => void): void {
    const sink: EventSink | null = this.sink;
    this.sink = null;
    try {
      act();
    } finally {
      this.sink = sink;
    }
  }

  /** Calls `visit` for each flow that is under way: made by a packet that has not come to its end. */
  eachUnconfirmed(visit: (flow: number) => void): void {
    const w = this.table.words;
    for (let row = 1; row < this.table.limit; row++) {
      const at = row * F.ROW_WORDS;
      if (w[at + F.F_ID] !== 0 && (w[at + F.F_STATUS]! & (S.IPS_CONFIRMED | S.IPS_DYING)) === 0) visit(row);
    }
  }

  private holdWords(words: readonly number[]): number {
    const handle = this.pool.intern(words[0]!, words[1]!, words[2]!, words[3]!);
    this.pool.hold(handle);
    return handle;
  }
}

function isEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.every((word, i) => (word | 0) === (b[i]! | 0));
}
