import type { Conntrack } from '../conntrack/conntrack.ts';
import { type Defrag, FRAG_HELD, FRAG_PASS } from '../frag/defrag.ts';
import {
  AF_INET,
  AF_INET6,
  CHECKSUM_UNNECESSARY,
  CTINFO_INVALID,
  IP_CT_UNTRACKED,
  type Packet,
} from '../packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { SCTP_HEADER } from '../packet/sctp.ts';
import type { Chain, RuleTable } from '../rules/chain.ts';
import {
  NF_EGRESS,
  NF_INET_FORWARD,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_INGRESS,
} from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { runChain } from '../rules/run.ts';
import { Runner } from '../rules/runner.ts';
import { traceChain } from '../rules/trace-run.ts';
import { NF_ACCEPT, NF_DROP, NF_REPEAT, NF_STOLEN } from '../rules/verdict.ts';
import { EarlyPorts } from './early-ports.ts';
import { type EstablishedWay, establishedWay } from './established.ts';
import { type HookEntry, Hooks, STEP_CHAIN, STEP_DEFRAG, STEP_TRACK } from './hooks.ts';
import { natDecision } from './nat-decision.ts';
import { decideAlone, isUndecided, isUntouched, translateAt, writtenAt } from './nat-step.ts';
import type { Outcome } from './outcome.ts';
import type { PacketTrace } from './packet-trace.ts';

/** The hooks that a packet comes to when it is forwarded, routing behind it, as bits. */
const FORWARDED = (1 << NF_INET_FORWARD) | (1 << NF_INET_POST_ROUTING) | (1 << NF_EGRESS);

/** What is called at the hooks, and calls it. */
export class HookRunner {
  /** Told of each step, if set; chains then run expression by expression. */
  tracer: PacketTrace | null = null;
  /** Whether the packet was put together from fragments; whoever begins a new one sets it back. */
  reassembled = false;
  /** Runs the chains for the packet that came in; those that it causes meanwhile have others. */
  private readonly main: Runner = new Runner();
  private readonly conntrack: Conntrack;
  private readonly defrag: Defrag;
  private readonly outcome: Outcome;
  private hooks4: Hooks = new Hooks(AF_INET, []);
  private hooks6: Hooks = new Hooks(AF_INET6, []);

  /** @param outcome told of each chain that lets the packet of {@link main} pass */
  constructor(conntrack: Conntrack, defrag: Defrag, outcome: Outcome) {
    this.conntrack = conntrack;
    this.defrag = defrag;
    this.outcome = outcome;
  }

  /** Takes over a ruleset: its tables in the order in which they were loaded. */
  setRules(tables: readonly RuleTable[]): void {
    this.hooks4 = new Hooks(AF_INET, tables);
    this.hooks6 = new Hooks(AF_INET6, tables);
  }

  /** Whether there is anything to call at a hook from an entry on. */
  isBusy(family: number, hook: number, from: number): boolean {
    const hooks = family === AF_INET ? this.hooks4 : this.hooks6;
    const busy = from === hooks.behind ? hooks.busyLater : hooks.busy;
    return this.tracer !== null || ((busy >> hook) & 1) !== 0;
  }

  /** Whether anybody looks at packets that are forwarded, from FORWARD on. */
  looksBehind(family: number): boolean {
    const hooks = family === AF_INET ? this.hooks4 : this.hooks6;
    return this.tracer !== null || (hooks.busy & FORWARDED) !== 0;
  }

  /** Whether rules see an IPv4 packet before it is tracked, but only between defragmentation and tracking. */
  get tracksSecond(): boolean {
    return this.hooks4.between;
  }

  /** Whether flows of IPv4 are translated: some chain is of type nat. */
  get translates(): boolean {
    return this.hooks4.translates;
  }

  /** First entry of PREROUTING behind tracking, for IPv4. */
  get behind(): number {
    return this.hooks4.behind;
  }

  /** What rules ask for that see packets before they are tracked, be they this host's own; null if that is much. */
  earlyPorts(): EarlyPorts | null {
    const { entries, behind } = this.hooks4;
    const isFirst = entries[NF_INET_LOCAL_OUT]![0]!.kind === STEP_DEFRAG;
    return isFirst ? EarlyPorts.of(entries[NF_INET_PRE_ROUTING]!.slice(1, behind - 1)) : null;
  }

  /** Whether no rule sees an IPv4 packet before it is tracked. */
  get tracksFirst(): boolean {
    return !this.hooks4.before;
  }

