import { R_CUT_SHORT, R_IP_LENGTH, R_IP_SHORT } from '../base/reason.ts';
import { Conntrack } from '../conntrack/conntrack.ts';
import type { EventSink } from '../conntrack/events.ts';
import type { Helper } from '../conntrack/helper.ts';
import { Settings } from '../conntrack/settings.ts';
import { Defrag, FRAG_HELD, FRAG_PASS } from '../frag/defrag.ts';
import { EXPECT_FNS } from '../helper/expect-fns.ts';
import { HELPERS } from '../helper/registry.ts';
import { broadcastMask } from '../host/broadcast.ts';
import { defaultHost, type HostModel } from '../host/model.ts';
import { forgetMasqueraded } from '../nat/masquerade.ts';
import { natSetup } from '../nat/wish.ts';
import { dissect } from '../packet/dissect.ts';
import { enterLink } from '../packet/link.ts';
import { because, type Packet } from '../packet/packet.ts';
import { makeTrackers } from '../proto/registry.ts';
import type { RuleTable } from '../rules/chain.ts';
import { NFT_CT_AVGPKT, NFT_CT_BYTES, NFT_CT_PKTS } from '../rules/ct-keys.ts';
import type { Expr } from '../rules/expr.ts';
import { CtExpr } from '../rules/expr-ct.ts';
import { NF_ACCEPT, NF_DROP, NF_STOLEN } from '../rules/verdict.ts';
import { Outcome } from './outcome.ts';
import type { PacketTrace } from './packet-trace.ts';
import { Pipeline } from './pipeline.ts';
import { NOT_PLAIN, PlainPath } from './plain.ts';
import type { RuleLog } from './way.ts';

/** What a firewall starts with. */
export interface FirewallOptions {
  /** Profile and sysctls; linux-6.18's defaults if left out. */
  readonly settings?: Settings;
  /** Keys the hash tables and all else that the kernel draws at random. */
  readonly seed?: number;
  /** Told of every event. */
  readonly sink?: EventSink;
  /** The machine it runs on; without one, {@link defaultHost}. Given, packets are routed even if there are no rules. */
  readonly host?: HostModel;
  /** Helpers beside those that keepstate has; one with a name that it has too stands in its place. */
  readonly helpers?: readonly Helper[];
  /** The rules that packets have to pass: all tables, in the order in which they were loaded. */
  readonly rules?: readonly RuleTable[];
}

/**
 * All together: a packet goes in at the bottom and comes out tracked and judged. The order is the kernel's: IP's own
 * checks, defragmentation (priority -400), tracking (-200), rules at their hooks, confirmation at the end.
 */
export class Firewall {
  /** Its sysctls; a change holds from the next packet on. */
  readonly settings: Settings;
  /** The flow table, and what is done with it. */
  readonly conntrack: Conntrack;
  /** Fragments that wait for the others of their datagram. */
  readonly defrag: Defrag;
  /** What the rules made of the last packet; stays at 'none' where there are neither rules nor a host. */
  readonly outcome: Outcome = new Outcome();

  /** The way past the rules; null where there are neither rules nor a host, and packets are only tracked. */
  private pipeline: Pipeline | null = null;
  private readonly plain: PlainPath;
  /** Null until somebody asks for it: who only tracks never does. */
  private machine: HostModel | null;
  private readonly seed: number;
  private readonly wishes: {
    bytes: boolean;
    inPlace: boolean;
    log: RuleLog | null;
    tracer: PacketTrace | null;
  };

  constructor(options: FirewallOptions = {}) {
    this.settings = options.settings ?? new Settings();
    this.seed = options.seed ?? 1;
    this.conntrack = new Conntrack(this.settings, makeTrackers(this.settings.profile), this.seed);
    this.conntrack.helpers = [...(options.helpers ?? []), ...HELPERS];
    this.conntrack.setupNat = natSetup(this.conntrack);
    this.conntrack.expectFns = EXPECT_FNS;
    this.conntrack.broadcastMask = (device, broadcast) => broadcastMask(this.host, device, broadcast);
    this.conntrack.sink = options.sink ?? null;
    this.defrag = new Defrag(this.settings);
    this.plain = new PlainPath(this.conntrack);
    this.machine = options.host ?? null;
    this.wishes = { bytes: false, inPlace: false, log: null, tracer: null };
    if (options.host !== undefined || options.rules !== undefined) this.loadRules(options.rules ?? []);
  }

  /** The machine it runs on. After a change of it, {@link loadRules} again. */
  get host(): HostModel {
    this.machine ??= defaultHost();
    return this.machine;
  }

