import type { Span } from '../base/error.ts';
import { toolOf } from './script-tools.ts';
import type { ShellCommand, ShellList, ShellPipeline, SimpleCommand } from './shell-ast.ts';
import { assignedName, plainText, type ShellWord } from './shell-word.ts';
import { wrapped } from './shell-wrapper.ts';

const DEPTH_MAX = 50;
/** Options with which iptables changes nothing. */
const LISTING = ['-L', '-S', '-nL', '-nvL', '-vnL', '--list', '--list-rules', '-C', '--check'];

/** Tells whether a part of a script may change rules or sets, without running it. */
export class RuleTouch {
  private readonly functions: ReadonlyMap<string, ShellCommand>;
  private nameOf: (word: ShellWord) => string | null = plainText;
  private depth = 0;

  /** @param functions of the script, as far as they are known */
  constructor(functions: ReadonlyMap<string, ShellCommand>) {
    this.functions = functions;
  }

  /** @param nameOf what a command's first word stands for; may throw if that cannot be told */
  bind(nameOf: (word: ShellWord) => string | null): void {
    this.nameOf = nameOf;
  }

  /** Whether anything in a list may change rules, sets or the way to them. */
  list(list: ShellList): boolean {
    return list.some((node) =>
      [node.first, ...node.rest.map((r) => r.pipeline)].some((p) => p.commands.some((c) => this.command(c))),
    );
  }

  private command(node: ShellCommand): boolean {
    switch (node.kind) {
      case 'simple':
        return this.simple(node);
      case 'group':
      case 'for':
      case 'count':
        return this.list(node.body);
      case 'function':
        return false;
      case 'if':
        return (
          node.arms.some((arm) => this.list(arm.body) || this.list(arm.test)) ||
          this.list(node.otherwise ?? [])
        );
      case 'case':
        return node.arms.some((arm) => this.list(arm.body));
      default:
        return this.list(node.body) || this.list(node.test);
    }
  }

  private simple(node: SimpleCommand): boolean {
    const words = wrapped(node.words.filter((each) => assignedName(each) === null));
    if (words.length === 0) return false;
    let name: string | null = '';
    try {
      for (const word of words) {
        name = this.nameOf(word);
        if (name !== null) break;
      }
    } catch {
      return true;
    }
    if (name === null) return false;
    const body = this.functions.get(name);
    if (body !== undefined && this.depth < DEPTH_MAX) {
      this.depth++;
      const touches = this.command(body);
      this.depth--;
      return touches;
    }
    const tool = toolOf(name);
    const lists = node.words.some((each) => LISTING.includes(plainText(each)));
    return tool !== null && tool.what !== 'save' && !lists;
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

/** Names of all variables that a list sets, wherever in it. */
export function assignedNames(list: ShellList): string[] {
  return list.flatMap((node) =>
    [node.first, ...node.rest.map((r) => r.pipeline)].flatMap((p) => p.commands.flatMap(namesOf)),
  );
}

function namesOf(node: ShellCommand): string[] {
  switch (node.kind) {
    case 'simple': {
      const set = node.words.flatMap((word) => assignedName(word) ?? []);
      const isSetter = SETS.includes(plainText(node.words[0]));
      return isSetter
        ? [
            ...set,
            ...node.words
              .slice(1)
              .map(plainText)
              .filter((name) => /^[A-Za-z_]\w*$/.test(name)),
          ]
        : set;
    }
    case 'function':
      return [];
    case 'for':
      return [node.name, ...assignedNames(node.body)];
    case 'if':
      return [
        ...node.arms.flatMap((arm) => [...assignedNames(arm.test), ...assignedNames(arm.body)]),
        ...assignedNames(node.otherwise ?? []),
      ];
    case 'case':
      return node.arms.flatMap((arm) => assignedNames(arm.body));
    case 'while':
      return [...assignedNames(node.test), ...assignedNames(node.body)];
    default:
      return assignedNames(node.body);
  }
}
