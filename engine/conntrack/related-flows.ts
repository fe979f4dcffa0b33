import { AF_INET, type Packet } from '../packet/packet.ts';
import { IPCT_HELPER, IPEXP_DESTROY, IPEXP_NEW } from './events.ts';
import {
  EXPECT_ADDED,
  EXPECT_ALREADY,
  EXPECT_BUSY,
  EXPECT_FULL,
  EXPECT_PERMANENT,
  type Expectation,
  type ExpectSpec,
} from './expectation.ts';
import { clashes, isSame } from './expectation-match.ts';
import { FlowExtension } from './extension.ts';
import * as F from './flow-table.ts';
import { Flows } from './flows.ts';
import type { Helper, Template } from './helper.ts';
import * as S from './status.ts';
import * as T from './tuple.ts';

/** Words of connlabels: 128 bits. */
const LABEL_WORDS = 4;
/** A full mask of a 32-bit word. */
const ALL = -1;

/**
 * What ties flows together: helpers and what they expect, masters and the flows that came because of them, and packets
 * that are set aside while their flow may go.
 */
export class RelatedFlows extends Flows {
  /** All helpers there are. */
  helpers: readonly Helper[] = [];
  /** Names of the helpers that flows get by their port alone (nf_conntrack_helper). */
  autoHelpers: readonly string[] = [];
  /** What a rule said of the packet under way, before it is tracked. */
  template: Template | null = null;
  /**
   * Tells the network mask of a device's IPv4 address whose broadcast address is given, 0 if it has none; null where
   * no host is known.
   */
  broadcastMask: ((device: number, broadcast: number) => number) | null = null;
  /** Zone of the reply direction of the packet under way where a rule gave it another one than the original's, else -1. */
  otherZone = -1;
  /** At most this many expectations in all (nf_conntrack_expect_max). */
  maxExpectations = 4096;

  protected readonly extensions: Map<number, FlowExtension> = new Map();
  /** How many packets that were set aside, and flows that it is master of, refer to a flow. */
  private readonly held: Map<number, number> = new Map();

  /** What a flow has beside its row, null if nothing. */
  extension(flow: number): FlowExtension | null {
    if ((this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! & S.IPS_EXTENDED) === 0) return null;
    return this.extensions.get(flow) ?? null;
  }

  /** What a flow has beside its row, made if need be. */
  extend(flow: number): FlowExtension {
    const there = this.extension(flow);
    if (there !== null) return there;
    const made = new FlowExtension();
    this.extensions.set(flow, made);
    this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! |= S.IPS_EXTENDED;
    return made;
  }

  /**
   * A rule said of the packet under way how it is to be tracked. The first one that does so has its way.
   * @param zone conntrack zone; `dir` of which direction only (0 or 1, the other one stays in zone 0), -1 for both
   */
  prepare(pkt: Packet, template: Template, zone = 0, dir = -1): void {
    if (this.template !== null) return;
    this.template = template;
    pkt.zone = dir === 1 ? 0 : zone;
    if (dir >= 0 && zone !== 0) this.otherZone = dir === 1 ? zone : 0;
  }

  /** Finds the flow of a packet's tuple, or of one that it quotes. @returns flow << 1 | direction, 0 if there is none */
  lookUp(t: T.Tuple): number {
    if (this.otherZone < 0) return this.table.find(t);
    const own = this.table.find(t);
    if (own !== 0 && (own & 1) === 0) return own;
    const zone = t[T.T_ZONE]!;
    t[T.T_ZONE] = this.otherZone;
    const other = this.table.find(t);
    t[T.T_ZONE] = zone;
    return (other & 1) === 0 ? 0 : other;
  }

  /** Finds a helper as rules name it. */
  findHelper(name: string, family: number, proto: number): Helper | null {
    return (
      this.helpers.find((h) => h.name === name && h.proto === proto && h.families.includes(family)) ?? null
    );
  }

