import { EXPECT_ADDED } from '../conntrack/expectation.ts';
import { F_DST, F_SRC, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED } from '../conntrack/status.ts';
import { AF_INET } from '../packet/packet.ts';
import type { Expr } from './expr.ts';
import { ctDirection } from './expr-ct.ts';
import type { HookState } from './hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

/** What a `ct expectation` object says. */
export interface ExpectationObject {
  /** IPPROTO_* of the flows to come. */
  readonly proto: number;
  /** Port that they go to. */
  readonly port: number;
  /** How long one is waited for (ms). */
  readonly timeout: number;
  /** How many a flow may expect. */
  readonly size: number;
  /** AF_* of the flows to come. */
  readonly family: number;
}

/** An address as the kernel takes it over into a tuple of another family: as many bytes as that has (measured). */
function wordsOf(address: readonly number[], family: number): readonly number[] {
  const count = family === AF_INET ? 1 : 4;
  return Array.from({ length: count }, (_, i) => address[i] ?? 0);
}

/** A `ct expectation` object: the flow expects one from its other end, at a port of this one. */
export class CtExpectExpr implements Expr {
  readonly name = 'ct expectation';
  readonly object: ExpectationObject;

  constructor(object: ExpectationObject) {
    this.object = object;
  }

  eval(state: HookState): number {
    const { pkt, conntrack } = state;
    const { flow } = pkt;
    const { proto, port, timeout, size, family } = this.object;
    if (flow === 0) return NFT_BREAK;
    const at = flow * ROW_WORDS;
    const w = conntrack.table.words;
    if ((w[at + F_STATUS]! & IPS_CONFIRMED) !== 0) return NFT_BREAK;
    const { expectations } = conntrack.extend(flow);
    if (expectations.filter((one) => one.class === 0).length >= size) return NFT_BREAK;
    const back = 1 - ctDirection(pkt);
    const verdict = conntrack.expect({
      master: flow,
      family,
      proto,
      source: wordsOf(conntrack.addressOf(flow, back, F_SRC), family),
      destination: wordsOf(conntrack.addressOf(flow, back, F_DST), family),
      sourcePort: null,
      destinationPort: port,
      timeout,
    });
    return verdict === EXPECT_ADDED ? NFT_CONTINUE : NF_DROP;
  }
}
