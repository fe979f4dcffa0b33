import type { Given } from './options.ts';
import type { Output } from './output.ts';

/** What a command may use of the world around it. */
export interface World {
  /** Standard output. */
  readonly out: Output;
  /** Writes a line to standard error. */
  readonly say: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outIsTTY: boolean;
  readonly errIsTTY: boolean;
  /** Called by the name conntrack: says what conntrack(8) says, and nothing of its own besides. */
  readonly exact?: boolean;
}

/** One command with all that its help text says. */
export interface Command {
  readonly name: string;
  /** What follows the name: `FILE…`. */
  readonly takes: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** What more there is to say, a paragraph each. */
  readonly about: readonly string[];
  readonly examples: readonly { readonly command: string; readonly says: string }[];
  /**
   * Does it.
   * @param words what was given besides options
   * @returns the exit status
   * @throws UsageError and the like, which end in status 2; Failure, which ends in 1
   */
  readonly run: (words: readonly string[], given: Given, world: World) => Promise<number>;
}
