import type { HookState } from './hook-state.ts';

const SECONDS_A_DAY = 86400;
/** 1 January 1970 was a Thursday. */
const FIRST_WEEKDAY = 4;
/** 2^20 and 2^32. */
const MEBI = 0x100000;
const WORD = 0x100000000;
const NANOS = 1_000_000;

/** When the packet came (ms with fractions): its own time unless that ran backwards. */
export function packetTime(state: HookState): number {
  const { time } = state.pkt;
  return time > state.now ? time : state.now;
}

/** Day of the week at the packet's time, 0 is Sunday; the time zone is UTC. */
export function weekday(state: HookState): number {
  return (Math.floor(state.now / 1000 / SECONDS_A_DAY) + FIRST_WEEKDAY) % 7;
}

/** Seconds since midnight, UTC. */
export function secondOfDay(state: HookState): number {
  return Math.floor(state.now / 1000) % SECONDS_A_DAY;
}

/** Stores the packet's time as 64 bits of nanoseconds, which a double could not hold exactly. */
export function storeNanos(state: HookState, at: number): void {
  const time = packetTime(state);
  const whole = Math.floor(time);
  const high = Math.floor(whole / MEBI) * NANOS;
  const low = (high % 4096) * MEBI + (whole % MEBI) * NANOS + Math.floor((time - whole) * NANOS);
  state.regView.setUint32(at, low % WORD, true);
  state.regView.setUint32(at + 4, Math.floor(high / 4096) + Math.floor(low / WORD), true);
}
