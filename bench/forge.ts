import { fold, pseudoSum, sum } from '../engine/packet/checksum.ts';
import { AF_INET, Packet, resetPacket } from '../engine/packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../engine/packet/protocols.ts';

/** Link type of what a forge makes: from the IP header on. */
export const DLT_RAW = 101;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

/**
 * Packets made in memory, each written over the one before, with right checksums: header bytes only, so that making
 * one costs little beside tracking it. Nothing is allocated. All arguments are 32-bit integers, signed.
 */
export class Forge {
  readonly pkt: Packet = new Packet();
  readonly bytes: Uint8Array;
  readonly view: DataView;
  private readonly at: number;

  /** @param at where in the buffer the packets are written */
  constructor(bytes: Uint8Array = new Uint8Array(128), at = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  /**
   * A TCP segment without options and data.
   * @param ports source port << 16 | destination port
   */
  tcp(
    family: number,
    src: number,
    dst: number,
    ports: number,
    flags: number,
    seq: number,
    ack: number,
  ): Packet {
    const l4 = this.ip(family, IPPROTO_TCP, src, dst, 20);
    const { view } = this;
    view.setInt32(l4, ports);
    view.setInt32(l4 + 4, seq);
    view.setInt32(l4 + 8, ack);
    view.setInt32(l4 + 12, (5 << 28) | (flags << 16) | 0xfaf0);
    view.setInt32(l4 + 16, 0);
    return this.finish(family, IPPROTO_TCP, l4, l4 + 20, 16, true);
  }

  /** A UDP datagram of four bytes. */
  udp(family: number, src: number, dst: number, ports: number): Packet {
    const l4 = this.ip(family, IPPROTO_UDP, src, dst, 12);
    const { view } = this;
    view.setInt32(l4, ports);
    view.setInt32(l4 + 4, 12 << 16);
    view.setInt32(l4 + 8, 0x6b656570);
    return this.finish(family, IPPROTO_UDP, l4, l4 + 12, 6, true);
  }

  /**
   * An echo request or another message of ICMP, of eight bytes; over IPv6 of ICMPv6.
   * @param ports id << 16 | type << 8 | code, as the engine's T_PORTS
   */
  icmp(family: number, src: number, dst: number, ports: number): Packet {
    const v4 = family === AF_INET;
    const l4 = this.ip(family, v4 ? IPPROTO_ICMP : 58, src, dst, 8);
    this.view.setInt32(l4, ports << 16);
    this.view.setInt32(l4 + 4, ports & 0xffff0000);
    return this.finish(family, v4 ? IPPROTO_ICMP : 58, l4, l4 + 8, 2, !v4);
  }

  private ip(family: number, proto: number, src: number, dst: number, length: number): number {
    const { view, at } = this;
    if (family === AF_INET) {
      view.setInt32(at, 0x45000000 | (20 + length));
      view.setInt32(at + 4, 0x4000);
      view.setInt32(at + 8, (64 << 24) | (proto << 16));
      view.setInt32(at + 12, src);
      view.setInt32(at + 16, dst);
      view.setUint16(at + 10, ~fold(sum(view, at, at + 20)));
      return at + 20;
    }
    view.setInt32(at, 0x60000000);
    view.setInt32(at + 4, (length << 16) | (proto << 8) | 64);
    for (let i = 8; i < 40; i += 4) view.setInt32(at + i, 0);
    // 2001:db8::/32, the documentation prefix (RFC 3849).
    view.setInt32(at + 8, 0x20010db8);
    view.setInt32(at + 20, src);
    view.setInt32(at + 24, 0x20010db8);
    view.setInt32(at + 36, dst);
    return at + 40;
  }

  private finish(
    family: number,
    proto: number,
    l4: number,
    end: number,
    field: number,
    pseudo: boolean,
  ): Packet {
    const { view, pkt, at } = this;
    const start = pseudo ? pseudoSum(view, at, family, proto, end - l4) : 0;
    const value = ~fold(sum(view, l4, end, start)) & 0xffff;
    view.setUint16(l4 + field, value === 0 ? 0xffff : value);
    resetPacket(pkt, this.bytes, view, at, end);
    return pkt;
  }
}
