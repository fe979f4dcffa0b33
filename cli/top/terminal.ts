import type { ReactNode } from 'react';
import type { Colour } from '../colour.ts';
import type { KeyName, Press } from './model.ts';
import type { Line, Size, Span } from './screen.ts';

/** What of ink and React is used; they are loaded when there is a terminal. */
interface Kit {
  readonly ink: typeof import('ink');
  readonly react: typeof import('react');
}

/** Where to draw and listen. */
export interface Terminal {
  readonly stdout: NodeJS.WriteStream;
  readonly stdin: NodeJS.ReadStream;
  readonly colours: boolean;
}

/** What is drawn, and who is told of keys. */
export interface Drawing {
  /** The lines for a screen of a size. */
  readonly lines: (size: Size) => readonly Line[];
  readonly press: (key: Press) => void;
}

/** A screen that is drawn on until it is closed. */
export interface Screen {
  /** Draws anew. */
  redraw(): void;
  /** Settled when it can no longer draw: rejected with what went wrong. */
  readonly ended: Promise<unknown>;
  close(): void;
}

/** The screen beside what was there before, which comes back afterwards. */
const OTHER_SCREEN = '\x1b[?1049h';
const FORMER_SCREEN = '\x1b[?1049l';

/** Of ANSI's eight, as everywhere in keepstate. */
const COLOURS: Readonly<Record<Colour, string>> = {
  good: 'green',
  bad: 'red',
  notable: 'yellow',
  related: 'magenta',
  faint: 'gray',
};

/** Variables by which ink would take a terminal for the log of a CI job, and draw nothing. It looks when it is loaded. */
const CI_VARIABLES = ['CI', 'CONTINUOUS_INTEGRATION'] as const;

async function loadKit(): Promise<Kit> {
  // React made for developers measures itself, and keeps what it measured: on a screen of days that is a leak.
  process.env.NODE_ENV ??= 'production';
  const before = CI_VARIABLES.map((name) => [name, process.env[name]] as const);
  for (const name of CI_VARIABLES) delete process.env[name];
  try {
    const [ink, react] = await Promise.all([import('ink'), import('react')]);
    return { ink, react };
  } finally {
    for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
  }
}

type InkKey = import('ink').Key;

const NAMES: readonly (readonly [keyof InkKey, KeyName])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'page-up'],
  ['pageDown', 'page-down'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
];

/** A key as ink tells it. */
function pressOf(text: string, key: InkKey): Press | null {
  if (key.ctrl) {
    if (text === 'c') return { text: '', name: 'interrupt' };
    return text === 'u' ? { text: '', name: 'clear' } : null;
  }
  if (key.meta && !key.escape) return null;
  const name = NAMES.find(([flag]) => key[flag])?.[1] ?? null;
  return { text: name === null ? text : '', name };
}

function spanNode({ ink, react }: Kit, span: Span, key: number, colours: boolean): ReactNode {
  const { text, colour, strong } = span;
  const paint = colours && colour !== undefined ? { color: COLOURS[colour] } : {};
  return react.createElement(ink.Text, { key, bold: strong === true, ...paint }, text);
}

function lineNode(kit: Kit, { spans, inverse }: Line, key: number, colours: boolean): ReactNode {
  const { ink, react } = kit;
  const parts = spans.map((span, i) => spanNode(kit, span, i, colours));
  // A line without anything would have no height.
  const content = spans.every(({ text }) => text === '') ? ' ' : parts;
  return react.createElement(ink.Text, { key, inverse: inverse === true, wrap: 'truncate-end' }, content);
}

function sizeOf({ stdout }: Terminal): Size {
  // With the lowest line left free ink need not wipe the whole screen each time.
  return { columns: stdout.columns || 80, rows: Math.max(1, (stdout.rows || 24) - 1) };
}

/** Takes the terminal, and draws until the screen is closed. */
export async function openScreen(terminal: Terminal, drawing: Drawing): Promise<Screen> {
  const kit = await loadKit();
  const { ink, react } = kit;
  const { stdout, stdin, colours } = terminal;
  let redraw = (): void => {};
  const App = (): ReactNode => {
    const [, turn] = react.useReducer((n: number) => n + 1, 0);
    react.useEffect(() => {
      redraw = turn;
    }, []);
    ink.useInput((text, key) => {
      for (const press of split(text, key)) drawing.press(press);
      turn();
    });
    const lines = drawing.lines(sizeOf(terminal));
    const nodes = lines.map((line, i) => lineNode(kit, line, i, colours));
    return react.createElement(ink.Box, { flexDirection: 'column' }, nodes);
  };
  stdout.write(OTHER_SCREEN);
  const instance = ink.render(react.createElement(App), {
    stdout,
    stdin,
    exitOnCtrlC: false,
    patchConsole: false,
    // Ink 6.8.0 writes changed lines one line too low.
    incrementalRendering: false,
  });
  const resized = (): void => {
    // Longer lines of before would stay.
    instance.clear();
    redraw();
  };
  stdout.on('resize', resized);
  return {
    redraw: () => redraw(),
    ended: instance.waitUntilExit(),
    close: () => {
      stdout.off('resize', resized);
      instance.unmount();
      stdout.write(FORMER_SCREEN);
    },
  };
}

/** Keys of one piece of input: what was typed fast, or pasted, comes together. */
function split(text: string, key: InkKey): Press[] {
  const one = pressOf(text, key);
  if (one === null) return [];
  if (one.name !== null || text.length <= 1) return [one];
  return [...text].map((letter) => ({
    text: letter,
    name: letter === '\r' || letter === '\n' ? 'enter' : letter === '\x7f' ? 'backspace' : null,
  }));
}
