import { SourceError } from '../base/error.ts';
import { XtError } from '../iptables/extension.ts';
import { worldSets } from '../iptables/ipset-world.ts';
import type { Source } from '../iptables/restore.ts';
import { locate, type Word } from '../iptables/words.ts';
import type { Xtables } from '../iptables/xtables.ts';
import { rulesText } from './script-listing.ts';
import type { SimpleCommand } from './shell-ast.ts';
import type { ShellInput, ShellOutput } from './shell-streams.ts';

/** What a script works on. */
export interface ScriptTarget {
  readonly v4: Xtables;
  /** With the same world as `v4`, which holds the IP sets. */
  readonly v6: Xtables;
  /** Reads commands of nft; without, they are errors. @returns all that is wrong */
  readonly nft?: (source: Source) => readonly SourceError[];
  /** A file that the script reads (`iptables-restore < file`, `. file`), null if there is none. */
  readonly read?: (path: string) => string | null;
  /** $1 and so on. */
  readonly args?: readonly string[];
  /** The tool that a line of nothing but options is for, as the listings of iptables-save have it. */
  readonly bare?: 'iptables' | 'ip6tables';
}

/** A command's outcome: true is success, null unknown. */
export type Status = boolean | null;

/** How a tool is run. */
export interface ToolCall {
  readonly name: string;
  readonly node: SimpleCommand;
  /** What follows the name. */
  readonly words: readonly Word[];
  /** Whether the script goes on if it fails, so that failing is no error. */
  readonly quiet: boolean;
  readonly input: ShellInput | null;
  readonly output: ShellOutput | null;
  /** A file's text, null if there is none. */
  readonly read: (path: string) => string | null;
}

type ToolKind = 'command' | 'restore' | 'save' | 'ipset' | 'nft';

const TOOL = /^(?:.*\/)?(?:(ip6?tables)(?:-legacy|-nft)?(-restore|-save)?|(ipset|nft))$/;
/** Options with which a tool changes nothing and prints what nobody but it can tell. */
const SHOWS = /^(-[nvxt]*L[nvx]*|--list|-V|--version|-h|--help)$/;
/** What nft is told that changes nothing. */
const NFT_SHOWS = /^(-\S+\s+)*(list|monitor|describe|get|help|-h|-v|-V|--help|--version)\b/;

const NFT_HINT = 'give them as a file for nft';

/** Which tool a command's name means; null if it is none that rules depend on. */
export function toolOf(name: string): { family: string; what: ToolKind } | null {
  const m = TOOL.exec(name);
  if (m === null) return null;
  if (m[3] !== undefined) return { family: '', what: m[3] as ToolKind };
  return { family: m[1]!, what: m[2] === undefined ? 'command' : m[2] === '-save' ? 'save' : 'restore' };
}

/** Runs the tools that a script calls. */
export class ScriptTools {
  private readonly file: string;
  private readonly target: ScriptTarget;
  private readonly errors: SourceError[];
  /** The last error that the script counted on, null if a tool has succeeded since. */
  private excused: SourceError | null = null;

  /** @param errors takes what is wrong */
  constructor(file: string, target: ScriptTarget, errors: SourceError[]) {
    this.file = file;
    this.target = target;
    this.errors = errors;
  }

  /** Runs one. */
  run(call: ToolCall): Status {
    const tool = toolOf(call.name)!;
    const family = tool.family === 'iptables' ? this.target.v4 : this.target.v6;
    const text = call.words.map((word) => word.text);
    if (tool.what === 'nft' && this.target.nft === undefined && !NFT_SHOWS.test(text.join(' ')))
      this.errors.push(
        new SourceError("commands of nft are not followed in a script of iptables'", call.node.at, NFT_HINT),
      );
    try {
      if (tool.what === 'ipset') return this.ipset(call);
      if (tool.what === 'nft') return this.nft(call);
      if (tool.what === 'save') return this.save(family, call);
      if (tool.what === 'restore') return this.restore(family, call);
      const listing = rulesText(family, text);
      if (listing !== null) call.output?.print(listing);
      else if (text.some((word) => SHOWS.test(word))) call.output?.mark(`${call.name} -L`);
      family.command(call.words, call.node.at);
      this.excused = null;
      return true;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      const asks = text.some((word) => word === '-C' || word === '--check');
      if (call.quiet) this.excused = error;
      else if (!(asks && error.message.includes('Bad rule'))) this.errors.push(error);
      return false;
    }
  }

