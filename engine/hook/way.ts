import { Random } from '../base/random.ts';
import { R_NOT_TO_HOST, R_OTHER_HOST } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_NAT_MASK } from '../conntrack/status.ts';
import type { Defrag } from '../frag/defrag.ts';
import { type HostModel, LOOPBACK } from '../host/model.ts';
import { ROUTE_DROP, ROUTE_LOCAL, routeInput, unreachableCode } from '../host/routing.ts';
import { dissect } from '../packet/dissect.ts';
import {
  AF_INET,
  AF_INET6,
  because,
  CTINFO_NONE,
  copyOfBytes,
  IP_CT_ESTABLISHED_REPLY,
  Packet,
  resetPacket,
} from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { RuleTable } from '../rules/chain.ts';
import {
  NF_EGRESS,
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_INGRESS,
} from '../rules/family.ts';
import { HookState, type RuleEffects } from '../rules/hook-state.ts';
import { NF_ACCEPT, NF_DROP, NF_QUEUE, NF_STOLEN, NF_UNKNOWN, NF_VERDICT_MASK } from '../rules/verdict.ts';
import { PACKET_HOST, PACKET_OTHERHOST, PACKET_OUTGOING } from './arrive.ts';
import { attach } from './attach.ts';
import { setClosing } from './closing.ts';
import type { EstablishedWay } from './established.ts';
import { putHop, takeHop } from './hop-limit.ts';
import { IpOptions, leaveWithOptions, OPTIONS_FINE } from './ip-options.ts';
import { leavesInPieces, leaving } from './leaving.ts';
import type { Outcome, Verdict } from './outcome.ts';
import { isForSelf, outputDevice } from './route-output.ts';
import { HookRunner } from './runner.ts';
import { optionStop, type Stop, stopOf, unroutable } from './stop.ts';

/** How deep packets of the firewall's own may cause others. */
const DEEPEST = 4;

/** Priority (TC_PRIO_*) of a forwarded IPv4 packet by bits 1 to 4 of its TOS (RFC 1349), as measured. */
const PRIORITY_OF_TOS: Uint8Array = Uint8Array.of(0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 4, 4, 4, 4);

/** Told what rules log. */
export interface RuleLog {
  /**
   * @param state the packet at its hook; only for the length of the call
   * @param level syslog's number, -1 for a log to an nfnetlink group
   * @param flags NF_LOG_*
   * @param group the nfnetlink group, -1 for the kernel's log
   */
  log(state: HookState, prefix: string, level: number, flags: number, group: number): void;
}

/**
 * The way of a packet past the rules of a host: which hooks it comes to is for the host's addresses and routes to say,
 * what is called there for the rules. In between stand the kernel's own steps: defragmentation, tracking, the place of
 * NAT, the hop limit, confirmation.
 */
export class Way implements RuleEffects {
  readonly outcome: Outcome;
  readonly runner: HookRunner;
  /** Whether {@link Outcome.out} is wanted: the bytes of what leaves. */
  wantsBytes = false;
  /** Whether an accepted packet is to stand in `pkt` as it leaves: see {@link Firewall.inPlace}. */
  inPlace = false;
  ruleLog: RuleLog | null = null;
  private readonly options: IpOptions;

  protected readonly conntrack: Conntrack;
  protected readonly host: HostModel;
  /**
   * Whether the host is a bridge, and by which device the packet under way then leaves: LOOPBACK if it is for this
   * machine, 0 if that is to be found out.
   */
  protected isBridge = false;
  protected bridgeOut = 0;
  /** The state of the packet that came in, and of those that it caused, by depth. */
  protected readonly states: HookState[] = [];
  /** Whether the packet under way has to be confirmed at its end. */
  protected unconfirmed = true;
  /** Whether the packet under way was answered by the rule that ends it. */
  protected rejected = false;
  private readonly defrag: Defrag;
  /** The way of established flows' packets from FORWARD on, if their state decides it. */
  private behind4: EstablishedWay | null = null;
  private behind6: EstablishedWay | null = null;
  private depth = 0;
  /** Whether a copy is under way. */
  private copies = false;

