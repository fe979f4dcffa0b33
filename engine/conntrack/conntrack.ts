import {
  R_CLASH,
  R_CLASH_RESOLVED,
  R_EARLY_DROP,
  R_NO_INVERSE,
  R_NO_TRANSPORT,
  R_NO_TUPLE,
  R_TABLE_FULL,
} from '../base/reason.ts';
import {
  AF_INET,
  because,
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  type Packet,
} from '../packet/packet.ts';
import { mayJoin } from './clash.ts';
import { EditFlows } from './edit-flows.ts';
import { IPCT_NEW_MASK } from './events.ts';
import { Finisher } from './finisher.ts';
import * as F from './flow-table.ts';
import type { Settings } from './settings.ts';
import * as S from './status.ts';
import {
  NO_ANSWER,
  TRACK_ACCEPT,
  TRACK_CONTINUE,
  TRACK_DROP,
  TRACK_REPEAT,
  type Tracker,
} from './tracker.ts';
import * as T from './tuple.ts';

/**
 * How many flows early drop looks at. Measured in a full table where one flow in twenty was not ASSURED: 54 % of
 * new ones found room, as eight buckets with two flows each would give (nf_conntrack_max = nf_conntrack_buckets).
 */
const EVICTION_RANGE = 16;
/** ctinfo by status (EXPECTED, SEEN_REPLY) | direction << 2. */
const CTINFO_OF: Uint8Array = Uint8Array.of(
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_ESTABLISHED_REPLY,
);
/** With a limit up to this all flows are looked at: in a small table one that may go is always found. */
const SMALL_TABLE = 1024;

/**
 * Connection tracking: finds or makes the flow of each packet, lets its tracker advance it, keeps the table.
 * The caller says what time it is with every packet; time never runs backwards here.
 */
export class Conntrack extends EditFlows {
  readonly settings: Settings;
  /** The tuple of the packet under way. */
  readonly tuple: T.Tuple = new Int32Array(T.TUPLE_WORDS);
  /** Whether transport checksums are looked at (nf_conntrack_checksum). */
  verifies = true;

  private readonly trackers: readonly Tracker[];
  private readonly finisher: Finisher;
  /** The flow that the packet under way removed: its row is not free before the packet has come to its end. */
  private killed = 0;
  private readonly evictable: (row: number) => boolean;
  private version = -1;
  private max = 0;
  /** The flow that was made last, and how many had entered the table before. */
  private opened = 0;
  private openedAfter = 0;
  private evictionRange = EVICTION_RANGE;

  /**
   * @param trackers one for each of the 256 protocol numbers
   * @param seed keys the hash tables
   */
  constructor(settings: Settings, trackers: readonly Tracker[], seed: number) {
    super(seed);
    this.settings = settings;
    this.trackers = trackers;
    this.finisher = new Finisher(this);
    this.evictable = (row) => (this.table.words[row * F.ROW_WORDS + F.F_STATUS]! & S.IPS_ASSURED) === 0;
    this.configure();
  }

  /** What comes before anything is done to the table from outside: time passes, settings that changed are taken over. */
  comeTo(now: number): void {
    this.tick(now);
    if (this.killed !== 0) this.freeKilled();
    if (this.version !== this.settings.version) this.configure();
  }

  /** What comes before each packet: time passes up to it, settings that changed are taken over. */
  begin(pkt: Packet): void {
    if (this.template !== null) this.forgetTemplate();
    this.arrive(pkt);
  }

  private forgetTemplate(): void {
    this.template = null;
    this.otherZone = -1;
  }

  private arrive(pkt: Packet): void {
    this.tickTo(pkt);
    if (this.killed !== 0) this.freeKilled();
    if (this.version !== this.settings.version) this.configure();
  }

  /**
   * Tracks a whole IP packet as PREROUTING does at priority -200: sets its flow, ctinfo and status. A new flow is
   * not in the table until {@link confirm}.
   * @param pkt dissected, reassembled; a time before the last packet's counts as the last one's
   * @returns false if the packet is to be dropped (table full)
   */
  track(pkt: Packet): boolean {
    this.arrive(pkt);
    const passes = this.trackAny(pkt);
    if (this.template !== null) this.forgetTemplate();
    return passes;
  }

  private trackAny(pkt: Packet): boolean {
    if (pkt.l4 < 0) return this.invalid(pkt, R_NO_TRANSPORT);
    const tracker = this.trackers[pkt.proto]!;
    if (tracker.error !== null) {
      const verdict = tracker.error(this, pkt);
      if (verdict === TRACK_ACCEPT) {
        if (pkt.flow !== 0) pkt.status = this.table.words[pkt.flow * F.ROW_WORDS + F.F_STATUS]! & S.IPS_MASK;
        return true;
      }
      if (verdict !== TRACK_CONTINUE) {
        // Measured: conntrack -S counts what ICMP's own check refuses as error, all else as invalid.
        this.stats.error++;
        disown(pkt);
        return verdict !== TRACK_DROP;
      }
    }
    if (!this.readTuple(pkt)) return true;
    return this.trackFound(pkt, tracker, this.lookUp(this.tuple));
  }

