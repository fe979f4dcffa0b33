import { R_NAT_DEVICE, R_NO_ROUTE } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_DST, F_EVENTS, F_RSRC, F_STATUS, MASQ_BITS, ROW_WORDS } from '../conntrack/flow-table.ts';
import {
  IPS_DST_NAT_DONE,
  IPS_EXTENDED,
  IPS_MASK,
  IPS_NAT_MASK,
  IPS_SRC_NAT_DONE,
} from '../conntrack/status.ts';
import { isError, translateError } from '../nat/icmp-error.ts';
import { writtenBytes } from '../nat/linear.ts';
import { masqDeviceOf } from '../nat/masquerade.ts';
import { NF_NAT_MANIP_DST, NF_NAT_MANIP_SRC } from '../nat/range.ts';
import { bindNothing } from '../nat/setup.ts';
import { directionOf, translate } from '../nat/translate.ts';
import { because, IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY, type Packet } from '../packet/packet.ts';
import { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_ACCEPT, NF_DROP } from '../rules/verdict.ts';
import { isSourceNat } from './hooks.ts';
import { outputDevice } from './route-output.ts';

const TOUCHED = IPS_NAT_MASK | IPS_EXTENDED;

/** Whether a packet of an established flow has nothing to do with translation, as most. */
export function isUntouched(conntrack: Conntrack, { flow, ctinfo }: Packet): boolean {
  if (flow === 0) return true;
  if (ctinfo !== IP_CT_ESTABLISHED && ctinfo !== IP_CT_ESTABLISHED_REPLY) return false;
  const w = conntrack.table.words;
  const at = flow * ROW_WORDS;
  return (w[at + F_STATUS]! & TOUCHED) === 0 && (w[at + F_EVENTS]! & MASQ_BITS) === 0;
}

/**
 * Whether a packet comes to the chains of type nat: the first one of a flow does, at each side once, and nothing that
 * is about another (measured).
 */
export function isUndecided(conntrack: Conntrack, pkt: Packet, hook: number): boolean {
  const { ctinfo } = pkt;
  if (ctinfo === IP_CT_ESTABLISHED || ctinfo === IP_CT_ESTABLISHED_REPLY || isError(pkt)) return false;
  const done = isSourceNat(hook) ? IPS_SRC_NAT_DONE : IPS_DST_NAT_DONE;
  return (conntrack.table.words[pkt.flow * ROW_WORDS + F_STATUS]! & done) === 0;
}

/** Gives a flow that no rule translated at a hook what it has anyway, if that is free. */
export function decideAlone(conntrack: Conntrack, { flow }: Packet, hook: number): void {
  bindNothing(conntrack, flow, isSourceNat(hook) ? NF_NAT_MANIP_SRC : NF_NAT_MANIP_DST);
}

/**
 * Translates a packet at a hook as its flow has it (nf_nat_packet and the kernel's steps around it).
 * @returns NF_ACCEPT or NF_DROP; where that is drop, no rule gave it
 */
export function translateAt(state: HookState, hook: number): number {
  const { pkt, conntrack } = state;
  const manip = isSourceNat(hook) ? NF_NAT_MANIP_SRC : NF_NAT_MANIP_DST;
  pkt.status = conntrack.table.words[pkt.flow * ROW_WORDS + F_STATUS]! & IPS_MASK;
  let passes: boolean;
  if (isError(pkt)) passes = translateError(conntrack, pkt, manip);
  else passes = !isAstray(conntrack, pkt, hook) && translate(conntrack, pkt, manip);
  if (passes && hook === NF_INET_LOCAL_OUT) passes = routeAgain(state);
  if (passes) return NF_ACCEPT;
  state.chain = null;
  state.rule = null;
  return NF_DROP;
}

/** How many of a packet's first bytes {@link translateAt} writes to, as {@link writtenBytes} has it. */
export function writtenAt({ pkt, conntrack }: HookState, hook: number): number {
  return writtenBytes(conntrack, pkt, isSourceNat(hook) ? NF_NAT_MANIP_SRC : NF_NAT_MANIP_DST);
}

/** Whether a masqueraded flow would leave by another device, whose address it does not have. */
export function leavesElsewhere(conntrack: Conntrack, pkt: Packet): boolean {
  const device = masqDeviceOf(conntrack, pkt.flow);
  return device !== 0 && device !== pkt.ifout && directionOf(pkt) === 0;
}

/** A masqueraded flow that leaves by another device is removed. */
function isAstray(conntrack: Conntrack, pkt: Packet, hook: number): boolean {
  if (hook !== NF_INET_POST_ROUTING || !leavesElsewhere(conntrack, pkt)) return false;
  conntrack.account(pkt.flow, pkt, 0);
  conntrack.kill(pkt.flow, R_NAT_DEVICE);
  because(pkt, R_NAT_DEVICE);
  return true;
}

/**
 * A packet of this host's own whose destination is translated takes another way (ip_route_me_harder), if there is one.
 * The chains behind this one at OUTPUT still see the device of the old way (measured).
 */
function routeAgain({ pkt, conntrack, host }: HookState): boolean {
  const w = conntrack.table.words;
  const at = pkt.flow * ROW_WORDS;
  const dir = directionOf(pkt) * 3;
  if (w[at + F_DST + dir] === w[at + F_RSRC - dir] || outputDevice(host, pkt) !== 0) return true;
  because(pkt, R_NO_ROUTE);
  return false;
}
