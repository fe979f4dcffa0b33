import {
  R_ICMP_NEW,
  R_ICMP_SHORT,
  R_ICMP6_CHECKSUM,
  R_ICMP6_REDIRECT_OPTIONS,
  R_ICMP6_REDIRECT_SHORT,
  R_ICMP6_REDIRECT_SOURCE,
  R_ICMP6_UNTRACKED,
} from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { F_PORTS, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_CONFIRMED } from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_CONTINUE, TRACK_INVALID, type Tracker } from '../conntrack/tracker.ts';
import { transportChecksumOk } from '../packet/checksum.ts';
import { ICMPV6_PAIRS } from '../packet/icmp-pairs.ts';
import { AF_INET6, because, CHECKSUM_UNNECESSARY, IP_CT_UNTRACKED, type Packet } from '../packet/packet.ts';
import { IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import { ICMP_HEADER, icmpInverter, icmpTuple } from './icmp-tuple.ts';
import { trackQuoted } from './quoted.ts';

const FIRST_INFORMATIONAL = 128;
const ECHO_REQUEST = 128;
const NI_QUERY = 139;
const REDIRECT = 137;
/** Type, code, checksum, reserved 4, target 16, destination 16 (RFC 4861 section 4.5). */
const REDIRECT_HEADER = 40;
const OPTION_REDIRECTED_HEADER = 4;
const HOP_LIMIT_ON_LINK = 255;

/** MLD, neighbour discovery and multicast router discovery: never tracked (measured type by type). */
const UNTRACKED_TYPES: readonly number[] = [130, 131, 132, 133, 134, 135, 136, 143, 151, 152];
const UNTRACKED = new Uint8Array(256);
for (const type of UNTRACKED_TYPES) UNTRACKED[type] = 1;

/** ICMPv6: echo and node information open flows, errors are RELATED, neighbour discovery stays untracked. */
export class Icmpv6Tracker implements Tracker {
  readonly name = 'icmpv6';
  readonly tuple: typeof icmpTuple = icmpTuple;
  readonly invert: (ports: number) => number = icmpInverter(ICMPV6_PAIRS);
  private timeout = 0;
  private checksum = true;

  configure(settings: Settings): void {
    this.timeout = settings.millis('nf_conntrack_icmpv6_timeout');
    this.checksum = settings.get('nf_conntrack_checksum') !== 0;
  }

  state(): null {
    return null;
  }

  readonly error = (ct: Conntrack, pkt: Packet): number => {
    const { view, l4, end } = pkt;
    // Over IPv4 this protocol number means nothing; packet() turns it away.
    if (pkt.family !== AF_INET6) return TRACK_CONTINUE;
    if (l4 + ICMP_HEADER > end) return refuse(pkt, R_ICMP_SHORT);
    if (
      this.checksum &&
      pkt.checksum !== CHECKSUM_UNNECESSARY &&
      !transportChecksumOk(view, pkt.off, AF_INET6, IPPROTO_ICMPV6, l4, end)
    )
      return refuse(pkt, R_ICMP6_CHECKSUM);
    const type = view.getUint8(l4);
    if (UNTRACKED[type] === 1) {
      because(pkt, R_ICMP6_UNTRACKED, type);
      pkt.ctinfo = IP_CT_UNTRACKED;
      return TRACK_ACCEPT;
    }
    if (type === REDIRECT) return this.redirect(ct, pkt);
    return type < FIRST_INFORMATIONAL ? trackQuoted(ct, pkt, l4 + ICMP_HEADER) : TRACK_CONTINUE;
  };

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    const w = ct.table.words;
    const at = flow * ROW_WORDS;
    if (pkt.family !== AF_INET6) return refuse(pkt, R_ICMP_NEW, pkt.view.getUint8(pkt.l4));
    if ((w[at + F_STATUS]! & IPS_CONFIRMED) === 0) {
      const type = (w[at + F_PORTS]! >> 8) & 255;
      if (type !== ECHO_REQUEST && type !== NI_QUERY) return refuse(pkt, R_ICMP_NEW, type);
    }
    ct.refresh(flow, pkt, dir, this.timeout);
    return TRACK_ACCEPT;
  }

  /** A redirect is believed only from a neighbour, and is about the packet in its first option, if any. */
  private redirect(ct: Conntrack, pkt: Packet): number {
    const { view, off, l4, end } = pkt;
    if (l4 + REDIRECT_HEADER > end) return refuse(pkt, R_ICMP6_REDIRECT_SHORT);
    if (view.getUint8(l4 + 1) !== 0) return TRACK_CONTINUE;
    const linkLocal = (view.getUint16(off + 8) & 0xffc0) === 0xfe80;
    if (view.getUint8(off + 7) !== HOP_LIMIT_ON_LINK || !linkLocal)
      return refuse(pkt, R_ICMP6_REDIRECT_SOURCE);
    const option = l4 + REDIRECT_HEADER;
    if (option + 2 > end || view.getUint8(option + 1) === 0) return refuse(pkt, R_ICMP6_REDIRECT_OPTIONS);
    if (view.getUint8(option) !== OPTION_REDIRECTED_HEADER) return TRACK_CONTINUE;
    return trackQuoted(ct, pkt, option + 8);
  }
}

function refuse(pkt: Packet, reason: number, a = 0): number {
  because(pkt, reason, a);
  return TRACK_INVALID;
}
