import { TCP_STATE_NAMES } from '../base/tcp-state-names.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPS_EXTENDED } from '../conntrack/status.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';

/** Where a policy has TCP's limit for what is repeated, behind the states. */
export const POLICY_RETRANS: number = TCP_STATE_NAMES.length;
/** The same for what is not acknowledged. */
export const POLICY_UNACK: number = POLICY_RETRANS + 1;

/** Index of each timeout of a policy by nft's name; 0 is what a new flow begins with. */
const INDEXES: Readonly<Record<number, readonly string[]>> = {
  [IPPROTO_TCP]: [...TCP_STATE_NAMES.map((name) => name.toLowerCase()), 'retrans', 'unack'],
  [IPPROTO_UDP]: ['unreplied', 'replied'],
};

/**
 * A timeout policy as flows carry it.
 * @param proto IPPROTO_TCP or IPPROTO_UDP
 * @param times ms by nft's name of the state
 * @returns ms by the protocol's index, NaN where the sysctl holds
 */
export function timeoutPolicy(proto: number, times: ReadonlyMap<string, number>): Float64Array {
  const policy = Float64Array.from(INDEXES[proto] ?? [], (name) => times.get(name) ?? Number.NaN);
  if (proto === IPPROTO_TCP) policy[0] = times.get('syn_sent') ?? Number.NaN;
  return policy;
}

/** The timeouts that a rule gave a flow, null for none. @param status of the flow */
export function policyOf(ct: Conntrack, flow: number, status: number): Float64Array | null {
  if ((status & IPS_EXTENDED) === 0) return null;
  return ct.extension(flow)?.timeouts ?? null;
}

/** A policy's time, or the sysctl's where it has none. */
export function policyTime(policy: Float64Array | null, index: number, otherwise: number): number {
  if (policy === null) return otherwise;
  const time = policy[index]!;
  return Number.isNaN(time) ? otherwise : time;
}
