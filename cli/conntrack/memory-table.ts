import { type ExpectRecord, ips, protocolName, type TupleRecord } from '@keepstate/engine';
import { SETTABLE, stateName } from './match.ts';
import {
  type Change,
  type ConntrackTable,
  type Entry,
  type NatTo,
  type NewEntry,
  type NewExpectation,
  type TableStats,
  TIMEOUT_MOST,
} from './table.ts';
import { invert, isWhole, portKind, portWords } from './tuple.ts';
import type { Errno } from './words.ts';

const SCTP = 132;

/** A timeout in ms. A moment has gone when anybody looks: the kernel shows 99 of 100 seconds at once. */
function timeoutOf(seconds: number): number {
  return Math.min(seconds * 1000 - 1, TIMEOUT_MOST);
}

/** What a table in memory begins with. */
export interface Contents {
  readonly now: number;
  readonly entries: readonly Entry[];
  readonly expectations: readonly ExpectRecord[];
  readonly stats?: TableStats;
}

/** A table in memory. Flows whose time is over are not there. */
export class MemoryTable implements ConntrackTable {
  readonly now: number;
  readonly readOnly: string | null;
  /** Whether anything was changed. */
  changed = false;
  /** By their original tuples, in the order of their making. */
  private readonly flows: Map<string, Entry> = new Map();
  /** The key in {@link flows} by the tuple of either direction. */
  private readonly tuples: Map<string, string> = new Map();
  private expected: ExpectRecord[];
  private readonly counts: TableStats;
  private nextId = 1;

  /** @param readOnly why it may not be changed, null if it may */
  constructor(contents: Contents, readOnly: string | null) {
    this.now = contents.now;
    this.readOnly = readOnly;
    for (const entry of contents.entries) if (entry.timeout > 0) this.put(entry);
    this.expected = contents.expectations.filter((e) => e.timeout > 0);
    this.counts = contents.stats ?? { insert: 0, expectNew: 0, expectCreate: 0, expectDelete: 0 };
  }

  list(which: 'conntrack' | 'dying' | 'unconfirmed'): readonly Entry[] {
    return which === 'conntrack' ? [...this.flows.values()] : [];
  }

  get(family: number, protonum: number, tuple: TupleRecord): Entry | null {
    const key = this.tuples.get(tupleKey(family, protonum, 0, tuple));
    return (key === undefined ? undefined : this.flows.get(key)) ?? null;
  }

  create(flow: NewEntry): Errno | null {
    const entry = this.entryOf(flow);
    if (typeof entry === 'string') return entry;
    if (tupleKeys(entry).some((key) => this.tuples.has(key))) return 'EEXIST';
    if ((flow.status & ips.IPS_EXPECTED) !== 0) return 'EBUSY';
    this.changed = true;
    this.counts.insert++;
    this.nextId++;
    if (entry.timeout > 0) this.put(entry);
    return null;
  }

  update(flow: Entry, change: Change): Entry | Errno | null {
    const key = this.keyOf(flow);
    const before = key === null ? undefined : this.flows.get(key);
    if (key === null || before === undefined) return 'ENOENT';
    const errno = refusal(before, change);
    if (errno !== null) return errno;
    const { timeout, status = 0, mark = before.mark, state, labels = before.labels, vtags } = change;
    const after: Entry = {
      ...before,
      status: before.status | (status & SETTABLE),
      mark,
      labels: [...labels].sort((a, b) => a - b),
      timeout: timeout === undefined ? before.timeout : timeoutOf(timeout),
      state: state === undefined ? before.state : stateName(before.protonum, state),
      vtags:
        vtags === undefined
          ? before.vtags
          : {
              original: vtags.original ?? before.vtags?.original ?? 0,
              reply: vtags.reply ?? before.vtags?.reply ?? 0,
            },
    };
    this.changed = true;
    if (after.timeout > 0) this.flows.set(key, after);
    else this.delete(before);
    return after.timeout > 0 ? after : null;
  }

  delete(flow: Entry): void {
    const key = this.keyOf(flow);
    if (key === null) return;
    this.flows.delete(key);
    for (const tuple of tupleKeys(flow)) if (this.tuples.get(tuple) === key) this.tuples.delete(tuple);
    if (this.expected.length > 0) this.expected = this.expected.filter((e) => e.masterId !== flow.flowId);
    this.changed = true;
  }

  flush(): void {
    this.flows.clear();
    this.tuples.clear();
    this.expected = [];
    this.changed = true;
  }

  zero(): void {
    const none = { packets: 0, bytes: 0 };
    for (const [key, e] of this.flows)
      if (e.counters !== null) this.flows.set(key, { ...e, counters: { original: none, reply: none } });
    this.changed = true;
  }

  count(): number {
    return this.flows.size;
  }

  expectations(): readonly ExpectRecord[] {
    return this.expected;
  }

  createExpectation(spec: NewExpectation): Errno | null {
    const { family, protonum, tuple, mask } = spec;
    const master = this.get(family, protonum, spec.master);
    if (master === null) return 'ENOENT';
    if (master.helper === null) return 'EOPNOTSUPP';
    this.expected = [
      ...this.expected,
      {
        id: this.nextId++,
        family,
        protonum,
        timeout: timeoutOf(spec.timeout),
        tuple,
        mask,
        master: master.original,
        masterId: master.flowId,
        masterProtonum: protonum,
        zone: 0,
        class: 0,
        className: null,
        helper: master.helper,
        expectedHelper: null,
        flags: 0,
        nat: null,
      },
    ];
    this.counts.expectCreate++;
    this.changed = true;
    return null;
  }

