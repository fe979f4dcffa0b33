import { Firewall, type HostModel } from '@keepstate/engine';
import { ControlServer } from '../control/server.ts';
import type { Given } from '../options.ts';
import { VERSION } from '../version.ts';
import type { DevicePlan, Devices, Runner } from './devices.ts';
import { Facts } from './facts.ts';
import { EventFeed } from './feed.ts';
import { FullTable } from './full-table.ts';
import { FirewallJudge } from './judge.ts';
import { LiveTable } from './live-table.ts';
import type { Log } from './log.ts';
import { handlersOf } from './ops.ts';
import { Rules } from './reload.ts';
import { PacketLog } from './rule-log.ts';
import type { ReadRules } from './rules.ts';
import type { RunOptions } from './run-options.ts';
import { StateKeeper } from './state-keeper.ts';
import type { LockFile } from './state-lock.ts';
import { FileWatch } from './watch.ts';

/** Without packets time passes in such steps (ms). */
const TICK = 100;
/** How often it is looked for devices that came or went (ms). */
const LOOK_AROUND = 500;

/** What a daemon is made of that depends on the machine. */
export interface Parts {
  readonly plan: DevicePlan;
  readonly rules: ReadRules;
  /** Milliseconds since the epoch, never backwards: the clock that packets have. */
  readonly clock: () => number;
  readonly lockFile: LockFile;
}

/** A running keepstate: a firewall, what brings packets to it, and all that looks after it. */
export class Daemon {
  readonly firewall: Firewall;
  readonly judge: FirewallJudge;
  readonly rules: Rules;
  readonly control: ControlServer;
  readonly facts: Facts;
  /** Settled when it is to end: with null, or with what it failed of. */
  readonly stopped: Promise<Error | null>;

  private readonly options: RunOptions;
  private readonly parts: Parts;
  private readonly log: Log;
  private readonly packetLog: PacketLog;
  private readonly keeper: StateKeeper | null;
  private readonly timers: NodeJS.Timeout[] = [];
  private watch: FileWatch | null = null;
  private devices: Devices | null = null;
  private runner: Runner | null = null;
  private gone: ReadonlySet<string> = new Set();
  private tellStopped: (failure: Error | null) => void = () => {};

  constructor(options: RunOptions, given: Given, parts: Parts, log: Log) {
    this.options = options;
    this.parts = parts;
    this.log = log;
    this.stopped = new Promise((resolve) => {
      this.tellStopped = resolve;
    });
    const { plan, rules, clock } = parts;
    this.firewall = firewallOf(options, parts);
    const { firewall } = this;
    const table = new LiveTable(firewall.conntrack, clock);
    this.judge = new FirewallJudge(firewall);
    this.rules = new Rules(firewall, rules, given, options.seed, log);
    this.control = new ControlServer(
      handlersOf({
        firewall,
        table,
        hello: () => this.facts.hello(),
        status: () => this.facts.status(),
        stats: () => this.facts.stats,
        metrics: () => this.facts.metrics(),
        reload: () => this.rules.reload('control'),
        save: () => this.save(),
        stop: () => this.tellStopped(null),
        settingsChanged: (name, value) => this.settingsChanged(name, value),
      }),
    );
    const feed = new EventFeed(firewall.conntrack, this.control, clock);
    this.packetLog = new PacketLog(firewall, log);
    firewall.ruleLog = this.packetLog;
    this.judge.onInvalid = (pkt) => this.packetLog.invalid(pkt);
    this.judge.logInvalid = options.settings.get('nf_conntrack_log_invalid');
    // The kernel's rules may let packets pass that nobody takes out of a queue.
    const isClosed = plan.mode === 'bridge' || plan.mode === 'tun';
    this.keeper =
      options.state === null ? null : StateKeeper.at(options.state, firewall, clock, log, isClosed);
    this.keeper?.lock(parts.lockFile);
    const { judge, control, packetLog, keeper } = this;
    const sources = {
      firewall,
      judge,
      rules: this.rules,
      control,
      feed,
      log,
      packetLog,
      keeper,
      plan,
      clock,
    };
    this.facts = new Facts({ ...sources, table, devices: () => this.devices }, options.metricsCompatible);
  }

  /** Goes on with the state that was saved. */
  restore(): void {
    this.firewall.tick(this.parts.clock());
    this.keeper?.restore();
  }

