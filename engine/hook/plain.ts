import type { Conntrack } from '../conntrack/conntrack.ts';
import { EVENT_BITS, F_EVENTS, F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { IPS_EXTENDED } from '../conntrack/status.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC, T_ZONE } from '../conntrack/tuple.ts';
import { fold, halves, sum } from '../packet/checksum.ts';
import { ETH_P_IP, ETHERNET_HEADER } from '../packet/ethernet.ts';
import { IPV4_HEADER } from '../packet/ipv4.ts';
import { DLT_EN10MB, DLT_RAW } from '../packet/link.ts';
import {
  AF_INET,
  CHECKSUM_UNNECESSARY,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  type Packet,
} from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import { TCP_HEADER } from '../packet/tcp.ts';
import { UDP_HEADER } from '../packet/udp.ts';
import { TcpTracker } from '../proto/tcp.ts';
import { predicted, type TcpLimits } from '../proto/tcp-predict.ts';
import { NF_ACCEPT, NF_DROP } from '../rules/verdict.ts';

/** {@link PlainPath.receive}: not a case for it. */
export const NOT_PLAIN: number = -1;
/** {@link PlainPath.receive}: tracked, and still to be confirmed; only if the caller confirms. */
export const TRACKED: number = -2;
/** First byte of an IPv4 header without options: version 4, five words. */
export const VERSION_4_LENGTH_5 = 0x45;
/** Fragment offset and MORE_FRAGMENTS of an IPv4 header. */
export const FRAGMENT = 0x3fff;

/**
 * The way of nearly all packets, TCP and UDP over IPv4 without options on Ethernet or raw, in one pass: link header,
 * IP header and checksums are read once, and nothing is handed from layer to layer. Half the time of the general
 * way (docs/performance.md), which takes every packet that has anything unusual about it, and with it all reasons
 * to refuse one; {@link Firewall} gives the same results without this class.
 */
export class PlainPath {
  private readonly conntrack: Conntrack;
  /** Null where TCP is tracked without windows. */
  private readonly limits: TcpLimits | null;
  /** Whether packets come to their end here: there are no rules that they have to pass first. */
  private readonly confirms: boolean;

  /** @param confirms false if the caller confirms the packets that are accepted, or abandons them */
  constructor(conntrack: Conntrack, confirms = true) {
    this.conntrack = conntrack;
    this.confirms = confirms;
    const tcp = conntrack.tracker(IPPROTO_TCP);
    this.limits = tcp instanceof TcpTracker ? tcp.limits : null;
  }

  /**
   * Takes a frame if it is plain and sound.
   * @returns NF_ACCEPT or NF_DROP, or TRACKED; NOT_PLAIN if it goes the general way, and then nothing was changed
   */
  receive(pkt: Packet, linktype: number): number {
    const { view, off } = pkt;
    let ip = off;
    if (linktype === DLT_EN10MB) ip = off + ETHERNET_HEADER;
    else if (linktype !== DLT_RAW) return NOT_PLAIN;
    const l4 = ip + IPV4_HEADER;
    if (l4 + TCP_HEADER > pkt.end) return NOT_PLAIN;
    if (linktype === DLT_EN10MB && view.getUint16(off + 12) !== ETH_P_IP) return NOT_PLAIN;
    // The five words of the header (RFC 791, section 3.1).
    const a = view.getInt32(ip);
    const b = view.getInt32(ip + 4);
    const c = view.getInt32(ip + 8);
    const src = view.getInt32(ip + 12);
    const dst = view.getInt32(ip + 16);
    const proto = (c >>> 16) & 0xff;
    const end = ip + (a & 0xffff);
    if (a >>> 24 !== VERSION_4_LENGTH_5 || (b & FRAGMENT) !== 0 || end > pkt.end) return NOT_PLAIN;
    if (proto !== IPPROTO_TCP && proto !== IPPROTO_UDP) return NOT_PLAIN;
    if (l4 + (proto === IPPROTO_TCP ? TCP_HEADER : UDP_HEADER) > end) return NOT_PLAIN;
    const addresses = halves(src) + halves(dst);
    if (fold(halves(a) + halves(b) + halves(c) + addresses) !== 0xffff) return NOT_PLAIN;
    const { conntrack } = this;
    // `=== true`: V8 knows no field to be a boolean, and asks for all else that may be false otherwise (measured).
    const isLooked = conntrack.verifies === true && pkt.checksum !== CHECKSUM_UNNECESSARY;
    if (isLooked && (proto === IPPROTO_TCP || view.getUint16(l4 + 6) !== 0)) {
      if (fold(sum(view, l4, end, addresses + proto + end - l4)) !== 0xffff) return NOT_PLAIN;
      pkt.checksum = CHECKSUM_UNNECESSARY;
    }
    pkt.off = ip;
    pkt.end = end;
    pkt.family = AF_INET;
    pkt.l4 = l4;
    pkt.proto = proto;
    const ports = view.getInt32(l4);
    const kind = proto | (AF_INET << 8);
    const hit = conntrack.table.findBy(src, dst, ports, kind, pkt.zone);
    if (proto === IPPROTO_TCP && hit !== 0 && this.predict(pkt, hit)) {
      if ((conntrack.table.words[pkt.flow * ROW_WORDS + F_EVENTS]! & EVENT_BITS) === 0) return NF_ACCEPT;
    } else {
      const t = conntrack.tuple;
      t[T_SRC] = src;
      t[T_DST] = dst;
      t[T_PORTS] = ports;
      t[T_KIND] = kind;
      t[T_ZONE] = pkt.zone;
      if (!conntrack.trackFound(pkt, conntrack.tracker(proto), hit)) return NF_DROP;
    }
    if (this.confirms !== true) return TRACKED;
    return conntrack.confirm(pkt) ? NF_ACCEPT : NF_DROP;
  }

  /**
   * Reads the headers of a plain packet without tracking it. Its checksum is not looked at, and {@link receive} repeats
   * the rest: a function that both share takes longer than that.
   * @returns false if {@link receive} would not take it, and then nothing was changed
   */
  reads(pkt: Packet, linktype: number): boolean {
    const { view, off } = pkt;
    const isEthernet = linktype === DLT_EN10MB;
    if (!isEthernet && linktype !== DLT_RAW) return false;
    const ip = isEthernet ? off + ETHERNET_HEADER : off;
    const l4 = ip + IPV4_HEADER;
    if (l4 + UDP_HEADER > pkt.end || (isEthernet && view.getUint16(off + 12) !== ETH_P_IP)) return false;
    const proto = view.getUint8(ip + 9);
    const end = ip + view.getUint16(ip + 2);
    const isWhole = view.getUint8(ip) === VERSION_4_LENGTH_5 && (view.getUint16(ip + 6) & FRAGMENT) === 0;
    if (!isWhole || end > pkt.end || l4 + (proto === IPPROTO_TCP ? TCP_HEADER : UDP_HEADER) > end)
      return false;
    if (proto !== IPPROTO_TCP && proto !== IPPROTO_UDP) return false;
    if (fold(sum(view, ip, l4, 0)) !== 0xffff) return false;
    pkt.off = ip;
    pkt.end = end;
    pkt.family = AF_INET;
    pkt.l4 = l4;
    pkt.proto = proto;
    return true;
  }

  /** The shortest way, which leaves nothing to confirm but events. */
  private predict(pkt: Packet, hit: number): boolean {
    const { conntrack, limits } = this;
    const flow = hit >> 1;
    const dir = hit & 1;
    if (pkt.checksum !== CHECKSUM_UNNECESSARY || limits === null) return false;
    // A helper may have to read it, or its numbers to be adjusted.
    const status = conntrack.table.words[flow * ROW_WORDS + F_STATUS]!;
    if ((status & IPS_EXTENDED) !== 0) return false;
    if (!predicted(conntrack, limits, pkt, flow, dir)) return false;
    pkt.flow = flow;
    pkt.ctinfo = dir === 0 ? IP_CT_ESTABLISHED : IP_CT_ESTABLISHED_REPLY;
    pkt.status = conntrack.table.words[flow * ROW_WORDS + F_STATUS]!;
    return true;
  }
}
