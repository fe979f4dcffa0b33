/** Runs many dialogues of a helper and says how the first that differ do. */
import { type Dialogue, reportDialogue } from './dialogue.ts';
import type { RuleKernel } from './rules-oracle.ts';

/** Seed of this run, or KEEPSTATE_SEED. A failure prints the dialogue itself. */
export const SEED: number = Number(process.env.KEEPSTATE_SEED ?? 1);
/** How many times as many dialogues as usual. */
export const TIMES: number = Number(process.env.KEEPSTATE_TIMES ?? 1);

/** Differences that are shown before a run gives up. */
const SHOWN = 3;

/** Reports of the dialogues in which keepstate does not do as the kernel; empty if there are none. */
export async function differences(
  kernel: RuleKernel,
  dialogues: Iterable<Dialogue>,
  forgive?: (difference: string) => string | null,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const dialogue of dialogues) {
    const report = await reportDialogue(kernel, dialogue, forgive === undefined ? {} : { forgive });
    if (report !== null) found.push(report);
    if (found.length >= SHOWN) break;
  }
  return found;
}

/** `count` dialogues that a generator makes. */
export function* many(count: number, make: (i: number) => Dialogue): Generator<Dialogue> {
  for (let i = 0; i < count * TIMES; i++) yield make(i);
}