  /**
   * The second half of {@link track}, for whoever has read {@link tuple} and looked it up already.
   * @param hit flow << 1 | direction, 0 if there is none
   */
  trackFound(pkt: Packet, tracker: Tracker, hit: number): boolean {
    for (;;) {
      const flow = hit === 0 ? this.open(pkt, tracker) : hit >> 1;
      if (flow === 0) return pkt.ctinfo !== CTINFO_NONE;
      const w = this.table.words;
      const at = flow * F.ROW_WORDS + F.F_STATUS;
      const dir = hit & 1;
      pkt.flow = flow;
      pkt.ctinfo = CTINFO_OF[(dir << 2) | (w[at]! & (S.IPS_EXPECTED | S.IPS_SEEN_REPLY))]!;
      const verdict = tracker.packet(this, pkt, flow, dir);
      if (verdict === TRACK_ACCEPT) {
        if ((w[at]! & S.IPS_SEEN_REPLY) === 0 && dir === 1) this.seenReply(flow);
        pkt.status = w[at]! & S.IPS_MASK;
        return true;
      }
      if (verdict !== TRACK_REPEAT) {
        if (!this.isConfirmed(flow)) this.discard(flow);
        this.stats.invalid++;
        disown(pkt);
        return verdict !== TRACK_DROP;
      }
      this.freeKilled();
      hit = this.lookUp(this.tuple);
    }
  }

  /**
   * The end of a packet's way: a new flow enters the table, cached events go out.
   * @returns false if the packet is to be dropped: another flow took its tuple meanwhile
   */
  confirm(pkt: Packet): boolean {
    const flow = pkt.flow;
    if (flow === 0) return true;
    const w = this.table.words;
    const status = w[flow * F.ROW_WORDS + F.F_STATUS]!;
    if ((status & (S.IPS_CONFIRMED | S.IPS_DYING)) !== S.IPS_CONFIRMED) {
      if ((status & S.IPS_DYING) !== 0) {
        this.freeKilled();
        return true;
      }
      if ((status & S.IPS_EXTENDED) !== 0 && !this.finish(pkt, flow)) return false;
      if (!this.insert(pkt, flow)) return false;
    } else if ((status & S.IPS_EXTENDED) !== 0 && !this.finish(pkt, flow)) return false;
    this.deliver(pkt.flow);
    return true;
  }

  /** What comes before confirmation: the helper reads the packet, sequence numbers are adjusted (nf_confirm). */
  private finish(pkt: Packet, flow: number): boolean {
    const ext = this.extension(flow);
    if (ext === null || this.finisher.finish(pkt, flow, ext)) return true;
    this.abandon(pkt);
    return false;
  }

  /** The packet was dropped on its way: a flow that it made is gone. */
  abandon(pkt: Packet): void {
    this.freeKilled();
    const flow = pkt.flow;
    if (
      flow !== 0 &&
      (this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! & (S.IPS_CONFIRMED | S.IPS_DYING)) === 0
    )
      this.discard(flow);
  }

  /**
   * Writes the tuple of a packet, or of a packet quoted in another.
   * @param off first byte of its IP header
   * @param l4 first byte of its transport header
   * @param end first byte past it
   * @returns false if it has none
   */
  tupleOf(
    view: DataView,
    off: number,
    family: number,
    l4: number,
    end: number,
    proto: number,
    out: T.Tuple,
  ): boolean {
    if (family === AF_INET) {
      out[T.T_SRC] = view.getInt32(off + 12);
      out[T.T_DST] = view.getInt32(off + 16);
    } else {
      out[T.T_SRC] = this.pool.find(view, off + 8);
      out[T.T_DST] = this.pool.find(view, off + 24);
    }
    out[T.T_KIND] = proto | (family << 8);
    return this.trackers[proto]!.tuple(view, l4, end, out);
  }

  /** The tracker of a protocol. */
  tracker(proto: number): Tracker {
    return this.trackers[proto]!;
  }

  /** Reads the packet's tuple into {@link tuple}; if it has none it is INVALID. */
  private readTuple(pkt: Packet): boolean {
    const t = this.tuple;
    t[T.T_ZONE] = pkt.zone;
    if (this.tupleOf(pkt.view, pkt.off, pkt.family, pkt.l4, pkt.end, pkt.proto, t)) return true;
    this.invalid(pkt, pkt.reason === 0 ? R_NO_TUPLE : pkt.reason);
    return false;
  }

  /** Whether there is room for one more flow, with a tuple; if need be, another one goes (early_drop). */
  override makeRoom(t: T.Tuple): boolean {
    return this.max === 0 || this.table.count < this.max || this.earlyDrop(t);
  }