  /** Gives a flow that is not in the table yet a helper. */
  assignHelper(flow: number, helper: Helper): void {
    const ext = this.extend(flow);
    ext.helper = helper;
    ext.data = helper.start?.() ?? null;
    this.cacheEvent(flow, IPCT_HELPER);
  }

  /** What a new flow was expected by. A zone of one direction counts as its flow's, whichever direction it is. */
  private expectedBy(t: T.Tuple, pkt: Packet): Expectation | null {
    const zone = t[T.T_ZONE]!;
    if (this.otherZone > 0) t[T.T_ZONE] = this.otherZone;
    const expected = this.expectations.match(t, pkt);
    t[T.T_ZONE] = zone;
    return expected;
  }

  /** A rule gives a flow that is not in the table yet a helper; the first one that does has its way (IPS_HELPER). */
  appoint(flow: number, helper: Helper): void {
    const at = flow * F.ROW_WORDS + F.F_STATUS;
    if ((this.table.words[at]! & S.IPS_HELPER) !== 0 || this.extension(flow)?.helper != null) return;
    this.assignHelper(flow, helper);
    this.table.words[at]! |= S.IPS_HELPER;
  }

  /** Labels of a flow, to be changed: four words in this machine's byte order. */
  labels(flow: number): Int32Array {
    const ext = this.extend(flow);
    ext.labels ??= new Int32Array(LABEL_WORDS);
    return ext.labels;
  }

  /** How many refer to a flow: `use=` of conntrack(8). */
  uses(flow: number): number {
    return 1 + (this.held.get(flow) ?? 0);
  }

  /** The words of an address in a flow's tuple: one for IPv4, four for IPv6. `end` is F_SRC or F_DST. */
  addressOf(flow: number, dir: number, end: number): readonly number[] {
    const at = flow * F.ROW_WORDS;
    const word = this.table.words[at + end + dir * 3]!;
    if (this.table.words[at + F.F_KIND]! >>> 8 === AF_INET) return [word];
    return [0, 1, 2, 3].map((i) => this.pool.word(word, i));
  }

  /**
   * Expects a flow (nf_ct_expect_related). The same expectation of the same master is replaced; with too many of a
   * class the oldest goes.
   * @returns EXPECT_ADDED, or why not
   */
  expect(spec: ExpectSpec): number {
    const expected = this.make(spec);
    const verdict = this.place(expected, spec.skipsMaster === true);
    if (verdict === EXPECT_ADDED) {
      this.expectations.add(expected);
      this.extend(spec.master).expectations.push(expected);
      this.tell(expected, IPEXP_NEW);
    }
    this.dropAddresses(expected);
    return verdict;
  }

  /** Expects nothing more of what was told. */
  unexpect(expected: Expectation): void {
    const ext = this.extension(expected.master);
    const at = ext === null ? -1 : ext.expectations.indexOf(expected);
    if (at >= 0) ext!.expectations.splice(at, 1);
    // Removal lets go of its addresses: whoever listens reads them first.
    this.tell(expected, IPEXP_DESTROY);
    this.expectations.remove(expected);
  }

  /** Gives up all that a flow's helper expects. */
  unexpectAll(flow: number): void {
    const ext = this.extension(flow);
    if (ext === null) return;
    // The latest first (measured).
    while (ext.expectations.length > 0) this.unexpect(ext.expectations.at(-1)!);
  }

  /**
   * Sets a tracked packet aside, as a queue to user space does. What it refers to stays readable until
   * {@link resume}, even if the flow is removed meanwhile; such a flow still counts as one of the table's.
   */
  hold(pkt: Packet): void {
    if (pkt.flow !== 0) this.keep(pkt.flow);
  }

  /** A packet that was set aside goes on: confirm or abandon it before any other is tracked. */
  resume(pkt: Packet): void {
    this.letGo(pkt.flow);
  }

  /** Whether {@link relate} may have something to do. */
  protected get mayBeRelated(): boolean {
    return this.expectations.count > 0 || this.template !== null || this.autoHelpers.length > 0;
  }

