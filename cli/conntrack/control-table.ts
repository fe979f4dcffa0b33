import type { ExpectRecord, TupleRecord } from '@keepstate/engine';
import { ControlClient } from '../control/client.ts';
import { UsageError } from '../trouble.ts';
import { oneCpuOf } from './stats.ts';
import type { Change, ConntrackTable, Entry, NewEntry, NewExpectation, TableStats } from './table.ts';
import type { Errno } from './words.ts';

/**
 * Connects to the running keepstate that a command line means.
 * @param where as --control has it, null for the default
 * @param elsewhere what to say to whoever named none, if none runs: what else the command can look at
 * @throws UsageError if none runs there
 */
export async function connectControl(
  where: string | null,
  env: Readonly<Record<string, string | undefined>>,
  elsewhere = '--from FILE, --table FILE, --control SOCKET and --kernel look elsewhere',
): Promise<ControlClient> {
  try {
    return await ControlClient.connect(where, env);
  } catch (error) {
    if (where !== null || !(error instanceof UsageError)) throw error;
    throw new UsageError(`${error.message}; ${elsewhere}`, false);
  }
}

/** The table of a running keepstate, by its control socket. */
export class ControlTable implements ConntrackTable {
  readonly readOnly = null;
  private readonly client: ControlClient;
  private readonly connected: number = performance.now();

  constructor(client: ControlClient) {
    this.client = client;
  }

  /**
   * Connects to a running keepstate.
   * @param where as --control has it, null for the default
   * @throws UsageError if none runs there
   */
  static async open(
    where: string | null,
    env: Readonly<Record<string, string | undefined>>,
  ): Promise<ControlTable> {
    return new ControlTable(await connectControl(where, env));
  }

  get now(): number {
    return this.client.hello.now + performance.now() - this.connected;
  }

  async list(table: 'conntrack' | 'dying' | 'unconfirmed'): Promise<readonly Entry[]> {
    const entries = await this.client.all('list', { table });
    return entries.sort((a, b) => a.flowId - b.flowId);
  }

  async listAndZero(): Promise<readonly Entry[]> {
    const entries = await this.client.all('list', { zero: true });
    return entries.sort((a, b) => a.flowId - b.flowId);
  }

  get(family: number, protonum: number, tuple: TupleRecord): Promise<Entry | null> {
    return this.client.call('get', { family, protonum, tuple });
  }

  create(flow: NewEntry): Promise<Errno | null> {
    return this.client.call('create', { flow });
  }

  update(flow: Entry, change: Change): Promise<Entry | Errno> {
    return this.client.call('update', { flow, change });
  }

  async delete(flow: Entry): Promise<void> {
    await this.client.call('delete', { flow });
  }

  async flush(): Promise<void> {
    await this.client.call('flush', {});
  }

  async zero(): Promise<void> {
    await this.client.call('zero', {});
  }

  count(): Promise<number> {
    return this.client.call('count', {});
  }

  expectations(): Promise<readonly ExpectRecord[]> {
    return this.client.all('expectations', {});
  }

  createExpectation(expectation: NewExpectation): Promise<Errno | null> {
    return this.client.call('create-expectation', { expectation });
  }

  async deleteExpectation(expectation: ExpectRecord): Promise<void> {
    await this.client.call('delete-expectation', { expectation });
  }

  async flushExpectations(): Promise<void> {
    await this.client.call('flush-expectations', {});
  }

  async stats(): Promise<TableStats> {
    const stats = await this.client.call('stats', {});
    return { ...stats, cpus: oneCpuOf(stats) };
  }

  close(): void {
    this.client.close();
  }
}
