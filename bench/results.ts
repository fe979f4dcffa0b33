import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What is kept of one kind of traffic. */
export interface KindResult {
  readonly kind: string;
  readonly packets: number;
  readonly flows: number;
  /** Packets per CPU second: tracking alone, with a line of text each, and softflowd (null if it is not here). */
  readonly tracking: number;
  readonly text: number;
  readonly softflowd: number | null;
  /** CPU nanoseconds a packet of each stage, each including those before it. */
  readonly stages: Readonly<Record<string, number>>;
}

/** One run of the bench. Ratios are comparable between machines, absolute figures are not. */
export interface BenchResult {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly bytesPerFlow: number;
  readonly kinds: readonly KindResult[];
}

const FOLDER: string = fileURLToPath(new URL('./results/', import.meta.url));
/** A ratio that fell by more than this is a regression. */
const TOLERANCE = 0.1;

/** Writes a result to bench/results/DATE.json. Returns the path. */
export function keep(result: BenchResult): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${result.date.slice(0, 10)}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/** The result that was kept last, null if there is none. */
export function lastKept(): BenchResult | null {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  const last = names.sort().at(-1);
  return last === undefined ? null : (JSON.parse(readFileSync(join(FOLDER, last), 'utf8')) as BenchResult);
}

/** Ratios to softflowd that fell by more than a tenth, one line each; in red on a terminal. */
export function regressions(now: BenchResult, before: BenchResult): string[] {
  const red = (text: string): string => (process.stdout.isTTY ? `\x1b[31m${text}\x1b[0m` : text);
  return now.kinds.flatMap((kind) => {
    const old = before.kinds.find((k) => k.kind === kind.kind);
    if (old === undefined || old.softflowd === null || kind.softflowd === null) return [];
    return (['tracking', 'text'] as const).flatMap((what) => {
      const was = old[what] / old.softflowd!;
      const is = kind[what] / kind.softflowd!;
      if (is >= was * (1 - TOLERANCE)) return [];
      return [red(`${kind.kind}, ${what}: ${is.toFixed(2)} times softflowd, was ${was.toFixed(2)}`)];
    });
  });
}