  /** The script ends for an error after all: `iptables … || exit 1`. */
  fatal(): void {
    if (this.excused !== null) this.errors.push(this.excused);
    this.excused = null;
  }

  /** What a tool reads: its input, or the file that is named. @throws SourceError if it is not known */
  private input(call: ToolCall, path: string | undefined): Source & { readonly isOwn: boolean } {
    const { input, node } = call;
    const isFile = path !== undefined && path !== '-' && path !== '/dev/stdin';
    const text = isFile ? call.read(path) : (input?.rest() ?? null);
    const name = isFile ? path : (input?.file ?? null);
    if (text !== null)
      return {
        name: name ?? this.file,
        text,
        line: name === null ? input!.line : 1,
        isOwn: name === null && input!.line === 0,
      };
    if (name === null && input !== null)
      throw new SourceError(
        'what comes through a pipe is not known here',
        node.at,
        'give the text with <<EOF',
      );
    throw new SourceError(
      `the rules come from ${name ?? 'elsewhere'}, which is not read`,
      node.at,
      'give that file as well',
    );
  }

  /** Notes errors; those of text that the script made itself where the tool is called. */
  private note(errors: readonly SourceError[], isOwn: boolean, call: ToolCall): Status {
    for (const error of errors) {
      const head = `${error.at.file}:${error.at.line}:${error.at.col}: `;
      const what = `line ${error.at.line} of what it reads: ${error.message.slice(head.length)}`;
      this.errors.push(isOwn ? new SourceError(what, call.node.at) : error);
    }
    return errors.length === 0;
  }

  private restore(family: Xtables, call: ToolCall): Status {
    const read = locate(call.node.at, () => restoreOptions(call.words.map((word) => word.text)));
    const { isOwn, ...source } = this.input(call, read.file);
    if (read.isTest) return this.note([], isOwn, call);
    const { noflush, counters } = read;
    const options =
      read.table === undefined ? { noflush, counters } : { noflush, counters, table: read.table };
    return this.note(family.restore(isOwn ? { ...source, line: 1 } : source, options), isOwn, call);
  }

  private save(family: Xtables, call: ToolCall): Status {
    const texts = call.words.map((word) => word.text);
    const at = texts.findIndex((text) => text === '-t' || text === '--table');
    const table = at < 0 ? {} : { table: texts[at + 1] ?? '' };
    const counters = texts.includes('-c') || texts.includes('--counters');
    call.output?.print(family.save({ date: 'a day', counters, ...table }));
    return true;
  }

  private nft(call: ToolCall): Status {
    const texts = call.words.map((word) => word.text);
    const { at } = call.node;
    if (NFT_SHOWS.test(texts.join(' '))) {
      call.output?.mark('nft list');
      return true;
    }
    if (this.target.nft === undefined) return null;
    const file = texts.findIndex((text) => /^(-[a-z]*f|--file)$/.test(text));
    if (texts.some((text) => text === '-c' || text === '--check')) return null;
    if (file < 0) {
      const first = call.words.findIndex((word) => !word.text.startsWith('-'));
      const words = call.words.slice(first);
      if (first < 0) return null;
      const { line, col } = words[0]!.at;
      const text = `${'\n'.repeat(line - 1)}${' '.repeat(col - 1)}${words.map((word) => word.text).join(' ')}\n`;
      return this.note(this.target.nft({ name: at.file, text }), false, call);
    }
    const { isOwn, ...source } = this.input(call, texts[file + 1]);
    const text = '\n'.repeat(Math.max(0, source.line! - 1)) + source.text;
    return this.note(this.target.nft({ name: source.name, text }), isOwn, call);
  }

