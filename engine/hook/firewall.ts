import { R_CUT_SHORT, R_IP_LENGTH, R_IP_SHORT } from '../base/reason.ts';
import { Conntrack } from '../conntrack/conntrack.ts';
import type { EventSink } from '../conntrack/events.ts';
import { Settings } from '../conntrack/settings.ts';
import { Defrag, FRAG_HELD, FRAG_PASS } from '../frag/defrag.ts';
import { dissect } from '../packet/dissect.ts';
import { enterLink } from '../packet/link.ts';
import { because, type Packet } from '../packet/packet.ts';
import { makeTrackers } from '../proto/registry.ts';
import { NF_ACCEPT, NF_DROP, NF_STOLEN } from '../rules/verdict.ts';
import { NOT_PLAIN, PlainPath } from './plain.ts';

/** What a firewall starts with. */
export interface FirewallOptions {
  /** Profile and sysctls; linux-6.18's defaults if left out. */
  readonly settings?: Settings;
  /** Keys the hash tables and all else that the kernel draws at random. */
  readonly seed?: number;
  /** Told of every event. */
  readonly sink?: EventSink;
}

/**
 * All together: a packet goes in at the bottom and comes out tracked. The order is the kernel's: IP's own
 * checks, defragmentation (priority -400), tracking (-200), confirmation at the end.
 */
export class Firewall {
  readonly settings: Settings;
  readonly conntrack: Conntrack;
  readonly defrag: Defrag;
  private readonly plain: PlainPath;

  constructor(options: FirewallOptions = {}) {
    this.settings = options.settings ?? new Settings();
    const seed = options.seed ?? 1;
    this.conntrack = new Conntrack(this.settings, makeTrackers(this.settings.profile), seed);
    this.conntrack.sink = options.sink ?? null;
    this.defrag = new Defrag(this.settings);
    this.plain = new PlainPath(this.conntrack);
  }

  /**
   * Takes one frame from a wire.
   * @param pkt reset to the frame's bytes, `missing` set if the capture cut it short
   * @param linktype link-layer header type (DLT_*) of the frame
   * @param now when it arrived (ms); may be left out if `pkt.time` says so, which spares V8 a box for the number
   * @returns NF_ACCEPT, NF_DROP, or NF_STOLEN for a fragment that is held; `pkt` says why
   */
  receive(pkt: Packet, linktype: number, now?: number): number {
    if (now !== undefined) pkt.time = now;
    this.conntrack.begin(pkt);
    const verdict = this.plain.receive(pkt, linktype);
    return verdict === NOT_PLAIN ? this.receiveAny(pkt, linktype) : verdict;
  }

  /** The way of any packet. */
  private receiveAny(pkt: Packet, linktype: number): number {
    if (!enterLink(pkt, linktype)) return NF_DROP;
    if (!dissect(pkt)) {
      // What the capture cut off is not the sender's fault.
      if (pkt.missing > 0 && (pkt.reason === R_IP_LENGTH || pkt.reason === R_IP_SHORT))
        because(pkt, R_CUT_SHORT, pkt.missing);
      return NF_DROP;
    }
    const fate = this.defrag.receive(pkt, this.conntrack.now);
    if (fate !== FRAG_PASS) return fate === FRAG_HELD ? NF_STOLEN : NF_DROP;
    return this.conntrack.track(pkt) && this.conntrack.confirm(pkt) ? NF_ACCEPT : NF_DROP;
  }

  /** Lets time pass without a packet. */
  tick(now: number): void {
    this.conntrack.tick(now);
    this.defrag.tick(this.conntrack.now);
  }
}
