import type { ConntrackTable, CpuStats, Entry, TableStats } from '../conntrack/table.ts';
import type { Look, TopSource } from './source.ts';

/** Flows that are read before other things have their turn. */
const SLICE = 256;

/** Flows that came and went, null if that is no longer told. */
export interface Happened {
  readonly created: number | null;
  readonly destroyed: number | null;
  /** Whether some were not counted since it was asked for last. */
  takeLost(): boolean;
}

/** What else is known of a table. */
export interface TableFacts {
  readonly title: string;
  /** nf_conntrack_max, 0 for no limit. */
  readonly max: () => number;
  /** What happened to flows since it was opened; null if nobody tells. */
  readonly happened: Happened | null;
  readonly close: () => void;
}

function sum(cpus: readonly CpuStats[] | undefined, name: string): number {
  return (cpus ?? []).reduce(
    (all, { counts }) => all + (counts.find(([word]) => word === name)?.[1] ?? 0),
    0,
  );
}

/** Any table that conntrack(8) can look at. */
export class TableSource implements TopSource {
  readonly title: string;
  readonly ended: Promise<string> = new Promise(() => {});
  private readonly table: ConntrackTable;
  private readonly facts: TableFacts;

  constructor(table: ConntrackTable, facts: TableFacts) {
    this.table = table;
    this.facts = facts;
    this.title = facts.title;
  }

  get now(): number {
    return this.table.now;
  }

  async flows(take: (slice: readonly Entry[]) => boolean): Promise<void> {
    let slice: Entry[] = [];
    for (const entry of await this.table.list('conntrack')) {
      slice.push(entry);
      if (slice.length < SLICE) continue;
      if (!take(slice)) return;
      slice = [];
      await new Promise((resolve) => setImmediate(resolve));
    }
    take(slice);
  }

  async look(): Promise<Look> {
    const stats: TableStats = await this.table.stats();
    const cpus = stats.cpus?.flows;
    const { happened } = this.facts;
    return {
      flows: await this.table.count(),
      max: this.facts.max(),
      created: happened?.created ?? null,
      destroyed: happened?.destroyed ?? null,
      invalid: sum(cpus, 'invalid'),
      dropped: sum(cpus, 'drop'),
      earlyDropped: sum(cpus, 'early_drop'),
      packets: null,
      states: null,
      isShort: happened?.takeLost() ?? false,
    };
  }

  async get(flow: Entry): Promise<Entry | null> {
    // It is looked for in the default zone only.
    if (flow.zoneOriginal !== 0) return flow;
    const now = await this.table.get(flow.family, flow.protonum, flow.original);
    return now?.flowId === flow.flowId ? now : null;
  }

  async delete(flow: Entry): Promise<void> {
    await this.table.delete(flow);
  }

  close(): void {
    this.facts.close();
    void this.table.close();
  }
}
