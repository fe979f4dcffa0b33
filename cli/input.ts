import type { CaptureRecord } from '@keepstate/engine';
import { CaptureSource } from './source.ts';
import { refuseStdinTwice } from './whole-file.ts';

/** Bytes read at once, of all files together: what stays in a second-level cache until it has been looked at. */
const CHUNK = 1 << 17;
const LEAST_CHUNK = 1 << 15;

/** Takes packets in order of time. */
export type Visit = (record: CaptureRecord, source: CaptureSource) => void;

/**
 * Opens captures.
 * @param names paths, `-` for standard input
 * @throws UsageError if one cannot be opened, or standard input is named twice
 */
export function openCaptures(names: readonly string[]): CaptureSource[] {
  refuseStdinTwice(names);
  const size = Math.max(LEAST_CHUNK, Math.floor(CHUNK / names.length));
  return names.map((name) => new CaptureSource(name, size));
}

/**
 * Reads captures as one timeline: packets of different files in order of time (of equal times the first file's
 * first), those of one file in the order of the file. No file is held in memory. A file that is damaged ends
 * there, the others go on; its `failure` says what was wrong.
 */
export async function readTimeline(sources: readonly CaptureSource[], visit: Visit): Promise<void> {
  const live: CaptureSource[] = [];
  for (const source of sources) if (await source.refill()) live.push(source);
  while (live.length > 0) {
    const source = live[earliest(live)]!;
    const until = nextOther(live, source);
    do {
      visit(source.record, source);
      if (!source.next() && !(await source.refill())) {
        live.splice(live.indexOf(source), 1);
        break;
      }
    } while (source.record.time < until);
  }
}

function earliest(live: readonly CaptureSource[]): number {
  let best = 0;
  for (let i = 1; i < live.length; i++) if (live[i]!.record.time < live[best]!.record.time) best = i;
  return best;
}

/** The time at which another file may be next. */
function nextOther(live: readonly CaptureSource[], source: CaptureSource): number {
  let least = Number.POSITIVE_INFINITY;
  for (const other of live) if (other !== source && other.record.time < least) least = other.record.time;
  return least;
}
