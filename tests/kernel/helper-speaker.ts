/** Who says a message of a helper's protocol, and what may stand in it. */
import type { Dice } from '../traffic/dice.ts';
import type { Side } from './dialogue-live.ts';

/** Who says something, and what may stand in it. */
export interface Speaker {
  readonly dice: Dice;
  /** 0 the client, 1 the server. */
  readonly end: 0 | 1;
  /** As the speaker sees it. */
  readonly side: Side;
  readonly others: readonly string[];
  /** Another one each time: ports come of it, so that no two messages mean the same. */
  readonly n: number;
}

/** Mostly one's own address. */
export function address({ dice, side, others }: Speaker): string {
  return dice.chance(85) ? side.src : dice.pick([side.dst, ...others]);
}

/** The first of the ports that a message may name. */
export const portOf = ({ n }: Speaker): number => 2000 + 20 * n;