  /**
   * @param outcome written anew for each packet
   * @param seed for what rules draw at random
   */
  constructor(conntrack: Conntrack, defrag: Defrag, host: HostModel, outcome: Outcome, seed: number) {
    this.outcome = outcome;
    this.conntrack = conntrack;
    this.host = host;
    this.options = new IpOptions(host);
    this.defrag = defrag;
    this.runner = new HookRunner(conntrack, defrag, this.outcome);
    const random = new Random(seed);
    for (let i = 0; i <= DEEPEST; i++)
      this.states.push(new HookState(new Packet(), conntrack, host, random, this, i > 0));
  }

  /** Takes over a ruleset: its tables in the order in which they were loaded. */
  setRules(tables: readonly RuleTable[]): void {
    const { runner } = this;
    runner.setRules(tables);
    this.isBridge = this.host.transparent;
    const unused = this.states[0]!;
    this.behind4 = runner.established(AF_INET, NF_INET_FORWARD, unused);
    this.behind6 = runner.established(AF_INET6, NF_INET_FORWARD, unused);
  }

  /** Whether nobody wants to see more of a packet than what became of it. */
  protected get isUnseen(): boolean {
    return this.runner.tracer === null && this.wantsBytes !== true;
  }

  log(state: HookState, prefix: string, level: number, flags: number, group: number): void {
    if (this.ruleLog !== null) this.ruleLog.log(state, prefix, level, flags, group);
  }

  /** Sends a packet of the firewall's own at once, through OUTPUT and POSTROUTING, as the kernel does. */
  answer(state: HookState, bytes: Uint8Array, why: string, device: number): void {
    // No copies of copies, whatever rules those meet (measured).
    if (why === 'dup' && this.copies) return;
    const outer = this.copies;
    this.copies ||= why === 'dup';
    this.cause(state, bytes, why, (inner) => this.output(inner, 0, device));
    this.copies = outer;
  }

  send(state: HookState, bytes: Uint8Array, why: string, device: number): void {
    this.cause(state, bytes, why, (inner) => {
      inner.pkt.ifout = device;
      return this.run(inner, NF_EGRESS, 0);
    });
  }

  /** A packet because of another. @param goes its way; NF_ACCEPT if it left */
  private cause(state: HookState, bytes: Uint8Array, why: string, goes: (inner: HookState) => number): void {
    const outer = state.pkt;
    if (why === 'reject' && this.depth === 0) this.rejected = true;
    if (this.depth === DEEPEST) return;
    const inner = this.states[this.depth + 1]!;
    const { pkt } = inner;
    resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
    pkt.time = outer.time;
    if (!dissect(pkt)) return;
    attach(pkt, outer, why);
    if (why === 'reject' && pkt.proto === IPPROTO_TCP) setClosing(this.conntrack, outer.flow);
    this.depth++;
    const left = goes(inner) === NF_ACCEPT;
    this.depth--;
    this.runner.tracer?.answered?.(outer);
    this.outcome.answers.push({
      bytes: copyOfBytes(pkt.bytes, pkt.off, pkt.end),
      why,
      left,
      ifout: pkt.ifout,
    });
  }

  /**
   * A packet comes to its first hook: one that this host sends to OUTPUT, any other to PREROUTING.
   * @param from the first entry there to call
   * @param isGiven whether the caller said that it came in by a device
   */
  protected enter(state: HookState, from: number, isGiven: boolean): number {
    const { pkt } = state;
    const { host } = this;
    const at = pkt.off + (pkt.family === AF_INET ? 12 : 8);
    if (!isGiven && (pkt.pkttype === PACKET_OUTGOING || host.isLocal(pkt.family, pkt.view, at))) {
      pkt.ifin = 0;
      return this.output(state, from);
    }
    this.outcome.ifin = pkt.ifin;
    return this.input(state, from);
  }

  private run(state: HookState, hook: number, from: number): number {
    return this.runner.isBusy(state.pkt.family, hook, from)
      ? this.runner.run(state, hook, from, this.depth === 0)
      : NF_ACCEPT;
  }

