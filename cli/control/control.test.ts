import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { udpPacket } from '@keepstate/engine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Running, RunPlace, until } from '../testing/daemon.ts';
import { ControlClient } from './client.ts';
import { LINE_MOST } from './protocol.ts';

const place = new RunPlace();
let running: Running;

beforeAll(async () => {
  const rules = place.file('all.nft', 'table inet fw {\n}\n');
  running = await place.run(['--rules', rules]);
});
afterAll(() => place.end());

/** Whether a test may be another user. Says why not, and throws when CI=true, where nothing may be skipped. */
function canBeAnother(): boolean {
  if (process.getuid!() === 0) return true;
  const reason = 'only root can try the control socket as another user';
  if (process.env.CI === 'true') throw new Error(reason);
  console.warn(`skipped: ${reason}`);
  return false;
}

/** A flow of its own by each number. */
function flow(sport: number): void {
  running.driver.push(udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', sport, dport: 53 }));
}

/** A connection without any client's manners, and all that came by it. */
async function raw(
  path: string | number = running.socket,
): Promise<{ socket: Socket; text: () => string; ended: Promise<void> }> {
  const socket = typeof path === 'number' ? connect(path, '127.0.0.1') : connect(path);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
  });
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
  });
  return { socket, text: () => text, ended };
}

describe('the control socket', () => {
  test.each([
    ['no JSON', 'GET / HTTP/1.1\r\n\r\n'],
    ['no request', '[1,2,3]\n'],
    ['no op', '{"id":1}\n'],
    ['an id that is none', '{"id":"x","op":"hello"}\n'],
    ['bytes', Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x0a])],
    ['a line without end', 'x'.repeat(LINE_MOST + 1)],
  ])('answers %s with one error and ends that connection only', async (_name, bytes) => {
    const good = await running.client();
    const { socket, text, ended } = await raw();
    socket.write(bytes);
    await ended;
    expect(text()).toMatch(/^\{"id":null,"error":".+"\}\n$/);
    expect(await good.call('count', {})).toBeGreaterThanOrEqual(0);
    good.close();
  });

  test.each([
    ['nonsense', {}, "there is no op 'nonsense'"],
    ['constructor', {}, "there is no op 'constructor'"],
    ['get', { family: 2, protonum: 17, tuple: { src: 1, dst: 2 } }, "'src' is not what it should be"],
    ['get', { family: 2, protonum: 17 }, "'tuple' is not what it should be: an object"],
    ['delete', { flow: { flowId: -1 } }, "'flowId' is not what it should be"],
    ['update', { flow: null, change: {} }, "'flow' is not what it should be"],
    ['create', { flow: { family: 2, protonum: 6 } }, "'original' is not what it should be"],
    ['list', { table: '../etc' }, "there is no table '../etc'"],
    ['events', { kinds: ['__proto__'] }, 'unknown kind of event'],
    ['sysctl-set', { name: 'nf_conntrack_max', value: 'many' }, "bad value 'many'"],
    ['sysctl-set', { name: 'nf_conntrack_count', value: 1 }, 'cannot be set'],
    ['save', {}, 'it runs without --state'],
  ])('refuses %s %j with a sentence, and the connection goes on', async (op, args, message) => {
    const client = await running.client();
    const call = client.call.bind(client) as (op: string, args: object) => Promise<unknown>;
    await expect(call(op, args)).rejects.toThrow(message);
    expect((await client.call('hello', {})).pid).toBe(process.pid);
    client.close();
  });

  test('takes addresses that are none for flows that are not there', async () => {
    const client = await running.client();
    const tuple = { src: 'x', dst: '::1', sport: 1, dport: 2 };
    expect(await client.call('get', { family: 2, protonum: 6, tuple })).toBe(null);
    client.close();
  });

  test('answers many questions in order though none is waited for, in pieces too', async () => {
    const { socket, text } = await raw();
    const lines = Array.from({ length: 200 }, (_, id) => `{"id":${id},"op":"count"}\n`).join('');
    for (let at = 0; at < lines.length; at += 7) socket.write(lines.slice(at, at + 7));
    await until(() => text().split('\n').length === 201);
    const ids = text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(Array.from({ length: 200 }, (_, id) => id));
    socket.destroy();
  });

  test('answers all questions of one who asks no more, as a pipe into nc -U does', async () => {
    const { socket, text, ended } = await raw();
    socket.end('{"id":1,"op":"status"}\n{"id":2,"op":"list"}\n{"id":3,"op":"metrics"}\n');
    await ended;
    const answers = text()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers.find(({ id }) => id === 1).ok.mode).toBe('bridge');
    expect(answers.some(({ id, end }) => id === 2 && end === true)).toBe(true);
    expect(answers.find(({ id }) => id === 3).ok).toContain('keepstate_info');
  });

  test('makes a flow of what a client says, and leaves out what it leaves out', async () => {
    const client = await running.client();
    const call = client.call.bind(client) as (op: string, args: object) => Promise<unknown>;
    const original = { src: '10.0.0.3', dst: '10.0.0.4', sport: 5, dport: 6 };
    const flow = { family: 2, protonum: 17, original, reply: null, timeout: 60, status: 0, mark: 0 };
    const rest = { srcNat: null, dstNat: null, vtags: null };
    expect(await call('create', { flow: { ...flow, ...rest } })).toBe(null);
    expect(await client.call('get', { family: 2, protonum: 17, tuple: original })).toMatchObject({ mark: 0 });
    client.close();
  });

  test('shows every sysctl, sets those that can be set, by any name of theirs', async () => {
    const client = await running.client();
    const all = await client.call('sysctl-get', {});
    expect(all.map(({ name }) => name)).toContain('net.netfilter.nf_conntrack_count');
    expect(all.every(({ name }) => name.startsWith('net.'))).toBe(true);
    const [udp] = await client.call('sysctl-get', { name: 'net/netfilter/nf_conntrack_udp_timeout' });
    expect(udp).toEqual({ name: 'net.netfilter.nf_conntrack_udp_timeout', value: 30 });
    await client.call('sysctl-set', { name: 'ip_conntrack_udp_timeout', value: 7 });
    flow(7000);
    const flows = await client.all('list', {});
    expect(flows.find(({ original }) => original.sport === 7000)!.timeout).toBeLessThanOrEqual(7000);
    await client.call('sysctl-set', { name: 'nf_conntrack_udp_timeout', value: '30' });
    client.close();
  });
});

