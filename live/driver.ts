import type { Outcome, Packet } from '@keepstate/engine';

/** Link type of Ethernet frames. */
export const DLT_EN10MB = 1;
/** Link type of IP packets without a link header. */
export const DLT_RAW = 101;

/** Who decides about packets: a firewall, and whatever stands around it. */
export interface Judge {
  /** Of the packet that was judged last. */
  readonly outcome: Outcome;
  /**
   * Judges a packet.
   * @param pkt reset to the packet's bytes, with its time and devices
   * @param linktype link-layer header type (DLT_*) of its bytes
   * @returns NF_*; only with NF_ACCEPT it may go on
   */
  judge(pkt: Packet, linktype: number): number;
}

/** What a driver did. */
export interface DriverCounts {
  /** Packets that came. */
  received: number;
  /** Packets that were sent on, answers of the firewall included. */
  sent: number;
  /** Packets that the kernel dropped before they came here, because we were too slow. */
  lost: number;
  /** Packets that could not be sent. */
  unsent: number;
}

/** A way in which packets come from Linux and go back. */
export interface Driver {
  readonly mode: 'bridge' | 'tun' | 'nfqueue' | 'capture';
  /** Descriptors that become readable when packets are there. */
  readonly fds: readonly number[];
  readonly counts: DriverCounts;
  /**
   * Takes packets that are there, has them judged, sends what may go on.
   * @param most about how many packets at once
   * @returns how many there were
   * @throws DriverError if it cannot go on
   */
  run(judge: Judge, most: number): number;
  /** Gives everything back to the kernel. From now on no packet passes, unless it was made to fail open. */
  close(): void;
}

/** What keeps a driver from going on, in a sentence for users. */
export class DriverError extends Error {
  override readonly name = 'DriverError';
}
