import type { Entry } from '../conntrack/table.ts';
import type { States } from '../control/protocol.ts';

/** What is counted of a table at a moment. All but the first two grow from the start on. */
export interface Look {
  readonly flows: number;
  /** nf_conntrack_max, 0 for no limit. */
  readonly max: number;
  /** Flows that entered the table, and that left it; null where that is not known. */
  readonly created: number | null;
  readonly destroyed: number | null;
  /** As `conntrack -S` has them. */
  readonly invalid: number;
  readonly dropped: number;
  readonly earlyDropped: number;
  /** Packets that rules let pass, and all others; null where no rules are known. */
  readonly packets: { readonly accepted: number; readonly refused: number } | null;
  /** Null where only {@link TopSource.flows} can tell. */
  readonly states: States | null;
  /** Whether `created` and `destroyed` are too low: more happened since the last look than could be counted. */
  readonly isShort: boolean;
}

/** The table that `keepstate top` shows. */
export interface TopSource {
  /** What it is, for the first line. */
  readonly title: string;
  /** The moment that flows are of (ms since the epoch). */
  readonly now: number;
  /** Goes through all flows, a slice at a time with turns for other things in between; false from `take` ends it. */
  flows(take: (slice: readonly Entry[]) => boolean): Promise<void>;
  look(): Promise<Look>;
  /** A flow as it is now, null if it is gone. */
  get(flow: Entry): Promise<Entry | null>;
  delete(flow: Entry): Promise<void>;
  /** Settled with the reason if nothing more can be learnt. */
  readonly ended: Promise<string>;
  close(): void;
}
