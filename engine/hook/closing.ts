import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_PROTOINFO } from '../conntrack/events.ts';
import { F_KIND, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_CONFIRMED, IPS_DYING, IPS_FIXED_TIMEOUT } from '../conntrack/status.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TcpTracker } from '../proto/tcp.ts';
import { TCP_CLOSE } from '../proto/tcp-states.ts';
import { W_STATE } from '../proto/tcp-words.ts';

/**
 * The firewall sent a reset because of a packet of a flow: the flow goes to CLOSE, with that state's timer (measured:
 * `CLOSE`, 10 s, after `reject with tcp reset` hit a data segment of an ESTABLISHED one).
 * @param flow the packet's flow, 0 for none
 */
export function setClosing(conntrack: Conntrack, flow: number): void {
  if (flow === 0) return;
  const w = conntrack.table.words;
  const at = flow * ROW_WORDS;
  const status = w[at + F_STATUS]!;
  if ((w[at + F_KIND]! & 0xff) !== IPPROTO_TCP || (status & (IPS_CONFIRMED | IPS_DYING)) !== IPS_CONFIRMED)
    return;
  if (!(conntrack.tracker(IPPROTO_TCP) instanceof TcpTracker)) return;
  const before = w[at + W_STATE]! & 0xff;
  w[at + W_STATE] = (w[at + W_STATE]! & ~0xff) | TCP_CLOSE;
  if (before === TCP_CLOSE || (status & IPS_FIXED_TIMEOUT) !== 0) return;
  conntrack.setTimeout(flow, conntrack.settings.millis('nf_conntrack_tcp_timeout_close'));
  conntrack.cacheEvent(flow, IPCT_PROTOINFO);
}
