import {
  type FlowRecord,
  genericPacket,
  grePacket,
  IPPROTO_GRE,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPPROTO_UDPLITE,
  icmpPacket,
  icmpv6Packet,
  pptpGrePacket,
  sctpInit,
  sctpPacket,
  tcpPacket,
  udplitePacket,
  udpPacket,
} from '@keepstate/engine';

/** TCP's SYN. */
const TH_SYN = 2;

/**
 * The packet that would open a flow today: a SYN, an INIT, a request, an empty datagram from its original source to its
 * original destination.
 */
export function openingPacket({ protonum, original: t }: FlowRecord): Uint8Array {
  const ends = { src: t.src, dst: t.dst };
  const ports = { sport: t.sport ?? 0, dport: t.dport ?? 0 };
  switch (protonum) {
    case IPPROTO_TCP:
      return tcpPacket({ ...ends, ...ports, flags: TH_SYN, options: { mss: 1460 } });
    case IPPROTO_UDP:
      return udpPacket({ ...ends, ...ports });
    case IPPROTO_UDPLITE:
      return udplitePacket({ ...ends, ...ports, checksumAs: 'linux' });
    case IPPROTO_SCTP:
      return sctpPacket({ ...ends, ...ports, chunks: [sctpInit({ tag: 1 })] });
    case IPPROTO_ICMP:
      return icmpPacket({ ...ends, type: t.type ?? 8, code: t.code ?? 0, id: t.id ?? 0 });
    case IPPROTO_ICMPV6:
      return icmpv6Packet({ ...ends, type: t.type ?? 128, code: t.code ?? 0, id: t.id ?? 0 });
    case IPPROTO_GRE:
      // A key is PPTP's call id (RFC 2637).
      return t.dstkey === undefined || t.dstkey === 0
        ? grePacket(ends)
        : pptpGrePacket({ ...ends, callId: t.dstkey });
    default:
      return genericPacket({ ...ends, proto: protonum });
  }
}