  private ipset(call: ToolCall): Status {
    const { words, node } = call;
    const sets = worldSets(this.target.v4.world);
    const texts = words.map(({ text }) => text);
    const exist = texts.includes('-exist') || texts.includes('-!');
    if (texts.some((text) => text === 'restore' || text === '-R' || text === '--restore')) {
      const at = texts.findIndex((text) => /^--?f(ile)?$/.test(text));
      const { isOwn, ...source } = this.input(call, at < 0 ? undefined : texts[at + 1]);
      const before = '\n'.repeat(Math.max(0, source.line! - 1));
      return this.note(
        sets.restore({ name: source.name, text: before + source.text }, 0, exist),
        isOwn,
        call,
      );
    }
    try {
      const answer = sets.command(texts);
      const isTest = /^(test|-T|--test)$/.test(
        texts.find((text) => !/^-(!|exist|q|quiet)$/.test(text)) ?? '',
      );
      if (/^(save|-S)$/.test(texts[0] ?? '')) call.output?.print(answer.text);
      else if (/^(list|-L|-n|-t)$/.test(texts[0] ?? '')) return this.listed(texts, call);
      return isTest ? answer.found : true;
    } catch (error) {
      const { message, word, hint } = error as { message: string; word?: string; hint?: string };
      if (!(error instanceof Error) || error.name !== 'SetError') throw error;
      if (texts.includes('-q') || texts.includes('-quiet')) return false;
      throw new SourceError(message, words.find(({ text }) => text === word)?.at ?? node.at, hint);
    }
  }

  /** `ipset list NAME`, with which scripts ask whether there is such a set. */
  private listed(texts: readonly string[], call: ToolCall): Status {
    const sets = worldSets(this.target.v4.world);
    const name = texts.slice(1).find((text) => !text.startsWith('-'));
    if (name === undefined && texts.some((text) => text === '-n' || text === '-name'))
      call.output?.print(
        sets
          .names()
          .map((each) => `${each}\n`)
          .join(''),
      );
    else call.output?.mark('ipset list');
    if (name === undefined || sets.find(name) !== undefined) return true;
    throw new SourceError('the set with the given name does not exist', call.node.at);
  }
}

/** What iptables-restore is told. */
function restoreOptions(words: readonly string[]): {
  noflush: boolean;
  counters: boolean;
  isTest: boolean;
  table: string | undefined;
  file: string | undefined;
} {
  const out = {
    noflush: false,
    counters: false,
    isTest: false,
    table: undefined as string | undefined,
    file: undefined as string | undefined,
  };
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (/^-[cntvh46]+$/.test(word) || /^-[cnv]*[TwWM]/.test(word)) {
      const letters = /^-([cntvh46]*)([TwWM]?)(.*)$/.exec(word)!;
      if (letters[1]!.includes('n')) out.noflush = true;
      if (letters[1]!.includes('c')) out.counters = true;
      if (letters[1]!.includes('t')) out.isTest = true;
      const takes = letters[2] !== '' && !(words[i + 1] ?? '-').startsWith('-');
      const value = letters[3] !== '' ? letters[3] : takes ? words[++i] : undefined;
      if (letters[2] === 'T') out.table = value;
      if (letters[2] === 'w' && value !== undefined && !/^\d/.test(value))
        throw new XtError('wait seconds not numeric');
    } else if (/^--n(o(f(l(u(s(h)?)?)?)?)?)?$/.test(word)) out.noflush = true;
    else if (/^--c(o(u(n(t(e(r(s)?)?)?)?)?)?)?$/.test(word)) out.counters = true;
    else if (/^--te(st)?$/.test(word)) out.isTest = true;
    else if (/^--ta(ble)?$/.test(word)) out.table = words[++i];
    else if (/^--ta(ble)?=/.test(word)) out.table = word.slice(word.indexOf('=') + 1);
    else if (!word.startsWith('-') || word === '-') out.file = word;
    else if (/^--(wait|wait-interval|modprobe)$/.test(word) && !(words[i + 1] ?? '-').startsWith('-')) i++;
  }
  return out;
}
