import {
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IP_CT_UNTRACKED,
  type Packet,
} from '../packet/packet.ts';

/**
 * An answer belongs to the flow of the packet that it is about, as RELATED in the other direction (measured), even to
 * one that is not confirmed; copies for other hosts are not tracked.
 */
export function attach(pkt: Packet, outer: Packet, why: string): void {
  if (why === 'dup') pkt.ctinfo = IP_CT_UNTRACKED;
  else if (outer.flow !== 0) {
    pkt.flow = outer.flow;
    pkt.status = outer.status;
    pkt.ctinfo = outer.ctinfo < IP_CT_ESTABLISHED_REPLY ? IP_CT_RELATED_REPLY : IP_CT_RELATED;
  }
}
