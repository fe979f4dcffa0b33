import { deviceOf, FACT_FORWARD, FACT_SOURCE, type HostModel, isOrdinary, LOOPBACK } from '../host/model.ts';
import { DLT_EN10MB } from '../packet/link.ts';
import type { Packet } from '../packet/packet.ts';
import { PACKET_HOST } from './arrive.ts';

/** Tells plain packets that this host passes on, as nearly all are, from those that need a closer look. */
export class Forwarding {
  private readonly host: HostModel;
  /** What is known of all ordinary IPv4 addresses alike, 0 if it differs ({@link HostModel.ordinary4}). */
  private readonly ordinary: number;
  private readonly isOn: boolean;
  /** No link is too small for packets up to this length (bytes). */
  private readonly fits: number;

  /** @param host as it is from now on; after a change of it a new one is needed */
  constructor(host: HostModel) {
    this.host = host;
    this.ordinary = host.ordinary4();
    this.isOn = host.forwarding && host.rpFilter === 0;
    this.fits = host.devices.reduce((least, device) => Math.min(least, device?.mtu ?? least), 0xffff);
  }

  /**
   * Whether a packet is neither from nor to this host, nor odd in any way. Notes by which devices it comes and leaves.
   * @param pkt IPv4, its header found sound
   * @param frame first byte of the frame
   * @param to, at: where its destination stands, which may be translated
   */
  takes(pkt: Packet, linktype: number, frame: number, to: DataView, at: number): boolean {
    const { host } = this;
    const { view, off } = pkt;
    // Fields are compared with true, as in plain.ts.
    if (host.transparent === true) return this.bridges(pkt, linktype, frame);
    let src = this.ordinary;
    let dst = src;
    if (src === 0) {
      src = host.facts4(view, off + 12);
      dst = host.facts4(to, at);
      if ((src & FACT_SOURCE) === 0 || (dst & FACT_FORWARD) === 0) return false;
    } else if (!isOrdinary(view.getUint8(off + 12)) || !isOrdinary(to.getUint8(at))) return false;
    if (this.isOn !== true || pkt.end - off > this.fits || pkt.pkttype !== PACKET_HOST) return false;
    if (linktype === DLT_EN10MB) {
      if ((view.getUint8(frame) & 1) !== 0) return false;
      pkt.mac = frame;
    }
    if (pkt.ifin === 0) {
      const back = host.isDefault === true ? 0 : deviceOf(src);
      pkt.ifin = back > LOOPBACK ? back : host.firstDevice;
    }
    pkt.ifout = deviceOf(dst);
    return true;
  }

  /** As {@link takes} for a bridge, to which all addresses are alike; `ifout` is mostly noted already. */
  private bridges(pkt: Packet, linktype: number, frame: number): boolean {
    if (pkt.ifin === 0 || pkt.ifout <= LOOPBACK) return this.isRouted(pkt);
    if (linktype !== DLT_EN10MB) return true;
    pkt.mac = frame;
    return (pkt.view.getUint8(frame) & 1) === 0;
  }

  /** Whether a packet of a bridge whose `ifout` is not given is to be forwarded; then it is noted. */
  private isRouted(pkt: Packet): boolean {
    if (pkt.ifin === 0 || pkt.ifout === LOOPBACK) return false;
    const dst = this.host.facts4(pkt.view, pkt.off + 16);
    if ((dst & FACT_FORWARD) === 0) return false;
    pkt.ifout = deviceOf(dst);
    return true;
  }
}
