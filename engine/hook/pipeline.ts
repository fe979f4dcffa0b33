import { R_CUT_SHORT, R_IP_LENGTH, R_IP_SHORT } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_EXTENDED, IPS_NAT_MASK } from '../conntrack/status.ts';
import type { Defrag } from '../frag/defrag.ts';
import type { HostModel } from '../host/model.ts';
import { translatedDestination, translatePlain } from '../nat/translate-plain.ts';
import { dissect } from '../packet/dissect.ts';
import { ETHERNET_HEADER } from '../packet/ethernet.ts';
import { DLT_EN10MB, DLT_RAW, enterLink } from '../packet/link.ts';
import { AF_INET, because, CTINFO_NONE, type Packet } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import type { RuleTable } from '../rules/chain.ts';
import { NF_INET_PRE_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_ACCEPT, NF_DROP } from '../rules/verdict.ts';
import { arrive } from './arrive.ts';
import type { EarlyPorts } from './early-ports.ts';
import type { EstablishedWay } from './established.ts';
import { Forwarding } from './forwarding.ts';
import { hopLimit, takeHop } from './hop-limit.ts';
import { leavesElsewhere } from './nat-step.ts';
import type { Outcome } from './outcome.ts';
import { FRAGMENT, NOT_PLAIN, PlainPath, TRACKED, VERSION_4_LENGTH_5 } from './plain.ts';
import { Way } from './way.ts';

/** Where the destination stands in an IPv4 header (RFC 791). */
const IP_DESTINATION = 16;
/** {@link Pipeline.meetEarly}: tracking is next. */
const GOES_ON = -3;

/** Takes frames from the wire: plain packets, as nearly all are, the quick way, all others the general {@link Way}. */
export class Pipeline extends Way {
  private readonly plain: PlainPath;
  private forwarding: Forwarding;
  /** Whether no rule sees packets before they are tracked; */
  private tracksFirst = true;
  /** or only rules at PREROUTING do, between defragmentation and tracking (tables raw). */
  private tracksSecond = false;
  /** What those ask for; null if that is more than a port. */
  private early: EarlyPorts | null = null;
  /** Whether packets on Ethernet may be to other machines. */
  private hasMac = false;
  /** The way of established flows' plain packets that no rule asks about before tracking, if their state decides it. */
  private established: EstablishedWay | null = null;
  /** Where a packet goes once it is translated. */
  private readonly to: DataView = new DataView(new ArrayBuffer(4));

  /**
   * @param outcome written anew for each packet
   * @param seed for what rules draw at random
   */
  constructor(conntrack: Conntrack, defrag: Defrag, host: HostModel, outcome: Outcome, seed: number) {
    super(conntrack, defrag, host, outcome, seed);
    this.forwarding = new Forwarding(host);
    this.plain = new PlainPath(conntrack, false);
  }

  override setRules(tables: readonly RuleTable[]): void {
    super.setRules(tables);
    const { runner, host } = this;
    this.hasMac = !this.isBridge && host.devices.some((device) => device !== null && device.mac !== null);
    this.tracksFirst = runner.tracksFirst;
    this.tracksSecond = runner.tracksSecond;
    this.forwarding = new Forwarding(host);
    this.early = this.tracksSecond ? runner.earlyPorts() : null;
    this.established = runner.established(AF_INET, NF_INET_PRE_ROUTING, this.states[0]!);
  }

