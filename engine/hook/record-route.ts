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
 * Writes this machine into the option "record route" (RFC 791, section 3.1) of a packet that is forwarded, between
 * FORWARD and POSTROUTING: the address of the side that it leaves by. (Linux moves the option's pointer on before
 * FORWARD; only a log of the options would show that there.)
 */
export function writeRoute(host: Host, pkt: Packet): void {
  if (pkt.family !== AF_INET || pkt.view.getUint8(pkt.off) === 0x45) return;
  const at = recordRoute(pkt);
  if (at === 0) return;
  writable(pkt);
  const { bytes, view, off } = pkt;
  const pointer = view.getUint8(off + at + 2);
  if (host.sourceAddress(AF_INET, view, off + 16, pkt.ifout, addressScratch))
    bytes.set(addressScratch, off + at + pointer - 1);
  view.setUint8(off + at + 2, pointer + 4);
  const header = (view.getUint8(off) & 15) << 2;
  view.setUint16(off + 10, 0);
  view.setUint16(off + 10, ~fold(sum(view, off, off + header)) & 0xffff);
}
