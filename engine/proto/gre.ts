import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED } from '../conntrack/events.ts';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_ASSURED, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import { TRACK_ACCEPT, type Tracker } from '../conntrack/tracker.ts';
import { swapPorts, T_DST, T_KIND, T_PORTS, T_SRC, type Tuple } from '../conntrack/tuple.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { GreKeys } from './gre-keys.ts';

const VERSION = 0x7;
const VERSION_1 = 1;
/** Protocol type of GRE version 1 (RFC 2637): PPP. */
const PPP = 0x880b;

/**
 * GRE (RFC 2784, 2890). Keys of version 0 are not looked at: one flow between two hosts. Version 1 (PPTP)
 * flows are told apart by the call id. A third packet makes it a stream at once (measured: no two-second rule).
 */
export class GreTracker implements Tracker {
  readonly name = 'gre';
  readonly error = null;
  /** What PPTP control connections told of. */
  readonly keys: GreKeys = new GreKeys();
  private timeout = 0;
  private streamTimeout = 0;

  configure(settings: Settings): void {
    this.timeout = settings.millis('nf_conntrack_gre_timeout');
    this.streamTimeout = settings.millis('nf_conntrack_gre_timeout_stream');
  }

  tuple(view: DataView, l4: number, end: number, out: Tuple): boolean {
    out[T_PORTS] = 0;
    if (l4 + 4 > end || (view.getUint16(l4) & VERSION) !== VERSION_1) return true;
    if (l4 + 8 > end) return true;
    if (view.getUint16(l4 + 2) !== PPP) return false;
    const callId = view.getUint16(l4 + 6);
    out[T_PORTS] = callId;
    // The source key is known only from a PPTP control connection.
    if (this.keys.count > 0 && out[T_KIND]! >>> 8 === AF_INET)
      out[T_PORTS] = (this.keys.find(out[T_SRC]!, out[T_DST]!, callId) << 16) | callId;
    return true;
  }

  invert(ports: number): number {
    return swapPorts(ports);
  }

  state(): null {
    return null;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const w = ct.table.words;
    const at = flow * ROW_WORDS + F_STATUS;
    if ((w[at]! & IPS_SEEN_REPLY) === 0) {
      ct.refresh(flow, pkt, dir, this.timeout);
      return TRACK_ACCEPT;
    }
    ct.refresh(flow, pkt, dir, this.streamTimeout);
    if ((w[at]! & IPS_ASSURED) === 0) {
      w[at]! |= IPS_ASSURED;
      ct.cacheEvent(flow, IPCT_ASSURED);
    }
    return TRACK_ACCEPT;
  }
}
