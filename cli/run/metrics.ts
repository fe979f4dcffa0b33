import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { ControlStats, DriverStatus, RulesStatus, States } from '../control/protocol.ts';
import { VERSION } from '../version.ts';
import type { FirewallJudge } from './judge.ts';
import type { Log } from './log.ts';
import { type Labels, MetricsPage } from './metrics-text.ts';
import { bytesByFate, CT_STATE_WORDS, VERDICT_WORDS } from './packet-words.ts';

/** How often the lag of the event loop is taken (ms). */
const LAG_EVERY = 10;

/** What the page tells of. */
export interface MetricsSource {
  readonly mode: string;
  /** When it was started (ms since the epoch). */
  readonly started: number;
  readonly judge: FirewallJudge;
  readonly log: Log;
  readonly flows: number;
  /** nf_conntrack_max. */
  readonly max: number;
  readonly expectations: number;
  readonly stats: ControlStats;
  readonly drivers: readonly DriverStatus[];
  readonly rules: RulesStatus;
  readonly reloads: { readonly ok: number; readonly error: number };
  /** How long the last reload took (ms). */
  readonly reloadTook: number;
  readonly saves: { readonly ok: number; readonly error: number; readonly took: number; readonly at: number };
  readonly events: { readonly flows: number; readonly expectations: number };
  readonly clients: number;
  readonly followers: number;
  readonly suppressedLogs: number;
}

/** How late the event loop is: what a packet or a question waits at most because of something else. */
export class LoopLag {
  private readonly histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_EVERY });

  constructor() {
    this.histogram.enable();
  }

  /** Seconds by quantile since it was asked for last. */
  take(): readonly (readonly [Labels, number])[] {
    const { histogram } = this;
    // The timer's own period is in it.
    const seconds = (ns: number): number => Math.max(0, ns / 1e9 - LAG_EVERY / 1000);
    const samples = [0.5, 0.99, 1].map(
      (q) => [{ quantile: String(q) }, seconds(histogram.percentile(q * 100))] as const,
    );
    histogram.reset();
    return samples;
  }

  close(): void {
    this.histogram.disable();
  }
}

function packets(page: MetricsPage, { judge }: MetricsSource): void {
  page.metric(
    'keepstate_packets_total',
    'counter',
    'Packets by verdict and ct state.',
    VERDICT_WORDS.flatMap(([verdict, word]) =>
      CT_STATE_WORDS.map(
        ([state, ctinfos]) =>
          [
            { verdict: word, ct_state: state },
            ctinfos.reduce((sum, ctinfo) => sum + judge.count(verdict, ctinfo), 0),
          ] as const,
      ),
    ),
  );
  const { accepted, dropped } = bytesByFate(judge);
  page.metric('keepstate_bytes_total', 'counter', 'IP bytes of packets that may go on, and of all others.', [
    [{ fate: 'accepted' }, accepted],
    [{ fate: 'dropped' }, dropped],
  ]);
}

function table(page: MetricsPage, source: MetricsSource, states: States): void {
  page.metric(
    'keepstate_flows',
    'gauge',
    'Flows in the table by protocol and state.',
    Object.entries(states).flatMap(([protocol, counts]) =>
      Object.entries(counts).map(([state, n]) => [{ protocol, state }, n] as const),
    ),
  );
  page.one('keepstate_flows_count', 'gauge', 'Flows that hold room in the table.', source.flows);
  page.one('keepstate_flows_limit', 'gauge', 'nf_conntrack_max; 0 is no limit.', source.max);
  page.one('keepstate_expectations', 'gauge', 'Expectations in the table.', source.expectations);
  const { stats } = source;
  const counts: readonly (readonly [string, string, number])[] = [
    ['found', 'Lookups that found a flow while one was made.', stats.found],
    ['invalid', 'Packets that could not be tracked.', stats.invalid],
    ['created', 'Flows that entered the table.', stats.created],
    ['insert', 'Flows that commands made.', stats.insert],
    ['insert_failed', 'Flows that could not enter the table.', stats.insert_failed],
    ['drop', 'Packets dropped because a flow could not be made or entered.', stats.drop],
    ['early_drop', 'Flows that were removed to make room for new ones.', stats.early_drop],
    ['error', 'ICMP packets that failed their checks.', stats.error],
    ['clash_resolve', 'Packets that joined the flow which took their place.', stats.clash_resolve],
    ['expect_new', 'Expectations that helpers made.', stats.expectNew],
    ['expect_create', 'Expectations that came true or were made by command.', stats.expectCreate],
    ['expect_delete', 'Expectations that are gone.', stats.expectDelete],
  ];
  for (const [name, help, value] of counts)
    page.one(`keepstate_conntrack_${name}_total`, 'counter', help, value);
}

