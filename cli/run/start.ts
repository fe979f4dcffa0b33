import { randomBytes, randomInt } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { keyHashTables } from '@keepstate/engine';
import type { World } from '../command.ts';
import { readToken, TOKEN_FILE_VARIABLE, TOKEN_VARIABLE, tokenFileOf } from '../control/address.ts';
import { errnoText } from '../errno-text.ts';
import type { Given } from '../options.ts';
import { FINE, FOUND, TROUBLE } from '../play.ts';
import { Failure, UsageError } from '../trouble.ts';
import { Daemon } from './daemon.ts';
import type { DevicePlan } from './devices.ts';
import { Log, type LogFormat } from './log.ts';
import { MetricsServer } from './metrics-server.ts';
import { filesOpenToOthers } from './open-files.ts';
import { isErrors, readRules } from './rules.ts';
import { type RunOptions, runOptions } from './run-options.ts';
import type { LockFile } from './state-lock.ts';

/** What of a run depends on the machine; tests put others in their place. */
export interface RunWorld {
  readonly plan: (options: RunOptions, given: Given) => DevicePlan;
  readonly clock: () => number;
  /** Whom signals are for: `process`. */
  readonly signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
  readonly lockFile: LockFile;
}

/** The token of the control port, and the file that it was written to (null if it was there). */
function tokenOf(
  { control }: RunOptions,
  env: World['env'],
): { readonly token: string; readonly written: string | null } {
  const given = env[TOKEN_VARIABLE];
  if (given !== undefined && given !== '') return { token: given, written: null };
  const file = env[TOKEN_FILE_VARIABLE];
  if (file !== undefined && file !== '') return { token: readToken(file), written: null };
  if (control === null)
    throw new UsageError(
      `--control-tcp needs a token: set ${TOKEN_VARIABLE} or ${TOKEN_FILE_VARIABLE}`,
      false,
    );
  const token = randomBytes(24).toString('base64url');
  const written = tokenFileOf(control);
  try {
    // Made anew, and not through a link that somebody left there.
    rmSync(written, { force: true });
    writeFileSync(written, `${token}\n`, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw new Failure(`cannot write the token of the control port to ${written}: ${errnoText(error)}`);
  }
  return { token, written };
}

/** What is undone at the end, in order. */
type Ends = (() => Promise<unknown> | undefined)[];

/** Opens the sockets by which others reach it. @throws UsageError */
async function listen(
  daemon: Daemon,
  options: RunOptions,
  world: World,
  log: Log,
  ends: Ends,
): Promise<void> {
  const { control, controlPort, metrics } = options;
  if (control !== null) {
    await daemon.control.listenUnix(control);
    log.info('control', 'listening', { socket: control });
  }
  if (controlPort !== null) {
    const { token, written } = tokenOf(options, world.env);
    if (written !== null)
      ends.push(() => {
        rmSync(written, { force: true });
        return undefined;
      });
    const port = await daemon.control.listenTcp(controlPort, token);
    log.info('control', 'listening', { port, ...(written === null ? {} : { token: written }) });
  }
  if (metrics !== null) {
    const { facts } = daemon;
    const server = new MetricsServer({ metrics: () => facts.metrics(), trouble: () => facts.trouble() });
    const port = await server.listen(metrics);
    ends.push(() => server.close());
    log.info('metrics', 'listening', { address: metrics.host, port });
  }
}

/** Runs until a signal, or something that it cannot go on with. @returns the exit status */
async function live(daemon: Daemon, { signals }: RunWorld): Promise<number> {
  const term = (): void => daemon.stop('SIGTERM came');
  const interrupt = (): void => daemon.stop('SIGINT came');
  const hangUp = (): void => {
    daemon.hangUp();
  };
  signals.on('SIGTERM', term);
  signals.on('SIGINT', interrupt);
  signals.on('SIGHUP', hangUp);
  try {
    return (await daemon.stopped) === null ? FINE : FOUND;
  } finally {
    signals.off('SIGTERM', term);
    signals.off('SIGINT', interrupt);
    signals.off('SIGHUP', hangUp);
  }
}

/** Says what is wrong with the rules that it should begin with. */
function tellErrors(errors: readonly string[], format: LogFormat, log: Log, world: World): void {
  for (const error of errors)
    if (format === 'json') log.error('rules', error);
    // Errors of a ruleset begin as nft's do, with the place.
    else world.say(error.startsWith('cannot ') ? `keepstate: ${error}` : error);
}

/**
 * `keepstate run`: reads rules first and opens nothing if anything is wrong with them, goes on with the state that was
 * saved, opens the sockets and the devices, and runs until a signal comes.
 * @returns the exit status
 * @throws UsageError, SysctlError, Failure
 */
export async function startRun(given: Given, world: World, machine: RunWorld): Promise<number> {
  const options = runOptions(given, world.env);
  // One that comes before there is anything to read anew must not end it, and is followed once there is.
  let wasHungUp = false;
  machine.signals.on('SIGHUP', () => {
    wasHungUp = true;
  });
  // Whoever knows the key can make all that packets put into sets meet in one place.
  keyHashTables(randomInt(2 ** 32));
  const log = new Log(options.logFormat, world.say);
  const rules = readRules(given);
  if (isErrors(rules)) {
    tellErrors(rules, options.logFormat, log, world);
    return TROUBLE;
  }
  for (const [file, how] of filesOpenToOthers(rules.sources.keys())) log.warning('rules', how, { file });
  const plan = machine.plan(options, given);
  const daemon = new Daemon(options, given, { ...machine, plan, rules }, log);
  const ends: Ends = [];
  let status: number = TROUBLE;
  let isBegun = false;
  try {
    await listen(daemon, options, world, log, ends);
    daemon.restore();
    daemon.begin();
    isBegun = true;
    if (wasHungUp) daemon.hangUp();
    status = await live(daemon, machine);
  } finally {
    if (!(await daemon.end(isBegun)) && status === FINE) status = FOUND;
    for (const end of ends) await end();
  }
  return status;
}