  /**
   * Takes one frame from a wire, at a moment that tracking knows already.
   * @returns NF_ACCEPT, NF_DROP, NF_STOLEN, NF_QUEUE or NF_UNKNOWN; {@link outcome} says more
   */
  receive(pkt: Packet, linktype: number): number {
    const { runner } = this;
    const frame = pkt.off;
    // Who says by which device it came says that it is not this host's own.
    const isGiven = pkt.ifin !== 0;
    // Fields are compared with true, as in plain.ts.
    if (this.isBridge === true) this.bridgeOut = pkt.ifout;
    if (runner.tracer !== null) runner.tracer.begin?.(pkt);
    const mayBePlain = this.hasMac !== true || linktype === DLT_RAW;
    let mayBeTracked = mayBePlain && this.tracksFirst === true;
    if (mayBePlain && this.tracksSecond === true && runner.tracer === null) {
      mayBeTracked = this.isUnasked(pkt, linktype, isGiven);
      const early = mayBeTracked ? NOT_PLAIN : this.earlyWay(pkt, linktype);
      if (early !== NOT_PLAIN) return early;
    }
    const verdict = mayBeTracked ? this.plain.receive(pkt, linktype) : NOT_PLAIN;
    const isTracked = verdict === NF_ACCEPT || verdict === TRACKED;
    const isPlainWay = isTracked && this.forwards(pkt, linktype, frame);
    if (isPlainWay && this.established?.takes(pkt) && this.isUnseen)
      return this.shortWay(this.established, pkt, verdict === NF_ACCEPT);
    if (isTracked && this.established !== null && this.mayTranslate(this.established, pkt, linktype, frame)) {
      translatePlain(this.conntrack, pkt);
      return this.shortWay(this.established, pkt, verdict === NF_ACCEPT);
    }
    const state = this.begin(pkt);
    this.unconfirmed = verdict !== NF_ACCEPT;
    if (verdict === NOT_PLAIN) return this.receiveAny(state, linktype, frame, isGiven);
    if (this.tracksSecond) runner.passEarly(state);
    if (isPlainWay) return this.plainWay(state);
    arrive(this.host, pkt, linktype, frame);
    if (!isTracked) return this.droppedByTracking(state);
    return this.enter(state, runner.behind, isGiven);
  }

  /** Whether rules that see packets before they are tracked have nothing to say of one, if it is plain. */
  private isUnasked(pkt: Packet, linktype: number, isGiven: boolean): boolean {
    if (this.early === null || this.early.mayMatch(pkt, linktype)) return false;
    const ip = linktype === DLT_EN10MB ? pkt.off + ETHERNET_HEADER : pkt.off;
    return isGiven || !this.host.isLocal(AF_INET, pkt.view, ip + 12);
  }

  /** Whether a packet is forwarded, and not odd in any way. */
  private forwards(pkt: Packet, linktype: number, frame: number): boolean {
    return this.forwarding.takes(pkt, linktype, frame, pkt.view, pkt.off + IP_DESTINATION);
  }

  /** Whether a plain packet goes the way that is worked out, and all that is left to do is to translate it. */
  private mayTranslate(way: EstablishedWay, pkt: Packet, linktype: number, frame: number): boolean {
    const { conntrack } = this;
    if ((pkt.status & IPS_NAT_MASK) === 0 || !way.isFor(pkt) || hopLimit(pkt) <= 1) return false;
    if (!this.isUnseen || this.isBridge || !this.runner.translates) return false;
    if ((conntrack.table.words[pkt.flow * ROW_WORDS + F_STATUS]! & IPS_EXTENDED) !== 0) return false;
    this.to.setInt32(0, translatedDestination(conntrack, pkt));
    return this.forwarding.takes(pkt, linktype, frame, this.to, 0) && !leavesElsewhere(conntrack, pkt);
  }

  /** The state of a packet that comes to its first hook. */
  private begin(pkt: Packet): HookState {
    const state = this.states[0]!;
    // Storing a reference costs more than looking whether it is there already.
    if (state.pkt !== pkt) state.pkt = pkt;
    this.outcome.clear();
    this.rejected = false;
    this.runner.reassembled = false;
    this.unconfirmed = true;
    return state;
  }

  /** From tracking on, of a packet that is forwarded. */
  private plainWay(state: HookState): number {
    const { pkt } = state;
    const { behind } = this.runner;
    this.outcome.ifin = pkt.ifin;
    if (this.runner.isBusy(AF_INET, NF_INET_PRE_ROUTING, behind)) {
      pkt.ifout = 0;
      return this.input(state, behind);
    }
    return this.forward(state);
  }

  /**
   * The way of a plain packet that rules see before it is tracked, and that is forwarded.
   * @returns NOT_PLAIN if it is none; then nothing was changed
   */
  private earlyWay(pkt: Packet, linktype: number): number {
    const { off, end, ifin, ifout } = pkt;
    if (!this.plain.reads(pkt, linktype) || !this.forwards(pkt, linktype, off)) {
      pkt.off = off;
      pkt.end = end;
      pkt.ifin = ifin;
      pkt.ifout = ifout;
      return NOT_PLAIN;
    }
    const state = this.begin(pkt);
    const ended = this.meetEarly(state);
    if (ended !== GOES_ON) return ended;
    pkt.off = off;
    pkt.end = end;
    const verdict = this.plain.receive(pkt, linktype);
    if (verdict === NOT_PLAIN) {
      this.plain.reads(pkt, linktype);
      pkt.ifout = 0;
      return this.input(state, this.runner.behind - 1);
    }
    if (verdict === NF_DROP) return this.droppedByTracking(state);
    this.unconfirmed = verdict !== NF_ACCEPT;
    return this.plainWay(state);
  }

