import { R_TCP_KILLED, R_TCP_SHORT } from '../base/reason.ts';
import { TCP_STATE_NAMES } from '../base/tcp-state-names.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED, IPCT_PROTOINFO } from '../conntrack/events.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_ASSURED, IPS_CONFIRMED, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_INVALID, type Tracker } from '../conntrack/tracker.ts';
import { swapPorts } from '../conntrack/tuple.ts';
import { because, type Packet } from '../packet/packet.ts';
import { TCP_HEADER, TH_ACK, TH_SYN, tcpAck, tcpFlags } from '../packet/tcp.ts';
import { portTuple } from './ports.ts';
import { editTcp, isSaneTcp } from './tcp-edit.ts';
import * as X from './tcp-states.ts';
import { W_LAST_ACK, W_STATE } from './tcp-words.ts';

/** Sysctl of each state's timeout, by state number. */
const TIMEOUTS: readonly string[] = [
  'none',
  'syn_sent',
  'syn_recv',
  'established',
  'fin_wait',
  'close_wait',
  'last_ack',
  'time_wait',
  'close',
  'listen',
];

/**
 * TCP as the classic system tracked it (Linux 2.4): a state table and timers. No window, no flag check, no
 * checksum; whatever comes first may be NEW.
 */
export class ClassicTcpTracker implements Tracker {
  readonly name = 'tcp';
  readonly error = null;
  readonly tuple: typeof portTuple = portTuple;
  readonly invert: typeof swapPorts = swapPorts;
  readonly edit: typeof editTcp = editTcp;
  readonly isSane: typeof isSaneTcp = isSaneTcp;
  private readonly timeouts = new Float64Array(TCP_STATE_NAMES.length);

  configure(settings: Settings): void {
    for (const [state, name] of TIMEOUTS.entries())
      this.timeouts[state] = settings.millis(`nf_conntrack_tcp_timeout_${name}`);
  }

  state(ct: Conntrack, flow: number): string {
    const state = ct.table.words[flow * ROW_WORDS + W_STATE]! & 0xff;
    return state === X.TCP_SYN_SENT2 ? 'LISTEN' : TCP_STATE_NAMES[state]!;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const { view, l4 } = pkt;
    if (l4 + TCP_HEADER > pkt.end) {
      because(pkt, R_TCP_SHORT);
      return TRACK_INVALID;
    }
    const w = ct.table.words;
    const at = flow * ROW_WORDS;
    const flags = tcpFlags(view, l4);
    const index = X.indexOf(flags);
    const status = w[at + F_STATUS]!;
    const fresh = (status & IPS_CONFIRMED) === 0;
    const old = fresh ? X.TCP_NONE : w[at + W_STATE]!;
    const next = X.nextClassicState(dir, index, old);
    w[at + W_STATE] = next;
    if (next !== old) ct.cacheEvent(flow, IPCT_PROTOINFO);
    // The ACK that answers this SYN+ACK completes the handshake.
    if (old === X.TCP_SYN_SENT && dir === 1 && index === X.INDEX_SYNACK)
      w[at + W_LAST_ACK] = (view.getInt32(l4 + 4) + 1) | 0;
    if (index === X.INDEX_RST && (status & IPS_SEEN_REPLY) === 0 && dir === 1) {
      because(pkt, R_TCP_KILLED);
      ct.kill(flow, R_TCP_KILLED);
      return TRACK_ACCEPT;
    }
    if (this.completes(w, at, pkt, dir, old, flags)) {
      w[at + F_STATUS]! |= IPS_ASSURED;
      ct.cacheEvent(flow, IPCT_ASSURED);
    }
    ct.refresh(flow, pkt, dir, this.timeouts[next]!);
    return TRACK_ACCEPT;
  }

  private completes(
    w: Int32Array,
    at: number,
    pkt: Packet,
    dir: number,
    old: number,
    flags: number,
  ): boolean {
    return (
      old === X.TCP_SYN_RECV &&
      dir === 0 &&
      (w[at + F_STATUS]! & IPS_ASSURED) === 0 &&
      (flags & (TH_SYN | TH_ACK)) === TH_ACK &&
      tcpAck(pkt.view, pkt.l4) === w[at + W_LAST_ACK]
    );
  }
}
