import {
  R_UDP_CHECKSUM,
  R_UDP_LENGTH,
  R_UDP_SHORT,
  R_UDPLITE_CHECKSUM,
  R_UDPLITE_COVERAGE,
  R_UDPLITE_MISSING,
  R_UDPLITE_SHORT,
} from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import { IPCT_ASSURED } from '../conntrack/events.ts';
import { F_PROTO, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { Settings } from '../conntrack/settings.ts';
import { IPS_ASSURED, IPS_CONFIRMED, IPS_NAT_CLASH, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import { TRACK_ACCEPT, TRACK_INVALID, type Tracker } from '../conntrack/tracker.ts';
import { swapPorts } from '../conntrack/tuple.ts';
import { fold, pseudoSum, sum, transportChecksumOk } from '../packet/checksum.ts';
import { AF_INET, because, CHECKSUM_UNNECESSARY, CHECKSUM_WRONG, type Packet } from '../packet/packet.ts';
import { IPPROTO_UDP } from '../packet/protocols.ts';
import { portTuple } from './ports.ts';
import { policyOf, policyTime } from './timeout-policy.ts';

const UDP_HEADER = 8;
/** The flow's first two words as one double: the moment (ms) after which a packet makes it a stream. */
const STREAM_AFTER = F_PROTO / 2;

/** UDP and UDP-Lite: 30 s until answered both ways for more than two seconds, then a stream (measured). */
export class UdpTracker implements Tracker {
  readonly name: string;
  readonly error = null;
  readonly tuple: typeof portTuple = portTuple;
  readonly invert: typeof swapPorts = swapPorts;
  private readonly lite: boolean;
  private timeout = 0;
  private streamTimeout = 0;
  private streamAfter = 0;
  private checksum = true;

  /** @param lite UDP-Lite (RFC 3828): the length field says how much the checksum covers */
  constructor(lite: boolean) {
    this.lite = lite;
    this.name = lite ? 'udplite' : 'udp';
  }

  configure(settings: Settings): void {
    this.timeout = settings.millis('nf_conntrack_udp_timeout');
    this.streamTimeout = settings.millis('nf_conntrack_udp_timeout_stream');
    // Measured: UDP-Lite has no two-second rule.
    this.streamAfter = this.lite ? 0 : settings.profile.udpStreamAfter;
    this.checksum = settings.get('nf_conntrack_checksum') !== 0;
  }

  state(): null {
    return null;
  }

  shift(ct: Conntrack, flow: number, by: number): void {
    ct.table.doubles[(flow * ROW_WORDS) / 2 + STREAM_AFTER]! += by;
  }

  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number {
    if (!(this.lite ? this.soundLite(pkt) : this.sound(pkt))) return TRACK_INVALID;
    const w = ct.table.words;
    const at = flow * ROW_WORDS;
    const status = w[at + F_STATUS]!;
    const streamAt = (flow * ROW_WORDS) / 2 + STREAM_AFTER;
    if ((status & IPS_CONFIRMED) === 0) ct.table.doubles[streamAt] = ct.now + this.streamAfter;
    // The answer itself does not count: SEEN_REPLY is set after its packet.
    const policy = policyOf(ct, flow, status);
    if ((status & IPS_SEEN_REPLY) === 0) {
      ct.refresh(flow, pkt, dir, policyTime(policy, 0, this.timeout));
      return TRACK_ACCEPT;
    }
    const stream = this.streamAfter === 0 || ct.now > ct.table.doubles[streamAt]!;
    const timeout = stream ? policyTime(policy, 1, this.streamTimeout) : policyTime(policy, 0, this.timeout);
    ct.refresh(flow, pkt, dir, timeout);
    if (stream && (status & (IPS_ASSURED | IPS_NAT_CLASH)) === 0) {
      w[at + F_STATUS] = status | IPS_ASSURED;
      ct.cacheEvent(flow, IPCT_ASSURED);
    }
    return TRACK_ACCEPT;
  }

  /** A smaller length field than the packet is fine; a checksum of 0 was not computed, over IPv6 too. */
  private sound(pkt: Packet): boolean {
    const { view, l4 } = pkt;
    const there = pkt.end - l4;
    if (there < UDP_HEADER) return refuse(pkt, R_UDP_SHORT);
    const length = view.getUint16(l4 + 4);
    if (length > there || length < UDP_HEADER) return refuse(pkt, R_UDP_LENGTH, length, there);
    if (pkt.checksum === CHECKSUM_UNNECESSARY || !this.checksum || view.getUint16(l4 + 6) === 0) return true;
    if (pkt.checksum === CHECKSUM_WRONG) return refuse(pkt, R_UDP_CHECKSUM);
    return (
      transportChecksumOk(view, pkt.off, pkt.family, IPPROTO_UDP, l4, pkt.end) || refuse(pkt, R_UDP_CHECKSUM)
    );
  }

  private soundLite(pkt: Packet): boolean {
    const { view, l4 } = pkt;
    const there = pkt.end - l4;
    if (there < UDP_HEADER) return refuse(pkt, R_UDPLITE_SHORT);
    const coverage = view.getUint16(l4 + 4) || there;
    if (coverage < UDP_HEADER || coverage > there) return refuse(pkt, R_UDPLITE_COVERAGE, coverage, there);
    if (view.getUint16(l4 + 6) === 0) return refuse(pkt, R_UDPLITE_MISSING);
    if (pkt.checksum === CHECKSUM_UNNECESSARY || !this.checksum) return true;
    if (pkt.checksum === CHECKSUM_WRONG) return refuse(pkt, R_UDPLITE_CHECKSUM);
    // Measured: the kernel sums UDP's number, and over IPv4 only the low 8 bits of the length.
    const length = pkt.family === AF_INET ? there & 0xff : there;
    const pseudo = pseudoSum(view, pkt.off, pkt.family, IPPROTO_UDP, length);
    return fold(sum(view, l4, l4 + coverage, pseudo)) === 0xffff || refuse(pkt, R_UDPLITE_CHECKSUM);
  }
}

function refuse(pkt: Packet, reason: number, a = 0, b = 0): false {
  because(pkt, reason, a, b);
  return false;
}
