import type { Defrag } from '../frag/defrag.ts';
import type { HostModel } from '../host/model.ts';
import { AF_INET, copyOfBytes, type Packet } from '../packet/packet.ts';
import { cutToMtu, outgrownMtu } from './mtu.ts';

/** Whether a packet leaves in other pieces than as it stands: in fragments. */
export function leavesInPieces(host: HostModel, pkt: Packet, isReassembled: boolean): boolean {
  return isReassembled || (pkt.family === AF_INET && !host.transparent && outgrownMtu(host, pkt) !== 0);
}

/**
 * Copies of what leaves: the packet, or its fragments if it came in some, or is too long for its next link.
 * @param defrag which knows the fragments, if it was put together from some
 */
export function leaving(
  host: HostModel,
  defrag: Defrag,
  pkt: Packet,
  isReassembled: boolean,
): readonly Uint8Array[] {
  const bytes = copyOfBytes(pkt.bytes, pkt.off, pkt.end);
  if (isReassembled)
    return defrag.refragment(bytes, host.transparent ? 0 : (host.device(pkt.ifout)?.mtu ?? 0));
  return host.transparent ? [bytes] : cutToMtu(host, pkt, bytes);
}
