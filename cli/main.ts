import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
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

tuneCompiler();
const status = await run(process.argv.slice(2), {
  out: new Output(1),
  say,
  env: process.env,
  outIsTTY: isatty(1),
  errIsTTY: isatty(2),
});
// All output is written by now. A pipe that nobody reads any more would keep the process alive.
process.exit(status);
