import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../testing/daemon.ts';
import { type Hub, ServerClient } from './server-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'keepstate-client-'));
const path = join(folder, 's');
let server: Server;
let accepted: Socket[] = [];

beforeAll(async () => {
  server = createServer((socket) => accepted.push(socket));
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

/** A client as the server has it, and the other end, which reads nothing as yet. */
async function pair(hub: Partial<Hub> = {}): Promise<{ client: ServerClient; ours: Socket; theirs: Socket }> {
  accepted = [];
  const theirs = connect(path);
  theirs.on('error', () => {});
  theirs.pause();
  await until(() => accepted.length === 1);
  const ours = accepted[0]!;
  const whole: Hub = {
    handlers: { call: (op) => op.length, list: () => null },
    isToken: () => false,
    follow: () => {},
    gone: () => {},
    ...hub,
  };
  return { client: new ServerClient(ours, whole, false), ours, theirs };
}

/** More than the kernel holds for somebody who does not read. */
const PIECE = Buffer.alloc(512 * 1024, 'x\n');

describe('a client that does not read', () => {
  test('is cut off when it has read nothing for a minute, but not while it reads a little', async () => {
    const { client, ours, theirs } = await pair();
    for (let i = 0; i < 3; i++) client.deliver(PIECE, 1, 0);
    const now = performance.now();
    client.checkStalled(now + 1_000);
    client.checkStalled(now + 55_000);
    expect(ours.destroyed).toBe(false);
    const before = ours.writableLength;
    theirs.resume();
    await until(() => ours.writableLength < before);
    theirs.pause();
    for (let i = 0; i < 3; i++) client.deliver(PIECE, 1, 0);
    client.checkStalled(now + 59_000);
    client.checkStalled(now + 110_000);
    expect(ours.destroyed).toBe(false);
    client.checkStalled(now + 200_000);
    expect(ours.destroyed).toBe(true);
    theirs.destroy();
  });

  test('that has nothing to read may wait for ever', async () => {
    const { client, ours, theirs } = await pair();
    for (const now of [1e6, 2e6, 3e6]) client.checkStalled(now);
    expect(ours.destroyed).toBe(false);
    theirs.destroy();
  });

  test('is cut off when it has lost a million events', async () => {
    const { client, ours, theirs } = await pair();
    for (let i = 0; i < 4; i++) client.deliver(PIECE, 1, 0);
    client.deliver(PIECE, 900_000, 0);
    expect(ours.destroyed).toBe(false);
    client.deliver(PIECE, 200_000, 0);
    expect(ours.destroyed).toBe(true);
    theirs.destroy();
  });

  test('is asked no more while its answers wait', async () => {
    const { ours, theirs } = await pair({ handlers: { call: () => 'x'.repeat(100_000), list: () => null } });
    for (let id = 0; id < 200; id++) theirs.write(`{"id":${id},"op":"metrics"}\n`);
    await until(() => ours.isPaused());
    expect(ours.writableLength).toBeLessThan(200 * 100_000);
    let text = '';
    theirs.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    theirs.resume();
    await until(() => text.split('\n').length === 201);
    theirs.destroy();
  });
});