  /** As {@link establishedWay}: from PREROUTING for packets that have no rule there before they are tracked. */
  established(family: number, from: number, state: HookState): EstablishedWay | null {
    const hooks = family === AF_INET ? this.hooks4 : this.hooks6;
    const skip = from === NF_INET_PRE_ROUTING ? hooks.behind : 0;
    return establishedWay(hooks.entries, family, from, skip, state);
  }

  /** Notes an IPv4 packet at chains of PREROUTING before tracking that have no rule for it. */
  passEarly(state: HookState): void {
    const { entries, behind } = this.hooks4;
    const list = entries[NF_INET_PRE_ROUTING]!;
    for (let i = 1; i < behind - 1; i++) {
      const { chain, weight } = list[i]!;
      emptyChain(chain!, state);
      this.outcome.pass(NF_INET_PRE_ROUTING, weight, chain, null);
    }
  }

  /** Calls what stands at PREROUTING between defragmentation and tracking, for the IPv4 packet that came in. */
  runEarly(state: HookState): number {
    const { entries, behind } = this.hooks4;
    const list = entries[NF_INET_PRE_ROUTING]!;
    state.hook = NF_INET_PRE_ROUTING;
    for (let i = 1; i < behind - 1; i++) {
      const entry = list[i]!;
      const verdict = this.chain(state, entry, entry.chain!, true);
      if (verdict !== NF_ACCEPT) return verdict;
    }
    return NF_ACCEPT;
  }

  /**
   * Calls what stands at a hook.
   * @param from the first entry to call
   * @param isMain whether this is the packet that came in, and not one that the firewall sends because of it
   * @returns NF_ACCEPT if the packet goes on, else the verdict that ended its way; `state.chain` and `state.rule` say
   *   who gave it, null for the kernel's own steps
   */
  run(state: HookState, hook: number, from: number, isMain: boolean): number {
    const list = (state.pkt.family === AF_INET ? this.hooks4 : this.hooks6).entries[hook]!;
    state.hook = hook;
    if (this.tracer !== null) this.announce(this.tracer, state.pkt, hook, from);
    for (let i = from; i < list.length; i++) {
      const entry = list[i]!;
      const verdict =
        entry.kind === STEP_CHAIN
          ? this.chain(state, entry, entry.chain!, isMain)
          : this.step(state, entry, hook, isMain);
      if (verdict !== NF_ACCEPT) return verdict;
    }
    return NF_ACCEPT;
  }

  private chain(state: HookState, entry: HookEntry, base: Chain, isMain: boolean): number {
    if (entry.isBound && !this.isOn(state, base)) return NF_ACCEPT;
    let verdict = this.call(base, state, isMain);
    // "Call the hook again" is for targets that changed the packet; they do not ask for it twice.
    if (verdict === NF_REPEAT) verdict = this.call(base, state, isMain);
    if (verdict === NF_ACCEPT && isMain) this.outcome.pass(state.hook, entry.weight, state.chain, state.rule);
    return verdict;
  }

  private call(base: Chain, state: HookState, isMain: boolean): number {
    if (this.tracer !== null) return traceChain(base, state, this.tracer);
    // Most chains of a real host's tables have no rules.
    if (base.rules.length === 0) return emptyChain(base, state);
    return isMain ? this.main.run(base, state) : runChain(base, state);
  }

  /** @param from behind the first entries if the packet was tracked in passing */
  private announce(tracer: PacketTrace, pkt: Packet, hook: number, from: number): void {
    tracer.atHook(hook, pkt);
    if (from > 0) tracer.tracked(pkt);
  }

  /** Whether a chain that is bound to devices is bound to the packet's. */
  private isOn(state: HookState, base: Chain): boolean {
    const { pkt, hook, host } = state;
    if (hook !== NF_INGRESS && hook !== NF_EGRESS) return true;
    const device = host.device(hook === NF_EGRESS ? pkt.ifout : pkt.ifin);
    return device !== null && base.base!.devices.includes(device.name);
  }

  private step(state: HookState, entry: HookEntry, hook: number, isMain: boolean): number {
    if (entry.kind === STEP_DEFRAG || entry.kind === STEP_TRACK) {
      const verdict = entry.kind === STEP_TRACK ? this.track(state.pkt, hook) : this.reassemble(state.pkt);
      if (verdict !== NF_ACCEPT) {
        state.chain = null;
        state.rule = null;
      }
      return verdict;
    }
    return this.nat(state, entry, hook, isMain);
  }

