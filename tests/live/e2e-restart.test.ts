/** What lives on over new rules, an end and a new start of `keepstate run`, and that nothing forbidden ever passes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Network, SERVER4 } from '../real/network.ts';
import { startSshd } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { Forbidden } from './e2e-forbidden.ts';
import { destroy, liveNetwork, liveUsable, MODES, writeRules } from './e2e-net.ts';
import { Session } from './e2e-talk.ts';

const LIMIT = 300_000;

/** That nothing passes: neither ping nor what rules allow, though hundreds of packets are sent meanwhile. */
async function nothingPasses(network: Network, sent: Forbidden): Promise<void> {
  const ping = ['ping', '-c', '2', '-i', '0.2', '-W', '0.5', SERVER4];
  expect((await network.run('client', ping, { codes: [1] })).stdout).toContain(' 0 received');
  const before = sent.allowed;
  expect((await network.run('client', ping, { codes: [1] })).stdout).toContain(' 0 received');
  expect(sent.allowed).toBe(before);
}

describe.skipIf(!liveUsable(['ssh', 'sshd']))('keepstate run', () => {
  test.each(MODES)(
    '--%s: an ssh session lives on, and what is forbidden never passes',
    { timeout: LIMIT },
    async (mode) => {
      await built();
      const network = await liveNetwork(mode);
      try {
        await startSshd(network);
        const sent = await Forbidden.start(network);
        // Before the first start.
        await nothingPasses(network, sent);
        expect(sent.allowed).toBe(0);
        const rules = writeRules(network, mode);
        const good = readFileSync(rules, 'utf8');
        let daemon = await Daemon.start(network, mode, rules, '--watch', '--state-every', '1');
        await sent.passes();
        const session = await Session.start(network);

        // New rules by a signal, and such that have an error.
        await daemon.saysAfter(/reload: new rules run/, () => daemon.program.signal('SIGHUP'));
        await session.answers();
        await daemon.saysAfter(/rules that were there stay/, () =>
          writeFileSync(rules, `${good}this is no rule\n`),
        );
        await session.answers();
        await sent.passes();
        // New rules by --watch, with which no session could begin.
        await daemon.saysAfter(/live flows could not begin/, () => writeRules(network, mode, '80'));
        await daemon.says(/refused-flow: tcp .* ESTABLISHED .*dport=22 /);
        await session.answers();
        await expect(Session.start(network)).rejects.toThrow(/ssh ended|gave up/);

        // Killed, and started again from what it saved.
        await daemon.saysAfter(/state: saved/, () => {});
        await daemon.end('SIGKILL');
        await nothingPasses(network, sent);
        daemon = await Daemon.start(network, mode, rules);
        expect(daemon.log).toMatch(/state: restored flows=[1-9]/);
        await session.answers();
        await sent.passes();

        // Ended in order.
        expect(await daemon.end('SIGTERM')).toBe(0);
        await nothingPasses(network, sent);
        daemon = await Daemon.start(network, mode, rules);
        await session.answers();
        session.close();
        expect(await sent.end()).toEqual([]);
      } finally {
        await destroy(network);
      }
    },
  );
});
