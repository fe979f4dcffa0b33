import type { Firewall } from '@keepstate/engine';
import {
  type ControlStats,
  type DriverStatus,
  type Hello,
  PROTOCOL_VERSION,
  type RulesStatus,
  type Status,
} from '../control/protocol.ts';
import type { ControlServer } from '../control/server.ts';
import { VERSION } from '../version.ts';
import { Census } from './census.ts';
import type { DevicePlan, Devices } from './devices.ts';
import type { EventFeed } from './feed.ts';
import type { FirewallJudge } from './judge.ts';
import type { LiveTable } from './live-table.ts';
import type { Log } from './log.ts';
import { LoopLag, type MetricsSource, metricsPage } from './metrics.ts';
import { bytesByFate, packetsByState, packetsByVerdict } from './packet-words.ts';
import type { Rules } from './reload.ts';
import type { PacketLog } from './rule-log.ts';
import type { StateKeeper } from './state-keeper.ts';

/** What a daemon consists of, as far as it is told of. */
export interface FactSources {
  readonly firewall: Firewall;
  readonly judge: FirewallJudge;
  readonly rules: Rules;
  readonly control: ControlServer;
  readonly feed: EventFeed;
  readonly log: Log;
  readonly packetLog: PacketLog;
  readonly keeper: StateKeeper | null;
  readonly plan: DevicePlan;
  readonly table: LiveTable;
  /** Null before they are opened. */
  readonly devices: () => Devices | null;
  readonly clock: () => number;
}

/** How a running keepstate fares: what `status` and `metrics` tell. */
export class Facts implements MetricsSource {
  readonly started: number = Date.now();
  private readonly of: FactSources;
  private readonly census: Census;
  private readonly lag: LoopLag = new LoopLag();
  private readonly withCompatible: boolean;

  /** @param withCompatible whether metrics have node_exporter's names, too */
  constructor(of: FactSources, withCompatible: boolean) {
    this.of = of;
    this.census = new Census(of.firewall.conntrack);
    this.withCompatible = withCompatible;
  }

  get mode(): string {
    return this.of.plan.mode;
  }

  get judge(): FirewallJudge {
    return this.of.judge;
  }

  get log(): Log {
    return this.of.log;
  }

  get flows(): number {
    return this.of.firewall.conntrack.table.count;
  }

  get max(): number {
    return this.of.firewall.settings.get('nf_conntrack_max');
  }

  get expectations(): number {
    return this.of.firewall.conntrack.expectations.all().length;
  }

  get stats(): ControlStats {
    return { ...this.of.firewall.conntrack.stats, ...this.of.table.stats() };
  }

  get drivers(): readonly DriverStatus[] {
    const { name } = this.of.plan;
    return (this.of.devices()?.drivers ?? []).map(({ mode, counts }) => ({
      mode,
      name,
      received: counts.received,
      sent: counts.sent,
      lost: counts.lost,
      unsent: counts.unsent,
    }));
  }

  get rules(): RulesStatus {
    return this.of.rules.status;
  }

  get reloads(): Rules['reloads'] {
    return this.of.rules.reloads;
  }

  get reloadTook(): number {
    return this.of.rules.took;
  }

  get saves(): StateKeeper['saves'] {
    return this.of.keeper?.saves ?? { ok: 0, error: 0, took: 0, at: 0 };
  }

  get events(): { flows: number; expectations: number } {
    const { flows, expectations } = this.of.feed;
    return { flows, expectations };
  }

  get clients(): number {
    return this.of.control.size;
  }

  get followers(): number {
    return this.of.control.broadcast.size;
  }

  get suppressedLogs(): number {
    return this.of.packetLog.suppressed;
  }

  hello(): Hello {
    return {
      protocol: PROTOCOL_VERSION,
      version: VERSION,
      pid: process.pid,
      mode: this.mode,
      started: this.started,
      now: this.of.clock(),
    };
  }

  async status(): Promise<Status> {
    const states = await this.census.take();
    const { judge } = this;
    return {
      ...this.hello(),
      flows: this.flows,
      expectations: this.expectations,
      max: this.max,
      states,
      verdicts: packetsByVerdict(judge),
      ctStates: packetsByState(judge),
      bytes: bytesByFate(judge),
      stats: this.stats,
      drivers: this.drivers,
      rules: this.rules,
    };
  }

  async metrics(): Promise<string> {
    const states = await this.census.take();
    return metricsPage(this, states, this.lag, this.withCompatible);
  }

  /** What is wrong, for /health; null if nothing is. */
  trouble(): string | null {
    const devices = this.of.devices();
    if (devices === null) return 'it has not begun';
    const gone = devices.missing();
    return gone.length === 0 ? null : `there is no device ${gone.join(', ')}`;
  }

  close(): void {
    this.lag.close();
  }
}
