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

/** Writes a result to bench/results/DATE-PACKETS.json, as `2026-11-21-5M.json`. Returns the path. */
export function keep(result: BenchResult): string {
  mkdirSync(FOLDER, { recursive: true });
  const packets = (result.kinds[0]?.packets ?? 0) / 1e6;
  const path = join(FOLDER, `${result.date.slice(0, 10)}-${packets}M.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

/**
 * The result that was kept last of captures of so many packets, null if there is none: Node's start and V8's compiling
 * weigh more where there are fewer.
 */
export function lastKept(packets: number): BenchResult | null {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  const kept = names
    .sort()
    .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as BenchResult);
  return kept.findLast((result) => result.kinds[0]?.packets === packets) ?? null;
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
