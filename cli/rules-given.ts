import type { World } from './command.ts';
import { fileHead, isCapture } from './file-head.ts';
import { hostOf } from './host-options.ts';
import type { Given } from './options.ts';
import type { RuleFiles } from './rule-files.ts';
import type { SessionRules } from './session.ts';
import { UsageError } from './trouble.ts';
import { refuseStdinTwice } from './whole-file.ts';

/** Whether a file among the captures holds text, which then must be rules. */
export function isText(name: string): boolean {
  if (name === '-') return false;
  try {
    const head = fileHead(name, 64);
    const control = head.some((byte) => byte < 32 && (byte < 9 || byte > 13));
    return head.length > 0 && !isCapture(head) && !control;
  } catch {
    return false;
  }
}

/** Reads rules. @returns null if there are none; 'wrong' if there are errors, which are said */
async function read(
  names: readonly string[],
  given: Given,
  world: World,
): Promise<RuleFiles | null | 'wrong'> {
  if (names.length === 0) return null;
  // Half of the program, which only who has rules waits for.
  const { RuleFiles } = await import('./with-rules.ts');
  const files = new RuleFiles(given);
  for (const name of names) files.load(name, null);
  if (given.has('strict')) files.refuseUnsupported();
  for (const error of files.errors) world.say(files.text(error));
  for (const warning of files.ruleset.warnings) world.say(files.text(warning, 'Warning'));
  return files.errors.length > 0 ? 'wrong' : files;
}

/** What a command line says of the host, its rules and the captures. */
export interface RulesGiven {
  readonly files: RuleFiles | null;
  /** What packets have to pass, null to track only. */
  readonly rules: SessionRules | null;
  readonly captures: readonly string[];
}

/**
 * Reads the rules and the host that --rules, --host and so on name.
 * @param words files as given: with --rules those that hold text are rules, too
 * @returns null if something is wrong with the rules; the errors are said
 */
export async function rulesGiven(
  words: readonly string[],
  given: Given,
  world: World,
): Promise<RulesGiven | null> {
  const named = given.all('rules');
  const piped = given.has('stdin') && !words.includes('-') ? ['-'] : [];
  refuseStdinTwice([...named, ...given.all('host'), ...words, ...piped]);
  const held = words.filter(isText);
  const texts = named.length > 0 ? held : [];
  // Only a name that --rules gives makes us wait for the languages of rules (bin.js).
  if (held.length > texts.length && (held.length < words.length || hasHost(given)))
    throw new UsageError(`${held[0]} holds text, no capture: rules go with --rules ${held[0]}`);
  const files = await read([...named, ...texts], given, world);
  if (files === 'wrong') return null;
  if (files === null && given.has('strict')) throw new UsageError("option '--strict' needs --rules");
  const described = hasHost(given);
  const rules =
    files === null && !described ? null : { host: hostOf(given), tables: files?.ruleset.tables() ?? [] };
  return { files, rules, captures: words.filter((word) => !texts.includes(word)) };
}

function hasHost(given: Given): boolean {
  return given.has('host') || given.has('iface') || given.has('route') || given.has('local');
}
