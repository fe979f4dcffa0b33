import type { World } from '../command.ts';
import { UsageError } from '../trouble.ts';
import { parseArguments } from './command-line.ts';
import { showControlEvents } from './control-events.ts';
import { showEvents } from './events.ts';
import { changes, type ExecuteWorld, execute, type Outcome, printAbout } from './execute.ts';
import { showKernelEvents } from './kernel-events.ts';
import { Labels } from './labels.ts';
import { atLine, loadRequests } from './load-file.ts';
import { isCaptureSource, openTable } from './open-table.ts';
import type { Request } from './request.ts';
import { type Source, takeSource } from './source-options.ts';
import type { ConntrackTable } from './table.ts';
import { TOOL, ToolError } from './words.ts';

/** The table of a command, opened. @throws UsageError if it is not there, or is only read and would be changed */
async function tableFor(
  requests: readonly Request[],
  source: Source | null,
  world: ExecuteWorld,
): Promise<ConntrackTable> {
  const changing = requests.some(changes);
  const table = await openTable(source, world, world.env ?? {}, changing);
  if (table.readOnly !== null && changing) throw new UsageError(table.readOnly, false);
  return table;
}

/** Carries out the lines of a file, which says nothing of what it did. What fails ends it; what was done stays. */
async function runFile(name: string, source: Source | null, world: ExecuteWorld): Promise<number> {
  const lines = await loadRequests(name, world);
  if (lines.length === 0) return 0;
  const requests = lines.map(({ request }) => request);
  const table = await tableFor(requests, source, world);
  try {
    for (const { request, place } of lines) {
      const done = 'the lines before it were carried out';
      const { summary } = await atLine(place, done, () => execute(request, table, world));
      // Measured: of what a file does, only the emptying of a table is said.
      if (request.command === 'F' && summary !== null) world.say(`${TOOL}: ${summary}`);
    }
  } finally {
    await table.close();
  }
  return 0;
}

/** -E: a capture, a running keepstate and the kernel tell what happened. */
async function watch(request: Request, source: Source | null, world: ExecuteWorld): Promise<Outcome> {
  if (source !== null && isCaptureSource(source)) return showEvents(request, source.name, world);
  if (source?.kind === 'from' || source?.kind === 'table') {
    throw new UsageError(`${source.name}: only a capture has events`, false);
  }
  if (source?.kind === 'kernel') return showKernelEvents(request, world);
  return showControlEvents(request, source?.name ?? null, world, world.env ?? {});
}

async function runOne(args: readonly string[], source: Source | null, world: ExecuteWorld): Promise<number> {
  const request = parseArguments(['conntrack', ...args], world);
  let outcome: Outcome;
  if (request.command === 'h' || request.command === 'V') {
    printAbout(request, world.write);
    return 0;
  }
  if (request.command === 'E') outcome = await watch(request, source, world);
  else {
    const table = await tableFor([request], source, world);
    try {
      outcome = await execute(request, table, world);
    } finally {
      await table.close();
    }
  }
  if (outcome.summary !== null) world.say(`${TOOL}: ${outcome.summary}`);
  return outcome.status;
}

/**
 * conntrack(8) on a table of keepstate's.
 * @param args behind the command's name
 * @returns the exit status: as that of conntrack(8), 2 for what is keepstate's own trouble
 * @throws UsageError, Failure, OutputClosed
 */
export async function runConntrack(args: readonly string[], world: World): Promise<number> {
  const say = (line: string): void => {
    world.out.flush();
    world.say(line);
  };
  const own: ExecuteWorld = {
    say,
    labels: new Labels(say, world.env.KEEPSTATE_CONNLABEL),
    write: (text) => world.out.write(text),
    flush: () => world.out.flush(),
    env: world.env,
    exact: world.exact === true,
  };
  const { source, rest } = takeSource(args);
  try {
    const file = rest[0] === '-R' || rest[0] === '--load-file' ? rest[1] : undefined;
    if (file !== undefined) return await runFile(file, source, own);
    return await runOne(rest, source, own);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    say(error.text);
    if (error.own !== null && world.exact !== true) say(`keepstate: ${error.own}`);
    return error.status;
  }
}
