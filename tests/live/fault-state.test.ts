/** What `keepstate run --state` does when the disk is full, and when the file is damaged. */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Network, SERVER4 } from '../real/network.ts';
import { runHere } from '../real/process.ts';
import { startSshd } from '../real/servers.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { destroy, liveNetwork, liveUsable, WAYS, writeRules } from './e2e-net.ts';
import { Session } from './e2e-talk.ts';

const LIMIT = 240_000;

/** Writes until there is no more room. */
function fill(file: string): void {
  const fd = openSync(file, 'w');
  try {
    for (const size of [4096, 1]) while (writeSync(fd, Buffer.alloc(size)) > 0);
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    closeSync(fd);
  }
}

/** Ways in which a file is damaged. */
const DAMAGES: readonly (readonly [string, (file: string) => void])[] = [
  ['cut short', (file) => truncateSync(file, statSync(file).size - 7)],
  ['empty', (file) => truncateSync(file, 0)],
  [
    'with a wrong byte',
    (file) => {
      const bytes = readFileSync(file);
      bytes[bytes.length >> 1]! ^= 1;
      writeFileSync(file, bytes);
    },
  ],
  ['of something else', (file) => writeFileSync(file, 'rules, not state\n'.repeat(100))],
];

describe.skipIf(!liveUsable(['ssh', 'sshd']))('the state', () => {
  let network: Network;
  let rules: string;
  beforeEach(async () => {
    await built();
    network = await liveNetwork('bridge');
    rules = writeRules(network, 'bridge');
  }, LIMIT);
  afterEach(() => destroy(network));

  async function pings(): Promise<boolean> {
    const argv = ['ping', '-c', '3', '-i', '0.2', '-W', '2', SERVER4];
    return (await network.run('client', argv, { codes: [0, 1] })).stdout.includes('3 received');
  }

  test('that was saved stays whole while the disk is full, packets pass, and then it is saved again', {
    timeout: LIMIT,
  }, async () => {
    await startSshd(network);
    const disk = network.path('disk');
    mkdirSync(disk, { mode: 0o700 });
    await runHere(['mount', '-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', disk]);
    try {
      const args = ['--rules', rules, '--control', network.path('run/control.sock')];
      const begin = async (): Promise<Daemon> => {
        const daemon = Daemon.spawn(network, [
          ...WAYS.bridge,
          ...args,
          '--state',
          `${disk}/state`,
          '--state-every',
          '1',
        ]);
        await daemon.says(/start: keepstate \S+ runs/);
        return daemon;
      };
      let daemon = await begin();
      const session = await Session.start(network);
      await daemon.saysAfter(/state: saved flows=[1-9]/, () => {});
      await daemon.saysAfter(/state: not saved: .*no space is left on the device/, () =>
        fill(`${disk}/filler`),
      );
      expect(await pings()).toBe(true);
      await session.answers();
      const client = await daemon.client();
      await expect(client.call('save', {})).rejects.toThrow('no space is left on the device');
      expect(await client.call('metrics', {})).toMatch(
        /keepstate_state_saves_total\{[^}]*error[^}]*\} [1-9]/,
      );
      client.close();
      // No half file is left, and the one that was saved before is good.
      expect(readdirSync(disk).sort()).toEqual(['filler', 'state', 'state.lock']);
      await daemon.end('SIGKILL');
      daemon = await begin();
      expect(daemon.log).toMatch(/state: restored flows=[1-9]/);
      await session.answers();
      await daemon.saysAfter(/state: saved flows=[1-9]/, () => rmSync(`${disk}/filler`));
      expect(await daemon.end('SIGTERM')).toBe(0);
      session.close();
    } finally {
      await runHere(['umount', '-l', disk]);
    }
  });

  test.each(DAMAGES)(
    '%s is told and set aside, and the table begins empty',
    { timeout: LIMIT },
    async (_, damage) => {
      let daemon = await Daemon.start(network, 'bridge', rules);
      expect(await pings()).toBe(true);
      expect(await daemon.end('SIGTERM')).toBe(0);
      expect(daemon.log).toMatch(/state: saved flows=[1-9]/);
      damage(daemon.state);
      const damaged = readFileSync(daemon.state);
      daemon = await Daemon.start(network, 'bridge', rules);
      expect(daemon.log).toMatch(/error +state: .*state\/table is damaged, .* the table begins empty/);
      expect(daemon.log).toMatch(/start: .* flows=0/);
      const [aside] = readdirSync(network.path('state')).filter((name) => name.startsWith('table.damaged-'));
      expect(readFileSync(network.path(`state/${aside}`)).equals(damaged)).toBe(true);
      expect(await pings()).toBe(true);
      expect(await daemon.end('SIGTERM')).toBe(0);
      daemon = await Daemon.start(network, 'bridge', rules);
      expect(daemon.log).toMatch(/state: restored flows=[1-9]/);
    },
  );
});
