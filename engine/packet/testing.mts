// Helpers of the tests in this folder.

import { reasonOf } from '../base/reason.ts';
import { viewOf } from './build-bytes.ts';
import { dissect } from './dissect.ts';
import { DLT_RAW, enterLink } from './link.ts';
import { Packet, resetPacket } from './packet.ts';

/** A frame read as the engine does: the packet, whether it was taken, and the name of the reason if there is one. */
export interface Reading {
  readonly pkt: Packet;
  readonly ok: boolean;
  readonly reason: string;
}

/** Reads one frame. `before` bytes of something else stand in front of it, as in a capture. */
export function read(frame: Uint8Array, linktype: number = DLT_RAW, before = 0): Reading {
  const bytes = new Uint8Array(before + frame.length).fill(0xee);
  bytes.set(frame, before);
  const pkt = new Packet();
  resetPacket(pkt, bytes, viewOf(bytes), before, bytes.length);
  const ok = enterLink(pkt, linktype) && dissect(pkt);
  return { pkt, ok, reason: pkt.reason === 0 ? '' : reasonOf(pkt.reason).name };
}

/** Addresses of the examples. */
export const V4 = { src: '10.0.0.1', dst: '10.1.0.1' };
/** The same in IPv6. */
export const V6 = { src: '2001:db8::1', dst: '2001:db8:1::2' };
/** A UDP packet of IPv4 ports 1000 to 2000. */
export const PORTS = { sport: 1000, dport: 2000 };