  /** Opens the devices, and begins. @throws DriverError */
  begin(): void {
    const { plan, clock } = this.parts;
    const devices = plan.open();
    this.devices = devices;
    this.runner = devices.runner(this.judge);
    this.runner.ended.then(
      () => {},
      (error: Error) => this.fail(error),
    );
    this.runner.start();
    // A TUN device is there only since it was opened.
    if (plan.hostChanged()) this.refreshHost();
    const full = new FullTable(this.firewall, this.judge, this.log);
    this.timers.push(
      setInterval(() => {
        this.firewall.tick(clock());
        full.look(performance.now());
        if (plan.hostChanged()) this.refreshHost();
      }, TICK),
      setInterval(() => this.lookAround(devices), LOOK_AROUND),
    );
    this.keeper?.begin(this.options.stateEvery);
    if (this.options.watch) this.watchFiles();
    const { tables, chains, rules } = this.rules.status;
    const { mode, name } = plan;
    const counts = { tables, chains, rules, flows: this.facts.flows };
    this.rules.warn();
    this.log.info('start', `keepstate ${VERSION} runs`, { mode, name, pid: process.pid, ...counts });
  }

  /**
   * Ends it: no packet passes from now on, and the state is saved.
   * @param saves whether to save: not if it never began
   * @returns whether that went well
   */
  async end(saves: boolean): Promise<boolean> {
    for (const timer of this.timers) clearInterval(timer);
    this.watch?.close();
    await this.runner?.stop().catch(() => {});
    this.devices?.close();
    this.parts.plan.close();
    let isSaved = true;
    try {
      await this.keeper?.end(saves);
    } catch {
      // It is in the log.
      isSaved = false;
    }
    await this.control.close();
    this.packetLog.close();
    this.facts.close();
    if (saves) this.log.info('stop', 'keepstate has ended', { flows: this.facts.flows });
    return isSaved;
  }

  /** Ends it for a reason that is told. */
  stop(why: string): void {
    this.log.info('stop', why);
    this.tellStopped(null);
  }

  /** SIGHUP: reads rules anew, and looks at the machine's addresses. */
  hangUp(): void {
    this.refreshHost();
    this.rules.reload('signal').catch((error: Error) => this.log.error('reload', error.message));
  }

  private fail(error: Error): void {
    this.log.error('device', error.message);
    this.tellStopped(error);
  }

  private async save(): Promise<void> {
    if (this.keeper === null) throw new Error('it runs without --state: there is no file to save to');
    await this.keeper.save();
  }

  private settingsChanged(name: string, value: number): void {
    this.judge.logInvalid = this.firewall.settings.get('nf_conntrack_log_invalid');
    this.log.info('sysctl', 'set', { name, value });
  }

  private refreshHost(): void {
    const { firewall } = this;
    const before = [...firewall.host.addresses];
    try {
      if (!this.parts.plan.refresh()) return;
      firewall.loadRules(this.rules.tables);
      this.forgetAddresses(before);
      this.log.info('host', "read the machine's addresses and routes anew");
    } catch (error) {
      this.log.error('host', (error as Error).message);
    }
  }

  /**
   * Flows that were masqueraded with an address end with it. The kernel asks for the device as well, which has the address
   * and is the one that they leave by; behind a TUN all addresses are the TUN's, by whatever device flows leave.
   */
  private forgetAddresses(before: HostModel['addresses']): void {
    const { firewall } = this;
    const key = ({ device, prefix }: HostModel['addresses'][number]): string => `${device} ${prefix.words}`;
    const there = new Set(firewall.host.addresses.map(key));
    const isTun = this.parts.plan.mode === 'tun';
    for (const address of before)
      if (!there.has(key(address))) firewall.addressGone(isTun ? 0 : address.device, address.prefix.words);
  }

  private lookAround(devices: Devices): void {
    const gone = new Set(devices.missing());
    for (const name of gone)
      if (!this.gone.has(name))
        this.log.error('device', `${name} is gone: no packet passes by it`, { device: name });
    for (const name of this.gone)
      if (!gone.has(name)) this.log.info('device', `${name} is back`, { device: name });
    this.gone = gone;
  }

  private watchFiles(): void {
    const changed = (): void => {
      this.rules.reloadIfChanged().catch((error: Error) => this.log.error('reload', error.message));
    };
    const watch = new FileWatch(changed);
    this.watch = watch;
    watch.set(this.rules.files);
    this.rules.onFiles = (files) => watch.set(files);
    // While it started, nobody watched.
    if (this.rules.isChanged) changed();
  }
}

function firewallOf({ settings, seed }: RunOptions, { plan, rules }: Parts): Firewall {
  const firewall =
    plan.host === null
      ? new Firewall({ settings, seed })
      : new Firewall({ settings, seed, host: plan.host, rules: rules.tables });
  firewall.inPlace = plan.sends;
  return firewall;
}
