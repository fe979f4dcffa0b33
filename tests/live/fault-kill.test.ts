/**
 * `keepstate run` killed at random moments under load, and started again from the state that it saved.
 * KEEPSTATE_FAULTS=100 says how often it is killed altogether (default 8).
 */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Network, SERVER4 } from '../real/network.ts';
import { type Outcome, outcomeOf, pause, until } from '../real/process.ts';
import { startNginx, startSshd } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { Forbidden } from './e2e-forbidden.ts';
import { destroy, liveNetwork, liveUsable, MODES, type Mode, writeRules } from './e2e-net.ts';
import { Session } from './e2e-talk.ts';

const KILLS: number = Number(process.env.KEEPSTATE_FAULTS ?? 8);
const SIZE = 60_000_000;
const TRANSFER_LIMIT = 120_000;

function body(): Buffer {
  return Buffer.alloc(
    SIZE,
    Buffer.from(Array.from({ length: 65_521 }, (_, i) => (i * 13 + (i >> 8)) & 0xff)),
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Begins to fetch the file at about 40 MB/s. @returns when some of it is there, with what waits for the rest */
async function beginFetch(network: Network, got: string): Promise<() => Promise<Outcome>> {
  writeFileSync(got, '');
  const argv = ['curl', '-sS', '--limit-rate', '40M', '-o', got, `http://${SERVER4}/large`];
  const program = network.start('client', argv);
  await until('the transfer to begin', () => statSync(got).size > 0 || !program.running, TRANSFER_LIMIT);
  return () => outcomeOf(program, { limit: TRANSFER_LIMIT });
}

/** One kill while a transfer goes on. @returns the daemon that was started in its place */
async function round(network: Network, mode: Mode, daemon: Daemon, moment: number): Promise<Daemon> {
  const got = network.path('got');
  const rest = await beginFetch(network, got);
  const client = await daemon.client();
  await client.call('save', {});
  // One more is under way when it dies, or not, or already done.
  if (moment > 100) client.call('save', {}).catch(() => {});
  await pause(moment);
  await daemon.end('SIGKILL');
  client.close();
  const next = await Daemon.start(network, mode, network.path('rules.nft'), '--state-every', '1');
  expect(next.log).toMatch(/state: restored flows=[1-9]/);
  await rest();
  return next;
}

describe.skipIf(!liveUsable(['nginx', 'ssh', 'sshd']))('keepstate run killed under load', () => {
  MODES.forEach((mode, place) => {
    const kills = Math.floor((KILLS + place) / MODES.length);
    const name = `--${mode}: no transfer is cut, nothing forbidden passes (${kills} times)`;
    test(name, { timeout: 120_000 + kills * 60_000 }, async () => {
      await built();
      const network = await liveNetwork(mode);
      try {
        await Promise.all([startNginx(network), startSshd(network)]);
        writeFileSync(network.path('nginx/pages/large'), body());
        const hash = sha256(body());
        const rules = writeRules(network, mode);
        const sent = await Forbidden.start(network);
        let daemon = await Daemon.start(network, mode, rules, '--state-every', '1');
        const session = await Session.start(network);
        for (let kill = 0; kill < kills; kill++) {
          const moment = Math.random() * 300;
          daemon = await round(network, mode, daemon, moment);
          expect([kill, moment, sha256(readFileSync(network.path('got')))]).toEqual([kill, moment, hash]);
          await session.answers();
        }
        await sent.passes();
        expect(await sent.end()).toEqual([]);
      } finally {
        await destroy(network);
      }
    });
  });
});
