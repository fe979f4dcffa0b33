import { type SimpleCommand, toolOf } from './script-tools.ts';
import type { ShellWord } from './shell-lex.ts';
import { assignedName, plainText } from './shell-lex.ts';
import type { ShellCommand, ShellList } from './shell-parse.ts';

const DEPTH_MAX = 50;
/** Options with which iptables changes nothing. */
const LISTING = ['-L', '-S', '-nL', '-nvL', '-vnL', '--list', '--list-rules', '-C', '--check'];

/** Tells whether a part of a script may change rules or sets, without running it. */
export class RuleTouch {
  private readonly functions: ReadonlyMap<string, ShellCommand>;
  private readonly nameOf: (word: ShellWord) => string;
  private depth = 0;

  /**
   * @param functions of the script, as far as they are known
   * @param nameOf what a command's first word stands for; may throw if that cannot be told
   */
  constructor(functions: ReadonlyMap<string, ShellCommand>, nameOf: (word: ShellWord) => string) {
    this.functions = functions;
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
    const word = node.words.find((each) => assignedName(each) === null && plainText(each) !== 'sudo');
    if (word === undefined) return false;
    let name = '';
    try {
      name = this.nameOf(word);
    } catch {
      return true;
    }
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

/** Whether a list sets variables. */
export function assigns(list: ShellList): boolean {
  return list.some((node) =>
    node.first.commands.some((c) => c.kind === 'simple' && c.words.some((w) => assignedName(w) !== null)),
  );
}
