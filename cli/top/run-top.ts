import type { World } from '../command.ts';
import type { Given } from '../options.ts';
import { wholeNumber } from '../options.ts';
import { colourOf } from '../play.ts';
import { Failure, refuse, UsageError } from '../trouble.ts';
import { ControlSource } from './control-source.ts';
import { kernelSource } from './kernel-source.ts';
import { TopModel } from './model.ts';
import { Monitor } from './monitor.ts';
import { ORDERS, type Order } from './order.ts';
import { LEAST, onceText, screen } from './screen.ts';
import type { TopSource } from './source.ts';
import { openScreen, type Terminal } from './terminal.ts';

/** Flows that --once prints. */
const LINES = 20;
/** Shortest and longest --interval (seconds). */
const SHORTEST = 0.1;
const LONGEST = 3600;

/** How to show the table. */
interface Options {
  readonly order: Order;
  readonly isReversed: boolean;
  readonly filter: string;
  /** ms */
  readonly interval: number;
  readonly lines: number;
}

function orderOf(text: string): readonly [Order, boolean] {
  const isReversed = text.startsWith('-');
  const name = isReversed ? text.slice(1) : text;
  const order = ORDERS.find((one) => one.name === name);
  const names = ORDERS.map((one) => one.name);
  return [order ?? refuse('value of --sort', name, names), isReversed];
}

function intervalOf(text: string): number {
  const seconds = /^\d{1,4}(\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds >= SHORTEST && seconds <= LONGEST))
    throw new UsageError(`bad value '${text}' of --interval: expected ${SHORTEST} to ${LONGEST} seconds`);
  return seconds * 1000;
}

function optionsOf(given: Given): Options {
  const [order, isReversed] = orderOf(given.value('sort') ?? 'rate');
  const lines = given.value('lines');
  return {
    order,
    isReversed,
    filter: given.value('filter') ?? '',
    interval: intervalOf(given.value('interval') ?? '1'),
    lines: lines === null ? LINES : wholeNumber('lines', lines),
  };
}

async function sourceOf(given: Given, world: World): Promise<TopSource> {
  if (!given.has('kernel')) return ControlSource.open(given.value('control'), world.env);
  if (given.has('control'))
    throw new UsageError('--control and --kernel contradict each other: a command looks at one table');
  return kernelSource();
}

/** One look, as text. */
async function printOnce(source: TopSource, model: TopModel, options: Options, world: World): Promise<void> {
  const monitor = new Monitor(
    source,
    model,
    options.interval,
    () => {},
    () => {},
  );
  await monitor.once();
  world.out.write(onceText(model, options.lines));
}

/** Until q is pressed, a signal comes, or the table is gone. */
async function watch(
  source: TopSource,
  model: TopModel,
  interval: number,
  terminal: Terminal,
): Promise<void> {
  let end = (_error: unknown): void => {};
  const ended = new Promise<unknown>((resolve) => {
    end = resolve;
  });
  let redraw = (): void => {};
  const monitor = new Monitor(source, model, interval, () => redraw(), end);
  const drawn = await openScreen(terminal, {
    lines: (size) => screen(model, source.now, size),
    press: (key) => {
      const deed = model.press(key);
      if (deed?.kind === 'quit') end(null);
      else if (deed !== null) monitor.do(deed);
    },
  });
  redraw = () => drawn.redraw();
  drawn.ended.then(() => end(null), end);
  const signalled = (): void => end(null);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, signalled);
  let error: unknown;
  try {
    monitor.start();
    error = await ended;
  } finally {
    monitor.stop();
    drawn.close();
    for (const signal of signals) process.off(signal, signalled);
  }
  if (error !== null) throw error instanceof Error ? new Failure(error.message) : error;
}

/**
 * Shows a table until it is told to end.
 * @param terminal where to, null for one look as text
 * @throws UsageError, Failure
 */
export async function showTop(
  source: TopSource,
  given: Given,
  world: World,
  terminal: Omit<Terminal, 'colours'> | null,
): Promise<number> {
  try {
    const options = optionsOf(given);
    const model = new TopModel(source.title, options.order, options.isReversed, options.filter);
    if (terminal === null) await printOnce(source, model, options, world);
    else await watch(source, model, options.interval, { ...terminal, colours: colourOf(given, world) });
    return 0;
  } finally {
    source.close();
  }
}

/** Carries out `keepstate top`. @throws UsageError, SourceError, Failure */
export async function runTop(words: readonly string[], given: Given, world: World): Promise<number> {
  if (words.length > 0) throw new UsageError(`'top' takes no word '${words[0]}'`);
  // What is wrong with options is said before anybody is asked for a table.
  const { filter } = optionsOf(given);
  new TopModel('', ORDERS[0]!, false, filter);
  const { stdin, stdout } = process;
  const isTerminal = world.outIsTTY && stdin.isTTY === true && world.env.TERM !== 'dumb';
  const once = given.has('once') || !isTerminal;
  if (!once && (stdout.columns < LEAST.columns || stdout.rows < LEAST.rows))
    world.say(`keepstate: the terminal has ${stdout.columns}x${stdout.rows}: not everything fits`);
  return showTop(await sourceOf(given, world), given, world, once ? null : { stdin, stdout });
}
