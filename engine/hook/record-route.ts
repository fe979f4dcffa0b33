import type { Host } from '../host/host.ts';
import { fold, sum } from '../packet/checksum.ts';
import { IPV4_HEADER } from '../packet/ipv4.ts';
import { AF_INET, type Packet } from '../packet/packet.ts';
import { writable } from '../packet/rewrite.ts';

const IPOPT_NOOP = 1;
const IPOPT_RR = 7;

/** Where the option "record route" begins in a packet's header, from its first byte; 0 if there is none with room. */
function recordRoute(pkt: Packet): number {
  const { view, off } = pkt;
  const header = (view.getUint8(off) & 15) << 2;
  for (let at = IPV4_HEADER; at + 2 < header; ) {
    const type = view.getUint8(off + at);
    if (type === 0) return 0;
    if (type === IPOPT_NOOP) {
      at++;
      continue;
    }
    const length = view.getUint8(off + at + 1);
    if (length < 2 || at + length > header) return 0;
    const pointer = view.getUint8(off + at + 2);
    if (type === IPOPT_RR) return length >= 3 && pointer >= 4 && pointer + 3 <= length ? at : 0;
    at += length;
  }
  return 0;
}

const addressScratch = new Uint8Array(4);

/**
 * Writes this machine into the option "record route" (RFC 791, section 3.1) of a packet that is forwarded. Linux does
 * it in two steps (measured): before FORWARD the address of the side that the packet came from, with the header's
 * checksum left as it was; behind it, {@link finishRoute}, that of the side it leaves by.
 * @returns whether it had room; then the packet is in bytes of its own
 */
export function beginRoute(host: Host, pkt: Packet): boolean {
  if (pkt.family !== AF_INET || pkt.view.getUint8(pkt.off) === 0x45) return false;
  const at = recordRoute(pkt);
  if (at === 0) return false;
  writable(pkt);
  const { bytes, view, off } = pkt;
  const pointer = view.getUint8(off + at + 2);
  if (host.sourceAddress(AF_INET, view, off + 12, 0, addressScratch))
    bytes.set(addressScratch, off + at + pointer - 1);
  view.setUint8(off + at + 2, pointer + 4);
  return true;
}

/** The second step of {@link beginRoute}, and the header's checksum. */
export function finishRoute(host: Host, pkt: Packet): void {
  const { view, off } = pkt;
  const header = (view.getUint8(off) & 15) << 2;
  for (let at = IPV4_HEADER; at + 2 < header; ) {
    const type = view.getUint8(off + at);
    if (type === IPOPT_RR) {
      const place = off + at + view.getUint8(off + at + 2) - 5;
      if (host.sourceAddress(AF_INET, view, off + 16, pkt.ifout, addressScratch))
        pkt.bytes.set(addressScratch, place);
      break;
    }
    at += type === IPOPT_NOOP ? 1 : Math.max(2, view.getUint8(off + at + 1));
  }
  view.setUint16(off + 10, 0);
  view.setUint16(off + 10, ~fold(sum(view, off, off + header)) & 0xffff);
}
