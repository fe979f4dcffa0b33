import type { Firewall, HostModel } from '@keepstate/engine';
import { UsageError } from '../trouble.ts';
import type { Log } from './log.ts';
import { StateFile } from './state-file.ts';
import { type LockFile, StateLock } from './state-lock.ts';

/** What is kept beside the table: which device had which number, and whether more packets passed. */
interface Meta {
  readonly devices?: Readonly<Record<string, string>>;
  /** No packet passed after this was saved. */
  readonly last?: boolean;
}

function devicesOf({ devices }: HostModel): Record<string, string> {
  return Object.fromEntries(devices.flatMap((d) => (d === null ? [] : [[String(d.index), d.name]])));
}

/** Saves the state now and then, and at the end. */
export class StateKeeper {
  /** For metrics: how often that went well or not, how long the last one took (ms), and when it was. */
  readonly saves: { ok: number; error: number; took: number; at: number } = {
    ok: 0,
    error: 0,
    took: 0,
    at: 0,
  };

  private readonly store: StateFile;
  private readonly log: Log;
  private held: StateLock | null = null;
  private timer: NodeJS.Timeout | null = null;
  private under: Promise<void> | null = null;
  private isEnded = false;

  constructor(store: StateFile, log: Log) {
    this.store = store;
    this.log = log;
  }

  /**
   * For the state of a firewall.
   * @param path as the user gave it
   * @param isClosed whether no packet passes while it does not run
   * @throws UsageError if state cannot be kept there
   */
  static at(path: string, firewall: Firewall, clock: () => number, log: Log, isClosed: boolean): StateKeeper {
    let isEnded = (): boolean => false;
    const store = new StateFile(path, firewall.conntrack, {
      clock,
      meta: (): Meta => ({ devices: devicesOf(firewall.host), last: isClosed && isEnded() }),
      // One that was killed has seen packets after it saved; its connections have gone on.
      isLast: (meta) => (meta as Meta | null)?.last === true,
      // Devices are known by their names: their numbers may be others after a restart.
      device: (meta, saved) => {
        const name = (meta as Meta | null)?.devices?.[String(saved)];
        return name === undefined ? 0 : (firewall.host.deviceNamed(name)?.index ?? 0);
      },
    });
    const keeper = new StateKeeper(store, log);
    isEnded = () => keeper.isEnded;
    return keeper;
  }

  /** Keeps others from the file. @throws UsageError if one has it */
  lock(lockFile: LockFile): void {
    try {
      this.held = StateLock.take(this.store.path, lockFile);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // A full disk, or one that knows no locks, is no reason for a firewall not to run.
      this.log.warning('state', `not locked: ${(error as Error).message}`, { file: this.store.path });
    }
  }

  /** Goes on with what was saved. @throws Failure if it cannot be read */
  restore(): void {
    const { flows, expectations, trouble, notes, restored } = this.store.restore();
    if (trouble !== null) this.log.error('state', trouble);
    else if (restored === null) this.log.info('state', 'there is none yet', { file: this.store.path });
    else this.log.info('state', 'restored', { flows, expectations, file: this.store.path });
    for (const note of notes) this.log.warning('state', note);
  }

  /** Saves from now on. @param seconds between two savings */
  begin(seconds: number): void {
    const next = (): void => {
      if (this.isEnded) return;
      this.timer = setTimeout(() => {
        this.save().then(next, next);
      }, seconds * 1000);
    };
    next();
  }

  /** Saves, after what is under way. @throws if that fails */
  async save(): Promise<void> {
    while (this.under !== null) await this.under.catch(() => {});
    this.under = this.saveNow().finally(() => {
      this.under = null;
    });
    return this.under;
  }

  /** Ends, and saves for the last time if that is wanted. @throws if that fails */
  async end(saves: boolean): Promise<void> {
    this.isEnded = true;
    if (this.timer !== null) clearTimeout(this.timer);
    try {
      if (saves) await this.save();
    } finally {
      this.held?.release();
    }
  }

  private async saveNow(): Promise<void> {
    const begin = performance.now();
    try {
      const { flows, bytes } = await this.store.save();
      const { saves } = this;
      saves.ok++;
      saves.took = performance.now() - begin;
      saves.at = Date.now();
      this.log.info('state', 'saved', { flows, bytes, ms: Number(saves.took.toFixed(1)) });
    } catch (error) {
      this.saves.error++;
      this.log.error('state', `not saved: ${(error as Error).message}`);
      throw error;
    }
  }
}
