import { bridgeHost, type HostModel } from '@keepstate/engine';
import {
  Bridge,
  Capture,
  type Driver,
  DriverError,
  deviceIndex,
  KernelHost,
  Loop,
  missingCapabilities,
  NetworkWatch,
  Nfqueue,
  Tun,
} from '@keepstate/live';
import { hostOf } from '../host-options.ts';
import type { Given } from '../options.ts';
import type { DevicePlan, Devices } from './devices.ts';
import { Pace } from './pace.ts';
import type { RunOptions, Way } from './run-options.ts';

/** The number that the host model gives a device. @throws DriverError if it has none of that name */
function numberOf(host: HostModel, name: string): number {
  const device = host.deviceNamed(name);
  if (device === null)
    throw new DriverError(`there is no device ${name}: --host and --iface say which there are`);
  return device.index;
}

function devicesOf(drivers: readonly Driver[], names: readonly string[]): Devices {
  return {
    drivers,
    runner: (judge) => new Loop(drivers, judge),
    missing: () => names.filter((name) => deviceIndex(name) === 0),
    close: () => {
      for (const driver of drivers) driver.close();
    },
  };
}

/** How packets come where the machine is described, or is a bridge: it never changes. */
abstract class FixedPlan implements DevicePlan {
  abstract readonly mode: string;
  abstract readonly name: string;
  abstract readonly host: HostModel | null;
  abstract readonly sends: boolean;
  abstract open(): Devices;

  refresh(): boolean {
    return false;
  }

  hostChanged(): boolean {
    return false;
  }

  close(): void {}
}

class BridgePlan extends FixedPlan {
  readonly mode = 'bridge';
  readonly name: string;
  readonly host: HostModel;
  readonly sends = true;
  private readonly names: readonly string[];

  constructor(names: readonly string[], given: Given) {
    super();
    this.names = names;
    this.name = names.join(',');
    if (isDescribed(given)) {
      this.host = hostOf(given);
      this.host.transparent = true;
      for (const name of names) if (this.host.deviceNamed(name) === null) this.host.addDevice(name);
    } else this.host = bridgeHost(names);
  }

  open(): Devices {
    const devices = new Map(this.names.map((name) => [name, numberOf(this.host, name)]));
    return devicesOf([new Bridge({ devices })], this.names);
  }
}

class CapturePlan extends FixedPlan {
  readonly mode = 'capture';
  readonly name: string;
  readonly host: HostModel | null;
  readonly sends = false;

  constructor(device: string, given: Given) {
    super();
    this.name = device;
    const isRuled = given.has('rules') || isDescribed(given);
    this.host = !isRuled ? null : isDescribed(given) ? hostOf(given) : machine();
  }

  open(): Devices {
    const number = this.host === null ? 0 : numberOf(this.host, this.name);
    return devicesOf([new Capture({ device: this.name, number })], [this.name]);
  }
}

/** This machine, for packets that are only watched: what it would do with them itself. */
function machine(): HostModel {
  const { host } = KernelHost.forQueues();
  host.transparent = false;
  return host;
}

/** How packets come where the kernel's addresses and routes say which way they go. */
abstract class KernelPlan implements DevicePlan {
  abstract readonly mode: string;
  abstract readonly name: string;
  readonly host: HostModel;
  readonly sends = true;
  protected readonly kernel: KernelHost;
  private readonly watch: NetworkWatch = new NetworkWatch();
  /** Routes may change all the time, and packets wait while they are read. */
  private readonly pace: Pace = new Pace();
  private isStale = false;

  constructor(kernel: KernelHost) {
    this.kernel = kernel;
    this.host = kernel.host;
  }

  abstract open(): Devices;

  refresh(): boolean {
    const begin = performance.now();
    this.isStale = false;
    this.watch.changed();
    try {
      this.kernel.update();
    } finally {
      this.pace.done(begin, performance.now());
    }
    return true;
  }

  hostChanged(): boolean {
    if (this.watch.changed()) this.isStale = true;
    return this.isStale && this.pace.isDue(performance.now());
  }

  close(): void {
    this.watch.close();
  }
}

class TunPlan extends KernelPlan {
  readonly mode = 'tun';
  readonly name: string;

  constructor(device: string) {
    super(KernelHost.forTun(device));
    this.name = device;
  }

  open(): Devices {
    return devicesOf([new Tun({ device: this.name, host: this.host })], [this.name]);
  }
}

class QueuePlan extends KernelPlan {
  readonly mode = 'nfqueue';
  readonly name: string;
  private readonly queues: readonly number[];
  private readonly failOpen: boolean;

  constructor(queues: readonly number[], failOpen: boolean) {
    super(KernelHost.forQueues());
    this.queues = queues;
    this.failOpen = failOpen;
    this.name = queues.length === 1 ? String(queues[0]) : `${queues[0]}-${queues.at(-1)}`;
  }

  open(): Devices {
    const { queues, failOpen } = this;
    return devicesOf([new Nfqueue({ queues, host: this.kernel, failOpen })], []);
  }
}

function isDescribed(given: Given): boolean {
  return (['host', 'iface', 'route', 'local'] as const).some((name) => given.has(name));
}

function planOf(way: Way, failOpen: boolean, given: Given): DevicePlan {
  switch (way.mode) {
    case 'bridge':
      return new BridgePlan(way.devices, given);
    case 'capture':
      return new CapturePlan(way.device, given);
    case 'tun':
      return new TunPlan(way.device);
    case 'nfqueue':
      return new QueuePlan(way.queues, failOpen);
  }
}

/** How packets come on this machine. @throws DriverError, UsageError */
export function livePlan({ way, failOpen }: RunOptions, given: Given): DevicePlan {
  const missing = missingCapabilities(way.mode);
  if (missing.length > 0) throw new DriverError(`--${way.mode}: ${missing.join(', and ')}`);
  return planOf(way, failOpen, given);
}
