import type { Span } from '../base/error.ts';
import type { Status } from './script-tools.ts';
import type { ShellCommand, SimpleCommand } from './shell-ast.ts';
import type { ShellScope } from './shell-expand.ts';
import type { ShellFiles, ShellInput, ShellOutput } from './shell-streams.ts';

/** How a script leaves what it is in. */
export type Leave = 'exit' | 'return' | 'break' | 'continue';

/** A running script, as its builtins see it. */
export interface ShellHost extends ShellScope {
  readonly functions: Map<string, ShellCommand>;
  readonly aliases: Map<string, string>;
  readonly files: ShellFiles;
  /** What `trap … EXIT` is to do at the end, null if nothing. */
  atExit: string | null;
  /** Whether `echo` takes escapes, as that of /bin/sh does. */
  readonly isDash: boolean;
  /** `set -e`. */
  isErrexit: boolean;
  /** `set -o pipefail`. */
  isPipefail: boolean;
  /** What the command reads, null if that is not known. */
  readonly input: ShellInput | null;
  /** Takes what the command prints, null if nobody asks. */
  readonly output: ShellOutput | null;
  /** Leaves loops, a function or the script. @param levels how many loops */
  leave(how: Leave, levels: number, status: number | null): void;
  /** Runs text as part of the script. @throws SourceError if it cannot be read */
  runText(text: string, at: Span): Status;
  /** The same in a shell of its own. */
  runShell(text: string, args: readonly string[], at: Span): Status;
  /** Runs a command that is known by its words. */
  runWords(words: readonly string[], node: SimpleCommand): Status;
  /** Says once what was not followed. */
  warn(what: string, node: SimpleCommand): void;
}