function drivers(page: MetricsPage, source: MetricsSource): void {
  const names: readonly (readonly ['received' | 'sent' | 'lost' | 'unsent', string])[] = [
    ['received', 'Packets that came.'],
    ['sent', 'Packets that were sent, answers of the firewall included.'],
    ['lost', 'Packets that the kernel dropped because keepstate was too slow.'],
    ['unsent', 'Packets that could not be sent.'],
  ];
  for (const [name, help] of names) {
    const samples = source.drivers.map((d) => [{ driver: d.mode, name: d.name }, d[name]] as const);
    page.metric(`keepstate_driver_${name}_total`, 'counter', help, samples);
  }
}

function control(page: MetricsPage, source: MetricsSource): void {
  page.metric('keepstate_events_total', 'counter', 'Events that somebody follows.', [
    [{ kind: 'flow' }, source.events.flows],
    [{ kind: 'expectation' }, source.events.expectations],
  ]);
  page.one('keepstate_control_clients', 'gauge', 'Connections to the control socket.', source.clients);
  page.one('keepstate_control_followers', 'gauge', 'Connections that follow events.', source.followers);
  const { counts } = source.log;
  page.metric('keepstate_log_lines_total', 'counter', 'Lines written to the log.', [
    [{ level: 'info' }, counts.info],
    [{ level: 'warning' }, counts.warning],
    [{ level: 'error' }, counts.error],
  ]);
  page.one(
    'keepstate_log_suppressed_total',
    'counter',
    'Lines of rules that were too many to be written.',
    source.suppressedLogs,
  );
}

function upkeep(page: MetricsPage, source: MetricsSource): void {
  const { rules, reloads, saves } = source;
  page.one('keepstate_rules', 'gauge', 'Rules that run.', rules.rules);
  page.metric('keepstate_reloads_total', 'counter', 'Times that rules were read anew.', [
    [{ result: 'ok' }, reloads.ok],
    [{ result: 'error' }, reloads.error],
  ]);
  page.one(
    'keepstate_reload_failed',
    'gauge',
    '1 if the rules that were read last do not run.',
    rules.error === null ? 0 : 1,
  );
  page.one('keepstate_reload_seconds', 'gauge', 'How long the last reload took.', source.reloadTook / 1000);
  page.one(
    'keepstate_rules_loaded_timestamp_seconds',
    'gauge',
    'When the rules were loaded.',
    rules.loaded / 1000,
  );
  page.metric('keepstate_state_saves_total', 'counter', 'Times that the state was saved.', [
    [{ result: 'ok' }, saves.ok],
    [{ result: 'error' }, saves.error],
  ]);
  page.one('keepstate_state_save_seconds', 'gauge', 'How long the last saving took.', saves.took / 1000);
  page.one(
    'keepstate_state_saved_timestamp_seconds',
    'gauge',
    'When the state was saved last; 0 if never.',
    saves.at / 1000,
  );
}

function machine(page: MetricsPage, source: MetricsSource, lag: LoopLag): void {
  page.metric('keepstate_info', 'gauge', 'Always 1.', [[{ version: VERSION, mode: source.mode }, 1]]);
  page.one('keepstate_start_time_seconds', 'gauge', 'When it was started.', source.started / 1000);
  page.metric(
    'keepstate_loop_lag_seconds',
    'gauge',
    'How late the event loop was since the last look.',
    lag.take(),
  );
  const memory = process.memoryUsage();
  page.metric('keepstate_memory_bytes', 'gauge', 'Memory by kind.', [
    [{ kind: 'resident' }, memory.rss],
    [{ kind: 'heap' }, memory.heapUsed],
    [{ kind: 'buffers' }, memory.arrayBuffers],
  ]);
}

/** What node_exporter says of the kernel's table, said of ours: gauges without `_total`, as they are there. */
function compatible(page: MetricsPage, { stats, flows, max }: MetricsSource): void {
  page.one(
    'node_nf_conntrack_entries',
    'gauge',
    'Number of currently allocated flow entries for connection tracking.',
    flows,
  );
  page.one('node_nf_conntrack_entries_limit', 'gauge', 'Maximum size of connection tracking table.', max);
  const counts: readonly (readonly [string, number])[] = [
    ['found', stats.found],
    ['invalid', stats.invalid],
    ['ignore', 0],
    ['insert', stats.insert],
    ['insert_failed', stats.insert_failed],
    ['drop', stats.drop],
    ['early_drop', stats.early_drop],
    ['search_restart', 0],
  ];
  for (const [name, value] of counts)
    page.one(`node_nf_conntrack_stat_${name}`, 'gauge', `conntrack -S: ${name}.`, value);
}

/** The page of /metrics. @param withCompatible also by the names that node_exporter has */
export function metricsPage(
  source: MetricsSource,
  states: States,
  lag: LoopLag,
  withCompatible: boolean,
): string {
  const page = new MetricsPage();
  packets(page, source);
  table(page, source, states);
  drivers(page, source);
  control(page, source);
  upkeep(page, source);
  machine(page, source, lag);
  if (withCompatible) compatible(page, source);
  return page.toString();
}
