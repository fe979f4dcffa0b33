/** A process that gives up capabilities, and prints what each of its threads has then. Needs no namespace. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { missingCapabilities, permittedByThread, restrictProcess } from '../../live/capabilities.ts';
import { RawSender } from '../../live/nfqueue-answers.ts';

const before = process.pid;
restrictProcess();
// Threads that come later.
await readFile('/proc/self/status');
const worker = new Worker('setInterval(() => {}, 1000)', { eval: true });
await new Promise((resolve) => worker.once('online', resolve));

function refusal(): string {
  try {
    new RawSender(1).close();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

const status = await readFile('/proc/self/status', 'latin1');
console.log(
  JSON.stringify({
    threads: [...new Set(permittedByThread())],
    bounding: /^CapBnd:\s*(\S+)/m.exec(status)?.[1],
    noNewPrivs: /^NoNewPrivs:\s*(\S+)/m.exec(status)?.[1],
    missing: missingCapabilities('nfqueue'),
    refusal: refusal(),
    arguments: process.argv.slice(2),
    pid: before,
    input: readFileSync(0, 'latin1'),
  }),
);
process.exit(0);
