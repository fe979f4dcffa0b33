import { didYouMean } from '../base/suggest.ts';
import { EXTRA_READERS, type Extras } from './extras.ts';
import { SetError } from './set-error.ts';
import type { SetType } from './set-type.ts';

/** A command's name with its older spellings, and how many words it needs. */
export interface CommandName {
  readonly name: string;
  /** One-letter option of older versions. */
  readonly letter: string;
  /** Other names. */
  readonly aliases: readonly string[];
  readonly needs: number;
  /** How many it takes, if those are all. */
  readonly takes?: number;
}

/** All commands that change or show sets, in the order in which abbreviations are looked up. */
export const COMMANDS: readonly CommandName[] = [
  { name: 'create', letter: 'N', aliases: ['n', 'new'], needs: 2 },
  { name: 'add', letter: 'A', aliases: [], needs: 2 },
  { name: 'del', letter: 'D', aliases: [], needs: 2 },
  { name: 'test', letter: 'T', aliases: [], needs: 2 },
  { name: 'destroy', letter: 'X', aliases: ['x'], needs: 0, takes: 1 },
  { name: 'list', letter: 'L', aliases: [], needs: 0, takes: 1 },
  { name: 'save', letter: 'S', aliases: [], needs: 0, takes: 1 },
  { name: 'restore', letter: 'R', aliases: [], needs: 0 },
  { name: 'flush', letter: 'F', aliases: [], needs: 0, takes: 1 },
  { name: 'rename', letter: 'E', aliases: ['e'], needs: 2, takes: 2 },
  { name: 'swap', letter: 'W', aliases: ['w'], needs: 2, takes: 2 },
  { name: 'help', letter: 'H', aliases: ['h'], needs: 0 },
  { name: 'version', letter: 'V', aliases: ['v'], needs: 0 },
  { name: 'quit', letter: '', aliases: [], needs: 0 },
];

/** The command that a word means: its name, a beginning of it, or the older option. @throws SetError */
export function commandOf(word: string): CommandName {
  const bare = word.replace(/^--/, '');
  for (const c of COMMANDS)
    if (word === `-${c.letter}` || c.aliases.includes(bare) || (bare !== '' && c.name.startsWith(bare)))
      return c;
  const names = COMMANDS.map((c) => c.name);
  throw new SetError(`no command specified: unknown argument ${word}`, word, didYouMean(bare, names));
}

/** Global options, and how many words follow. */
const OPTIONS: ReadonlyMap<string, number> = new Map([
  ['-exist', 0],
  ['-!', 0],
  ['-quiet', 0],
  ['-q', 0],
  ['-resolve', 0],
  ['-r', 0],
  ['-sorted', 0],
  ['-s', 0],
  ['-name', 0],
  ['-n', 0],
  ['-terse', 0],
  ['-t', 0],
  ['-output', 1],
  ['-o', 1],
  ['-file', 1],
  ['-f', 1],
]);

/** Words of a command without the options that may stand anywhere, and whether `-exist` was among them. */
export interface Plain {
  readonly words: readonly string[];
  readonly exist: boolean;
  readonly sorted: boolean;
}

/** Takes the global options out. */
export function withoutOptions(words: readonly string[]): Plain {
  const rest: string[] = [];
  let exist = false;
  let sorted = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const follow = OPTIONS.get(word.replace(/^--/, '-'));
    if (follow === undefined) {
      rest.push(word);
      continue;
    }
    if (/^--?(exist|!)$/.test(word)) exist = true;
    if (/^--?s(orted)?$/.test(word)) sorted = true;
    i += follow;
  }
  return { words: rest, exist, sorted };
}

function isFlag(type: SetType, command: string, name: string): boolean {
  if (name === 'nomatch') return type.parts.includes('net') && command !== 'del';
  return name === 'wildcard' && type.parts.includes('iface') && command === 'add';
}

/** The words behind an element. @throws SetError */
export function parseExtras(type: SetType, command: string, words: readonly string[]): Extras {
  const out: Extras = {};
  const seen = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const name = word.replace(/^--/, '');
    if (isFlag(type, command, name)) {
      if (name === 'nomatch') out.nomatch = true;
      else out.wildcard = true;
      continue;
    }
    const read = command === 'add' ? EXTRA_READERS.get(name) : undefined;
    const isPlace = type.method === 'list' && (name === 'before' || name === 'after');
    if (read === undefined && !isPlace) throw unknown(command, word);
    const value = words[++i];
    if (value === undefined) throw new SetError(`missing mandatory argument of option '${name}'`, word);
    if (seen.has(name)) throw new SetError(`${name} already specified`, value);
    seen.add(name);
    if (isPlace) out[name as 'before' | 'after'] = value;
    else read!(value, out);
  }
  return out;
}

function unknown(command: string, word: string): SetError {
  const names = [...EXTRA_READERS.keys(), 'nomatch', 'wildcard'];
  return new SetError(
    `unknown argument '${word}'`,
    word,
    command === 'add' ? didYouMean(word, names) : undefined,
  );
}
