/** What becomes of masqueraded flows when keepstate's address behind a TUN goes. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Network, SERVER4 } from '../real/network.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { destroy, liveNetwork, liveUsable, TUN_KEEPSTATE, TUN_KERNEL, writeRules } from './e2e-net.ts';

const LIMIT = 120_000;
/** Where keepstate masquerades with afterwards. */
const NEXT = '203.0.113.9';
/** What is read late is read seconds late. */
const PROMPT = 1500;

/** An address of the TUN device comes or goes. */
async function address(network: Network, what: 'add' | 'del', peer: string): Promise<void> {
  await network.run('router', ['ip', 'addr', what, TUN_KERNEL, 'peer', peer, 'dev', 'tun0']);
}

describe.skipIf(!liveUsable())('keepstate run --tun', () => {
  test('ends masqueraded flows with their address, also when it goes right after another came', {
    timeout: LIMIT,
  }, async () => {
    await built();
    const network = await liveNetwork('tun');
    try {
      const daemon = await Daemon.start(network, 'tun', writeRules(network, 'tun'));
      await network.run('client', ['ping', '-c', '1', SERVER4]);
      const listed = async (): Promise<string> => (await daemon.command('conntrack', '-L')).stdout;
      expect(await listed()).toContain(`dst=${TUN_KEEPSTATE}`);
      await address(network, 'add', NEXT);
      await daemon.says(/host: read the machine's addresses/, 2);
      await address(network, 'del', TUN_KEEPSTATE);
      await wait(PROMPT);
      expect(await listed()).not.toContain(TUN_KEEPSTATE);
      await network.run('client', ['ping', '-c', '1', SERVER4], { codes: [0, 1] });
      expect(await listed()).toContain(`dst=${NEXT}`);
    } finally {
      await destroy(network);
    }
  });
});
