import type { SourceError } from '../base/error.ts';
import type { Command } from './ast.ts';
import { T_EOF } from './lex.ts';
import { Sources } from './lex-source.ts';
import { itemEnd } from './parse-block.ts';
import { braceRules } from './parse-chain.ts';
import { command } from './parse-command.ts';
import { Cursor, type Grammar, type NamedText, type ReadFiles, TooManyErrors } from './parse-cursor.ts';
import { commonItem } from './parse-define.ts';
import { expression } from './parse-match.ts';
import { statement } from './parse-stmt.ts';

/** What was read. */
export interface Parsed {
  /** The commands in the order in which they are to be done; incomplete if there are errors. */
  readonly commands: readonly Command[];
  readonly errors: readonly SourceError[];
  /** Says where nodes stand. */
  readonly sources: Sources;
}

const GRAMMAR: Grammar = { expression, statement, rules: braceRules };

/** Variables that the caller defines (`nft -D`), as a text of their own. */
function defineCommandLine(p: Cursor, defines: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(defines)) {
    const inner = new Cursor(GRAMMAR, p.sources, `-D ${name}`, `define ${name} = ${value}\n`, () => null);
    inner.scope = p.scope;
    try {
      commonItem(inner);
    } catch (error) {
      inner.recover(error, 0);
    }
    p.errors.push(...inner.errors);
  }
}

/** Takes the command, or the definition or include, that comes next. */
function topItem(p: Cursor, commands: Command[]): void {
  if (commonItem(p)) {
    return;
  }
  const made = command(p);
  itemEnd(p);
  for (const one of made) {
    commands.push(one);
  }
}

/** Behind an error: a brace that closes nothing would stop us for ever. */
function skipStrayBraces(p: Cursor): void {
  while (p.is('}')) {
    p.next();
  }
  p.braces = 0;
}

/**
 * Reads a ruleset in nft's text language (nft 1.0.6, in the nested form and as commands). Reports every statement
 * that is wrong, not only the first.
 * @param source a name for messages, and the text
 * @param read finds the files that it includes
 * @param defines values of variables that the text may use, as `nft -D` gives them
 */
export function parseNft(
  source: NamedText,
  read: ReadFiles = () => null,
  defines: Readonly<Record<string, string>> = {},
): Parsed {
  const sources = new Sources();
  const commands: Command[] = [];
  const p = new Cursor(GRAMMAR, sources, source.name, source.text, read);
  try {
    defineCommandLine(p, defines);
    for (p.skipSeparators(); p.token.kind !== T_EOF; p.skipSeparators()) {
      try {
        topItem(p, commands);
      } catch (error) {
        p.recover(error, 0);
        skipStrayBraces(p);
      }
    }
  } catch (error) {
    if (!(error instanceof TooManyErrors)) {
      throw error;
    }
  }
  return { commands, errors: p.errors, sources };
}
