import type { Packet } from '../packet/packet.ts';
import type { Conntrack } from './conntrack.ts';
import type { Settings } from './settings.ts';
import type { Tuple } from './tuple.ts';

/** What a tracker says of a packet. Numbers, because this is asked for each packet. */
/** The packet belongs to its flow. */
export const TRACK_ACCEPT = 0;
/** The packet is INVALID; its flow stays as it was. */
export const TRACK_INVALID = 1;
/** The packet is to be dropped. */
export const TRACK_DROP = 2;
/** The tracker removed the flow: look the packet up again (-NF_REPEAT). */
export const TRACK_REPEAT = 3;
/** Only from {@link Tracker.error}: not a case for it, track the packet as usual. */
export const TRACK_CONTINUE = 4;

/** What is to change in the state of a flow's protocol; what is left out stays. */
export interface ProtoChange {
  /** Number of the state. */
  readonly state?: number;
  /** TCP: bits of both sides (IP_CT_TCP_FLAG_*), as many as `mask` has. */
  readonly flags?: number;
  readonly mask?: number;
  /** SCTP: verification tags that packets of each direction must carry. */
  readonly vtags?: { readonly original: number; readonly reply: number };
}

/** One transport protocol. All its state is in the flow's F_PROTO words. */
export interface Tracker {
  /** As conntrack(8) prints it. */
  readonly name: string;
  /**
   * Writes T_PORTS of a packet's tuple.
   * @param l4 first byte of the transport header, `end` first byte past the packet
   * @returns false if this packet can have no tuple (too short)
   */
  tuple(view: DataView, l4: number, end: number, out: Tuple): boolean;
  /** The T_PORTS of what answers `ports`; {@link NO_ANSWER} if nothing can. */
  invert(ports: number): number;
  /**
   * Checks a packet and advances its flow, which may be new (not confirmed).
   * @param dir 0 original, 1 reply
   * @returns TRACK_ACCEPT, TRACK_INVALID, TRACK_DROP or TRACK_REPEAT; the reason is left in the packet
   */
  packet(ct: Conntrack, pkt: Packet, flow: number, dir: number): number;
  /** Looks at a packet before any flow is looked up: ICMP's errors. Null for trackers without. */
  readonly error: ((ct: Conntrack, pkt: Packet) => number) | null;
  /** Copies the settings it needs; called once before packets and after each change. */
  configure(settings: Settings): void;
  /**
   * Changes a flow's state as ctnetlink's users ask for it (CTA_PROTOINFO); left out, there is nothing to change.
   * @returns false if that is no state of the protocol (EINVAL): nothing is changed then
   */
  edit?(ct: Conntrack, flow: number, change: ProtoChange): boolean;
  /** Whether words at F_PROTO of a row can be those of a flow, from a snapshot of whatever profile; left out, all can. */
  isSane?(words: Int32Array, at: number): boolean;
  /** Moments that a flow's words hold are to be so many ms later. */
  shift?(ct: Conntrack, flow: number, by: number): void;
  /** State as conntrack(8) prints it, null for protocols that show none. */
  state(ct: Conntrack, flow: number): string | null;
}

/** What {@link Tracker.invert} returns when nothing can answer. Not an int32, so no port word equals it. */
export const NO_ANSWER = 0x100000000;
