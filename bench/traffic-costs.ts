import type { RunTogether } from './bundled.ts';
import { translated } from './translated.ts';

/** How often each is run, at once with what it is compared to; the median counts. */
const ROUNDS = 5;

/** CPU ns a packet: of a whole capture, and of its second half, when V8 has compiled all of it. */
export interface Cost {
  readonly whole: number;
  readonly warm: number;
}

/** Costs of things that were run at once, of each round. */
export type Rounds<Name extends string> = readonly Readonly<Record<Name, Cost>>[];

/** Plays captures of so many packets with rules (bench/rules-traffic-worker.ts). @param cases file and rules by name */
export async function costs<Name extends string>(
  runTogether: RunTogether,
  packets: number,
  cases: Readonly<Record<Name, readonly [string, string]>>,
): Promise<Rounds<Name>> {
  const names = Object.keys(cases) as Name[];
  const rounds: Record<Name, Cost>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const ran = await runTogether(names.map((name) => [...cases[name], packets >> 1]));
    rounds.push(Object.fromEntries(names.map((name, i) => [name, ran[i]])) as Record<Name, Cost>);
  }
  return rounds;
}

/** How many times as much one thing takes as another, of the whole run and warm. */
export function times<Name extends string>(rounds: Rounds<Name>, name: Name, other: Name): [number, number] {
  return [
    median(rounds.map((round) => round[name].whole / round[other].whole)),
    median(rounds.map((round) => round[name].warm / round[other].warm)),
  ];
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Tracking alone, and SNAT of every flow. @param file a capture of so many packets */
export function translationCosts(
  runTogether: RunTogether,
  packets: number,
  file: string,
): Promise<Rounds<'none' | 'snat'>> {
  return costs(runTogether, packets, { none: [file, 'none'], snat: [translated(file), 'netmap'] });
}
