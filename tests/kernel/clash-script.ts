/** Scripts of held packets: what arrives, what is let go and when, and what each step did. */
import type { KernelEntry, KernelEvent } from './types.ts';

/** One step. Packets are named by the script; one that arrives is held before confirmation unless `hold` is false. */
export type Step =
  | { readonly op: 'arrive'; readonly packet: string; readonly bytes: Uint8Array; readonly hold?: boolean }
  | { readonly op: 'accept' | 'drop'; readonly packet: string }
  | { readonly op: 'flush' }
  | { readonly op: 'wait'; readonly ms: number }
  | { readonly op: 'exec'; readonly command: readonly string[] };

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
  readonly step: string;
  /** ct state and direction of an arriving packet, "NEW original"; null: it did not get past conntrack. */
  readonly state: string | null;
  /** IPS_ bits that rules saw. */
  readonly status: number;
  readonly log: readonly string[];
  /** Packets that left. */
  readonly left: number;
  /** ct state and direction behind confirmation, null if nothing left. */
  readonly after: string | null;
  readonly events: readonly KernelEvent[];
  /** Increase of what `conntrack -S` counts. */
  readonly statistics: Readonly<Record<string, number>>;
  readonly table: readonly KernelEntry[];
}
