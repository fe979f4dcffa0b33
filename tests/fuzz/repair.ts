import { fold, pseudoSum, sctpCrc, sum } from '../../engine/packet/checksum.ts';
import { dissect } from '../../engine/packet/dissect.ts';
import { Packet, resetPacket } from '../../engine/packet/packet.ts';
import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../../engine/packet/protocols.ts';
import type { Clay } from './clay.ts';

const pktScratch = new Packet();

/** Where a protocol's checksum stands in its header, and whether it covers the pseudo header. */
const CHECKSUMS: ReadonlyMap<number, readonly [field: number, pseudo: boolean]> = new Map([
  [IPPROTO_TCP, [16, true]],
  [IPPROTO_UDP, [6, true]],
  [IPPROTO_UDPLITE, [6, true]],
  [IPPROTO_ICMP, [2, false]],
  [IPPROTO_ICMPV6, [2, true]],
]);

/**
 * Gives a damaged packet right lengths and checksums again, so that the damage is met behind them.
 * @param off first byte of its IP header
 */
export function repair(clay: Clay, off: number): void {
  repairIp(clay, off);
  const pkt = pktScratch;
  resetPacket(pkt, clay.bytes, clay.view, off, clay.end);
  if (dissect(pkt) && pkt.l4 >= 0 && pkt.frag === 0) repairTransport(clay, pkt);
}

/** Length and header checksum of IPv4, payload length of IPv6. */
function repairIp({ view, end }: Clay, off: number): void {
  const version = off < end ? view.getUint8(off) >> 4 : 0;
  if (version === 6 && off + 40 <= end) view.setUint16(off + 4, end - off - 40);
  if (version !== 4 || off + 20 > end) return;
  const header = (view.getUint8(off) & 15) << 2;
  if (header < 20 || off + header > end) return;
  view.setUint16(off + 2, end - off);
  view.setUint16(off + 10, 0);
  view.setUint16(off + 10, ~fold(sum(view, off, off + header)));
}

function repairTransport({ view }: Clay, { off, l4, end, family, proto }: Packet): void {
  if (proto === IPPROTO_SCTP) {
    if (l4 + 12 <= end) view.setInt32(l4 + 8, sctpCrc(view, l4, end));
    return;
  }
  const known = CHECKSUMS.get(proto);
  if (known === undefined || l4 + known[0] + 2 > end) return;
  const [field, pseudo] = known;
  if (proto === IPPROTO_UDP) view.setUint16(l4 + 4, end - l4);
  // A coverage of 0 is the whole datagram (RFC 3828).
  if (proto === IPPROTO_UDPLITE) view.setUint16(l4 + 4, 0);
  view.setUint16(l4 + field, 0);
  const start = pseudo ? pseudoSum(view, off, family, proto, end - l4) : 0;
  view.setUint16(l4 + field, ~fold(sum(view, l4, end, start)));
}