  deleteExpectation(expectation: ExpectRecord): void {
    this.expected = this.expected.filter((e) => e !== expectation);
    this.counts.expectDelete++;
    this.changed = true;
  }

  flushExpectations(): void {
    this.counts.expectDelete += this.expected.length;
    this.expected = [];
    this.changed = true;
  }

  stats(): TableStats {
    return { ...this.counts };
  }

  close(): void {
    // It is gone when the command is.
  }

  /** Puts a flow in. A dump may have one twice, as of two moments: both are kept. */
  private put(entry: Entry): void {
    const [original, reply] = tupleKeys(entry);
    let key: string = original;
    while (this.flows.has(key)) key += '+';
    this.flows.set(key, entry);
    this.tuples.set(original, key);
    this.tuples.set(reply, key);
    this.nextId = Math.max(this.nextId, entry.flowId + 1);
  }

  /** The key of a flow that {@link list} or {@link get} gave. */
  private keyOf(flow: Entry): string | null {
    for (let [key] = tupleKeys(flow); this.flows.has(key); key += '+') {
      if (this.flows.get(key)!.flowId === flow.flowId) return key;
    }
    return null;
  }

  /** A whole flow, or why there is none. */
  private entryOf(flow: NewEntry): Entry | Errno {
    const { family, protonum, zone, zoneOriginal, zoneReply } = flow;
    const original = flow.original ?? (flow.reply === null ? null : invert(family, protonum, flow.reply));
    if (original === null || !isWhole(protonum, original)) return 'EINVAL';
    // The kernel looks for the original tuple before it looks at anything else.
    if (this.tuples.has(tupleKey(family, protonum, zone ?? zoneOriginal ?? 0, original))) return 'EEXIST';
    // Measured: the kernel takes one way to give a zone.
    if ([zone, zoneOriginal, zoneReply].filter((z) => z !== null && z !== 0).length > 1) return 'EINVAL';
    const answer = invert(family, protonum, original);
    const reply = flow.reply ?? answer;
    if (answer === null || reply === null || !isWhole(protonum, reply)) return 'EINVAL';
    const changed = translate(reply, flow.srcNat, flow.dstNat);
    return {
      flowId: this.nextId,
      family,
      protonum,
      protocol: protocolName(protonum),
      state: flow.state === null ? null : stateName(protonum, flow.state),
      timeout: timeoutOf(flow.timeout),
      original,
      reply: changed,
      status: ips.IPS_CONFIRMED | (flow.status & SETTABLE) | natStatus(flow, reply, changed, answer),
      mark: flow.mark,
      zoneOriginal: zone ?? zoneOriginal ?? 0,
      zoneReply: zone ?? zoneReply ?? 0,
      master: null,
      helper: null,
      uses: 1,
      counters: null,
      start: null,
      labels: [...flow.labels].sort((a, b) => a - b),
      vtags: flow.vtags,
    };
  }
}

/** Why the kernel refuses a change. */
function refusal(before: Entry, change: Change): Errno | null {
  if (((change.status ?? 0) & ips.IPS_EXPECTED & ~before.status) !== 0) return 'EBUSY';
  if (change.timeout !== undefined && (before.status & ips.IPS_FIXED_TIMEOUT) !== 0) return 'EPERM';
  // Measured: a state of SCTP without both tags is no state.
  if (before.protonum === SCTP && change.state !== undefined && change.vtags === undefined) return 'EINVAL';
  return null;
}

function tupleKey(family: number, protonum: number, zone: number, t: TupleRecord): string {
  const [source, destination] = portKind(protonum) === 'none' ? [0, 0] : portWords(t);
  return `${family} ${protonum} ${zone} ${t.src} ${t.dst} ${source} ${destination}`;
}

/** Keys of a flow's two tuples: two flows of a zone have none in common. */
function tupleKeys(e: Entry): readonly [original: string, reply: string] {
  return [
    tupleKey(e.family, e.protonum, e.zoneOriginal, e.original),
    tupleKey(e.family, e.protonum, e.zoneReply, e.reply),
  ];
}

/** The reply of a translated flow: what is asked for and not there already is put in. */
function translate(reply: TupleRecord, srcNat: NatTo | null, dstNat: NatTo | null): TupleRecord {
  const port = (name: 'sport' | 'dport', to: NatTo | null): Partial<TupleRecord> =>
    to?.port == null || reply.sport === undefined ? {} : { [name]: to.port };
  return {
    ...reply,
    ...(srcNat === null ? {} : { dst: srcNat.address, ...port('dport', srcNat) }),
    ...(dstNat === null ? {} : { src: dstNat.address, ...port('sport', dstNat) }),
  };
}

function natStatus(flow: NewEntry, reply: TupleRecord, changed: TupleRecord, answer: TupleRecord): number {
  const src = flow.srcNat !== null && (changed.dst !== answer.dst || changed.dport !== reply.dport);
  const dst = flow.dstNat !== null && (changed.src !== answer.src || changed.sport !== reply.sport);
  // Setting up one translation finishes the other, too: it is none.
  const done = flow.srcNat !== null || flow.dstNat !== null;
  return (
    (src ? ips.IPS_SRC_NAT : 0) |
    (dst ? ips.IPS_DST_NAT : 0) |
    (done ? ips.IPS_SRC_NAT_DONE | ips.IPS_DST_NAT_DONE : 0)
  );
}
