/** Devices that go while packets pass, and come again. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { CLIENT4, type Network, SERVER4 } from '../real/network.ts';
import { outcomeOf, until } from '../real/process.ts';
import { startNginx } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { Forbidden } from './e2e-forbidden.ts';
import { destroy, liveNetwork, liveUsable, writeRules } from './e2e-net.ts';

const LIMIT = 240_000;
const SIZE = 60_000_000;

/** Lays the cable between router and server anew. */
async function layCable(network: Network): Promise<void> {
  const peer = `peer name eth0 address 02:00:00:00:02:80 netns ${network.namespace('server')}`;
  const batch = async (host: 'router' | 'server', lines: readonly string[]): Promise<void> => {
    await network.run(host, ['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
  };
  await batch('router', [
    `link add wan0 address 02:00:00:00:02:01 type veth ${peer}`,
    'link set wan0 addrgenmode none up',
  ]);
  await batch('server', [
    'link set eth0 addrgenmode none up',
    `addr add ${SERVER4}/24 dev eth0`,
    `route add ${CLIENT4} dev eth0`,
  ]);
}

describe.skipIf(!liveUsable(['nginx']))('a device that is removed', () => {
  test('and comes again under load, cuts no transfer, and lets nothing forbidden pass', {
    timeout: LIMIT,
  }, async () => {
    await built();
    const network = await liveNetwork('bridge');
    try {
      await startNginx(network);
      writeFileSync(network.path('nginx/pages/large'), Buffer.alloc(SIZE, 'a device that is removed'));
      const got = network.path('got');
      writeFileSync(got, '');
      const daemon = await Daemon.start(
        network,
        'bridge',
        writeRules(network, 'bridge'),
        '--metrics',
        '9117',
      );
      const curl = network.start('client', [
        'curl',
        '-sS',
        '--limit-rate',
        '6M',
        '-o',
        got,
        `http://${SERVER4}/large`,
      ]);
      await until('the transfer to begin', () => statSync(got).size > 0, LIMIT);
      for (let time = 1; time <= 3; time++) {
        await network.run('router', ['ip', 'link', 'del', 'wan0']);
        await daemon.says(/device: wan0 is gone/, time);
        const health = ['curl', '-s', '-w', '%{http_code}', 'http://127.0.0.1:9117/health'];
        expect((await network.run('router', health)).stdout).toMatch(/wan0[\s\S]*503$/);
        await layCable(network);
        await daemon.says(/device: wan0 is back/, time);
      }
      await outcomeOf(curl, { limit: LIMIT });
      const hash = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
      expect(hash(got)).toBe(hash(network.path('nginx/pages/large')));
      const sent = await Forbidden.start(network);
      await sent.passes();
      expect(await sent.end()).toEqual([]);
      expect(await daemon.end('SIGTERM')).toBe(0);
    } finally {
      await destroy(network);
    }
  });

  test('is the end of keepstate run --tun, which says why, and nothing passes any more', {
    timeout: LIMIT,
  }, async () => {
    await built();
    const network = await liveNetwork('tun');
    try {
      const sent = await Forbidden.start(network);
      const daemon = await Daemon.start(network, 'tun', writeRules(network, 'tun'));
      await sent.passes();
      await network.run('router', ['ip', 'link', 'del', 'tun0']);
      const { code } = await outcomeOf(daemon.program, { limit: LIMIT, codes: [1] });
      expect(code).toBe(1);
      expect(daemon.log).toMatch(/error +device: the TUN device tun0 was removed/);
      const ping = ['ping', '-c', '2', '-W', '1', SERVER4];
      await network.run('client', ping, { codes: [1] });
      const before = sent.allowed;
      await network.run('client', ping, { codes: [1] });
      expect(sent.allowed).toBe(before);
      expect(await sent.end()).toEqual([]);
    } finally {
      await destroy(network);
    }
  });
});
