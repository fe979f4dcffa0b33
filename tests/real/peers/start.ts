// Runs the programs of this folder in a namespace: what no common program does on demand.

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Host, Network } from '../network.ts';
import { type Outcome, type Program, until } from '../process.ts';

const FOLDER = dirname(fileURLToPath(import.meta.url));
// As a URL: `--import tsx` would be looked up from the working folder, wherever that is.
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

function argvOf(name: string, args: readonly string[]): string[] {
  return [process.execPath, '--import', TSX, join(FOLDER, `${name}.ts`), ...args];
}

/** What a peer that serves prints once it listens. */
export const READY = 'ready';

/** Starts a peer and waits until it prints that it is ready. @throws Error with its words if it ends. */
export async function servePeer(
  network: Network,
  host: Host,
  name: string,
  args: readonly string[],
): Promise<Program> {
  const program = network.start(host, argvOf(name, args));
  await until(`${name} to be ready`, () => {
    if (!program.running) throw new Error(program.describe('ended instead of serving'));
    return program.stdout.includes(READY);
  });
  return program;
}

/** Runs a peer to its end. @throws Error when it fails. */
export function runPeer(
  network: Network,
  host: Host,
  name: string,
  args: readonly string[],
): Promise<Outcome> {
  return network.run(host, argvOf(name, args));
}
