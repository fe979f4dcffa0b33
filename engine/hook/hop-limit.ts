import { AF_INET, type Packet } from '../packet/packet.ts';

/** TTL or hop limit of a packet. */
export function hopLimit(pkt: Packet): number {
  return pkt.view.getUint8(pkt.off + (pkt.family === AF_INET ? 8 : 7));
}

/**
 * The hop limit of a packet that is forwarded, less one while the rules see it. It is changed in place, since a copy
 * of each packet would cost more than all else, and put back when the packet has come to its end, because the bytes
 * are the capture's.
 */
export class HopLimit {
  private view: DataView | null = null;
  private at = 0;
  private before = 0;
  private checksum = 0;
  private isIpv4 = false;

  /** Takes one off. IPv4's header checksum goes along as the kernel does it (RFC 1141). */
  decrease(pkt: Packet): void {
    const { view, off } = pkt;
    this.view = view;
    this.isIpv4 = pkt.family === AF_INET;
    this.at = off;
    const field = off + (this.isIpv4 ? 8 : 7);
    this.before = view.getUint8(field);
    view.setUint8(field, this.before - 1);
    if (!this.isIpv4) return;
    this.checksum = view.getUint16(off + 10);
    const sum = this.checksum + 0x100;
    view.setUint16(off + 10, (sum >= 0xffff ? sum + 1 : sum) & 0xffff);
  }

  /** Puts back what stood there. */
  restore(): void {
    const { view, at } = this;
    if (view === null) return;
    this.view = null;
    view.setUint8(at + (this.isIpv4 ? 8 : 7), this.before);
    if (this.isIpv4) view.setUint16(at + 10, this.checksum);
  }
}