  /** Makes an unconfirmed flow (init_conntrack). Returns 0 and a reason if there can be none. */
  private open(pkt: Packet, tracker: Tracker): number {
    const t = this.tuple;
    const reply = tracker.invert(t[T.T_PORTS]!);
    if (reply === NO_ANSWER) {
      this.invalid(pkt, R_NO_INVERSE, (t[T.T_PORTS]! >> 8) & 255);
      return 0;
    }
    if (!this.makeRoom(t)) {
      this.stats.drop++;
      because(pkt, R_TABLE_FULL, this.max);
      pkt.ctinfo = CTINFO_NONE;
      return 0;
    }
    const flow = this.create(pkt, t, reply);
    if (this.otherZone >= 0)
      this.table.words[flow * F.ROW_WORDS + F.F_ZONES] = pkt.zone | (this.otherZone << 16);
    if (this.mayBeRelated) this.relate(pkt, flow, t);
    this.opened = flow;
    this.openedAfter = this.table.inserted;
    return flow;
  }

  /** Enters a new flow into the table, unless another one took its place meanwhile. */
  private insert(pkt: Packet, flow: number): boolean {
    const rival = this.isAlone(flow) ? 0 : this.rivalOf(flow);
    if (rival !== 0) return this.resolveClash(pkt, flow, rival);
    this.enter(flow);
    return true;
  }

  /**
   * Whether no flow can have taken a new one's place, because none has entered the table since its tuple was
   * looked up in vain. The reply tuple then is free, too, unless address translation made it, here or elsewhere.
   */
  isAlone(flow: number): boolean {
    const status = this.table.words[flow * F.ROW_WORDS + F.F_STATUS]!;
    return (
      flow === this.opened &&
      this.table.inserted === this.openedAfter &&
      this.table.twofold === 0 &&
      (status & (S.IPS_SRC_NAT | S.IPS_DST_NAT)) === 0
    );
  }

  /** Another flow took the tuple meanwhile: its packet joins it, or is dropped. The loser's flow is gone. */
  private resolveClash(pkt: Packet, flow: number, rival: number): boolean {
    const w = this.table.words;
    const id = w[rival * F.ROW_WORDS + F.F_ID]!;
    const joins = mayJoin(w, flow, rival);
    // It is counted as of the original direction, even one that went the other way (measured).
    if (joins && (w[flow * F.ROW_WORDS + F.F_EVENTS]! & F.FLAG_ACCT) !== 0) this.account(rival, pkt, 0);
    because(pkt, joins ? R_CLASH_RESOLVED : R_CLASH, id);
    this.discard(flow);
    pkt.flow = joins ? rival : 0;
    if (joins) this.stats.clash_resolve++;
    else {
      this.stats.insert_failed++;
      this.stats.drop++;
    }
    return joins;
  }

  /**
   * Makes room for a new flow, before its tracker has seen the packet (measured). The kernel empties a whole
   * bucket, two flows on average, and so has to do it half as often.
   * @returns false if every flow near by is ASSURED
   */
  private earlyDrop(t: T.Tuple): boolean {
    const victim = this.table.near(t, this.evictionRange, this.evictable);
    if (victim === 0) return false;
    this.stats.early_drop++;
    this.destroy(victim, R_EARLY_DROP);
    return true;
  }

  /** Removes a flow because of the packet under way, which goes on referring to it (nf_ct_kill). */
  override kill(flow: number, reason: number): void {
    this.killed = flow;
    super.kill(flow, reason);
  }

  private freeKilled(): void {
    const flow = this.killed;
    if (flow === 0) return;
    this.killed = 0;
    this.discard(flow);
  }

  /** As {@link EditFlows}' own, except that a row to which packets refer stays taken until they have gone on. */
  protected override discard(flow: number): void {
    if (flow === this.killed) this.table.words[flow * F.ROW_WORDS + F.F_STATUS]! |= S.IPS_DYING;
    else super.discard(flow);
  }

  private invalid(pkt: Packet, reason: number, a = 0): true {
    because(pkt, reason, a);
    this.stats.invalid++;
    disown(pkt);
    return true;
  }

  private configure(): void {
    const s = this.settings;
    this.version = s.version;
    this.max = s.get('nf_conntrack_max');
    this.table.most = this.max;
    this.maxExpectations = s.get('nf_conntrack_expect_max');
    const { autoHelpers } = s.profile;
    this.autoHelpers = autoHelpers.length > 0 && s.get('nf_conntrack_helper') === 0 ? [] : autoHelpers;
    this.verifies = s.get('nf_conntrack_checksum') !== 0;
    // A translated flow stands in the table twice.
    this.evictionRange = this.max <= SMALL_TABLE ? 2 * this.max : EVICTION_RANGE;
    this.newFlags =
      (s.get('nf_conntrack_acct') ? F.FLAG_ACCT : 0) |
      (s.get('nf_conntrack_timestamp') ? F.FLAG_TSTAMP : 0) |
      (s.get('nf_conntrack_events') ? 0 : F.FLAG_SILENT);
    for (const tracker of new Set(this.trackers)) tracker.configure(s);
  }
}

/** The packet is INVALID: it belongs to no flow. */
function disown(pkt: Packet): void {
  pkt.flow = 0;
  pkt.ctinfo = CTINFO_INVALID;
}

/** Whether an event mask is announced as NEW rather than as an update. */
export function isNewEvent(events: number): boolean {
  return (events & IPCT_NEW_MASK) !== 0;
}
