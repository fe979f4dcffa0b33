import { concat, halfWords, macBytes, padTo, viewOf, words } from './build-bytes.ts';
import { ETH_P_8021AD, ETH_P_8021Q, ETH_P_IP, ETH_P_IPV6 } from './ethernet.ts';
import { AF_INET } from './packet.ts';

/** AF_INET6 as NetBSD and OpenBSD number it: what tcpdump knows; Linux's 10 it does not. */
const BSD_INET6 = 24;

/** The ethertype of an IP packet, by its version. */
export function ethertypeOf(packet: Uint8Array): number {
  return packet.length > 0 && packet[0]! >> 4 === 6 ? ETH_P_IPV6 : ETH_P_IP;
}

/** One VLAN tag. */
export interface VlanTag {
  /** VLAN id, 12 bits. */
  readonly vid: number;
  /** Tag's ethertype; 802.1Q if left out. */
  readonly tpid?: number;
  /** Priority, 3 bits. */
  readonly priority?: number;
}

/** Fields of an Ethernet frame, all with defaults. */
export interface EthernetFields {
  /** MAC address, 02:00:00:00:00:02 if left out. */
  readonly dst?: string;
  /** MAC address, 02:00:00:00:00:01 if left out. */
  readonly src?: string;
  /** VLAN tags, outermost first. */
  readonly tags?: readonly VlanTag[];
  /** In place of the ethertype that goes by the packet's version. */
  readonly type?: number;
  /** Pads to the 60 bytes that a wire takes at least (IEEE 802.3, without frame check sequence). */
  readonly pad?: boolean;
}

/**
 * An Ethernet frame around a packet.
 * @throws RangeError if a MAC address is none
 */
export function ethernetFrame(packet: Uint8Array, o: EthernetFields = {}): Uint8Array {
  const tags = (o.tags ?? []).map((tag) =>
    halfWords(tag.tpid ?? ETH_P_8021Q, ((tag.priority ?? 0) << 13) | tag.vid),
  );
  const macs = [macBytes(o.dst ?? '02:00:00:00:00:02'), macBytes(o.src ?? '02:00:00:00:00:01')];
  const frame = concat(...macs, ...tags, halfWords(o.type ?? ethertypeOf(packet)), packet);
  return o.pad && frame.length < 60 ? padTo(frame, 60) : frame;
}

/** An Ethernet frame with an 802.1Q tag. */
export function vlanFrame(packet: Uint8Array, vid: number): Uint8Array {
  return ethernetFrame(packet, { tags: [{ vid }] });
}

/** An Ethernet frame with an 802.1ad service tag and an 802.1Q tag. */
export function qinqFrame(packet: Uint8Array, service: number, customer: number): Uint8Array {
  return ethernetFrame(packet, { tags: [{ tpid: ETH_P_8021AD, vid: service }, { vid: customer }] });
}

/** A Linux cooked frame, version 1 (LINKTYPE_LINUX_SLL): packet to us, from Ethernet 02:00:00:00:00:01. */
export function sllFrame(packet: Uint8Array, type: number = ethertypeOf(packet)): Uint8Array {
  const address = concat(macBytes('02:00:00:00:00:01'), new Uint8Array(2));
  return concat(halfWords(0, 1, 6), address, halfWords(type), packet);
}

/** A Linux cooked frame, version 2 (LINKTYPE_LINUX_SLL2): packet to us on interface 2, from Ethernet. */
export function sll2Frame(packet: Uint8Array, type: number = ethertypeOf(packet)): Uint8Array {
  const address = concat(macBytes('02:00:00:00:00:01'), new Uint8Array(2));
  return concat(halfWords(type, 0), words(2), halfWords(1), Uint8Array.of(0, 6), address, packet);
}

/** How a BSD loopback frame is written. */
export interface LoopbackFields {
  /** Address family; 2 or 24, by the packet's version, if left out. */
  readonly family?: number;
  /** Byte order of the family field. */
  readonly bigEndian?: boolean;
}

/** A BSD loopback frame (LINKTYPE_NULL), little-endian if not told otherwise. */
export function nullFrame(packet: Uint8Array, o: LoopbackFields = {}): Uint8Array {
  const family = o.family ?? (ethertypeOf(packet) === ETH_P_IPV6 ? BSD_INET6 : AF_INET);
  const header = new Uint8Array(4);
  viewOf(header).setUint32(0, family, o.bigEndian !== true);
  return concat(header, packet);
}

/** An OpenBSD loopback frame (LINKTYPE_LOOP): as BSD's, in network byte order. */
export function loopFrame(packet: Uint8Array, family?: number): Uint8Array {
  return nullFrame(packet, family === undefined ? { bigEndian: true } : { bigEndian: true, family });
}
