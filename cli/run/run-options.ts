import { randomInt } from 'node:crypto';
import type { Settings } from '@keepstate/engine';
import { checkSocketPath, defaultSocket } from '../control/address.ts';
import { type Given, type OptionName, oneOf, wholeNumber } from '../options.ts';
import { sessionOptions } from '../session.ts';
import { UsageError } from '../trouble.ts';
import type { LogFormat } from './log.ts';
import { type MetricsAddress, metricsAddress } from './metrics-server.ts';

/** How packets come, and by what. */
export type Way =
  | { readonly mode: 'bridge'; readonly devices: readonly string[] }
  | { readonly mode: 'tun'; readonly device: string }
  | { readonly mode: 'nfqueue'; readonly queues: readonly number[] }
  | { readonly mode: 'capture'; readonly device: string };

/** What a command line of `keepstate run` says. */
export interface RunOptions {
  readonly way: Way;
  readonly settings: Settings;
  readonly seed: number;
  readonly watch: boolean;
  /** Path of the control socket, null for none. */
  readonly control: string | null;
  readonly controlPort: number | null;
  readonly state: string | null;
  /** Seconds between two savings of the state. */
  readonly stateEvery: number;
  readonly metrics: MetricsAddress | null;
  readonly metricsCompatible: boolean;
  readonly failOpen: boolean;
  readonly logFormat: LogFormat;
}

const WAYS = ['bridge', 'tun', 'nfqueue', 'capture'] as const satisfies readonly OptionName[];

/** Most queues that one run takes. */
const QUEUES_MOST = 64;
/** Longest name of a device in bytes (IFNAMSIZ less its 0). */
const NAME_MOST = 15;
const STATE_EVERY = 60;

function deviceName(option: OptionName, name: string): string {
  // As the kernel has it (dev_valid_name).
  const isLong = Buffer.byteLength(name) > NAME_MOST;
  if (name !== '' && !isLong && !/[\s/:]/.test(name) && name !== '.' && name !== '..') return name;
  throw new UsageError(`bad value of --${option}: '${name}' is no name of a device`);
}

function bridgeWay(text: string): Way {
  const devices = text.split(',').map((name) => deviceName('bridge', name.trim()));
  if (devices.length < 2) throw new UsageError('--bridge needs two devices or more: --bridge eth0,eth1');
  if (new Set(devices).size < devices.length) throw new UsageError('--bridge names a device twice');
  return { mode: 'bridge', devices };
}

function queueWay(text: string): Way {
  const match = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]);
  if (match === null || to > 65535 || from > to)
    throw new UsageError(`bad value '${text}' of --nfqueue: expected a number from 0 to 65535, or two: 0-3`);
  if (to - from >= QUEUES_MOST) throw new UsageError(`--nfqueue takes at most ${QUEUES_MOST} queues`);
  return { mode: 'nfqueue', queues: Array.from({ length: to - from + 1 }, (_, i) => from + i) };
}

function wayOf(given: Given): Way {
  const [mode, other] = WAYS.filter((name) => given.has(name));
  if (mode === undefined)
    throw new UsageError('say how packets come: --bridge, --tun, --nfqueue or --capture');
  if (other !== undefined) throw new UsageError(`--${mode} and --${other} contradict each other`);
  const value = given.value(mode)!;
  if (mode === 'bridge') return bridgeWay(value);
  if (mode === 'nfqueue') return queueWay(value);
  if (value.includes(',')) throw new UsageError(`--${mode} takes one device: run keepstate once for each`);
  return { mode, device: deviceName(mode, value) };
}

/** The value of --control that means none. */
const NO_CONTROL = 'none';

function controlOf(given: Given, env: Readonly<Record<string, string | undefined>>): string | null {
  const value = given.value('control');
  if (value === NO_CONTROL) return null;
  const path = value ?? defaultSocket(env);
  checkSocketPath(path);
  return path;
}

function portOf(given: Given): number | null {
  const value = given.value('control-tcp');
  if (value === null) return null;
  const port = wholeNumber('control-tcp', value);
  if (port < 1 || port > 65535)
    throw new UsageError(`bad value '${value}' of --control-tcp: expected a port from 1 to 65535`);
  return port;
}

function everyOf(given: Given): number {
  const value = given.value('state-every');
  if (value === null) return STATE_EVERY;
  if (!given.has('state')) throw new UsageError("option '--state-every' needs --state");
  const seconds = wholeNumber('state-every', value);
  if (seconds < 1 || seconds > 86400)
    throw new UsageError(`bad value '${value}' of --state-every: expected 1 to 86400 seconds`);
  return seconds;
}

/** @throws UsageError for options that do not go together */
function refuseContradictions(way: Way, given: Given): void {
  if (given.has('fail-open') && way.mode !== 'nfqueue')
    throw new UsageError(
      `'--fail-open' is for --nfqueue: with --${way.mode} ` +
        (way.mode === 'capture'
          ? 'no packet waits for keepstate'
          : 'packets pass through keepstate or not at all'),
    );
  const described = (['host', 'iface', 'route', 'local'] as const).find((name) => given.has(name));
  if (described !== undefined && (way.mode === 'tun' || way.mode === 'nfqueue'))
    throw new UsageError(
      `'--${described}' does not go with --${way.mode}: the kernel says what the machine is`,
    );
  if (given.all('rules').includes('-'))
    throw new UsageError('--rules - is not possible here: rules are read again when they are reloaded');
  if (given.all('rules').length === 0 && way.mode !== 'capture')
    throw new UsageError(`--${way.mode} needs --rules: without rules nothing would be filtered`);
  if (given.has('watch') && given.all('rules').length === 0)
    throw new UsageError("option '--watch' needs --rules");
  if (given.has('metrics-compat') && !given.has('metrics') && given.value('control') === NO_CONTROL)
    throw new UsageError("option '--metrics-compat' needs --metrics");
}

/**
 * Reads a command line.
 * @param env for where the control socket is if none is named
 * @throws UsageError or SysctlError for what does not fit
 */
export function runOptions(given: Given, env: Readonly<Record<string, string | undefined>>): RunOptions {
  const way = wayOf(given);
  refuseContradictions(way, given);
  const metrics = given.value('metrics');
  const { settings, seed } = sessionOptions(given, null);
  return {
    way,
    settings,
    // Whoever knows the key of the hash tables can make all flows meet in one place.
    seed: given.has('seed') ? seed : randomInt(2 ** 32),
    watch: given.has('watch'),
    control: controlOf(given, env),
    controlPort: portOf(given),
    state: given.value('state'),
    stateEvery: everyOf(given),
    metrics: metrics === null ? null : metricsAddress(metrics),
    metricsCompatible: given.has('metrics-compat'),
    failOpen: given.has('fail-open'),
    logFormat: oneOf<LogFormat>('log-format', given.value('log-format') ?? 'text', ['text', 'json']),
  };
}
