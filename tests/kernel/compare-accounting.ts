/** Packet and byte counters of flows (nf_conntrack_acct) on both sides. */
import type { Conntrack } from '../../engine/conntrack/conntrack.ts';
import { readFlow } from '../../engine/conntrack/flow-record.ts';
import { type Difference, type EngineSide, kernelLine } from './compare.ts';
import type { KernelEntry } from './oracle.ts';

interface Counters {
  readonly packets: number;
  readonly bytes: number;
}

function text(original: Counters, reply: Counters): string {
  return ` counted ${original.packets}/${original.bytes} ${reply.packets}/${reply.bytes}`;
}

/** Counters of an entry as text, empty if it has none. */
export function kernelCounters({ counters }: KernelEntry): string {
  return counters === null ? '' : text(counters[0], counters[1]);
}

/** The same of a flow of the engine. */
export function engineCounters(ct: Conntrack, flow: number): string {
  const { counters } = readFlow(ct, flow);
  return counters === null ? '' : text(counters.original, counters.reply);
}

/** Flows that only one side has or whose counters differ. */
export function compareCounters(table: readonly KernelEntry[], engine: EngineSide): Difference[] {
  const ct = engine.firewall.conntrack;
  const ours = new Map<string, string>();
  ct.eachFlow((flow) => {
    ours.set(engine.line(flow), engineCounters(ct, flow));
  });
  const out: Difference[] = [];
  for (const entry of table) {
    const line = kernelLine(entry);
    const theirs = kernelCounters(entry);
    const own = ours.get(line);
    ours.delete(line);
    if (own !== theirs) out.push({ packet: -1, kernel: `${line}${theirs}`, engine: own ?? 'no such entry' });
  }
  for (const [line, own] of ours) out.push({ packet: -1, kernel: 'no such entry', engine: `${line}${own}` });
  return out;
}
