import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { isatty } from 'node:tty';
import { CONNTRACK_NAME } from './commands/conntrack.ts';
import { tuneCompiler } from './compiler.ts';
import { Output } from './output.ts';
import { run } from './run.ts';

function say(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Whoever closed standard error does not want to hear it.
  }
}

const args = process.argv.slice(2);
// A link of this name is the command of this name.
const linked = basename(process.argv[1] ?? '') === CONNTRACK_NAME;

tuneCompiler();
const status = await run(linked ? [CONNTRACK_NAME, ...args] : args, {
  out: new Output(1),
  say,
  env: process.env,
  outIsTTY: isatty(1),
  errIsTTY: isatty(2),
  exact: linked,
});
// All output is written by now. A pipe that nobody reads any more would keep the process alive.
process.exit(status);
