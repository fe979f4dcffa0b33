/** Lines of commands on two tables, and what differs. */
import { Dice } from '../traffic/dice.ts';
import { FILL } from './conntrack-command-list.ts';
import { randomCommand } from './conntrack-command-random.ts';
import { type Did, difference } from './conntrack-command-run.ts';

/** Runs one line on both tables. */
export type Both = (line: string) => Promise<{ readonly kernel: Did; readonly ours: Did }>;

/** Seed of this run: another one each day, or KEEPSTATE_SEED. */
const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
/** Lines after which both tables are filled anew. */
const REFILL = 25;

/**
 * Runs lines one after the other.
 * @param slack by how much timeouts may differ (seconds)
 * @returns the lines on which the two differ and what differs, as text
 */
export async function differences(
  both: Both,
  lines: Iterable<string> | AsyncIterable<string>,
  slack?: number,
): Promise<string> {
  const found: string[] = [];
  for await (const line of lines) {
    const { kernel, ours } = await both(line);
    const text = difference(kernel, ours, slack);
    if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
  }
  return found.join('\n\n');
}

async function* randomLines(both: Both, count: number): AsyncGenerator<string> {
  const dice = new Dice(SEED);
  for (let i = 0; i < count; i++) {
    if (i % REFILL === 0) for (const line of ['-F', ...FILL]) await both(line);
    yield randomCommand(dice);
  }
}

/**
 * The same with random lines, on tables that are filled again and again.
 * @param count how many, unless KEEPSTATE_LINES says another number
 */
export async function randomDifferences(both: Both, count: number, slack?: number): Promise<string> {
  const lines = Number(process.env.KEEPSTATE_LINES ?? count);
  const text = await differences(both, randomLines(both, lines), slack);
  return text === '' ? '' : `seed ${SEED}\n${text}`;
}