describe('who may use it', () => {
  test('only its own user: its folder is made for that one alone, others are refused', async () => {
    const rules = place.file('own.nft', 'table inet fw {\n}\n');
    const folder = join(place.folder, 'made');
    const { socket } = await place.run(['--rules', rules, '--control', join(folder, 'control.sock')]);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const open = join(place.folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    const refused = await place.run(['--rules', rules, '--control', join(open, 'control.sock')]);
    await expect(refused.done).rejects.toThrow(`other users may write to ${open}`);
  });

  test.skipIf(!canBeAnother())('not another one: Linux refuses to connect it', async () => {
    const rules = place.file('other.nft', 'table inet fw {\n}\n');
    const open = mkdtempSync(join(tmpdir(), 'keepstate-open-'));
    chmodSync(open, 0o755);
    const { socket } = await place.run(['--rules', rules, '--control', join(open, 'control.sock')]);
    const script = `require('net').connect(${JSON.stringify(socket)}).on('error', (e) => console.log(e.code)).on('connect', () => process.exit(9))`;
    const child = spawnSync(process.execPath, ['-e', script], {
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
      cwd: '/',
    });
    expect(child.stdout).toBe('EACCES\n');
    rmSync(open, { recursive: true });
  });

  test('over TCP only who knows the token, which is in a file of its owner alone', async () => {
    const rules = place.file('tcp.nft', 'table inet fw {\n}\n');
    const folder = join(place.folder, 'tcp');
    const port = 20_000 + (process.pid % 10_000);
    const { done, socket, signal } = await place.run([
      '--rules',
      rules,
      '--control',
      join(folder, 'control.sock'),
      '--control-tcp',
      String(port),
    ]);
    const file = join(folder, 'control.token');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const token = readFileSync(file, 'utf8').trim();
    expect(token.length).toBeGreaterThanOrEqual(32);
    for (const line of [
      '{"id":1,"op":"flush"}',
      '{"id":1,"op":"hello"}',
      '{"id":1,"op":"hello","token":""}',
      `{"id":1,"op":"hello","token":"${token.slice(1)}"}`,
      '{"id":1,"op":"hello","token":{"length":32}}',
    ]) {
      const { socket: stranger, text, ended } = await raw(port);
      stranger.write(`${line}\n{"id":2,"op":"stop"}\n`);
      await ended;
      expect(text()).toBe('{"id":null,"error":"the token is wrong"}\n');
    }
    const env = { KEEPSTATE_CONTROL_TOKEN_FILE: file };
    const client = await ControlClient.connect(`127.0.0.1:${port}`, env);
    expect((await client.call('status', {})).mode).toBe('bridge');
    client.close();
    await expect(
      ControlClient.connect(`127.0.0.1:${port}`, { KEEPSTATE_CONTROL_TOKEN: 'wrong' }),
    ).rejects.toThrow('the token is wrong');
    expect(statSync(socket).isSocket()).toBe(true);
    signal('SIGTERM');
    expect(await done).toBe(0);
    expect(() => statSync(file)).toThrow('ENOENT');
  });

  test('a folder may be named by a link to it, as /var/run is one', async () => {
    const rules = place.file('linked.nft', 'table inet fw {\n}\n');
    const folder = join(place.folder, 'real');
    mkdirSync(folder, { mode: 0o700 });
    symlinkSync('real', join(place.folder, 'link'));
    const { driver, client } = await place.run([
      '--rules',
      rules,
      '--control',
      join(place.folder, 'link', 's.sock'),
    ]);
    expect(driver.isOpen).toBe(true);
    const control = await client();
    expect(statSync(join(folder, 's.sock')).isSocket()).toBe(true);
    control.close();
  });

  test.each([
    ['null\n', 'it sent something that is no answer of a keepstate'],
    ['{"id":1,"items":5}\n', 'it sent something that is no answer of a keepstate'],
    ['HTTP/1.1 400 Bad Request\r\n', 'it sent something that is no answer of a keepstate'],
  ])('a server that is no keepstate (%j) is told from one', async (line, message) => {
    const path = join(place.folder, 'other.sock');
    const server = createServer((socket) => socket.write(line));
    await new Promise<void>((resolve) => {
      server.listen(path, resolve);
    });
    await expect(ControlClient.connect(path, {})).rejects.toThrow(message);
    server.close();
  });

  test('a path that no socket can have, or that is something else, is said', async () => {
    const long = join(place.folder, 'x'.repeat(120));
    await expect(ControlClient.connect(long, {})).rejects.toThrow('at most 107 bytes');
    const file = join(place.folder, 'plain');
    writeFileSync(file, '');
    await expect(ControlClient.connect(file, {})).rejects.toThrow('no keepstate is running');
    await expect(ControlClient.connect('', {})).rejects.toThrow('the path of a control socket is empty');
    // Not the port of that number.
    await expect(ControlClient.connect('9', {})).rejects.toThrow('there is no socket 9 ');
    await expect(ControlClient.connect(null, { XDG_RUNTIME_DIR: place.folder })).rejects.toThrow(
      'no keepstate is running: there is no socket',
    );
  });
});

describe('events', () => {
  test('are told to whoever follows them, of the kinds that are wished for', async () => {
    const client = await running.client();
    const kinds: string[] = [];
    await client.follow(
      { kinds: ['DESTROY'] },
      { flow: ({ kind, flow: f }) => kinds.push(`${kind} ${f.original.sport}`) },
    );
    flow(100);
    const [entry] = (await client.all('list', {})).filter(({ original }) => original.sport === 100);
    await client.call('delete', { flow: entry! });
    await until(() => kinds.length > 0);
    expect(kinds).toEqual(['DESTROY 100']);
    expect(await client.call('get', { family: 2, protonum: 17, tuple: entry!.original })).toBe(null);
    client.close();
  });

  test('go to a thousand clients, while one that never reads is told how many it lost', async () => {
    const stuck = await raw();
    stuck.socket.write('{"id":1,"op":"events","kinds":["NEW"]}\n');
    await until(() => stuck.text().includes('"ok":null'));
    stuck.socket.pause();
    const counts = new Array<number>(1000).fill(0);
    const clients = await Promise.all(
      counts.map(async (_, i) => {
        const client = await running.client();
        await client.follow({ kinds: ['NEW'] }, { flow: () => counts[i]!++ });
        return client;
      }),
    );
    const probe = await running.client();
    expect((await probe.call('metrics', {})).match(/keepstate_control_followers (\d+)/)![1]).toBe('1001');
    for (let sport = 20_000; sport < 20_020; sport++) flow(sport);
    await until(() => counts.every((n) => n === 20));
    for (const client of clients) client.close();
    await until(async () => (await probe.call('metrics', {})).includes('keepstate_control_followers 1\n'));
    // More than the kernel and keepstate hold for a client.
    for (let sport = 40_000; sport < 48_000; sport++) flow(sport);
    const before = process.memoryUsage().arrayBuffers;
    await probe.call('count', {});
    expect(before).toBeLessThan(64 * 1024 * 1024);
    stuck.socket.resume();
    // Every flow is told or counted as lost, and every line is whole.
    const heard = (): { told: number; lost: number } => {
      const lines = stuck
        .text()
        .slice(0, stuck.text().lastIndexOf('\n'))
        .split('\n')
        .map((line) => JSON.parse(line));
      return {
        told: lines.filter(({ event }) => event !== undefined).length,
        lost: lines.reduce((sum, { lost = 0 }) => sum + lost, 0),
      };
    };
    await until(() => heard().told + heard().lost === 8020);
    expect(heard().lost).toBeGreaterThan(0);
    stuck.socket.destroy();
    probe.close();
  });

  test('cost nothing while nobody follows them', async () => {
    const client = await running.client();
    await client.follow({}, {});
    client.close();
    await until(async () => {
      const probe = await running.client();
      const page = await probe.call('metrics', {});
      probe.close();
      return page.includes('keepstate_control_followers 0\n');
    });
    const count = async (): Promise<string> => {
      const probe = await running.client();
      const page = await probe.call('metrics', {});
      probe.close();
      return /keepstate_events_total\{kind="flow"\} (\d+)/.exec(page)![1]!;
    };
    const before = await count();
    flow(30_000);
    expect(await count()).toBe(before);
  });
});

describe('lists', () => {
  test('of a large table come in slices, between which packets and other questions have their turn', async () => {
    const client = await running.client();
    await client.call('flush', {});
    await client.call('sysctl-set', { name: 'nf_conntrack_udp_timeout', value: 600 });
    for (let sport = 1; sport <= 20_000; sport++) flow(sport);
    let slices = 0;
    let answered = 0;
    const list = client.list('list', {}, () => {
      slices++;
      // Asked while the list goes on.
      if (slices === 2)
        client.call('count', {}).then(() => {
          answered = slices;
        });
    });
    await list;
    expect(slices).toBeGreaterThan(70);
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThan(slices);
    expect(await client.call('count', {})).toBe(20_000);
    client.close();
  });

  test('stop where nobody reads them, without taking memory', async () => {
    const { socket } = await raw();
    socket.pause();
    for (let id = 0; id < 20; id++) socket.write(`{"id":${id},"op":"list"}\n`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const client = await running.client();
    expect(await client.call('count', {})).toBe(20_000);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(64 * 1024 * 1024);
    socket.destroy();
    client.close();
  });
});
