import { SourceError, type Span } from '../base/error.ts';
import type { Source } from '../iptables/restore.ts';
import { ScriptFlow } from './script-flow.ts';
import type { ScriptTarget } from './script-tools.ts';

/** What is wrong with a script, and what in it was not followed though rules may not depend on it. */
export interface ScriptResult {
  readonly errors: SourceError[];
  readonly warnings: SourceError[];
}

/**
 * Runs a shell script of iptables, ip6tables, iptables-restore, ipset and nft commands. All that a shell does itself is
 * followed, and those tools that only change text; where rules depend on something else, that is an error.
 */
export function runScript(source: Source, target: ScriptTarget): ScriptResult {
  const carriage = /^.*\r$/m.exec(source.text);
  if (carriage !== null) return { errors: [carriageReturn(source, carriage)], warnings: [] };
  const runner = new ScriptFlow(source, target);
  runner.runScript(source.text);
  return { errors: runner.errors, warnings: runner.warnings };
}

function carriageReturn(source: Source, found: RegExpExecArray): SourceError {
  const line = source.text.slice(0, found.index).split('\n').length;
  const at: Span = { file: source.name, line, col: found[0].length, len: 1 };
  return new SourceError('the line ends in a carriage return', at, 'a shell wants Unix line ends');
}
