import { ExtensionWalk, IPV6_HEADER, skipExtensionHeaders } from '../packet/ipv6.ts';
import { AF_INET } from '../packet/packet.ts';
import {
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
} from '../packet/protocols.ts';
import { addChange, addressChange } from './manip-checksum.ts';
import { manipGre } from './manip-gre.ts';
import { manipIcmp, manipIcmpv6 } from './manip-icmp.ts';
import { manipSctp, manipTcp, manipUdp, manipUdpLite } from './manip-ports.ts';
import { addressAt, type ManipTarget } from './target.ts';

const IPV4_HEADER = 20;
const walkScratch = new ExtensionWalk();

/** Rewrites one end of a transport header: see manipTcp. What is none of these has nothing to rewrite. */
function manipTransport(
  view: DataView,
  ip: number,
  l4: number,
  end: number,
  proto: number,
  target: ManipTarget,
): boolean {
  switch (proto) {
    case IPPROTO_TCP:
      return manipTcp(view, ip, l4, end, target);
    case IPPROTO_UDP:
      return manipUdp(view, ip, l4, end, target);
    case IPPROTO_UDPLITE:
      return manipUdpLite(view, ip, l4, end, target);
    case IPPROTO_SCTP:
      return manipSctp(view, ip, l4, end, target);
    case IPPROTO_ICMP:
      return manipIcmp(view, ip, l4, end, target);
    case IPPROTO_ICMPV6:
      return manipIcmpv6(view, ip, l4, end, target);
    case IPPROTO_GRE:
      return manipGre(view, ip, l4, end, target);
    default:
      return true;
  }
}

/**
 * Rewrites one end of a packet (nf_nat_manip_pkt): address, port or what stands for it, and every checksum that covers
 * them, by the difference.
 * @param ip first byte of its IP header, `end` first byte behind the packet; its bytes are the caller's to change
 * @returns false if there is too little of it
 */
export function manipPacket(view: DataView, ip: number, end: number, target: ManipTarget): boolean {
  return target.family === AF_INET ? manipIpv4(view, ip, end, target) : manipIpv6(view, ip, end, target);
}

function manipIpv4(view: DataView, ip: number, end: number, target: ManipTarget): boolean {
  if (ip + IPV4_HEADER > end) return false;
  const l4 = ip + ((view.getUint8(ip) & 15) << 2);
  if (!manipTransport(view, ip, l4, end, view.getUint8(ip + 9), target)) return false;
  addChange(view, ip + 10, addressChange(view, ip, target));
  view.setInt32(ip + addressAt(AF_INET, target.manip), target.words[0]!);
  return true;
}

function manipIpv6(view: DataView, ip: number, end: number, target: ManipTarget): boolean {
  if (ip + IPV6_HEADER > end) return false;
  const l4 = skipExtensionHeaders(view, ip + IPV6_HEADER, end, view.getUint8(ip + 6), walkScratch);
  const { proto, frag } = walkScratch;
  if (l4 >= 0 && frag < 8 && !manipTransport(view, ip, l4, end, proto, target)) return false;
  const at = ip + addressAt(target.family, target.manip);
  for (let i = 0; i < 4; i++) view.setInt32(at + 4 * i, target.words[i]!);
  return true;
}
