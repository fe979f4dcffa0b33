/** Conversations in real time: many at once in one replay, each judged on its own. */
import type { KernelPacket } from './oracle.ts';

/** One packet of a conversation. */
export interface Step {
  /** Milliseconds after the replay begins. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A conversation between two hosts that no other one of the same replay knows. */
export interface Talk {
  readonly name: string;
  /** Address of the host that speaks first. */
  readonly host: string;
  readonly steps: readonly Step[];
}

/** Talks woven into one list of packets. */
export interface Plan {
  readonly talks: readonly Talk[];
  readonly packets: readonly KernelPacket[];
  /** For each packet the index of its talk. */
  readonly owners: readonly number[];
}

/** Weaves talks into one replay, in order of time. */
export function weave(talks: readonly Talk[]): Plan {
  const all = talks.flatMap((talk, owner) => talk.steps.map(({ at, bytes }) => ({ at, bytes, owner })));
  all.sort((a, b) => a.at - b.at);
  const packets = all.map(({ at, bytes }, i) => ({ bytes, waitMs: i === 0 ? 0 : at - all[i - 1]!.at }));
  return { talks, packets, owners: all.map(({ owner }) => owner) };
}

/** The two hosts of talk number `n`. */
export function hosts(n: number, v6 = false): readonly [string, string] {
  const tail = v6 ? (n + 1).toString(16) : `${(n + 1) >> 8}.${(n + 1) & 255}`;
  return v6 ? [`fd00:10::${tail}`, `fd00:11::${tail}`] : [`10.64.${tail}`, `10.65.${tail}`];
}
