/** Clients of the control socket that send garbage, stall or go away, and a thousand that follow events. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LineReader } from '../../cli/control/line-reader.ts';
import { ANSWER_MOST } from '../../cli/control/protocol.ts';
import { type Network, SERVER4 } from '../real/network.ts';
import { pause, until } from '../real/process.ts';
import { built, Daemon } from './e2e-daemon.ts';
import { destroy, liveNetwork, liveUsable, writeRules } from './e2e-net.ts';
import { flood } from './fault-flood.ts';

const LIMIT = 240_000;
const FOLLOWERS = 1000;
const FLOWS = 100;
/** Far more than what one client may leave unread (a megabyte) takes. */
const MANY_FLOWS = 20_000;

const EVENTS = '{"id":1,"op":"events","kinds":["NEW"]}\n';

/** What no client should send. */
const GARBAGE: readonly (readonly [string, Buffer])[] = [
  ['random bytes', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff))],
  ['a line without an end', Buffer.alloc(200_000, 'x')],
  ['JSON that is no request', Buffer.from('[1,2,3]\n')],
  ['an op that is none', Buffer.from('{"id":1,"op":"__proto__"}\n')],
  ['arguments of other kinds', Buffer.from('{"id":1,"op":"update","flow":7,"change":[]}\n')],
  ['half a request', Buffer.from('{"id":1,"op":"lis')],
  ['deep JSON', Buffer.from(`{"id":1,"op":"get","tuple":${'['.repeat(20_000)}${']'.repeat(20_000)}}\n`)],
  ['empty lines', Buffer.alloc(50_000, '\n')],
];

describe.skipIf(!liveUsable())('the control socket', () => {
  let network: Network;
  let daemon: Daemon;
  beforeAll(async () => {
    await built();
    network = await liveNetwork('bridge');
    daemon = await Daemon.start(network, 'bridge', writeRules(network, 'bridge'));
  }, LIMIT);
  afterAll(() => destroy(network));

  /** Connects; as long as too many wait to be accepted, once more. */
  async function open(): Promise<Socket> {
    for (;;) {
      const socket = connect(daemon.socket);
      const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
        socket.once('connect', () => resolve(null));
        socket.once('error', resolve);
      });
      if (error === null) return socket;
      if (error.code !== 'EAGAIN') throw error;
      await pause(5);
    }
  }

  /** How many of some pings were answered. */
  async function pings(): Promise<number> {
    const argv = ['ping', '-c', '5', '-i', '0.1', '-W', '2', SERVER4];
    const { stdout } = await network.run('client', argv, { codes: [0, 1] });
    return Number(/(\d+) received/.exec(stdout)![1]);
  }

  test('lives through clients that send garbage and go away', { timeout: LIMIT }, async () => {
    for (const [, bytes] of GARBAGE)
      for (const ends of [true, false]) {
        const socket = await open();
        socket.on('error', () => {});
        socket.resume();
        socket.write(bytes);
        if (ends) socket.end();
        else await new Promise((resolve) => setImmediate(resolve));
        socket.destroySoon();
      }
    expect(await pings()).toBe(5);
    const client = await daemon.client();
    expect((await client.call('hello', {})).mode).toBe('bridge');
    client.close();
  });

  test('lives through clients that ask for all and read nothing', { timeout: LIMIT }, async () => {
    await flood(network, 'bridge', { kind: 'flows', count: MANY_FLOWS });
    const stalled: Socket[] = [];
    for (let i = 0; i < 20; i++) {
      const socket = await open();
      socket.on('error', () => {});
      socket.pause();
      socket.write('{"id":1,"op":"list"}\n{"id":2,"op":"metrics"}\n'.repeat(20));
      stalled.push(socket);
    }
    expect(await pings()).toBe(5);
    const client = await daemon.client();
    expect((await client.all('list', {})).length).toBeGreaterThan(MANY_FLOWS / 2);
    expect(daemon.memory).toBeLessThan(600 * 2 ** 20);
    for (const socket of stalled) socket.destroy();
    await client.call('flush', {});
    client.close();
  });

  test(`tells ${FOLLOWERS} clients of events though one never reads`, { timeout: LIMIT }, async () => {
    // Lines that each client read, and those that it was told it lost.
    const news: number[] = [];
    const sockets: Socket[] = [];
    for (let i = 0; i < FOLLOWERS; i++) {
      const socket = await open();
      socket.on('error', () => {});
      news.push(0);
      const reader = new LineReader(ANSWER_MOST, (line) => {
        news[i]! += line.startsWith('{"lost"') ? (JSON.parse(line) as { lost: number }).lost : 1;
        return true;
      });
      if (i > 0) socket.on('data', (chunk: Buffer) => reader.push(chunk));
      else socket.pause();
      socket.write(EVENTS);
      sockets.push(socket);
    }
    await until('all to follow', () => news.slice(1).every((lines) => lines === 1), LIMIT);
    const client = await daemon.client();
    const inserted = async (): Promise<number> => (await client.call('stats', {})).created;
    const memory = daemon.memory;
    const before = await inserted();
    await flood(network, 'bridge', { kind: 'flows', count: FLOWS });
    expect(await pings()).toBe(5);
    const some = (await inserted()) - before;
    expect(some).toBeGreaterThan(FLOWS);
    await until('all to be told', () => news.slice(1).every((lines) => lines === 1 + some), LIMIT);
    for (const socket of sockets.slice(10)) socket.destroy();

    // Much more than the one that never reads may leave unread: it loses events, and is told how many.
    await client.call('flush', {});
    await flood(network, 'bridge', { kind: 'flows', count: MANY_FLOWS });
    const many = (await inserted()) - before;
    expect(many).toBeGreaterThan(MANY_FLOWS / 2);
    await until('the others to be told', () => news.slice(1, 10).every((lines) => lines === 1 + many), LIMIT);
    expect(daemon.memory - memory).toBeLessThan(400 * 2 ** 20);
    let lost = 0;
    const late = new LineReader(ANSWER_MOST, (line) => {
      const isLost = line.startsWith('{"lost"');
      if (isLost) lost += (JSON.parse(line) as { lost: number }).lost;
      else news[0]!++;
      return true;
    });
    sockets[0]!.on('data', (chunk: Buffer) => late.push(chunk));
    sockets[0]!.resume();
    await flood(network, 'bridge', { kind: 'flows', count: 1 });
    const all = (await inserted()) - before;
    await until('all to be told or counted', () => news[0]! + lost === 1 + all);
    expect(lost).toBeGreaterThan(1000);
    for (const socket of sockets) socket.destroy();
    client.close();
    expect(await pings()).toBe(5);
  });
});
