import { R_NAT_EVICTED } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import * as F from '../conntrack/flow-table.ts';
import * as S from '../conntrack/status.ts';
import * as T from '../conntrack/tuple.ts';
import { NAT_UNCHANGED } from './choice.ts';
import { addressRange, type NatRange, NF_NAT_MANIP_SRC } from './range.ts';
import { type Choice, isFree, uniqueTuple } from './unique-tuple.ts';

/** NF_DROP and NF_ACCEPT, which {@link setupNat} returns. */
const NF_DROP = 0;
const NF_ACCEPT = 1;

const choice: Choice = { why: NAT_UNCHANGED, victim: 0 };
const nowScratch: T.Tuple = new Int32Array(T.TUPLE_WORDS);
const wantedScratch: T.Tuple = new Int32Array(T.TUPLE_WORDS);

/** Writes the tuple of a flow's packets of the original direction as they leave, so far. */
function readTranslated(ct: Conntrack, flow: number, t: T.Tuple): void {
  const w = ct.table.words;
  const at = flow * F.ROW_WORDS;
  const kind = w[at + F.F_KIND]!;
  t[T.T_SRC] = w[at + F.F_RDST]!;
  t[T.T_DST] = w[at + F.F_RSRC]!;
  t[T.T_PORTS] = ct.tracker(kind & 255).invert(w[at + F.F_RPORTS]!);
  t[T.T_KIND] = kind;
  t[T.T_ZONE] = w[at + F.F_ZONES]! & 0xffff;
}

/**
 * Decides one end of a flow's translation (nf_nat_setup_info): chooses a tuple of the range and makes it that of the
 * flow's answers. Done once for each end, before the flow enters the table.
 * @param flow not confirmed; a confirmed one stays as it is
 * @param manip NF_NAT_MANIP_*
 * @returns NF_ACCEPT, or NF_DROP if this end is decided already
 */
export function setupNat(ct: Conntrack, flow: number, range: NatRange, manip: number): number {
  const at = flow * F.ROW_WORDS + F.F_STATUS;
  const status = ct.table.words[at]!;
  if ((status & S.IPS_CONFIRMED) !== 0) return NF_ACCEPT;
  const isSource = manip === NF_NAT_MANIP_SRC;
  const done = isSource ? S.IPS_SRC_NAT_DONE : S.IPS_DST_NAT_DONE;
  if ((status & done) !== 0) return NF_DROP;
  const now = nowScratch;
  const wanted = wantedScratch;
  readTranslated(ct, flow, now);
  wanted.set(now);
  uniqueTuple(ct, flow, wanted, range, manip, choice);
  ct.natChoice = choice.why;
  let bits = done;
  if (differs(now, wanted)) {
    const { invert } = ct.tracker(wanted[T.T_KIND]! & 255);
    ct.alterReply(flow, wanted[T.T_DST]!, wanted[T.T_SRC]!, invert(wanted[T.T_PORTS]!));
    bits |= isSource ? S.IPS_SRC_NAT : S.IPS_DST_NAT;
    // Others of the same source ask for its mapping only if their own address and port are not in the range.
    if (isSource) ct.bySource.add(flow);
  }
  // Behind alterReply, which holds the address that both may have.
  if (choice.victim !== 0) ct.evict(choice.victim, R_NAT_EVICTED);
  ct.table.words[at]! |= bits;
  return NF_ACCEPT;
}

function differs(a: T.Tuple, b: T.Tuple): boolean {
  return a[T.T_SRC] !== b[T.T_SRC] || a[T.T_DST] !== b[T.T_DST] || a[T.T_PORTS] !== b[T.T_PORTS];
}

/** Whether no other flow has the answers of a flow as it leaves so far. */
function isOwn(ct: Conntrack, flow: number): boolean {
  readTranslated(ct, flow, nowScratch);
  return isFree(ct, flow, nowScratch);
}

/**
 * No rule said anything of this end of a flow (nf_nat_alloc_null_binding): it stays as it is, unless another flow has
 * its answers; then it gets another port.
 */
export function bindNothing(ct: Conntrack, flow: number, manip: number): number {
  const isSource = manip === NF_NAT_MANIP_SRC;
  const at = flow * F.ROW_WORDS + F.F_STATUS;
  // Flows from before there were rules of translation stay undecided.
  if ((ct.table.words[at]! & S.IPS_CONFIRMED) !== 0) return NF_ACCEPT;
  if (ct.isAlone(flow) || isOwn(ct, flow)) {
    ct.natChoice = NAT_UNCHANGED;
    ct.table.words[at]! |= isSource ? S.IPS_SRC_NAT_DONE : S.IPS_DST_NAT_DONE;
    return NF_ACCEPT;
  }
  const address = ct.addressOf(flow, 1, isSource ? F.F_DST : F.F_SRC);
  return setupNat(ct, flow, addressRange(address), manip);
}