  /** From the wire, or from lo. */
  protected input(state: HookState, from: number): number {
    const { pkt } = state;
    // Rules learn by which device it leaves when it is routed.
    if (this.isBridge) pkt.ifout = 0;
    if (from === 0) {
      const ingress = this.run(state, NF_INGRESS, 0);
      if (ingress !== NF_ACCEPT) return this.refuse(state, ingress, NF_INGRESS);
    }
    if (pkt.pkttype === PACKET_OTHERHOST) {
      because(pkt, R_OTHER_HOST);
      return this.lose(state);
    }
    const verdict = this.run(state, NF_INET_PRE_ROUTING, from);
    if (verdict !== NF_ACCEPT) return this.refuse(state, verdict, NF_INET_PRE_ROUTING);
    if (this.isBridge) {
      // Where the kernel has not routed it yet, rules may have said where to.
      pkt.ifout = this.bridgeOut || outputDevice(this.host, pkt);
      if (pkt.ifout !== LOOPBACK) return this.forward(state);
      pkt.ifout = 0;
    } else {
      const route = routeInput(this.host, pkt);
      const isSilent = route === ROUTE_DROP && unreachableCode(pkt.family, pkt.reason) < 0;
      const arrived = isSilent ? OPTIONS_FINE : this.options.arrive(pkt, this.conntrack.now);
      const wrong = optionStop(this.host, pkt, arrived);
      if (wrong !== null) return this.stop(state, wrong);
      if (route === ROUTE_DROP) return this.stop(state, unroutable(this.host, pkt));
      if (route !== ROUTE_LOCAL) return this.forward(state, this.options.left);
    }
    const local = this.run(state, NF_INET_LOCAL_IN, 0);
    if (local !== NF_ACCEPT) return this.refuse(state, local, NF_INET_LOCAL_IN);
    return this.accept(state, false);
  }

  /** By another device to another machine. @param options as {@link IpOptions.left} */
  protected forward(state: HookState, options = 0): number {
    const { pkt } = state;
    // Measured, of broadcasts on the link as of what `meta pkttype set` made of a packet.
    if (pkt.pkttype !== PACKET_HOST && !this.isBridge && !this.host.isDefault) {
      because(pkt, R_NOT_TO_HOST);
      return this.lose(state);
    }
    const fragment = this.runner.reassembled ? this.defrag.maxSize : 0;
    const stop = this.isBridge ? null : stopOf(this.host, pkt, fragment);
    if (stop !== null) return this.stop(state, stop);
    const { view, off, family } = pkt;
    const way = family === AF_INET ? this.behind4 : this.behind6;
    if (way?.isFor(pkt) && this.depth === 0 && this.isUnseen) {
      if (this.inPlace && !this.isBridge) takeHop(pkt);
      if (options !== 0) leaveWithOptions(this.host, pkt, options);
      way.join(pkt, this.outcome);
      const verdict = this.runner.translateEstablished(state);
      return verdict === NF_ACCEPT
        ? this.accept(state, true)
        : this.refuse(state, verdict, NF_INET_POST_ROUTING);
    }
    const looks = this.wantsBytes || this.inPlace || this.runner.looksBehind(family);
    const taken = looks && !this.isBridge ? takeHop(pkt) : 0;
    if (pkt.family === AF_INET) pkt.priority = PRIORITY_OF_TOS[(pkt.view.getUint8(pkt.off + 1) & 0x1e) >> 1]!;
    this.outcome.ifout = pkt.ifout;
    let hook = NF_INET_FORWARD;
    let verdict = this.run(state, hook, 0);
    if (verdict === NF_ACCEPT) {
      if (options !== 0) leaveWithOptions(this.host, pkt, options);
      hook = NF_INET_POST_ROUTING;
      verdict = this.run(state, hook, 0);
    }
    const result = verdict === NF_ACCEPT ? this.accept(state, true) : this.refuse(state, verdict, hook);
    if (looks && !this.isBridge && !this.inPlace) putHop(view, off, family, taken);
    return result;
  }