  /** A new flow: was it expected, and what do rules say of it (the second half of init_conntrack)? */
  protected relate(pkt: Packet, flow: number, t: T.Tuple): void {
    const { template } = this;
    if (template !== null) this.takeOver(flow, template);
    const expected = this.expectations.count > 0 ? this.expectedBy(t, pkt) : null;
    if (expected !== null && this.isConfirmed(expected.master)) {
      this.fulfil(flow, expected);
      return;
    }
    if (template !== null && template.helper !== null) this.appoint(flow, template.helper);
    if (this.autoHelpers.length > 0 && this.extension(flow)?.helper == null) this.assignByPort(flow);
  }

  protected override discard(flow: number): void {
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
    const extended = (w[at + F.F_STATUS]! & S.IPS_EXTENDED) !== 0;
    if (extended) this.endHelp(flow);
    if (this.held.size > 0 && this.held.has(flow)) {
      w[at + F.F_STATUS]! |= S.IPS_DYING;
      return;
    }
    if (extended) this.extensions.delete(flow);
    const master = w[at + F.F_MASTER]!;
    super.discard(flow);
    if (master === 0) return;
    const ext = this.extension(master);
    ext?.helper?.childGone?.(ext.data);
    this.letGo(master);
  }

  /** A flow whose rule names events is told of even where events are off otherwise (nf_conntrack_events). */
  protected override isTold(flow: number, events: number): boolean {
    const ext = this.extension(flow);
    return ext === null || ext.events === -1 ? super.isTold(flow, events) : (ext.events & events) !== 0;
  }

  private tell(expected: Expectation, event: number): void {
    if (this.sink === null) return;
    const ext = this.extension(expected.master);
    const told =
      ext === null || ext.expectEvents === -1
        ? this.isTold(expected.master, -1)
        : (ext.expectEvents & event) !== 0;
    if (told) this.sink.expectation?.(expected, event, this.now);
  }

  private endHelp(flow: number): void {
    this.unexpectAll(flow);
    const ext = this.extension(flow);
    ext?.helper?.end?.(ext.data);
  }

  protected override giveUp(): void {
    for (const expected of this.expectations.due(this.now)) this.unexpect(expected);
  }

  protected keep(flow: number): void {
    this.held.set(flow, (this.held.get(flow) ?? 0) + 1);
  }

  private letGo(flow: number): void {
    const others = (this.held.get(flow) ?? 0) - 1;
    if (others > 0) this.held.set(flow, others);
    else if (
      this.held.delete(flow) &&
      (this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! & S.IPS_DYING) !== 0
    )
      this.discard(flow);
  }

  private fulfil(flow: number, expected: Expectation): void {
    const w = this.table.words;
    const at = flow * F.ROW_WORDS;
    if ((expected.flags & EXPECT_PERMANENT) === 0) this.unexpect(expected);
    w[at + F.F_STATUS]! |= S.IPS_EXPECTED;
    w[at + F.F_MASTER] = expected.master;
    w[at + F.F_MARK] = w[expected.master * F.ROW_WORDS + F.F_MARK]!;
    this.keep(expected.master);
    this.expectations.counts.expect_new++;
    if (expected.helper !== null) this.assignHelper(flow, expected.helper);
    expected.onMatch?.(flow, expected);
  }

  private takeOver(flow: number, { timeouts, policy, events, expectEvents }: Template): void {
    if (timeouts === null && events === -1 && expectEvents === -1) return;
    const ext = this.extend(flow);
    ext.timeouts = timeouts;
    ext.policy = policy;
    ext.events = events;
    ext.expectEvents = expectEvents;
  }

  /** As {@link Flows.alterReply}; where helpers go by port, it is the port that the flow really goes to. */
  override alterReply(flow: number, src: number, dst: number, ports: number): void {
    super.alterReply(flow, src, dst, ports);
    if (this.autoHelpers.length === 0) return;
    const at = flow * F.ROW_WORDS;
    const w = this.table.words;
    if (w[at + F.F_MASTER] !== 0 || (w[at + F.F_STATUS]! & S.IPS_HELPER) !== 0) return;
    const ext = this.extension(flow);
    if (ext !== null && ext.expectations.length > 0) return;
    if (ext !== null) ext.helper = null;
    this.assignByPort(flow);
  }

