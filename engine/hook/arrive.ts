import type { HostModel } from '../host/model.ts';
import { inputDevice } from '../host/routing.ts';
import { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2 } from '../packet/link.ts';
import type { Packet } from '../packet/packet.ts';

/** PACKET_HOST: to this machine. */
export const PACKET_HOST = 0;
/** PACKET_BROADCAST. */
export const PACKET_BROADCAST = 1;
/** PACKET_MULTICAST. */
export const PACKET_MULTICAST = 2;
/** PACKET_OTHERHOST: to another machine; the network card was promiscuous. */
export const PACKET_OTHERHOST = 3;
/** PACKET_OUTGOING: set by whoever knows that this machine made the packet, whatever its source address is. */
export const PACKET_OUTGOING = 4;

/** PACKET_* by the destination of an Ethernet frame. */
function ethernetType(view: DataView, at: number, mac: Uint8Array | null): number {
  if ((view.getUint8(at) & 1) === 0) {
    if (mac === null) return PACKET_HOST;
    for (let i = 0; i < 6; i++) if (view.getUint8(at + i) !== mac[i]) return PACKET_OTHERHOST;
    return PACKET_HOST;
  }
  return view.getInt32(at) === -1 && view.getUint16(at + 4) === 0xffff ? PACKET_BROADCAST : PACKET_MULTICAST;
}

/**
 * Notes how a frame came in: its device, its link header, whom it was for.
 * @param pkt dissected; an `ifin` that is set already stays
 * @param frame first byte of the frame
 */
export function arrive(host: HostModel, pkt: Packet, linktype: number, frame: number): void {
  if (pkt.ifin === 0) pkt.ifin = inputDevice(host, pkt);
  if (linktype === DLT_EN10MB) {
    pkt.mac = frame;
    pkt.pkttype = ethernetType(
      pkt.view,
      frame,
      host.transparent ? null : (host.device(pkt.ifin)?.mac ?? null),
    );
  } else if (linktype === DLT_LINUX_SLL || linktype === DLT_LINUX_SLL2) {
    const type = linktype === DLT_LINUX_SLL ? pkt.view.getUint16(frame) : pkt.view.getUint8(frame + 10);
    pkt.pkttype = type === PACKET_OUTGOING ? PACKET_HOST : type;
  }
}
