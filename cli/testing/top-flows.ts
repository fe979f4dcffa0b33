import { ips } from '@keepstate/engine';
import type { Entry } from '../conntrack/table.ts';
import type { Look, TopSource } from '../top/source.ts';

/** A flow of TCP from 10.0.0.N, or what is asked for. */
export function topEntry(flowId: number, change: Partial<Entry> = {}): Entry {
  const client = `10.0.${flowId >> 8}.${flowId & 255}`;
  return {
    flowId,
    family: 2,
    protonum: 6,
    protocol: 'tcp',
    state: 'ESTABLISHED',
    timeout: 431_999_500,
    original: { src: client, dst: '192.0.2.1', sport: 40_000 + (flowId % 20_000), dport: 443 },
    reply: { src: '192.0.2.1', dst: client, sport: 443, dport: 40_000 + (flowId % 20_000) },
    status: ips.IPS_CONFIRMED | ips.IPS_SEEN_REPLY | ips.IPS_ASSURED,
    mark: 0,
    zoneOriginal: 0,
    zoneReply: 0,
    master: null,
    helper: null,
    uses: 1,
    counters: null,
    start: null,
    labels: [],
    vtags: null,
    ...change,
  };
}

/** Counters of a flow whose two directions have the same. */
export function counted(packets: number, bytes: number): Pick<Entry, 'counters'> {
  const half = { packets: packets / 2, bytes: bytes / 2 };
  return { counters: { original: half, reply: half } };
}

/** Nothing was counted. */
export const NO_LOOK: Look = {
  flows: 0,
  max: 262_144,
  created: 0,
  destroyed: 0,
  invalid: 0,
  dropped: 0,
  earlyDropped: 0,
  packets: null,
  states: null,
  isShort: false,
};

/** A table that tests fill. */
export class MemorySource implements TopSource {
  readonly title = 'a table of a test';
  readonly ended: Promise<string>;
  now = 1_795_229_507_000;
  entries: Entry[] = [];
  counts: Look = NO_LOOK;
  deleted: number[] = [];
  isClosed = false;
  /** The table is gone. */
  end: (why: string) => void = () => {};
  /** Slices that were handed out. */
  slices = 0;

  constructor(entries: readonly Entry[] = []) {
    this.entries = [...entries];
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async flows(take: (slice: readonly Entry[]) => boolean): Promise<void> {
    const entries = [...this.entries];
    for (let at = 0; at < entries.length; at += 256) {
      this.slices++;
      if (!take(entries.slice(at, at + 256))) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async look(): Promise<Look> {
    return { ...this.counts, flows: this.entries.length };
  }

  async get({ flowId }: Entry): Promise<Entry | null> {
    return this.entries.find((e) => e.flowId === flowId) ?? null;
  }

  async delete({ flowId }: Entry): Promise<void> {
    this.deleted.push(flowId);
    this.entries = this.entries.filter((e) => e.flowId !== flowId);
  }

  close(): void {
    this.isClosed = true;
  }
}
