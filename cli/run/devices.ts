import type { HostModel } from '@keepstate/engine';
import type { Driver, Judge } from '@keepstate/live';

/** What brings packets while it runs. */
export interface Runner {
  /** @throws DriverError */
  start(): void;
  stop(): Promise<void>;
  /** Rejects with what keeps it from going on. */
  readonly ended: Promise<void>;
}

/** The ways in which packets come, opened. */
export interface Devices {
  readonly drivers: readonly Driver[];
  runner(judge: Judge): Runner;
  /** Names of devices that are not there now. */
  missing(): readonly string[];
  close(): void;
}

/** How packets come, before anything is opened. */
export interface DevicePlan {
  readonly mode: string;
  /** As the command line has it: `eth0,eth1`. */
  readonly name: string;
  /** The machine as rules see it, null where packets are only tracked. */
  readonly host: HostModel | null;
  /** Whether packets are sent on: then they stand as they leave. */
  readonly sends: boolean;
  /** Opens them. @throws DriverError */
  open(): Devices;
  /** Looks anew at the machine's addresses and routes. @returns whether rules must be loaded again */
  refresh(): boolean;
  /** Whether {@link refresh} is due: the machine has changed. */
  hostChanged(): boolean;
  close(): void;
}
