import { dirname, isAbsolute, join } from 'node:path';
import {
  isRuleKind,
  RULE_KINDS,
  type RuleKind,
  type RuleSource,
  Ruleset,
  type SourceError,
} from '@keepstate/engine';
import { glob } from './glob.ts';
import { readText } from './host-options.ts';
import { type Given, oneOf } from './options.ts';
import { sourceErrorText } from './source-text.ts';
import { UsageError } from './trouble.ts';

/** Where include looks besides, as nft does. */
const DEFAULT_INCLUDE = '/etc';

/** Rulesets read from files, and the files' texts for messages about them. */
export class RuleFiles {
  readonly ruleset: Ruleset;
  readonly errors: SourceError[] = [];
  private readonly texts: Map<string, string> = new Map();
  private readonly folders: readonly string[];

  constructor(given: Given) {
    this.folders = [...given.all('include-path'), DEFAULT_INCLUDE];
    this.ruleset = new Ruleset({
      read: (pattern, from) => this.include(pattern, from),
      defines: new Map(given.all('define').map(definition)),
    });
  }

  /** Reads a file into the ruleset. @param kind null to recognise it */
  load(name: string, kind: RuleKind | null): void {
    this.loadText({ name: name === '-' ? '/dev/stdin' : name, text: readText(name) }, kind);
  }

  /** The same for text that is here already. */
  loadText(source: RuleSource, kind: RuleKind | null): void {
    this.texts.set(source.name, source.text);
    this.errors.push(...this.ruleset.load(source, kind));
  }

  /** Reads all that --strict calls an error. */
  refuseUnsupported(): void {
    this.errors.push(...this.ruleset.unsupported());
  }

  /** An error, or a finding, with its line. */
  text(error: SourceError, word?: string): string {
    return sourceErrorText(error, this.texts.get(error.at.file) ?? null, word);
  }

  private include(pattern: string, from: string): readonly RuleSource[] {
    const places = isAbsolute(pattern) ? [''] : [dirname(from), '.', ...this.folders];
    for (const place of places) {
      const names = glob(place === '' || place === '.' ? pattern : join(place, pattern));
      if (names.length === 0) continue;
      return names.map((name) => {
        const text = readText(name);
        this.texts.set(name, text);
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