  /**
   * From this host: to the wire, or over lo to itself.
   * @param device by which it leaves, 0 if that is to be found out
   */
  private output(state: HookState, from: number, device = 0): number {
    const { pkt } = state;
    const { host } = this;
    if (!this.isBridge) pkt.ifout = device || outputDevice(host, pkt) || host.firstDevice;
    // A bridge answers by the device that the packet came by.
    else pkt.ifout = this.depth > 0 ? this.states[0]!.pkt.ifin : this.bridgeOut || outputDevice(host, pkt);
    pkt.pkttype = PACKET_HOST;
    if (this.depth === 0) this.outcome.ifout = pkt.ifout;
    let hook = NF_INET_LOCAL_OUT;
    let verdict = this.run(state, hook, from);
    if (verdict === NF_ACCEPT) {
      // OUTPUT may have translated its destination.
      if ((pkt.status & IPS_NAT_MASK) !== 0 && !this.isBridge)
        pkt.ifout = outputDevice(host, pkt) || pkt.ifout;
      if (this.depth === 0) this.outcome.ifout = pkt.ifout;
      hook = NF_INET_POST_ROUTING;
      verdict = this.run(state, hook, 0);
    }
    if (verdict !== NF_ACCEPT) return this.refuse(state, verdict, hook);
    if (this.isBridge || device !== 0 || !isForSelf(host, pkt)) return this.accept(state, true);
    if (!this.confirm(pkt)) return this.lose(state);
    pkt.ifin = LOOPBACK;
    pkt.ifout = 0;
    return this.input(state, 0);
  }

  /** The end of the way: the flow is confirmed, and the packet leaves or is delivered. */
  private accept(state: HookState, leaves: boolean): number {
    const { pkt } = state;
    if ((this.unconfirmed || this.depth > 0) && !this.confirm(pkt)) return this.lose(state);
    if (leaves) {
      const verdict = this.run(state, NF_EGRESS, 0);
      if (verdict !== NF_ACCEPT) return this.refuse(state, verdict, NF_EGRESS);
      if (this.depth === 0) this.emit(pkt);
    } else if (this.wantsBytes && this.depth === 0)
      this.outcome.delivered = copyOfBytes(pkt.bytes, pkt.off, pkt.end);
    if (this.depth === 0) this.outcome.verdict = 'accept';
    return NF_ACCEPT;
  }

  /** Notes what leaves, where somebody wants to know. */
  private emit(pkt: Packet): void {
    const { runner, outcome, defrag, host } = this;
    if (!this.wantsBytes && !(this.inPlace && leavesInPieces(host, pkt, runner.reassembled))) return;
    outcome.out.push(...leaving(host, defrag, pkt, runner.reassembled));
  }

  /** An answer never confirms the flow of the packet that it is about (measured: it leaves no entry). */
  private confirm(pkt: Packet): boolean {
    if (this.depth > 0 && pkt.flow !== 0) {
      const status = this.conntrack.table.words[pkt.flow * ROW_WORDS + F_STATUS]!;
      if ((status & IPS_CONFIRMED) === 0 && pkt.ctinfo >= IP_CT_ESTABLISHED_REPLY) return true;
    }
    return this.conntrack.confirm(pkt);
  }

  /** A verdict other than "accept" ended the way. What user space or what we do not know decides goes on, we assume. */
  protected refuse(state: HookState, word: number, hook: number): number {
    const { pkt } = state;
    const verdict = word & NF_VERDICT_MASK;
    if (verdict === NF_QUEUE || verdict === NF_UNKNOWN) this.confirm(pkt);
    else if (this.depth === 0) this.conntrack.abandon(pkt);
    if (this.depth === 0) {
      const { outcome } = this;
      outcome.decide(this.nameOf(verdict), hook, state.chain, state.rule);
      if (verdict === NF_UNKNOWN) outcome.unknown = state.unknown;
      if (verdict === NF_QUEUE) outcome.queue = word >>> 16;
    }
    return verdict;
  }

  private nameOf(verdict: number): Verdict {
    if (verdict === NF_QUEUE) return 'queue';
    if (verdict === NF_UNKNOWN) return 'unknown';
    if (verdict === NF_STOLEN) return 'stolen';
    return this.rejected ? 'reject' : 'drop';
  }

  /** The packet ends where no rule decides: in routing, or at its end. `pkt` says why. */
  protected lose(state: HookState): number {
    if (this.depth === 0) {
      this.conntrack.abandon(state.pkt);
      this.outcome.decide(state.pkt.ctinfo === CTINFO_NONE ? 'none' : 'drop', -1, null, null);
    }
    return NF_DROP;
  }

  /** The IP layer does not forward the packet, and may say so to its sender. */
  private stop(state: HookState, { error }: Stop): number {
    if (error !== null) this.answer(state, error, 'icmp', 0);
    return this.lose(state);
  }
}
