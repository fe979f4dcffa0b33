import type { Dice } from './dice.ts';

/** Two hosts that speak to each other, in either direction. */
export interface Ends {
  readonly src: string;
  readonly dst: string;
  /** Whether the answering side speaks. */
  readonly reversed: boolean;
}

/** One of a few pairs of hosts, a third of them IPv6, so that flows are met again. */
export function endsOf(dice: Dice): Ends {
  const host = 1 + dice.below(4);
  const v6 = dice.chance(33);
  const [a, b] = v6 ? [`fd00:3::${host}`, `fd00:4::${host}`] : [`10.2.0.${host}`, `10.3.0.${host}`];
  return dice.chance(50) ? { src: a, dst: b, reversed: false } : { src: b, dst: a, reversed: true };
}
