import type { HookState } from '../rules/hook-state.ts';
import type { Extras } from './extras.ts';
import type { SetOptions, SetType } from './set-type.ts';

/** The direction of each dimension: bit n is set where the n-th word of `--match-set` is `src`. */
export type Directions = number;

/** What a packet's look into a set asks and leaves. One is kept by each match and target, and used again. */
export interface SetQuery {
  /** How many words `src` or `dst` were given. */
  readonly dimensions: number;
  readonly directions: Directions;
  /** Whether a hit leaves the element's counters alone (`! --update-counters`). */
  readonly keepsCounters: boolean;
  /** Whether it leaves a list's own counters alone (`! --update-subcounters`). */
  readonly keepsSubcounters: boolean;
  /** Whether exceptions are hits and all else is not (`--return-nomatch`). */
  readonly wantsNomatch: boolean;
  /** What the counters must be for a hit, null if they may be anything. */
  readonly packets: CounterTest | null;
  readonly bytes: CounterTest | null;
  /** skbinfo of the element that was hit. */
  skbmark: number;
  skbmask: number;
  skbprio: number;
  skbqueue: number;
}

/** A test of a counter. */
export interface CounterTest {
  readonly op: '=' | '!' | '<' | '>';
  readonly value: number;
}

/** A set as commands and packets use it: a hash, a bitmap, or a list of sets. */
export interface IpSet {
  readonly type: SetType;
  readonly options: SetOptions;
  /** How many elements there are. */
  readonly count: number;
  /** What belongs to `create` behind the type's name. */
  header(): string;
  /** @returns whether anything was added. @throws SetError */
  add(text: string, extras: Extras, exist: boolean, now: number): boolean;
  /** @throws SetError */
  del(text: string, extras: Extras, exist: boolean, now: number): boolean;
  /** @throws SetError */
  test(text: string, extras: Extras, now: number): boolean;
  flush(): void;
  /** The elements as `add` would name them, in the order in which they are kept. */
  list(now: number): string[];
  /** Whether a packet is in it. Makes nothing. */
  match(state: HookState, query: SetQuery): boolean;
  /**
   * Adds what the packet says.
   * @param timeout seconds, -1 for the set's own
   * @param exist whether what is there already starts anew
   * @returns whether it was added
   */
  addPacket(state: HookState, query: SetQuery, timeout: number, exist: boolean): boolean;
  /** Removes what the packet says. */
  delPacket(state: HookState, query: SetQuery): boolean;
}