  private reassemble(pkt: Packet): number {
    const { bytes } = pkt;
    const fate = this.defrag.receive(pkt, this.conntrack.now);
    // A datagram that was put together has other bytes than the fragment that completed it.
    if (fate === FRAG_PASS) {
      if (pkt.bytes !== bytes) {
        this.reassembled = true;
        // Its link header stayed with the fragments.
        pkt.mac = -1;
      }
      return NF_ACCEPT;
    }
    return fate === FRAG_HELD ? NF_STOLEN : NF_DROP;
  }

  /**
   * A packet that has been at a hook before, over lo or as an answer, keeps its flow. Checksums of this host's own
   * packets are not looked at (measured): the card may have to fill them in.
   * @returns NF_ACCEPT or NF_DROP
   */
  track(pkt: Packet, hook: number): number {
    if (pkt.flow !== 0 || pkt.ctinfo === IP_CT_UNTRACKED) return NF_ACCEPT;
    const { checksum } = pkt;
    if (hook === NF_INET_LOCAL_OUT) pkt.checksum = CHECKSUM_UNNECESSARY;
    const verdict = this.conntrack.track(pkt) ? NF_ACCEPT : NF_DROP;
    // What tracking found right is not looked at again, even if rules change the packet meanwhile (measured).
    const isChecked = hook === NF_INET_PRE_ROUTING && this.conntrack.verifies;
    // For the look at its checksum Linux brings the whole header of SCTP together (measured by the fragments that leave).
    if (this.reassembled && isChecked && pkt.proto === IPPROTO_SCTP)
      this.defrag.bringTogether(pkt.l4 - pkt.off + SCTP_HEADER);
    const isRight = isChecked && isVerified(pkt);
    pkt.checksum = isRight ? CHECKSUM_UNNECESSARY : checksum;
    if (this.tracer !== null) this.tracer.tracked(pkt);
    return verdict;
  }

  /** Address translation: what the rules say of a flow's first packet, and what follows for all of its packets. */
  private nat(state: HookState, entry: HookEntry, hook: number, isMain: boolean): number {
    const { pkt } = state;
    const { conntrack, tracer } = this;
    if (isUntouched(conntrack, pkt)) return NF_ACCEPT;
    if (isUndecided(conntrack, pkt, hook)) {
      const verdict = this.decide(state, entry, hook, isMain);
      if (verdict !== NF_ACCEPT) return verdict;
      if (tracer !== null) tracer.decided?.(pkt, natDecision(conntrack, pkt.flow, hook));
    }
    if (this.reassembled) this.defrag.bringTogether(writtenAt(state, hook));
    return translateAt(state, hook);
  }

  /**
   * All that there is to do at POSTROUTING for a packet of an established flow, where its state decides all else.
   * @returns NF_ACCEPT or NF_DROP
   */
  translateEstablished(state: HookState): number {
    const { pkt } = state;
    const hooks = pkt.family === AF_INET ? this.hooks4 : this.hooks6;
    if (!hooks.translates || isUntouched(this.conntrack, pkt)) return NF_ACCEPT;
    return translateAt(state, NF_INET_POST_ROUTING);
  }

  /** Calls chains of type nat until a rule decides a flow's translation at this hook. */
  private decide(state: HookState, entry: HookEntry, hook: number, isMain: boolean): number {
    const { chains } = entry;
    const { conntrack } = this;
    for (let i = 0; i < chains.length; i++) {
      const verdict = this.chain(state, entry, chains[i]!, isMain);
      if (verdict !== NF_ACCEPT) return verdict;
      if (!isUndecided(conntrack, state.pkt, hook)) return NF_ACCEPT;
    }
    decideAlone(conntrack, state.pkt, hook);
    return NF_ACCEPT;
  }
}

/** Whether tracking looked at a packet's checksum and found it right. */
function isVerified(pkt: Packet): boolean {
  const { proto } = pkt;
  return (
    pkt.ctinfo !== CTINFO_INVALID &&
    (proto === IPPROTO_TCP || proto === IPPROTO_UDP || proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6)
  );
}

/** The policy decides, and counts. */
function emptyChain(base: Chain, state: HookState): number {
  state.chain = base;
  state.rule = null;
  const { policyCounters } = base;
  if (policyCounters !== null) {
    policyCounters.packets++;
    policyCounters.bytes += state.pkt.end - state.pkt.off;
  }
  return base.base!.policy;
}
