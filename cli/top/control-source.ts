import { ControlTable, connectControl } from '../conntrack/control-table.ts';
import type { Entry } from '../conntrack/table.ts';
import type { ControlClient } from '../control/client.ts';
import type { Look, TopSource } from './source.ts';

const NEVER: Promise<string> = new Promise(() => {});

/** A running keepstate, by its control socket. */
export class ControlSource implements TopSource {
  readonly title: string;
  readonly ended: Promise<string>;
  private readonly client: ControlClient;
  private readonly table: ControlTable;
  /** Flows that there were, and that had been made, at the first look: what left since then is the difference. */
  private first: { flows: number; created: number } | null = null;

  constructor(client: ControlClient) {
    this.client = client;
    this.table = new ControlTable(client);
    const { version, pid, mode } = client.hello;
    this.title = `keepstate ${version}, ${mode}, process ${pid}`;
    this.ended = client.closed.then((why) => why ?? NEVER);
  }

  /** @param where as --control has it, null for the default @throws UsageError if none runs there */
  static async open(
    where: string | null,
    env: Readonly<Record<string, string | undefined>>,
  ): Promise<ControlSource> {
    return new ControlSource(
      await connectControl(where, env, '--control SOCKET and --kernel look elsewhere'),
    );
  }

  get now(): number {
    return this.table.now;
  }

  async flows(take: (slice: readonly Entry[]) => boolean): Promise<void> {
    // A list that was begun comes to its end, whether anybody wants it or not.
    await this.client.list('list', {}, (slice) => {
      take(slice);
    });
  }

  async look(): Promise<Look> {
    const { flows, max, stats, verdicts, states } = await this.client.call('status', {});
    this.first ??= { flows, created: stats.created };
    const created = stats.created - this.first.created;
    const { accept = 0, ...others } = verdicts;
    return {
      flows,
      max,
      created,
      destroyed: Math.max(0, created - (flows - this.first.flows)),
      invalid: stats.invalid,
      dropped: stats.drop,
      earlyDropped: stats.early_drop,
      packets: { accepted: accept, refused: Object.values(others).reduce((sum, n) => sum + n, 0) },
      states,
      isShort: false,
    };
  }

  async get(flow: Entry): Promise<Entry | null> {
    const now = await this.table.get(flow.family, flow.protonum, flow.original);
    return now?.flowId === flow.flowId ? now : null;
  }

  delete(flow: Entry): Promise<void> {
    return this.table.delete(flow);
  }

  close(): void {
    this.client.close();
  }
}
