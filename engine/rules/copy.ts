import { fold, sum } from '../packet/checksum.ts';
import { AF_INET, copyOfBytes, type Packet } from '../packet/packet.ts';
import { NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from './family.ts';
import type { HookState } from './hook-state.ts';

/**
 * Sends a copy of a packet to another machine (`dup to`, TEE), by the route to that machine; none if there is no route.
 * @param view, at where the machine's address stands
 * @param device the device to use, 0 for any: IPv4 needs no route then (measured)
 */
export function sendCopy(state: HookState, view: DataView, at: number, device: number): void {
  const { pkt, host, hook, effects } = state;
  const isRouted = !host.isDefault && !host.transparent;
  let out = device;
  if (isRouted && (device === 0 || pkt.family !== AF_INET))
    out = host.routeDevice(pkt.family, view, at, 0, device);
  if (out === 0 && isRouted) return;
  effects.answer(state, routedCopy(pkt, hook), 'dup', out);
}

/**
 * The copy as it leaves: with "don't fragment" set, and from PREROUTING and INPUT with one hop less so that two
 * machines that copy to each other come to an end (kernel: nf_dup_ipv4).
 */
function routedCopy(pkt: Packet, hook: number): Uint8Array {
  const bytes = copyOfBytes(pkt.bytes, pkt.off, pkt.end);
  const view = new DataView(bytes.buffer);
  const hop = hook === NF_INET_PRE_ROUTING || hook === NF_INET_LOCAL_IN ? 1 : 0;
  if (pkt.family !== AF_INET) {
    view.setUint8(7, view.getUint8(7) - hop);
    return bytes;
  }
  view.setUint8(6, view.getUint8(6) | 0x40);
  view.setUint8(8, view.getUint8(8) - hop);
  view.setUint16(10, 0);
  view.setUint16(10, ~fold(sum(view, 0, (view.getUint8(0) & 15) << 2)) & 0xffff);
  return bytes;
}
