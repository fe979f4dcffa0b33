import { fstatSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { isRuleKind, RULE_KINDS, Ruleset, SourceError } from '@keepstate/engine';
import type { World } from './command.ts';
import { counted } from './counted.ts';
import { errnoText } from './errno-text.ts';
import type { Given } from './options.ts';
import { FINE, FOUND, TROUBLE } from './play.ts';
import { kindOf, RuleFiles } from './rule-files.ts';
import { sourceErrorText, sourceLines } from './source-text.ts';
import { UsageError } from './trouble.ts';
import { VERSION } from './version.ts';
import { refuseStdinTwice } from './whole-file.ts';

/** An error as JSON tells it. */
function errorFields(error: SourceError): Record<string, unknown> {
  const { file, line, col, len } = error.at;
  const head = `${file}:${line}:${col}: `;
  const tail = error.hint === undefined ? '' : ` (${error.hint})`;
  const message = error.message.slice(head.length, error.message.length - tail.length);
  return { file, line, col, len, message, hint: error.hint ?? null };
}

/** One request of --batch. */
interface Request {
  readonly id?: unknown;
  readonly kind?: unknown;
  readonly script?: unknown;
}

/** Answers one line of --batch. Nothing of it stays for the next one. */
function answer(line: string): Record<string, unknown> {
  let request: Request;
  try {
    request = JSON.parse(line) as Request;
  } catch (error) {
    return { id: null, ok: false, error: `no JSON: ${(error as Error).message}`, listing: null };
  }
  const { id = null, kind, script } = request ?? {};
  if (kind === undefined) {
    return { id, ok: false, error: `'kind' is missing: one of ${RULE_KINDS.join(', ')}`, listing: null };
  }
  if (typeof kind !== 'string' || !isRuleKind(kind)) {
    return {
      id,
      ok: false,
      error: `unknown kind ${JSON.stringify(kind)}: expected ${RULE_KINDS.join(', ')}`,
      listing: null,
    };
  }
  if (typeof script !== 'string') return { id, ok: false, error: "'script' is no text", listing: null };
  const ruleset = new Ruleset();
  const errors = ruleset.load({ name: 'script', text: script }, kind);
  if (errors.length > 0) {
    const lines = sourceLines(script);
    return { id, ok: false, error: errors.map((e) => sourceErrorText(e, lines)).join('\n'), listing: null };
  }
  return { id, ok: true, error: null, listing: ruleset.list(kind) };
}

async function batch(world: World): Promise<number> {
  const { stdin } = process;
  // Of what cannot be read Node says that it is empty, or at its end.
  if (fstatSync(0).isDirectory())
    throw new UsageError('cannot read standard input: it is a directory', false);
  let failure: unknown = null;
  stdin.on('error', (error) => {
    failure = error;
  });
  for await (const line of createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    world.out.write(`${JSON.stringify(answer(line))}\n`);
    world.out.flush();
  }
  if (failure !== null) throw new UsageError(`cannot read standard input: ${errnoText(failure)}`, false);
  return FINE;
}

/** Prints what lint has to say. @returns how many findings there are */
function sayFindings(files: RuleFiles, json: boolean, world: World): number {
  const findings = files.ruleset.lint();
  for (const { code, at, message, fix } of findings) {
    if (json) {
      const place = {
        file: at?.file ?? null,
        line: at?.line ?? null,
        col: at?.col ?? null,
        len: at?.len ?? null,
      };
      world.out.write(`${JSON.stringify({ finding: code, ...place, message, fix })}\n`);
    } else if (at === null) world.out.write(`Warning: ${message} [${code}]\n${fix}\n`);
    else world.out.write(`${files.text(new SourceError(`${message} [${code}]`, at, fix), 'Warning')}\n`);
  }
  return findings.length;
}

/** What `keepstate check` does. @returns the exit status */
export async function check(words: readonly string[], given: Given, world: World): Promise<number> {
  if (given.has('batch')) {
    if (words.length > 0)
      throw new UsageError('--batch reads its requests from standard input, and no files');
    return batch(world);
  }
  if (words.length === 0) throw new UsageError("no ruleset is named: give a file, or '-' for standard input");
  refuseStdinTwice(words);
  const json = given.has('json');
  const files = new RuleFiles(given);
  const kind = kindOf(given);
  // What is wrong with the others is told all the same.
  const unread: UsageError[] = [];
  for (const name of words) {
    try {
      files.load(name, kind);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      unread.push(error);
    }
  }
  if (given.has('strict')) files.refuseUnsupported();
  const { errors, ruleset } = files;
  for (const error of errors) {
    if (json) world.out.write(`${JSON.stringify({ error: errorFields(error) })}\n`);
    else world.say(files.text(error));
  }
  for (const warning of ruleset.warnings) world.say(files.text(warning, 'Warning'));
  for (const error of unread) world.say(`keepstate: ${error.message}`);
  if (unread.length > 0) return TROUBLE;
  if (errors.length > 0) return FOUND;
  let found = 0;
  if (given.has('lint')) found = sayFindings(files, json, world);
  if (given.has('list')) world.out.write(json ? `${ruleset.listJson()}\n` : ruleset.list());
  world.out.flush();
  if (
    given.has('list') &&
    json &&
    [ruleset.ipv4, ruleset.ipv6].some((xtables) => xtables.tables().length > 0)
  )
    world.say('keepstate: rules of iptables have no JSON: --list without --json shows them');
  if (!given.has('quiet')) {
    const { tables, chains, rules } = ruleset.counts();
    const held = `${counted(rules, 'rule')} in ${counted(chains, 'chain')} of ${counted(tables, 'table')}.`;
    const linted = given.has('lint') ? ` ${counted(found, 'finding')}.` : '';
    world.say(`keepstate ${VERSION}: ${held}${linted}`);
  }
  return found > 0 ? FOUND : FINE;
}
