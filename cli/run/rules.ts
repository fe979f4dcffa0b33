import { readFileSync } from 'node:fs';
import type { RuleTable } from '@keepstate/engine';
import type { Given } from '../options.ts';
import { RuleFiles } from '../rule-files.ts';

/** Rules as they were read from their files. */
export interface ReadRules {
  readonly tables: readonly RuleTable[];
  readonly counts: { readonly tables: number; readonly chains: number; readonly rules: number };
  /** Every file that was read, includes as well, with its text. */
  readonly sources: ReadonlyMap<string, string>;
}

/**
 * Reads the files of --rules, all or nothing.
 * @returns the rules, or all that is wrong with them: each with file, line, column and caret where there is one
 */
export function readRules(given: Given): ReadRules | readonly string[] {
  try {
    const files = new RuleFiles(given);
    for (const name of given.all('rules')) files.load(name, null);
    if (given.has('strict')) files.refuseUnsupported();
    if (files.errors.length > 0) return files.errors.map((error) => files.text(error));
    // As they were read: by now they may say something else.
    const sources = new Map([...files.sources].map(([name, { text }]) => [name, text]));
    return { tables: files.ruleset.tables(), counts: files.ruleset.counts(), sources };
  } catch (error) {
    // A file that is not there, or is no text.
    return [(error as Error).message];
  }
}

/** The text of a file, '' if it is not there (any more). */
export function textOf(name: string): string {
  try {
    return readFileSync(name, 'utf8');
  } catch {
    return '';
  }
}

/** Whether {@link readRules} gave errors. */
export function isErrors(read: ReadRules | readonly string[]): read is readonly string[] {
  return Array.isArray(read);
}
