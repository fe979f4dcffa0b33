import { isatty } from 'node:tty';
import type { CaptureRecord } from '@keepstate/engine';
import { type ColourChoice, wantsColour } from './colour.ts';
import type { World } from './command.ts';
import { hints } from './hints.ts';
import { openCaptures, readTimeline } from './input.ts';
import { parseMoment } from './moment.ts';
import { type Given, oneOf } from './options.ts';
import { Progress } from './progress.ts';
import { Session, type SessionRules, sessionOptions } from './session.ts';
import type { CaptureSource } from './source.ts';
import { UsageError } from './trouble.ts';
import { VERSION } from './version.ts';

/** Exit status of a run in which nothing was found or failed. */
export const FINE = 0;
/** Something was found that was asked for, or failed. */
export const FOUND = 1;
/** Wrong usage or unreadable input. */
export const TROUBLE = 2;

/** A verdict is unknown: something that keepstate cannot evaluate would have decided. */
export const UNKNOWN = 3;

/** A capture about to be played. */
export interface Play {
  readonly session: Session;
  readonly sources: readonly CaptureSource[];
  /** Whether lines are to say which file a packet is from. */
  readonly several: boolean;
  readonly quiet: boolean;
}

/**
 * Opens the files and makes the firewall that a command line asks for.
 * @param names files as given
 * @param rules what packets have to pass, null to track only
 */
export function preparePlay(names: readonly string[], given: Given, rules: SessionRules | null = null): Play {
  const files = given.has('stdin') && !names.includes('-') ? [...names, '-'] : names;
  if (files.length === 0) throw new UsageError("no capture is named: give a file, or '-' for standard input");
  const at = given.value('at');
  const session = new Session(sessionOptions(given, at === null ? null : parseMoment(at), rules));
  if (files.includes('-') && isatty(0)) {
    throw new UsageError('standard input is a terminal: pipe a capture into it, or name a file');
  }
  const sources = openCaptures(files);
  return { session, sources, several: sources.length > 1, quiet: given.has('quiet') };
}

/**
 * Plays a capture to its end.
 * @param visit called with each record; it hands it to the session
 */
export async function playAll(
  play: Play,
  world: World,
  visit: (record: CaptureRecord, source: CaptureSource) => void,
  writes: boolean,
): Promise<void> {
  const { session, sources } = play;
  // Lines that come all the time on the same terminal say well enough how far it is.
  const progress = new Progress(world.errIsTTY && !play.quiet && !(writes && world.outIsTTY));
  const size = sources.every((s) => s.size > 0) ? sources.reduce((sum, s) => sum + s.size, 0) : 0;
  const work = (): { packets: number; bytes: number; size: number } => ({
    packets: session.packets,
    bytes: sources.reduce((sum, s) => sum + s.bytesRead, 0),
    size,
  });
  const pipes = sources.filter((s) => s.isPipe);
  const stop = (): void => {
    for (const pipe of pipes) pipe.stop();
  };
  // Whoever stops `tcpdump -w - | keepstate flows -` means tcpdump, and wants to see what there was until then.
  if (pipes.length > 0) process.on('SIGINT', stop);
  for (const source of sources) {
    source.beforeReading = (mayWait) => {
      if (mayWait) world.out.flush();
      progress.step(work);
    };
  }
  try {
    await readTimeline(sources, visit);
  } finally {
    process.off('SIGINT', stop);
    progress.end();
  }
  session.finish();
}

/**
 * Says on standard error what was shown, what the capture as a whole suggests, and which files were damaged.
 * @param shown for example `3 flow entries have been shown.`; null says nothing
 * @returns TROUBLE if a file was damaged, else FINE
 */
export function closePlay(play: Play, world: World, shown: string | null, withHints: boolean): number {
  world.out.flush();
  const damaged = play.sources.flatMap((source) => (source.failure === null ? [] : [source.failure]));
  // Of a file that is no capture at all there is nothing to sum up.
  if (!play.quiet && (damaged.length === 0 || play.session.packets > 0)) {
    if (shown !== null) world.say(`keepstate ${VERSION}: ${shown}`);
    if (withHints) for (const hint of hints(play.session)) world.say(`keepstate: hint: ${hint}`);
  }
  for (const failure of damaged) world.say(`keepstate: ${failure.message}`);
  return damaged.length > 0 ? TROUBLE : FINE;
}

/** Whether to colour standard output, by --color and the world. */
export function colourOf(given: Given, world: World): boolean {
  const choice = oneOf<ColourChoice>('color', given.value('color') ?? 'auto', ['auto', 'always', 'never']);
  return wantsColour(choice, { isTTY: world.outIsTTY, env: world.env });
}
