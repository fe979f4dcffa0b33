import { R_ICMP_CHECKSUM, R_ICMP_NEW, R_ICMP_SHORT, R_ICMP_TYPE } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_PORTS, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_CONFIRMED } from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_CONTINUE, TRACK_INVALID, type Tracker } from '../conntrack/tracker.ts';
import { fold, sum } from '../packet/checksum.ts';
import { ICMP_PAIRS } from '../packet/icmp-pairs.ts';
import { AF_INET, because, CHECKSUM_UNNECESSARY, CHECKSUM_WRONG, type Packet } from '../packet/packet.ts';
import { ICMP_HEADER, icmpInverter, icmpTuple } from './icmp-tuple.ts';
import { trackQuoted } from './quoted.ts';

const HIGHEST_TYPE = 18;

/** Types that are about another packet, which they quote. */
const ERRORS: readonly number[] = [3, 4, 5, 11, 12];

function typeTable(types: readonly number[]): Uint8Array {
  const out = new Uint8Array(256);
  for (const type of types) out[type] = 1;
  return out;
}

/** Types that may open a flow. */
const OPENS = typeTable(ICMP_PAIRS.map(([request]) => request));
const QUOTES = typeTable(ERRORS);

/** ICMP: requests open flows, replies belong to them, errors are RELATED to what they quote. */
export class IcmpTracker implements Tracker {
  readonly name = 'icmp';
  readonly tuple: typeof icmpTuple = icmpTuple;
  readonly invert: (ports: number) => number = icmpInverter(ICMP_PAIRS);
  private timeout = 0;
  private checksum = true;

  configure(settings: Settings): void {
    this.timeout = settings.millis('nf_conntrack_icmp_timeout');
    this.checksum = settings.get('nf_conntrack_checksum') !== 0;
  }

  state(): null {
    return null;
  }

  readonly error = (ct: Conntrack, pkt: Packet): number => {
    const { view, l4, end } = pkt;
    // Over IPv6 this protocol number means nothing; packet() turns it away.
    if (pkt.family !== AF_INET) return TRACK_CONTINUE;
    if (l4 + ICMP_HEADER > end) return refuse(pkt, R_ICMP_SHORT);
    if (this.checksum && pkt.checksum !== CHECKSUM_UNNECESSARY)
      if (pkt.checksum === CHECKSUM_WRONG || fold(sum(view, l4, end)) !== 0xffff)
        return refuse(pkt, R_ICMP_CHECKSUM);
    const type = view.getUint8(l4);
    if (type > HIGHEST_TYPE) return refuse(pkt, R_ICMP_TYPE, type);
    return QUOTES[type] === 1 ? trackQuoted(ct, pkt, l4 + ICMP_HEADER) : TRACK_CONTINUE;
  };

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const w = ct.table.words;
    const at = flow * ROW_WORDS;
    if (pkt.family !== AF_INET) return refuse(pkt, R_ICMP_NEW, pkt.view.getUint8(pkt.l4));
    if ((w[at + F_STATUS]! & IPS_CONFIRMED) === 0) {
      const type = (w[at + F_PORTS]! >> 8) & 255;
      if (OPENS[type] === 0) return refuse(pkt, R_ICMP_NEW, type);
    }
    ct.refresh(flow, pkt, dir, this.timeout);
    return TRACK_ACCEPT;
  }
}

function refuse(pkt: Packet, reason: number, a = 0): number {
  because(pkt, reason, a);
  return TRACK_INVALID;
}
