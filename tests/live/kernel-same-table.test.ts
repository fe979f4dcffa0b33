/** `keepstate conntrack --kernel` and conntrack(8) look at one table of the kernel, which real traffic filled. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lines } from '../kernel/conntrack-command-lines.ts';
import { FILL } from '../kernel/conntrack-command-list.ts';
import { commandUsable, difference } from '../kernel/conntrack-command-run.ts';
import { KernelNamespace, NODE } from './kernel-table-run.ts';
import { listeners, until } from './kernel-watch.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** TCP and UDP over the loopback device: a connection that is closed, one that is not, a question without an answer. */
const TRAFFIC = `
  const net = require('node:net');
  const udp = require('node:dgram').createSocket('udp4');
  const server = net.createServer((socket) => socket.end('x'.repeat(3000)));
  server.listen(8080, '127.0.0.1', () => {
    net.connect(8080, '127.0.0.1').resume().on('close', () => {
      udp.send('question', 5353, '127.0.0.2', () => process.exit(0));
    });
  });`;

const LOOKS = lines(`
  -L
  -L -o extended,id,ktimestamp
  -L -o xml,ktimestamp
  -L -o xml
  -L -o save
  -L -o id
  -L -p tcp
  -L -p udp -u UNREPLIED
  -L -u ASSURED
  -L -s 127.0.0.0/8
  -L -m 5
  -L -m 0x10/0x10
  -L -w 7
  -L -f ipv6
  -L dying
  -L unconfirmed
  -L conntrack -n
  -G -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1000 --dport 80 -o xml
  -G -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1001 --dport 54
  -C
  -C expect
  -S
  -S expect`);

/** Seconds by which timeouts may differ: one looks after the other, on a machine that may have much to do. */
const SLACK = 20;

describe.skipIf(!commandUsable())('on one table of the kernel', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-same-'));
  let space: KernelNamespace;
  beforeAll(async () => {
    const setup = [
      'ip link set lo up',
      "nft 'table inet t { chain c { type filter hook output priority 0; ct state new counter; }; }'",
      'sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1',
    ];
    space = await KernelNamespace.open(folder, setup.join('\n'));
  }, 60_000);
  beforeEach(() => {
    space.real('-F');
    for (const line of FILL) space.real(line);
    space.inside([process.execPath, '-e', TRAFFIC]);
  });
  afterAll(() => {
    space?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('both see the same', async () => {
    const found: string[] = [];
    for (const line of LOOKS) {
      const text = difference(space.real(line), await space.ours(line), SLACK);
      if (text !== null) found.push(`$ conntrack ${line}\n${text}`);
    }
    expect(found.join('\n\n')).toBe('');
    expect(space.real('-L').out).toMatch(/tcp .* TIME_WAIT .* packets=\d+ bytes=3\d\d\d /);
  });

  test('ids are the same, so that what one shows the other deletes', async () => {
    const [, id] = /mark=5 .*id=(\d+)/.exec((await space.ours('-L -o id')).out)!;
    expect(space.real(`-D -i ${id}`).status).toBe(0);
    const [, other] = /dport=5353 .*id=(\d+)/.exec(space.real('-L -o id').out)!;
    expect((await space.ours(`-D -i ${other}`)).out).toContain('dport=5353');
    expect(space.real(`-D -i ${other}`).status).toBe(1);
  });

  test('-L -z shows the counters and sets them to 0', async () => {
    const counted = (out: string): number => [...out.matchAll(/packets=([1-9]\d*) /g)].length;
    const before = space.real('-L');
    const zeroed = await space.ours('-L -z');
    expect(difference(before, zeroed, SLACK)).toBe(null);
    expect(counted(zeroed.out)).toBeGreaterThan(2);
    expect(counted(space.real('-L').out)).toBe(0);
  });

  test('-F empties it', async () => {
    await space.ours('-F');
    expect(space.real('-C').out).toBe('0\n');
  });

  test('whoever lacks CAP_NET_ADMIN is told so', async () => {
    const [theirs, ours] = [['conntrack'], [process.execPath, ...NODE, MAIN, 'conntrack', '--kernel']].map(
      (program) =>
        space.inside(['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin', ...program, '-L']),
    );
    expect(ours).toEqual(theirs);
    expect(ours!.err).toContain('CAP_NET_ADMIN');
  });

  test('-E warns as conntrack(8) does where it was too slow for the events, and ends with the summary', async () => {
    const program = [process.execPath, ...NODE, MAIN, 'conntrack', '--kernel', '-E', '-b', '20000'];
    const child = space.start(program);
    let err = '';
    let shown = 0;
    child.stderr!.on('data', (data: Buffer) => {
      err += data.toString();
    });
    child.stdout!.on('data', (data: Buffer) => {
      shown += data.toString().split('\n').length - 1;
    });
    await until(() => listeners(space).length === 1);
    child.kill('SIGSTOP');
    const many = Array.from(
      { length: 500 },
      (_, i) => `-A -p udp -s 1.1.1.1 -d 1.1.1.2 --sport ${i} --dport 9 -t 90`,
    );
    space.real(`<${many.join('|')}`);
    child.kill('SIGCONT');
    await until(() => listeners(space)[0] === 0);
    await wait(200);
    child.kill('SIGTERM');
    const [status] = (await once(child, 'close')) as [number];
    expect(status).toBe(0);
    expect(err).toBe(
      'NOTICE: Netlink socket buffer size has been set to 40000 bytes.\n' +
        'WARNING: We have hit ENOBUFS! We are losing events.\n' +
        'This message means that the current netlink socket buffer size is too small.\n' +
        'Please, check --buffer-size in conntrack(8) manpage.\n' +
        `conntrack v1.4.7 (conntrack-tools): ${shown} flow events have been shown.\n`,
    );
    expect(shown).toBeGreaterThan(10);
    expect(shown).toBeLessThan(500);
  });
});
