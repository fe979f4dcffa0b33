import { IPS_NAT_MASK } from '../conntrack/status.ts';
import { IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY, Packet } from '../packet/packet.ts';
import type { Chain, Rule, RuleCounters } from '../rules/chain.ts';
import { NFT_CT_STATE } from '../rules/ct-keys.ts';
import type { Expr } from '../rules/expr.ts';
import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import { CmpExpr } from '../rules/expr-cmp.ts';
import { CounterExpr } from '../rules/expr-counter.ts';
import { CtExpr } from '../rules/expr-ct.ts';
import { CtHelperExpr } from '../rules/expr-ct-helper.ts';
import { LookupExpr } from '../rules/expr-lookup.ts';
import { MetaExpr } from '../rules/expr-meta.ts';
import { ObjrefExpr } from '../rules/expr-objref.ts';
import { PayloadExpr } from '../rules/expr-payload.ts';
import { RangeExpr } from '../rules/expr-range.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import { NF_EGRESS, NF_INET_FORWARD, NF_INET_POST_ROUTING, NF_INET_PRE_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { targetIndex } from '../rules/rule-effects.ts';
import { NF_ACCEPT, NFT_BREAK, NFT_CONTINUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from '../rules/verdict.ts';
import { type HookEntry, STEP_CHAIN } from './hooks.ts';
import { Outcome, POLICY_WEIGHT, RULE_WEIGHT } from './outcome.ts';

/** How deep jumps are followed, and how many rules are looked at; what goes on longer is left to the packets. */
const DEEPEST = 16;
const MOST_RULES = 1000;
/** Where the hop limit stands in an IPv4 header (RFC 791). */
const IP_TTL = 8;
/** Not every packet of an established flow fares alike. */
const UNDECIDED = -100;

/**
 * What every packet of an established flow meets that is forwarded, worked out when rules are loaded: nearly all
 * rulesets accept such packets before they ask for anything else, and nearly all packets are such.
 */
export class EstablishedWay {
  /** Where it is decided, as {@link Outcome} has it; no chain if there is none. */
  readonly hook: number;
  readonly chain: Chain | null;
  readonly rule: Rule | null;
  private readonly counters: readonly RuleCounters[];
  /** How much that counts, as {@link Outcome.pass} has it. */
  private readonly weight: number;

  /** @param counters those of rules and policies on the way */
  constructor({ hook, chain, rule, weight }: Outcome, counters: readonly RuleCounters[]) {
    this.hook = hook;
    this.chain = chain;
    this.rule = rule;
    this.weight = weight - (rule === null ? POLICY_WEIGHT : RULE_WEIGHT);
    this.counters = counters;
  }

  /** Whether a packet that is forwarded goes this way, its hop limit permitting. */
  isFor({ ctinfo }: Packet): boolean {
    return ctinfo === IP_CT_ESTABLISHED || ctinfo === IP_CT_ESTABLISHED_REPLY;
  }

  /** Whether a plain packet that is forwarded goes this way. */
  takes(pkt: Packet): boolean {
    // Address translation has to look at each packet of the flows that it changes.
    const isTranslated = (pkt.status & IPS_NAT_MASK) !== 0;
    return this.isFor(pkt) && !isTranslated && pkt.view.getUint8(pkt.off + IP_TTL) > 1;
  }

  /** Notes a packet that goes this way from its first hook on, from device `pkt.ifin` to `pkt.ifout`. */
  pass(pkt: Packet, outcome: Outcome): void {
    this.count(pkt);
    if (outcome.way !== this) this.show(outcome);
    outcome.ifin = pkt.ifin;
    outcome.ifout = pkt.ifout;
  }

  /** Notes a packet that came to this way through other hooks. */
  join(pkt: Packet, outcome: Outcome): void {
    this.count(pkt);
    if (this.chain !== null) outcome.pass(this.hook, this.weight, this.chain, this.rule);
    outcome.ifout = pkt.ifout;
  }

  private count(pkt: Packet): void {
    const { counters } = this;
    for (let i = 0; i < counters.length; i++) {
      const counter = counters[i]!;
      counter.packets++;
      counter.bytes += pkt.end - pkt.off;
    }
  }

  private show(outcome: Outcome): void {
    outcome.clear();
    outcome.way = this;
    outcome.verdict = 'accept';
    outcome.hook = this.hook;
    outcome.chain = this.chain;
    outcome.rule = this.rule;
  }
}

/**
 * Works out the way of established flows' packets.
 * @param entries what is called at each hook for the family
 * @param from its first hook, NF_INET_PRE_ROUTING or NF_INET_FORWARD
 * @param skip how many entries come first there, whose chains have no rule for the packets and accept them
 * @param state of a packet that nobody needs
 * @returns null if more than their state decides, or if they are not accepted
 */
export function establishedWay(
  entries: readonly (readonly HookEntry[])[],
  family: number,
  from: number,
  skip: number,
  state: HookState,
): EstablishedWay | null {
  if (entries[NF_EGRESS]!.length > 0) return null;
  const walk = new Walk(state, family);
  for (const entry of entries[from]!.slice(0, skip)) walk.passes(entry, from);
  const hooks = [NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_POST_ROUTING];
  for (const hook of hooks.slice(hooks.indexOf(from)))
    for (const entry of entries[hook]!.slice(hook === from ? skip : 0))
      if (!walk.enters(entry, hook)) return null;
  return new EstablishedWay(walk.outcome, walk.counters);
}

/** Follows rules as long as the packet's state decides them. */
class Walk {
  readonly outcome: Outcome = new Outcome();
  readonly counters: RuleCounters[] = [];
  private readonly state: HookState;
  private looked = 0;

  constructor(state: HookState, family: number) {
    this.state = state;
    state.pkt = new Packet();
    state.pkt.family = family;
    state.pkt.ctinfo = IP_CT_ESTABLISHED;
  }

  /** A chain that accepts, and has no rule for the packet. */
  passes({ kind, chain, weight }: HookEntry, hook: number): void {
    if (kind !== STEP_CHAIN) return;
    if (chain!.policyCounters !== null) this.counters.push(chain!.policyCounters);
    this.outcome.pass(hook, weight, chain, null);
  }

  /** Returns false if an entry does not surely let the packet pass. */
  enters({ kind, chain, weight, isBound }: HookEntry, hook: number): boolean {
    // The kernel's own steps are behind it, and flows that NAT changes do not come here.
    if (kind !== STEP_CHAIN) return true;
    if (isBound) return false;
    const { state } = this;
    let verdict = this.follow(chain!, 0);
    if (verdict === NFT_RETURN) {
      verdict = chain!.base!.policy;
      state.chain = chain;
      state.rule = null;
      if (chain!.policyCounters !== null) this.counters.push(chain!.policyCounters);
    }
    if (verdict !== NF_ACCEPT) return false;
    this.outcome.pass(hook, weight, state.chain, state.rule);
    return true;
  }

  /** Returns a chain's verdict, NFT_RETURN if it goes back, or UNDECIDED. */
  private follow(chain: Chain, depth: number): number {
    if (depth > DEEPEST) return UNDECIDED;
    for (const rule of chain.rules) {
      if (++this.looked > MOST_RULES) return UNDECIDED;
      const verdict = this.meet(rule);
      if (verdict === NFT_CONTINUE || verdict === NFT_BREAK) continue;
      if (verdict === NFT_JUMP || verdict === NFT_GOTO) {
        const inner = this.follow(this.state.target!, depth + 1);
        if (inner === NFT_RETURN && verdict === NFT_JUMP) continue;
        return inner;
      }
      if (verdict === NF_ACCEPT) {
        this.state.chain = chain;
        this.state.rule = rule;
      }
      return verdict;
    }
    return NFT_RETURN;
  }

  /** What a rule says, NFT_BREAK if it does not match. */
  private meet(rule: Rule): number {
    if (isIdle(rule)) return NFT_BREAK;
    const { exprs, counters } = rule;
    const target = targetIndex(rule);
    for (let i = 0; i < exprs.length; i++) {
      const expr = exprs[i]!;
      if (i === target && counters !== null) this.counters.push(counters);
      if (expr instanceof CounterExpr) this.counters.push(expr);
      else {
        if (!isOfState(expr)) return UNDECIDED;
        const result = expr.eval(this.state);
        if (result !== NFT_CONTINUE) return result;
      }
    }
    if (target === exprs.length && counters !== null) this.counters.push(counters);
    return NFT_CONTINUE;
  }
}

/** Whether a rule does nothing to packets of flows that are in the table, whether it matches or not: it assigns helpers. */
function isIdle({ exprs, counters }: Rule): boolean {
  return counters === null && exprs.every((expr) => isAssignment(expr) || isQuestion(expr));
}

function isAssignment(expr: Expr): boolean {
  return expr instanceof ObjrefExpr && expr.object.expr instanceof CtHelperExpr;
}

/** Whether an expression only asks, and leaves nothing behind but registers. */
function isQuestion(expr: Expr): boolean {
  return (
    expr instanceof PayloadExpr || expr instanceof MetaExpr || expr instanceof CtExpr || isComparison(expr)
  );
}

/** Whether an expression gives the same for all packets whose flows are in the same state, and does nothing else. */
function isOfState(expr: Expr): boolean {
  if (expr instanceof CtExpr) return expr.key === NFT_CT_STATE;
  return expr instanceof VerdictExpr || isComparison(expr);
}

/** Whether an expression compares registers with what stands in the rule, or changes them for that. */
function isComparison(expr: Expr): boolean {
  if (expr instanceof LookupExpr)
    return expr.set.spec.constant === true && (expr.set.spec.exprs ?? []).length === 0;
  return expr instanceof BitwiseExpr || expr instanceof CmpExpr || expr instanceof RangeExpr;
}