  /**
   * Takes over a ruleset in place of the one before, and the host as it is now. Flows stay.
   * @param tables in the order in which they were loaded
   */
  loadRules(tables: readonly RuleTable[]): void {
    if (this.pipeline === null) {
      this.pipeline = new Pipeline(this.conntrack, this.defrag, this.host, this.outcome, this.seed);
      this.tellWishes();
    }
    this.pipeline.setRules(tables);
    // As in Linux, rules that ask for counters switch them on for all flows made from then on.
    if (wantCounters(tables)) this.settings.set('nf_conntrack_acct', 1);
  }

  /** Whether {@link Outcome.out} is wanted: the bytes of what leaves. */
  get wantsBytes(): boolean {
    return this.wishes.bytes;
  }

  set wantsBytes(wanted: boolean) {
    this.wishes.bytes = wanted;
    this.tellWishes();
  }

  /**
   * Whether a packet that is accepted is to stand as it leaves in `pkt.bytes` from `pkt.off` to `pkt.end`, for a firewall
   * that sends packets on: its hop limit is taken in place. What leaves in fragments is in {@link Outcome.out}, and
   * then only that.
   */
  get inPlace(): boolean {
    return this.wishes.inPlace;
  }

  set inPlace(wanted: boolean) {
    this.wishes.inPlace = wanted;
    this.tellWishes();
  }

  /** Told what rules log, if set. */
  get ruleLog(): RuleLog | null {
    return this.wishes.log;
  }

  set ruleLog(log: RuleLog | null) {
    this.wishes.log = log;
    this.tellWishes();
  }

  /** Told of each step of a packet past the rules, if set. */
  get tracer(): PacketTrace | null {
    return this.wishes.tracer;
  }

  set tracer(tracer: PacketTrace | null) {
    this.wishes.tracer = tracer;
    this.tellWishes();
  }

  private tellWishes(): void {
    if (this.pipeline === null) return;
    this.pipeline.wantsBytes = this.wishes.bytes;
    this.pipeline.inPlace = this.wishes.inPlace;
    this.pipeline.ruleLog = this.wishes.log;
    this.pipeline.runner.tracer = this.wishes.tracer;
  }

  /**
   * Takes one frame from a wire.
   * @param pkt reset to the frame's bytes, `missing` set if the capture cut it short
   * @param linktype link-layer header type (DLT_*) of the frame
   * @param now when it arrived (ms); may be left out if `pkt.time` says so, which spares V8 a box for the number
   * @returns NF_ACCEPT, NF_DROP, or NF_STOLEN for a fragment that is held; `pkt` says why. With rules also NF_QUEUE and
   *   NF_UNKNOWN; {@link outcome} then says who decided, and what the firewall answered
   */
  receive(pkt: Packet, linktype: number, now?: number): number {
    if (now !== undefined) pkt.time = now;
    this.conntrack.begin(pkt);
    if (this.pipeline !== null) return this.pipeline.receive(pkt, linktype);
    const verdict = this.plain.receive(pkt, linktype);
    return verdict === NOT_PLAIN ? this.receiveAny(pkt, linktype) : verdict;
  }

  /** The way of any packet. */
  private receiveAny(pkt: Packet, linktype: number): number {
    if (!enterLink(pkt, linktype)) return NF_DROP;
    if (!dissect(pkt)) {
      // What the capture cut off is not the sender's fault.
      if (pkt.missing > 0 && (pkt.reason === R_IP_LENGTH || pkt.reason === R_IP_SHORT))
        because(pkt, R_CUT_SHORT, pkt.missing);
      return NF_DROP;
    }
    const fate = this.defrag.receive(pkt, this.conntrack.now);
    if (fate !== FRAG_PASS) return fate === FRAG_HELD ? NF_STOLEN : NF_DROP;
    return this.conntrack.track(pkt) && this.conntrack.confirm(pkt) ? NF_ACCEPT : NF_DROP;
  }

  /**
   * A device of {@link host} went down, or lost an address: flows that are masqueraded with it end. The host itself is
   * the caller's to change; then {@link loadRules} again.
   * @param device its number; 0 for an address that is gone whatever device flows leave by, as behind a TUN
   * @param address what it lost, one word (IPv4) or four; null if it went down
   * @returns how many flows
   */
  addressGone(device: number, address: readonly number[] | null): number {
    return forgetMasqueraded(this.conntrack, device, address);
  }

  /** Lets time pass without a packet. */
  tick(now: number): void {
    this.conntrack.tick(now);
    this.defrag.tick(this.conntrack.now);
  }
}

/** Whether an expression of a rule reads the counters of flows. */
function wantCounters(tables: readonly RuleTable[]): boolean {
  for (const { chains } of tables)
    for (const { rules } of chains.values())
      for (const { exprs } of rules) if (exprs.some(readsCounters)) return true;
  return false;
}

function readsCounters(expr: Expr): boolean {
  if (expr.needsAccounting === true) return true;
  return (
    expr instanceof CtExpr &&
    (expr.key === NFT_CT_PKTS || expr.key === NFT_CT_BYTES || expr.key === NFT_CT_AVGPKT)
  );
}
