import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Output } from './output.ts';
import { run } from './run.ts';

function say(line: string): void {
  try {
    writeSync(2, `${line}\n`);
  } catch {
    // Whoever closed standard error does not want to hear it.
  }
}

process.exitCode = await run(process.argv.slice(2), {
  out: new Output(1),
  say,
  env: process.env,
  outIsTTY: isatty(1),
  errIsTTY: isatty(2),
});
