import koffi, { type node } from 'koffi';
import type { Driver, Judge } from './driver.ts';
import { close, pollSet } from './libc.ts';

/** Packets that a driver may take before the others, timers and sockets have their turn. */
const BUDGET = 256;

/**
 * How long to look for further packets before going to sleep (ms): to be woken takes longer than most gaps between
 * packets. Measured (bench:live): a bridge carries a third more, at half load p50 is a quarter lower. Not by way of
 * Node's loop: an Immediate each time is garbage, and p99 of an idle bridge twice as much.
 */
const LINGER = 0.1;

/**
 * Runs drivers on Node's event loop: sleeps until packets are there, and between batches lets timers, signals and
 * sockets have their turn, under whatever flood.
 */
export class Loop {
  /** Ends when {@link stop} was called; rejects with what a driver or the judge threw, after which nothing runs. */
  readonly ended: Promise<void>;
  private readonly drivers: readonly Driver[];
  private readonly judge: Judge;
  private handle: node.PollHandle | null = null;
  private set = -1;
  private isDue = false;
  private resolve: () => void = () => {};
  private reject: (error: unknown) => void = () => {};

  /** @param drivers stay the caller's, who closes them behind {@link ended} */
  constructor(drivers: readonly Driver[], judge: Judge) {
    this.drivers = drivers;
    this.judge = judge;
    this.ended = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** @throws DriverError */
  start(): void {
    // A set, since Node no longer waits for a descriptor that had an error once (a device that went down).
    this.set = pollSet(this.drivers.flatMap(({ fds }) => fds));
    this.handle = koffi.node.poll(this.set, () => this.wake());
  }

  /** Takes no more packets. */
  async stop(): Promise<void> {
    this.halt();
    this.resolve();
    await this.ended;
  }

  private halt(): void {
    if (this.handle === null) return;
    this.handle.close();
    this.handle = null;
    close(this.set);
  }

  /** Called from outside of JavaScript, where nothing may be thrown and no promise goes on. */
  private wake(): void {
    if (this.isDue) return;
    this.isDue = true;
    setImmediate(this.turn);
  }

  private readonly turn = (): void => {
    this.isDue = false;
    if (this.handle === null) return;
    try {
      this.isDue = this.carry();
      if (this.isDue) setImmediate(this.turn);
    } catch (error) {
      this.halt();
      this.reject(error);
    }
  };

  /**
   * Takes packets until there were none for a while.
   * @returns false then; true if timers and sockets have to have their turn before it goes on
   */
  private carry(): boolean {
    const { drivers, judge } = this;
    let total = 0;
    let last = performance.now();
    for (;;) {
      let got = 0;
      for (let i = 0; i < drivers.length; i++) got += drivers[i]!.run(judge, BUDGET);
      total += got;
      if (total >= BUDGET) return true;
      const time = performance.now();
      if (got > 0) last = time;
      else if (time - last >= LINGER) return false;
    }
  }
}
