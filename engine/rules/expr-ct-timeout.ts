import { F_KIND, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED } from '../conntrack/status.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { policyTime } from '../proto/timeout-policy.ts';
import type { Expr } from './expr.ts';
import type { HookState } from './hook-state.ts';
import { NFT_CONTINUE } from './verdict.ts';

/** Sysctl of the timeout that a new flow begins with, whatever its first packet is (measured). */
const FIRST: Readonly<Record<number, string>> = {
  [IPPROTO_TCP]: 'nf_conntrack_tcp_timeout_syn_sent',
  [IPPROTO_UDP]: 'nf_conntrack_udp_timeout',
};

/** A `ct timeout` object: gives a flow that is not confirmed yet timeouts of its own. */
export class CtTimeoutExpr implements Expr {
  readonly name = 'ct timeout';
  /** Transport protocol that the policy is for. */
  readonly proto: number;
  /** The object's name. */
  readonly policy: string;
  /** In ms, by the protocol's own index (proto/timeout-policy.ts); NaN where the sysctl holds. */
  readonly timeouts: Float64Array;

  constructor(policy: string, proto: number, timeouts: Float64Array) {
    this.policy = policy;
    this.proto = proto;
    this.timeouts = timeouts;
  }

  eval(state: HookState): number {
    const { pkt, conntrack } = state;
    if (pkt.flow === 0) return NFT_CONTINUE;
    const w = conntrack.table.words;
    const at = pkt.flow * ROW_WORDS;
    if ((w[at + F_STATUS]! & IPS_CONFIRMED) !== 0 || (w[at + F_KIND]! & 255) !== this.proto)
      return NFT_CONTINUE;
    const ext = conntrack.extend(pkt.flow);
    ext.timeouts = this.timeouts;
    ext.policy = this.policy;
    // Its timer was set already, when it was tracked.
    conntrack.prolong(pkt.flow, policyTime(this.timeouts, 0, conntrack.settings.millis(FIRST[this.proto]!)));
    return NFT_CONTINUE;
  }
}
