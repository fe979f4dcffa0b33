import type { Conntrack } from '../conntrack/conntrack.ts';
import * as F from '../conntrack/flow-table.ts';
import { NAT_CHOICES } from '../nat/choice.ts';
import { isSourceNat } from './hooks.ts';

/** One end of a flow's packets, of the original direction. */
export interface NatEnd {
  /** Words of the address, one or four. */
  readonly address: readonly number[];
  /** Port, id or key; 0 where there is none. */
  readonly port: number;
}

/** What address translation decided of one end of a flow: {@link PacketTrace}. */
export interface NatDecision {
  /** NF_INET_* where. */
  readonly hook: number;
  /** Whether the source is what it is about, else the destination. */
  readonly isSource: boolean;
  readonly before: NatEnd;
  readonly after: NatEnd;
  /** NAT_* of nat/choice.ts: how it was chosen. */
  readonly why: number;
  /** The same in words. */
  readonly text: string;
}

/** What was just decided of a flow at a hook; for traces only, since it is made anew. */
export function natDecision(conntrack: Conntrack, flow: number, hook: number): NatDecision {
  const isSource = isSourceNat(hook);
  const w = conntrack.table.words;
  const at = flow * F.ROW_WORDS;
  const ports = w[at + F.F_PORTS]!;
  const answers = conntrack.tracker(w[at + F.F_KIND]! & 255).invert(w[at + F.F_RPORTS]!);
  const port = (word: number): number => (isSource ? word >>> 16 : word & 0xffff);
  const why = conntrack.natChoice;
  return {
    hook,
    isSource,
    before: {
      address: conntrack.addressOf(flow, 0, isSource ? F.F_SRC : F.F_DST),
      port: port(ports),
    },
    after: {
      address: conntrack.addressOf(flow, 1, isSource ? F.F_DST : F.F_SRC),
      port: port(answers),
    },
    why,
    text: NAT_CHOICES[why]!,
  };
}