  /**
   * A packet that is forwarded comes to the rules before tracking.
   * @returns GOES_ON if it is to be tracked as it came, else its verdict at the end of its way
   */
  private meetEarly(state: HookState): number {
    const { runner, conntrack } = this;
    const { pkt } = state;
    const { bytes, ifout } = pkt;
    this.outcome.ifin = pkt.ifin;
    pkt.ifout = 0;
    const verdict = runner.runEarly(state);
    if (verdict !== NF_ACCEPT) return this.refuse(state, verdict, NF_INET_PRE_ROUTING);
    const isUntouched = pkt.bytes === bytes && conntrack.template === null && pkt.ctinfo === CTINFO_NONE;
    if (!isUntouched) return this.input(state, runner.behind - 1);
    pkt.ifout = ifout;
    return GOES_ON;
  }

  /** The way of a packet that was not tracked in passing. */
  private receiveAny(state: HookState, linktype: number, frame: number, isGiven: boolean): number {
    const { pkt } = state;
    if (!enterLink(pkt, linktype)) return NF_DROP;
    if (!dissect(pkt)) {
      // What the capture cut off is not the sender's fault.
      if (pkt.missing > 0 && (pkt.reason === R_IP_LENGTH || pkt.reason === R_IP_SHORT))
        because(pkt, R_CUT_SHORT, pkt.missing);
      return NF_DROP;
    }
    if (this.isSimple(pkt, linktype, frame)) return this.simpleWay(state);
    arrive(this.host, pkt, linktype, frame);
    return this.enter(state, 0, isGiven);
  }

  /** Whether an IPv4 packet is whole, forwarded, and not odd in any way, and no rules see it before those of table raw do. */
  private isSimple(pkt: Packet, linktype: number, frame: number): boolean {
    if (pkt.family !== AF_INET || this.runner.tracer !== null) return false;
    if (!this.tracksFirst && !this.tracksSecond) return false;
    if (linktype !== DLT_RAW && (this.hasMac || linktype !== DLT_EN10MB)) return false;
    const { view, off } = pkt;
    if (view.getUint8(off) !== VERSION_4_LENGTH_5 || (view.getUint16(off + 6) & FRAGMENT) !== 0) return false;
    return this.forwards(pkt, linktype, frame);
  }

  /** The way of a packet that {@link isSimple}, as ICMP's mostly are. */
  private simpleWay(state: HookState): number {
    const { pkt } = state;
    const meetsRules = this.tracksSecond && this.mayMeetEarly(pkt);
    if (meetsRules) {
      const ended = this.meetEarly(state);
      if (ended !== GOES_ON) return ended;
    }
    const isTracked = this.runner.track(pkt, NF_INET_PRE_ROUTING) === NF_ACCEPT;
    if (isTracked && !meetsRules && this.established?.takes(pkt) && this.isUnseen)
      return this.shortWay(this.established, pkt, false);
    if (this.tracksSecond && !meetsRules) this.runner.passEarly(state);
    return isTracked ? this.plainWay(state) : this.droppedByTracking(state);
  }

  /** Whether rules before tracking may have something to say of a packet whose ports nobody has looked at. */
  private mayMeetEarly({ proto }: Packet): boolean {
    return this.early === null || this.early.asksOthers || proto === IPPROTO_TCP || proto === IPPROTO_UDP;
  }

  /** Tracking dropped the packet that is under way: no rule did. */
  private droppedByTracking(state: HookState): number {
    state.chain = null;
    state.rule = null;
    return this.refuse(state, NF_DROP, NF_INET_PRE_ROUTING);
  }

  /** The way that is worked out already. @param isConfirmed whether the packet need not be confirmed any more */
  private shortWay(way: EstablishedWay, pkt: Packet, isConfirmed: boolean): number {
    if (!isConfirmed && !this.conntrack.confirm(pkt)) return this.lose(this.begin(pkt));
    if (this.inPlace === true && !this.isBridge) takeHop(pkt);
    way.pass(pkt, this.outcome);
    return NF_ACCEPT;
  }
}
