/** Floods sent by the client of a live network. */
import { fileURLToPath } from 'node:url';
import type { Network } from '../real/network.ts';
import type { Mode } from './e2e-net.ts';
import type { Flood } from './fault-flood-worker.ts';

const WORKER: string = fileURLToPath(new URL('./fault-flood-worker.ts', import.meta.url));
/** MAC address of the client's next hop, as tests/real/network.ts gives them. */
const NEXT_HOP: Readonly<Record<Exclude<Mode, 'capture'>, string>> = {
  bridge: '020000000280',
  tun: '020000000101',
  nfqueue: '020000000101',
};
const LIMIT = 240_000;

/** Sends a flood to its end. @returns how many frames were sent */
export async function flood(
  network: Network,
  mode: Exclude<Mode, 'capture'>,
  what: Partial<Flood> & Pick<Flood, 'kind'>,
): Promise<number> {
  const task: Flood = { mac: NEXT_HOP[mode], seed: 1, seconds: 0, count: 0, ...what };
  const options = ['--conditions=keepstate-source', '--import', 'tsx'];
  const argv = [process.execPath, ...options, WORKER, JSON.stringify(task)];
  const { stdout } = await network.run('client', argv, { limit: LIMIT });
  return (JSON.parse(stdout) as { sent: number }).sent;
}
