import { type FlowRecord, ips } from '@keepstate/engine';
import { JSON_VERSION } from './json-flow.ts';

/** Flows counted by protocol and state. */
export class FlowCounts {
  total = 0;
  private readonly byKind = new Map<string, number>();

  /** Counts a flow. One whose protocol has no state counts by ASSURED, SEEN_REPLY or UNREPLIED. */
  add(flow: FlowRecord): void {
    this.total++;
    const kind = `${flow.protocol} ${flow.state ?? stateless(flow.status)}`;
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + 1);
  }

  /** The counts, the largest first. */
  entries(): readonly { readonly protocol: string; readonly state: string; readonly count: number }[] {
    return [...this.byKind]
      .sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))
      .map(([kind, count]) => {
        const [protocol = '', state = ''] = kind.split(' ');
        return { protocol, state, count };
      });
  }
}

function stateless(status: number): string {
  if ((status & ips.IPS_ASSURED) !== 0) return 'ASSURED';
  return (status & ips.IPS_SEEN_REPLY) === 0 ? 'UNREPLIED' : 'SEEN_REPLY';
}

/** Counts as lines (protocol, state, count; the total last), or as one JSON object. */
export function countLines(counts: FlowCounts, json: boolean): string {
  if (json) return `${JSON.stringify({ v: JSON_VERSION, total: counts.total, counts: counts.entries() })}\n`;
  const lines = counts
    .entries()
    .map(
      ({ protocol, state, count }) =>
        `${protocol.padEnd(8)} ${state.padEnd(17)} ${String(count).padStart(9)}\n`,
    );
  return `${lines.join('')}${'total'.padEnd(26)} ${String(counts.total).padStart(9)}\n`;
}