  protected assignByPort(flow: number): void {
    const at = flow * F.ROW_WORDS;
    const kind = this.table.words[at + F.F_KIND]!;
    const port = this.table.words[at + F.F_RPORTS]! >>> 16;
    const found = this.helpers.find(
      ({ name, proto, families, ports }) =>
        proto === (kind & 255) &&
        families.includes(kind >>> 8) &&
        ports.includes(port) &&
        this.autoHelpers.includes(name),
    );
    if (found !== undefined) this.assignHelper(flow, found);
  }

  private make(spec: ExpectSpec): Expectation {
    const tuple: T.Tuple = new Int32Array(T.TUPLE_WORDS);
    const isIpv4 = spec.family === AF_INET;
    tuple[T.T_SRC] = spec.source === null ? 0 : this.takeAddress(spec.source);
    tuple[T.T_DST] = this.takeAddress(spec.destination);
    tuple[T.T_PORTS] = ((spec.sourcePort ?? 0) << 16) | spec.destinationPort;
    tuple[T.T_KIND] = spec.proto | (spec.family << 8);
    const zones = this.table.words[spec.master * F.ROW_WORDS + F.F_ZONES]!;
    tuple[T.T_ZONE] = zones & 0xffff || zones >>> 16;
    const mask = spec.source === null ? 0 : ALL;
    const policy = this.extension(spec.master)?.helper?.policies[spec.class ?? 0];
    return {
      master: spec.master,
      tuple,
      sourceMask: spec.sourceMask ?? (isIpv4 ? [mask] : [mask, mask, mask, mask]),
      portMask: spec.sourcePort === null ? 0 : 0xffff,
      class: spec.class ?? 0,
      flags: spec.flags ?? 0,
      helper: spec.helper ?? null,
      expires: this.now + (policy?.timeout ?? spec.timeout ?? 0),
      id: 0,
      onMatch: spec.onMatch ?? null,
      dir: spec.dir ?? 0,
      savedPort: spec.savedPort ?? 0,
      savedAddress: spec.savedAddress ?? [],
    };
  }

  /** The word of an address in tuples; of IPv6 a handle that is held until {@link dropAddresses}. */
  private takeAddress(words: readonly number[]): number {
    if (words.length === 1) return words[0]!;
    const handle = this.pool.intern(words[0]!, words[1]!, words[2]!, words[3]!);
    this.pool.hold(handle);
    return handle;
  }

  private dropAddresses({ tuple }: Expectation): void {
    if (tuple[T.T_KIND]! >>> 8 === AF_INET) return;
    if (tuple[T.T_SRC] !== 0) this.pool.release(tuple[T.T_SRC]!);
    this.pool.release(tuple[T.T_DST]!);
  }

  /** Makes sure that an expectation has its place (__nf_ct_expect_check). */
  private place(expected: Expectation, skipsMaster: boolean): number {
    const owner = this.extension(expected.master);
    for (const other of [...this.expectations.at(expected.tuple)]) {
      if ((skipsMaster || other.master === expected.master) && isSame(other, expected)) {
        if (other.class !== expected.class || other.master !== expected.master) return EXPECT_ALREADY;
        this.unexpect(other);
        break;
      }
      if (clashes(other, expected, this.pool)) return EXPECT_BUSY;
    }
    const most = owner?.helper?.policies[expected.class]?.maxExpected ?? 0;
    if (most > 0 && owner !== null) {
      const mine = owner.expectations.filter((other) => other.class === expected.class);
      if (mine.length >= most) this.unexpect(mine[0]!);
    }
    return this.expectations.count >= this.maxExpectations ? EXPECT_FULL : EXPECT_ADDED;
  }
}
