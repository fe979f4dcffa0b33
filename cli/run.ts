import { existsSync } from 'node:fs';
import { SourceError, SysctlError, suggest } from '@keepstate/engine';
import type { Command, World } from './command.ts';
import { CHECK } from './commands/check.ts';
import { CONNTRACK, CONNTRACK_NAME } from './commands/conntrack.ts';
import { EVENTS } from './commands/events.ts';
import { FLOWS } from './commands/flows.ts';
import { helpCommand } from './commands/help.ts';
import { PROC } from './commands/proc.ts';
import { RUN } from './commands/run.ts';
import { SYSCTL } from './commands/sysctl.ts';
import { TOP } from './commands/top.ts';
import { TRACE } from './commands/trace.ts';
import { VERSION_COMMAND } from './commands/version.ts';
import { runConntrack } from './conntrack/main.ts';
import { FILTER, filterErrorText } from './filter.ts';
import { commandHelp, generalHelp } from './help-text.ts';
import { type CommandLine, checkOptions, parseCommandLine } from './options.ts';
import { FINE, FOUND, TROUBLE } from './play.ts';
import { Log } from './run/log.ts';
import { Failure, OutputClosed, UsageError } from './trouble.ts';

const WORKERS: readonly Command[] = [
  TRACE,
  CHECK,
  FLOWS,
  EVENTS,
  RUN,
  CONNTRACK,
  TOP,
  SYSCTL,
  PROC,
  VERSION_COMMAND,
];
const HELP = helpCommand(WORKERS);

/** Every command, in the order in which the help lists them. */
export const COMMANDS: readonly Command[] = [...WORKERS, HELP];

function commandOf(name: string): Command {
  const command = COMMANDS.find((c) => c.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((c) => c.name);
  if (suggest(name, names) === undefined && existsSync(name)) {
    throw new UsageError(`'${name}' is no command: did you mean 'keepstate trace ${name}'?`);
  }
  const near = suggest(name, names);
  throw new UsageError(
    `unknown command '${name}': ${near === undefined ? `expected ${names.join(', ')}` : `did you mean '${near}'?`}`,
  );
}

async function dispatch(line: CommandLine, world: World): Promise<number> {
  const { words, given } = line;
  const [name, ...rest] = words;
  if (name === undefined) {
    if (given.has('version')) return VERSION_COMMAND.run([], given, world);
    if (given.has('help')) return HELP.run([], given, world);
    throw new UsageError(`no command is given: expected ${COMMANDS.map((c) => c.name).join(', ')}`);
  }
  const command = commandOf(name);
  checkOptions(command.name, given);
  if (given.has('help')) world.out.write(command === HELP ? generalHelp(COMMANDS) : commandHelp(command));
  else if (given.has('version')) return VERSION_COMMAND.run([], given, world);
  else return command.run(rest, given, world);
  return FINE;
}

/** What to say of an error, and the status to end with. */
function verdictOn(error: unknown, line: CommandLine | null): readonly [status: number, text: string | null] {
  if (error instanceof OutputClosed) return [FINE, null];
  if (error instanceof UsageError) {
    const help = error.help ? "\nTry 'keepstate --help' for more information." : '';
    return [TROUBLE, `${error.message}${help}`];
  }
  if (error instanceof SysctlError) return [TROUBLE, `--sysctl: ${error.message}`];
  if (error instanceof SourceError && error.at.file !== FILTER) return [TROUBLE, error.message];
  if (error instanceof SourceError) {
    const text = filterErrorText(line?.given.value('filter') ?? '', error);
    return [TROUBLE, `${text}\nTry 'keepstate help filter' for the language.`];
  }
  if (error instanceof Failure) return [FOUND, error.message];
  const what = error instanceof Error ? error.message : String(error);
  return [FOUND, `internal error: ${what}. Please report it.`];
}

/** Whether messages are to be lines of JSON, also where a command line cannot be read. */
function wantsJson(args: readonly string[]): boolean {
  return args.some(
    (arg, i) => arg === '--log-format=json' || (arg === 'json' && args[i - 1] === '--log-format'),
  );
}

/** Writes out what a command had to show before something went wrong. */
function flushWhatIsThere({ out }: World): void {
  try {
    out.flush();
  } catch {
    // What went wrong first is what is told.
  }
}

/**
 * Does what a command line says.
 * @param args without node and script
 * @returns the exit status; nothing is thrown
 */
export async function run(args: readonly string[], world: World): Promise<number> {
  let line: CommandLine | null = null;
  try {
    // conntrack(8) has a command line of its own.
    if (args[0] !== CONNTRACK_NAME) line = parseCommandLine(args);
    const status = await (line === null ? runConntrack(args.slice(1), world) : dispatch(line, world));
    world.out.flush();
    return status;
  } catch (error) {
    const [status, text] = verdictOn(error, line);
    flushWhatIsThere(world);
    if (text !== null && wantsJson(args)) new Log('json', world.say).error('start', text);
    else if (text !== null) world.say(`keepstate: ${text}`);
    return status;
  }
}
