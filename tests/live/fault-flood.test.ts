/** Floods: of SYNs from random addresses, and of malformed frames. KEEPSTATE_FAULTS makes them 30 s long, else 3 s. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Network, SERVER4, SERVER6 } from '../real/network.ts';
import { type Outcome, outcomeOf, until } from '../real/process.ts';
import { startNginx } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { destroy, liveNetwork, liveUsable, writeRules } from './e2e-net.ts';
import { flood } from './fault-flood.ts';

const SECONDS: number = process.env.KEEPSTATE_FAULTS === undefined ? 3 : 30;
const LIMIT = 240_000;
const SIZE = 20_000_000;
const TABLE_MOST = 4000;
/** A table of that size takes some megabytes; V8 and the code, the most of it. */
const MEMORY_MOST = 400 * 2 ** 20;

describe.skipIf(!liveUsable(['nginx'])).each(['bridge', 'tun', 'nfqueue'] as const)(
  'keepstate run --%s',
  (mode) => {
    let network: Network;
    let daemon: Daemon;
    beforeAll(async () => {
      await built();
      network = await liveNetwork(mode);
      await startNginx(network);
      writeFileSync(network.path('nginx/pages/large'), Buffer.alloc(SIZE, 'keepstate'));
      const sysctls = ['--sysctl', `nf_conntrack_max=${TABLE_MOST}`];
      daemon = await Daemon.start(network, mode, writeRules(network, mode), ...sysctls);
    }, LIMIT);
    afterAll(() => destroy(network));

    /** A transfer that is established, and goes on for some seconds. @returns what waits for its end */
    async function established(): Promise<() => Promise<Outcome>> {
      const rate = String(Math.ceil(SIZE / SECONDS));
      const argv = [
        'curl',
        '-sS',
        '--limit-rate',
        rate,
        '-o',
        network.path('got'),
        `http://${SERVER4}/large`,
      ];
      writeFileSync(network.path('got'), '');
      const curl = network.start('client', argv);
      await until('the transfer to begin', () => statSync(network.path('got')).size > 0, LIMIT);
      return () => outcomeOf(curl, { limit: LIMIT });
    }

    function isWhole(): boolean {
      const hash = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
      return hash(network.path('got')) === hash(network.path('nginx/pages/large'));
    }

    test('a flood of SYNs from random addresses: a transfer completes, table and memory stay bounded', {
      timeout: LIMIT,
    }, async () => {
      const rest = await established();
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, daemon.memory);
      }, 100);
      const sent = await flood(network, mode, { kind: 'syn', seconds: SECONDS });
      clearInterval(watch);
      const client = await daemon.client();
      const { flows, stats, drivers } = await client.call('status', {});
      await rest();
      expect(isWhole()).toBe(true);
      const { received, lost } = drivers[0]!;
      console.log(
        `${mode}: ${sent} SYNs in ${SECONDS} s, ${received} received, ${lost} lost, early drop ${stats.early_drop}, ` +
          `drop ${stats.drop}, ${(most / 2 ** 20).toFixed(0)} MiB`,
      );
      expect(received).toBeGreaterThan(TABLE_MOST);
      expect(flows).toBeLessThanOrEqual(TABLE_MOST);
      expect(stats.early_drop).toBeGreaterThan(0);
      expect(most).toBeLessThan(MEMORY_MOST);
      // New connections begin again.
      expect(
        (await network.run('client', ['curl', '-s', `http://${SERVER4}/`], { limit: LIMIT })).stdout,
      ).toContain('works');
      client.close();
    });

    test('malformed frames at line rate do not disturb it', { timeout: LIMIT }, async () => {
      const rest = await established();
      const seed = (Math.random() * 2 ** 31) | 1;
      const sent = await flood(network, mode, { kind: 'malformed', seconds: SECONDS, seed });
      await rest();
      expect(isWhole()).toBe(true);
      expect(sent).toBeGreaterThan(10_000);
      for (const to of [SERVER4, SERVER6]) {
        const { stdout } = await network.run('client', ['ping', '-c', '2', '-i', '0.2', to]);
        expect([seed, stdout]).toEqual([seed, expect.stringContaining('2 received')]);
      }
      expect(daemon.program.running).toBe(true);
      expect(daemon.log).not.toMatch(/ error /);
      console.log(`${mode}: ${sent} malformed frames (seed ${seed})`);
    });
  },
);
