import { dirname, isAbsolute, join, resolve } from 'node:path';
import {
  isRuleKind,
  RULE_KINDS,
  type RuleKind,
  type RuleSource,
  Ruleset,
  type SourceError,
} from '@keepstate/engine';
import { glob } from './glob.ts';
import { type Given, oneOf } from './options.ts';
import { type SourceLines, sourceErrorText, sourceLines } from './source-text.ts';
import { UsageError } from './trouble.ts';
import { readText } from './whole-file.ts';

/** What a file is that cannot be rules, by how it begins; as one message instead of one for each of its lines. */
function notRules(text: string): string | null {
  // A byte order mark of UTF-16 is no UTF-8 and was read as two U+FFFD.
  if (/^(\ufffd\ufffd)?([^\0]\0|\0[^\0]){3}/.test(text)) return 'it is UTF-16: save it as UTF-8';
  if (text.startsWith('\ufeff'))
    return 'it begins with a byte order mark, which no tool takes: save it without';
  if (text.slice(0, 4096).includes('\0'))
    return 'it is no text, and rules are (a capture goes to trace, without --rules)';
  return null;
}

/** Gives the text of a file. @throws UsageError if it cannot be read */
export type TextReader = (name: string) => string;

/** Where include looks besides, as nft does. */
const DEFAULT_INCLUDE = '/etc';

/** Rulesets read from files, and the files' texts for messages about them. */
export class RuleFiles {
  readonly ruleset: Ruleset;
  readonly errors: SourceError[] = [];
  private readonly texts: Map<string, SourceLines> = new Map();
  private readonly folders: readonly string[];
  private readonly readText: TextReader;

  /** @param reader reads each file, included ones as well */
  constructor(given: Given, reader: TextReader = readText) {
    this.readText = reader;
    this.folders = [...given.all('include-path'), DEFAULT_INCLUDE];
    this.ruleset = new Ruleset({
      read: (pattern, from) => this.include(pattern, from),
      defines: new Map(given.all('define').map(definition)),
    });
  }

  /** Reads a file into the ruleset. @param kind null to recognise it */
  load(name: string, kind: RuleKind | null): void {
    this.loadText({ name: name === '-' ? '/dev/stdin' : name, text: this.read(name) }, kind);
  }

  /** The same for text that is here already. */
  loadText(source: RuleSource, kind: RuleKind | null): void {
    this.texts.set(source.name, sourceLines(source.text));
    this.errors.push(...this.ruleset.load(source, kind));
  }

  /** Reads all that --strict calls an error. */
  refuseUnsupported(): void {
    this.errors.push(...this.ruleset.unsupported());
  }

  /** Every file that was read, and its text: those loaded and those that they include. */
  get sources(): ReadonlyMap<string, SourceLines> {
    return this.texts;
  }

  /** An error, or a finding, with its line. */
  text(error: SourceError, word?: string): string {
    return sourceErrorText(error, this.texts.get(error.at.file) ?? null, word);
  }

  /** The text of a file of rules. @throws UsageError if it cannot be read or is no text */
  private read(name: string): string {
    const text = this.readText(name);
    const why = notRules(text);
    if (why !== null) throw new UsageError(`cannot read ${name}: ${why}`, false);
    return text;
  }

  private include(pattern: string, from: string): readonly RuleSource[] {
    // As nft: what begins with a dot is looked for in the working directory only, all else in the folders for includes
    // only. Where that finds nothing, nft would say so; a ruleset that is not at its place here is in the file's folder.
    const own = pattern.startsWith('.') ? ['.'] : [...this.folders, '.'];
    const places = isAbsolute(pattern) ? [''] : [...own, dirname(from)];
    for (const place of places) {
      const found = glob(place === '' || place === '.' ? pattern : join(place, pattern));
      const names = found.filter((name) => resolve(name) !== resolve(from));
      if (names.length === 0) continue;
      return names.map((name) => {
        const text = this.read(name);
        this.texts.set(name, sourceLines(text));
        return { name, text };
      });
    }
    return [];
  }
}

function definition(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`bad value '${text}' of --define: expected NAME=VALUE`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** What --kind says, null if it is not given. */
export function kindOf(given: Given): RuleKind | null {
  const word = given.value('kind');
  if (word === null) return null;
  return isRuleKind(word) ? word : oneOf<RuleKind>('kind', word, RULE_KINDS);
}
