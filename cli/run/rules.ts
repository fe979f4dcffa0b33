import type { RuleTable } from '@keepstate/engine';
import type { Given } from '../options.ts';
import { RuleFiles, type TextReader } from '../rule-files.ts';
import { readPlainText } from '../whole-file.ts';
import { type RuleWarnings, ruleWarnings } from './rule-warnings.ts';

/** Rules as they were read from their files. */
export interface ReadRules {
  readonly tables: readonly RuleTable[];
  readonly counts: { readonly tables: number; readonly chains: number; readonly rules: number };
  /** Every file that was read, includes as well, with its text. */
  readonly sources: ReadonlyMap<string, string>;
  readonly warnings: RuleWarnings;
}

/**
 * Reads the files of --rules, all or nothing. Files that hold no table are an error: they let everything pass, and most
 * likely somebody is about to write them.
 * @param reader how files are read; plain ones only where packets wait meanwhile ({@link readRulesAgain})
 * @returns the rules, or all that is wrong with them: each with file, line, column and caret where there is one
 */
export function readRules(given: Given, reader?: TextReader): ReadRules | readonly string[] {
  try {
    const files = new RuleFiles(given, reader);
    const names = given.all('rules');
    for (const name of names) files.load(name, null);
    if (given.has('strict')) files.refuseUnsupported();
    if (files.errors.length > 0) return files.errors.map((error) => files.text(error));
    const counts = files.ruleset.counts();
    if (names.length > 0 && counts.tables === 0) return [noTable(names)];
    // As they were read: by now they may say something else.
    const sources = new Map([...files.sources].map(([name, { text }]) => [name, text]));
    return { tables: files.ruleset.tables(), counts, sources, warnings: ruleWarnings(files) };
  } catch (error) {
    // A file that is not there, or is no text.
    return [(error as Error).message];
  }
}

/** The same while packets wait: whoever puts a FIFO in a file's place must not hold them up. */
export function readRulesAgain(given: Given): ReadRules | readonly string[] {
  return readRules(given, readPlainText);
}

function noTable(names: readonly string[]): string {
  return (
    `cannot use ${names.join(', ')}: no table is in it, and everything would pass; ` +
    "rules that are meant to be empty say so: 'table inet filter { }'"
  );
}

/** The text of a plain file, '' if it is not there (any more). */
export function textOf(name: string): string {
  try {
    return readPlainText(name);
  } catch {
    return '';
  }
}

/** Whether {@link readRules} gave errors. */
export function isErrors(read: ReadRules | readonly string[]): read is readonly string[] {
  return Array.isArray(read);
}
