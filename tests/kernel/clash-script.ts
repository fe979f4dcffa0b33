/** Scripts of held packets: what arrives, what is let go and when, and what each step did. */
import type { KernelEntry, KernelEvent } from './types.ts';

/** One step. Packets are named by the script; one that arrives is held before confirmation unless `hold` is false. */
export type Step =
  | { readonly op: 'arrive'; readonly packet: string; readonly bytes: Uint8Array; readonly hold: boolean }
  | { readonly op: 'accept' | 'drop'; readonly packet: string }
  | { readonly op: 'flush' }
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'sysctl'; readonly name: string; readonly value: number };

/** A packet arrives and waits between tracking and confirmation. */
export function arrive(packet: string, bytes: Uint8Array): Step {
  return { op: 'arrive', packet, bytes, hold: true };
}

/** A packet arrives and goes all its way. */
export function pass(packet: string, bytes: Uint8Array): Step {
  return { op: 'arrive', packet, bytes, hold: false };
}

/** A packet that waited goes on to confirmation. */
export function accept(packet: string): Step {
  return { op: 'accept', packet };
}

/** A packet that waited is dropped. */
export function drop(packet: string): Step {
  return { op: 'drop', packet };
}

/** The table is emptied, as `conntrack -F` does. */
export const FLUSH: Step = { op: 'flush' };

/** Options of the namespace that scripts are played in. */
export interface HeldOptions {
  readonly sysctls?: Readonly<Record<string, string | number>>;
  /** nft script: NAT, zones. */
  readonly ruleset?: string;
  /** Chain that holds the packets, at priority -150. Default POSTROUTING. */
  readonly hook?: 'FORWARD' | 'POSTROUTING';
}

/** What the kernel said of one step. */
export interface KernelStep {
  /** "accept p". */
  readonly step: string;
  /** Milliseconds since the script began, at the start of the step. */
  readonly time: number;
  /** ct state and direction of an arriving packet, "NEW original"; null: it did not get past conntrack. */
  readonly state: string | null;
  /** IPS_ bits that rules saw. */
  readonly status: number;
  /** Whether a packet left. */
  readonly left: boolean;
  /** ct state and direction behind confirmation, null if nothing left. */
  readonly after: string | null;
  readonly events: readonly KernelEvent[];
  /** Increase of what `conntrack -S` counts; what did not grow is left out. */
  readonly statistics: Readonly<Record<string, number>>;
  /** nf_conntrack_count: entries that take up room, confirmed or not. */
  readonly count: number;
}

/** A script as the kernel played it. */
export interface KernelPlay {
  readonly steps: readonly KernelStep[];
  /** The table after the last step. */
  readonly table: readonly KernelEntry[];
  /** Milliseconds that all of it took. */
  readonly elapsedMs: number;
}
