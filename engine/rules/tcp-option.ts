import type { Packet } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import { TCP_HEADER, tcpHeaderLength } from '../packet/tcp.ts';
import { nftProto, nftThoff } from './pktinfo.ts';

/** TCPOPT_NOP: one byte of padding; option 0 ends the list, and is one byte as well. */
export const TCPOPT_NOP = 1;

/** First byte of a packet's TCP header with all its options there, or -1. */
export function wholeTcpHeader(pkt: Packet): number {
  if (nftProto(pkt) !== IPPROTO_TCP) return -1;
  const l4 = nftThoff(pkt);
  if (l4 < 0 || l4 + TCP_HEADER > pkt.end) return -1;
  const length = tcpHeaderLength(pkt.view, l4);
  return length < TCP_HEADER || l4 + length > pkt.end ? -1 : l4;
}

/** Bytes of the option at `at`; a length of 0 counts as 1, so that a walk always goes on. */
export function tcpOptionLength(view: DataView, at: number): number {
  return view.getUint8(at) <= TCPOPT_NOP || view.getUint8(at + 1) === 0 ? 1 : view.getUint8(at + 1);
}

/**
 * Finds an option. As in the kernel the end-of-list option does not end the walk.
 * @param l4 first byte of the TCP header
 * @returns its first byte, or -1
 */
export function findTcpOption(view: DataView, l4: number, type: number): number {
  const end = l4 + tcpHeaderLength(view, l4);
  for (let at = l4 + TCP_HEADER; at < end - 1; at += tcpOptionLength(view, at))
    if (view.getUint8(at) === type) return at;
  return -1;
}
