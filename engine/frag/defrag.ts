import { IPV6_HEADER } from '../packet/ipv6.ts';
import { AF_INET6, type Packet } from '../packet/packet.ts';
import { Assembly } from './assembly.ts';
import { cutIpv4, cutIpv6 } from './cut.ts';
import { FRAG_PASS } from './fates.ts';
import { Ipv4Defrag } from './ipv4.ts';
import { Ipv6Defrag } from './ipv6.ts';
import { meltedSizes } from './melt.ts';

export { FRAG_DROP, FRAG_HELD, FRAG_PASS } from './fates.ts';

/** Every link carries packets of so many bytes (RFC 8200, section 5). */
const IPV6_MIN_MTU = 1280;
const FRAGMENT_HEADER = 8;

/** The fragment settings by name; conntrack/settings.ts has them. */
export interface FragSettings {
  get(name: string): number;
  readonly version: number;
}

/**
 * Defragmentation in front of tracking (PREROUTING, priority -400): nf_defrag_ipv4 and nf_defrag_ipv6. Holds
 * fragments until their datagram is whole, so that trackers see datagrams only.
 *
 * Rules, limits and oddities are those of Linux 6.18, measured; where its IPv4 and IPv6 differ, so do ours.
 * Not told apart: interfaces, which are part of Linux's key for IPv6 multicast and link-local destinations.
 */
export class Defrag {
  private readonly settings: FragSettings;
  private version = -1;
  private readonly assembly: Assembly = new Assembly();
  private readonly ipv4: Ipv4Defrag = new Ipv4Defrag(this.assembly);
  private readonly ipv6: Ipv6Defrag = new Ipv6Defrag(this.assembly);

  constructor(settings: FragSettings) {
    this.settings = settings;
  }

  /** Size of the largest fragment of the last datagram that was put together, in bytes of IP packet. */
  get maxSize(): number {
    return this.assembly.maxSize;
  }

  /** The first bytes of the last datagram were brought together: fragments melt as far as they go. */
  bringTogether(bytes: number): void {
    const { assembly } = this;
    if (bytes > assembly.linear) assembly.linear = bytes;
  }

  /**
   * Cuts the last datagram that was put together into fragments as it came, which is how Linux sends it on.
   * @param packet the datagram as it is now, from its IP header on
   * @param mtu of the link that it leaves by, 0 if that does not matter. IPv6 is not forwarded if a fragment was longer
   */
  refragment(packet: Uint8Array, mtu: number): Uint8Array[] {
    const { head, nextHeaderAt, linear } = this.assembly;
    // A fragment that is a whole datagram leaves without its header.
    const isIpv4 = packet[0]! >> 4 === 4;
    // IPv6 is not cut again if it is no longer than its largest fragment was (measured).
    if (this.assembly.sizes.length < 2 || (!isIpv4 && packet.length <= this.maxSize)) return [packet];
    const longest = mtu === 0 ? this.maxSize : Math.min(this.maxSize, mtu);
    const most = isIpv4 ? longest - head : Math.max(this.maxSize, IPV6_MIN_MTU) - head - FRAGMENT_HEADER;
    const sizes = meltedSizes(this.assembly.sizes, linear - head, packet.length - head, most);
    return isIpv4 ? cutIpv4(packet, head, sizes) : cutIpv6(packet, head, nextHeaderAt, sizes);
  }

  /** Datagrams that are waiting for fragments. */
  get queues(): number {
    return this.ipv4.queues.count + this.ipv6.queues.count;
  }

  /** Memory charged for them in bytes, by the model of truesize.ts. */
  get memory(): number {
    return this.ipv4.queues.memory + this.ipv6.queues.memory;
  }

  /**
   * Takes a packet.
   * @param pkt dissected
   * @param now ms, never less than before
   * @returns FRAG_PASS: go on with `pkt`, which is the whole datagram if it completed one (its bytes then are
   * ours, and valid until the next call) and otherwise as it was; FRAG_HELD or FRAG_DROP with a reason in `pkt`.
   * IPv6 fragments that Linux lets pass as fragments pass with `frag` set, and without transport header if they
   * are not the first.
   */
  receive(pkt: Packet, now: number): number {
    // Extension headers may hide an atomic fragment, whose `frag` is 0: only a search can tell.
    if (pkt.frag === 0 && (pkt.family !== AF_INET6 || pkt.l4 === pkt.off + IPV6_HEADER)) return FRAG_PASS;
    if (this.version !== this.settings.version) this.configure();
    return pkt.family === AF_INET6 ? this.ipv6.receive(pkt, now) : this.ipv4.receive(pkt, now);
  }

  /** Lets time pass without a packet: forgets what timed out before `now` (ms). */
  tick(now: number): void {
    this.ipv4.tick(now);
    this.ipv6.tick(now);
  }

  private configure(): void {
    const { settings, ipv4, ipv6 } = this;
    this.version = settings.version;
    ipv4.timeout = settings.get('net.ipv4.ipfrag_time') * 1000;
    ipv4.highThresh = settings.get('net.ipv4.ipfrag_high_thresh');
    ipv4.maxDist = settings.get('net.ipv4.ipfrag_max_dist');
    ipv6.timeout = settings.get('nf_conntrack_frag6_timeout') * 1000;
    ipv6.highThresh = settings.get('nf_conntrack_frag6_high_thresh');
  }
}
