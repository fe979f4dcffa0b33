import { F_MASTER, IP_CT_RELATED, ROW_WORDS, readFlow } from '@keepstate/engine';
import type { Session } from './session.ts';

/** The flow that told of another one before it came. */
export interface ExpectedBy {
  /** Its id. */
  readonly flow: number;
  /** The helper that read it. */
  readonly helper: string | null;
}

/** Who expected the flow that the last packet opened; null if nobody did, or if it opened none. */
export function expectedBy({ pkt, firewall }: Session): ExpectedBy | null {
  if (pkt.flow === 0 || pkt.ctinfo !== IP_CT_RELATED) return null;
  const { conntrack } = firewall;
  const master = conntrack.table.words[pkt.flow * ROW_WORDS + F_MASTER]!;
  if (master === 0) return null;
  const { flowId, helper } = readFlow(conntrack, master);
  return { flow: flowId, helper };
}
