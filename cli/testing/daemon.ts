import { EventEmitter } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bridgeHost, type HostModel, NF_ACCEPT, Packet, resetPacket } from '@keepstate/engine';
import { type Driver, type DriverCounts, type Judge, lockFile } from '@keepstate/live';
import { ControlClient } from '../control/client.ts';
import { parseCommandLine } from '../options.ts';
import { Output } from '../output.ts';
import type { DevicePlan, Devices } from '../run/devices.ts';
import { type RunWorld, startRun } from '../run/start.ts';

const DLT_RAW = 101;

/** A driver without devices: packets are handed to it, and what passed is kept. */
export class MemoryDriver implements Driver {
  readonly mode = 'bridge';
  readonly fds: readonly number[] = [];
  readonly counts: DriverCounts = { received: 0, sent: 0, lost: 0, unsent: 0 };
  /** What {@link DevicePlan.host} is. */
  readonly host: HostModel;
  /** Names of devices that are gone. */
  gone: string[] = [];
  isOpen = false;
  private judge: Judge | null = null;
  private readonly pkt: Packet = new Packet();
  private readonly clock: () => number;

  constructor(host: HostModel, clock: () => number) {
    this.host = host;
    this.clock = clock;
  }

  /** A packet comes by one device for another. @returns whether it passed */
  push(bytes: Uint8Array, ifin = 2, ifout = 3): boolean {
    if (this.judge === null) return false;
    const { pkt } = this;
    const own = bytes.slice();
    resetPacket(pkt, own, new DataView(own.buffer), 0, own.length);
    pkt.time = this.clock();
    pkt.ifin = ifin;
    pkt.ifout = ifout;
    this.counts.received++;
    const passes = this.judge.judge(pkt, DLT_RAW) === NF_ACCEPT;
    if (passes) this.counts.sent++;
    return passes;
  }

  run(): number {
    return 0;
  }

  close(): void {
    this.isOpen = false;
    this.judge = null;
  }

  /** As a plan of `keepstate run`. */
  plan(): DevicePlan {
    const devices: Devices = {
      drivers: [this],
      runner: (judge) => ({
        start: () => {
          this.judge = judge;
          this.isOpen = true;
        },
        stop: async () => {
          this.judge = null;
        },
        ended: new Promise(() => {}),
      }),
      missing: () => this.gone,
      close: () => this.close(),
    };
    return {
      mode: 'bridge',
      name: 'eth0,eth1',
      host: this.host,
      sends: true,
      open: () => devices,
      refresh: () => false,
      hostChanged: () => false,
      close: () => {},
    };
  }
}

/** A keepstate that runs in this process, on a {@link MemoryDriver}. */
export interface Running {
  readonly driver: MemoryDriver;
  /** Lines of its standard error. */
  readonly lines: readonly string[];
  readonly socket: string;
  /** A signal comes. */
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): void;
  /** The exit status. */
  readonly done: Promise<number>;
  client(): Promise<ControlClient>;
  /** Lets time pass for packets and flows (ms). */
  pass(ms: number): void;
  /** From now on time only passes by {@link pass}. */
  hold(): void;
}

/** A folder for instances of `keepstate run`. */
export class RunPlace {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'keepstate-run-'));
  private readonly running: { signals: EventEmitter; done: Promise<number> }[] = [];
  private count = 0;

  constructor() {
    chmodSync(this.folder, 0o700);
  }

  file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  /**
   * Begins `keepstate run` with these options, and a control socket of its own unless they name one.
   * @param early a signal that comes while it starts
   */
  async run(
    args: readonly string[],
    env: Record<string, string> = {},
    early: NodeJS.Signals | null = null,
  ): Promise<Running> {
    const named = args.indexOf('--control');
    const socket = named >= 0 ? args[named + 1]! : join(this.folder, `control-${this.count++}.sock`);
    const all = ['run', '--bridge', 'eth0,eth1', ...(named >= 0 ? [] : ['--control', socket]), ...args];
    let passed = 0;
    const start = Date.now() - performance.now();
    let held: number | null = null;
    const clock = (): number => (held ?? start + performance.now()) + passed;
    const driver = new MemoryDriver(bridgeHost(['eth0', 'eth1']), clock);
    const signals = new EventEmitter();
    const lines: string[] = [];
    const say = (line: string): void => {
      lines.push(...line.split('\n'));
    };
    const machine: RunWorld = {
      plan: () => {
        if (early !== null) signals.emit(early);
        return driver.plan();
      },
      clock,
      signals,
      lockFile,
    };
    const world = { out: new Output(1), say, env, outIsTTY: false, errIsTTY: false };
    const done = startRun(parseCommandLine(all).given, world, machine);
    const running = { signals, done };
    this.running.push(running);
    // Whoever waits for it sees what it throws; others see that it does not begin.
    done.catch(() => {});
    await Promise.race([done, until(() => driver.isOpen)]).catch(() => {});
    return {
      driver,
      lines,
      socket,
      signal: (name) => {
        signals.emit(name);
      },
      done,
      client: () => ControlClient.connect(socket, env),
      pass: (ms) => {
        passed += ms;
      },
      hold: () => {
        held = start + performance.now();
      },
    };
  }

  /** Ends all that runs, and removes the folder. */
  async end(): Promise<void> {
    for (const { signals, done } of this.running) {
      signals.emit('SIGTERM');
      await done.catch(() => {});
    }
    rmSync(this.folder, { recursive: true });
  }
}

/** Waits until something is so. @throws Error if it is not within some seconds */
export async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (await is()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it did not come to be: ${is.toString()}`);
}
