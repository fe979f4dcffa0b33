import type { Packet } from '../packet/packet.ts';

/** Not a fragment, or the one that completed its datagram: the packet now is the whole datagram. */
export const FRAG_PASS = 0;
/** Held until its datagram is whole. */
export const FRAG_HELD = 1;
/** Dropped. */
export const FRAG_DROP = 2;

/** The fragment settings by name; conntrack/settings.ts has them. */
export interface FragSettings {
  get(name: string): number;
  readonly version: number;
}

export class Defrag {
  constructor(_settings: FragSettings) {}
  receive(_pkt: Packet, _now: number): number {
    return FRAG_PASS;
  }
}
