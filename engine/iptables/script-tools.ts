import { SourceError } from '../base/error.ts';
import { worldSets } from './ipset-world.ts';
import type { Source } from './restore.ts';
import { expandDocument, expandWord, type ShellVariables } from './shell-expand.ts';
import { plainText } from './shell-lex.ts';
import type { ShellCommand, ShellRedirect } from './shell-parse.ts';
import type { Word } from './words.ts';
import type { Xtables } from './xtables.ts';

/** What a script works on. */
export interface ScriptTarget {
  readonly v4: Xtables;
  /** With the same world as `v4`, which holds the IP sets. */
  readonly v6: Xtables;
  /** A file that the script reads (`iptables-restore < file`, `. file`), null if there is none. */
  readonly read?: (path: string) => string | null;
  /** $1 and so on. */
  readonly args?: readonly string[];
  /** The tool that a line of nothing but options is for, as the listings of iptables-save have it. */
  readonly bare?: 'iptables' | 'ip6tables';
}

/** A command's outcome: true is success, null unknown. */
export type Status = boolean | null;
/** A command that is nothing but words. */
export type SimpleCommand = Extract<ShellCommand, { kind: 'simple' }>;

const TOOL = /^(?:.*\/)?(?:(ip6?tables)(?:-legacy|-nft)?(-restore|-save)?|(ipset))$/;

/** Which tool a command's name means; null if it is none that rules depend on. */
export function toolOf(
  name: string,
): { family: string; what: 'command' | 'restore' | 'save' | 'ipset' } | null {
  const m = TOOL.exec(name);
  if (m === null) return null;
  if (m[3] !== undefined) return { family: '', what: 'ipset' };
  return { family: m[1]!, what: m[2] === undefined ? 'command' : m[2] === '-save' ? 'save' : 'restore' };
}

/** Runs the tools that a script calls. */
export class ScriptTools {
  private readonly file: string;
  private readonly target: ScriptTarget;
  private readonly variables: ShellVariables;
  private readonly errors: SourceError[];

  /** @param errors takes what is wrong */
  constructor(file: string, target: ScriptTarget, variables: ShellVariables, errors: SourceError[]) {
    this.file = file;
    this.target = target;
    this.variables = variables;
    this.errors = errors;
  }

  /** @param quiet whether the script goes on if it fails, so that failing is no error */
  run(name: string, node: SimpleCommand, words: readonly Word[], quiet: boolean): Status {
    const tool = toolOf(name)!;
    const silent = quiet || silences(node.redirects);
    try {
      if (tool.what === 'ipset') return this.ipset(words, node);
      if (tool.what === 'save') return true;
      const family = tool.family === 'iptables' ? this.target.v4 : this.target.v6;
      if (tool.what === 'restore') return this.restore(family, words, node);
      family.command(words, node.at);
      return true;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const asks = words.some(({ text }) => text === '-C' || text === '--check');
      if (!silent && !(asks && error.message.includes('Bad rule'))) this.errors.push(error);
      return false;
    }
  }

  private input(node: SimpleCommand, words: readonly Word[]): Source {
    const from = node.redirects.find((r) => r.operator === '<' || r.operator === '<<');
    if (from?.here != null)
      return {
        name: this.file,
        text: expandDocument(from.here, this.file, this.variables),
        line: from.here.line,
      };
    const path =
      from?.word == null
        ? words.find(({ text }) => !text.startsWith('-'))?.text
        : expandWord(from.word, this.variables, { unset: 'error' })[0]?.text;
    const text = path === undefined ? null : (this.target.read?.(path) ?? null);
    if (text === null || path === undefined)
      throw new SourceError(
        `the rules come from ${path ?? 'elsewhere'}, which is not read`,
        node.at,
        'give that file as well',
      );
    return { name: path, text };
  }

  private restore(family: Xtables, words: readonly Word[], node: SimpleCommand): Status {
    const has = (...names: string[]): boolean => words.some(({ text }) => names.includes(text));
    const options = { noflush: has('-n', '--noflush'), counters: has('-c', '--counters') };
    const errors = family.restore(this.input(node, words), options);
    this.errors.push(...errors);
    return errors.length === 0;
  }

  private ipset(words: readonly Word[], node: SimpleCommand): Status {
    const sets = worldSets(this.target.v4.world);
    if (words.some(({ text }) => text === 'restore')) {
      const source = this.input(
        node,
        words.filter(({ text }) => text !== 'restore'),
      );
      const exist = words.some(({ text }) => text === '-exist' || text === '-!');
      const before = '\n'.repeat((source.line ?? 1) - 1);
      const errors = sets.restore({ name: source.name, text: before + source.text }, 0, exist);
      this.errors.push(...errors);
      return errors.length === 0;
    }
    try {
      sets.command(words.map(({ text }) => text));
      return true;
    } catch (error) {
      const { message, word, hint } = error as { message: string; word?: string; hint?: string };
      if (!(error instanceof Error) || error.name !== 'SetError') throw error;
      throw new SourceError(message, words.find(({ text }) => text === word)?.at ?? node.at, hint);
    }
  }
}

/** Whether errors go to /dev/null: then the script counts on them. */
function silences(redirects: readonly ShellRedirect[]): boolean {
  return (
    redirects.some(
      ({ operator, word }) =>
        (operator === '2>' || operator === '&>' || operator === '2>>') &&
        plainText(word ?? undefined) === '/dev/null',
    ) || mergesErrors(redirects)
  );
}

/** `>/dev/null 2>&1` */
function mergesErrors(redirects: readonly ShellRedirect[]): boolean {
  const toNull = redirects.some(
    ({ operator, word }) => operator === '>' && plainText(word ?? undefined) === '/dev/null',
  );
  return toNull && redirects.some(({ operator }) => operator === '2>&');
}
