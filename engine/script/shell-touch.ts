import { SourceError, type Span } from '../base/error.ts';
import { toolOf } from './script-tools.ts';
import {
  commandsOf,
  listOf,
  listsIn,
  type ShellCommand,
  type ShellList,
  type ShellPipeline,
  type SimpleCommand,
} from './shell-ast.ts';
import { parseShell } from './shell-parse.ts';
import type { ShellFiles } from './shell-streams.ts';
import { assignedName, plainText, type ShellWord } from './shell-word.ts';
import { wrapped } from './shell-wrapper.ts';

const DEPTH_MAX = 50;
/** Options with which iptables changes nothing. */
const LISTING: readonly string[] = [
  '-L',
  '-S',
  '-nL',
  '-nvL',
  '-vnL',
  '--list',
  '--list-rules',
  '-C',
  '--check',
];

const SHELLS: ReadonlySet<string> = new Set(['bash', 'sh', 'dash']);
/** Commands that run what their words say. */
const RUNNERS: ReadonlySet<string> = new Set([...SHELLS, 'eval', 'xargs', 'trap', '.', 'source']);

/** What can be told of a script that is not run. */
export interface TouchScope {
  /** Functions of the script, as far as they are known. */
  readonly functions: ReadonlyMap<string, ShellCommand>;
  readonly files: ShellFiles;
  /** What a command's first word stands for, null if nothing. @throws SourceError if that cannot be told */
  nameOf(word: ShellWord): string | null;
  /** A word's text; what cannot be told of it is left out. */
  textOf(word: ShellWord): string;
}

/** Tells whether a part of a script may change rules or sets, without running it. */
export class RuleTouch {
  private readonly scope: TouchScope;
  private depth = 0;

  constructor(scope: TouchScope) {
    this.scope = scope;
  }

  /** Whether anything in a list may change rules, sets or the way to them. */
  list(list: ShellList): boolean {
    return commandsOf(list).some((node) =>
      node.kind === 'simple' ? this.simple(node) : listsIn(node).some((each) => this.list(each)),
    );
  }

  private simple(node: SimpleCommand): boolean {
    const words = wrapped(node.words.filter((each) => assignedName(each) === null));
    let first = 0;
    let name: string | null = null;
    try {
      for (; first < words.length && name === null; first++) name = this.scope.nameOf(words[first]!);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      return true;
    }
    if (name === null) return false;
    const tool = toolOf(name);
    if (tool === null) return this.deeper(() => this.other(name, words.slice(first)));
    return tool.what !== 'save' && !node.words.some((each) => LISTING.includes(plainText(each)));
  }

  /** What is deeper than anybody writes is not looked at. */
  private deeper(ask: () => boolean): boolean {
    if (this.depth >= DEPTH_MAX) return false;
    this.depth++;
    const touches = ask();
    this.depth--;
    return touches;
  }

  /** A function, or a command that runs what it is given. */
  private other(name: string, words: readonly ShellWord[]): boolean {
    const body = this.scope.functions.get(name);
    if (body !== undefined) return this.list(listOf(body));
    const base = name.slice(name.lastIndexOf('/') + 1);
    if (!RUNNERS.has(base)) return false;
    const texts = words.map((word) => this.scope.textOf(word));
    if (base === 'xargs') return texts.some((text) => toolOf(text) !== null);
    if (base === 'eval') return this.text(texts.join(' '));
    if (base === 'trap') return this.text(texts[0] ?? '');
    const isText = SHELLS.has(base) ? texts.findIndex((text) => /^-[a-z]*c$/.test(text)) : -1;
    if (isText >= 0) return this.text(texts[isText + 1] ?? '');
    return this.text(this.scope.files.text(texts.find((text) => !text.startsWith('-')) ?? '') ?? '');
  }

  private text(text: string): boolean {
    try {
      return this.list(parseShell(text, { file: '', line: 1 }));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      return true;
    }
  }
}

/** Where a pipeline stands. */
export function atOf(node: ShellPipeline): Span {
  return node.commands[0]!.at;
}

/** Builtins that set the variables they are given the names of. */
const SETS: readonly string[] = [
  'read',
  'export',
  'local',
  'declare',
  'readonly',
  'let',
  'getopts',
  'mapfile',
];

/** Names of all variables that a list sets, wherever in it; what functions set counts where they are called. */
export function assignedNames(list: ShellList): string[] {
  return commandsOf(list).flatMap((node) => [
    ...ownNames(node),
    ...(node.kind === 'function' ? [] : listsIn(node).flatMap(assignedNames)),
  ]);
}

function ownNames(node: ShellCommand): string[] {
  if (node.kind === 'for') return [node.name];
  if (node.kind !== 'simple') return [];
  const set = node.words.flatMap((word) => assignedName(word) ?? []);
  if (!SETS.includes(plainText(node.words[0]))) return set;
  const named = node.words.slice(1).map(plainText);
  return [...set, ...named.filter((name) => /^[A-Za-z_]\w*$/.test(name))];
}
