import { afterEach, expect, test } from 'vitest';
import { until } from '../testing/daemon.ts';
import { Broadcast, type Reader } from './broadcast.ts';

/** A reader that keeps what it gets. */
class Keeper implements Reader {
  readonly pieces: Buffer[] = [];
  count = 0;
  lost = 0;

  /** All of it. */
  get text(): string {
    return Buffer.concat(this.pieces).toString();
  }

  deliver(bytes: Buffer, count: number, lost: number): void {
    this.count += count;
    this.lost += lost;
    this.pieces.push(bytes);
  }
}

const broadcast = new Broadcast();
afterEach(() => broadcast.close());

test('a line goes to all who wish for its kind, encoded once, and to nobody else', async () => {
  const [a, b, c] = [new Keeper(), new Keeper(), new Keeper()];
  broadcast.set(a, 1);
  broadcast.set(b, 1);
  broadcast.set(c, 2);
  expect(broadcast.wanted).toBe(3);
  broadcast.publish(1, 'one\n');
  broadcast.publish(1, 'two\n');
  broadcast.publish(2, 'three\n');
  await until(() => c.count === 1);
  expect([a.text, b.text, c.text]).toEqual(['one\ntwo\n', 'one\ntwo\n', 'three\n']);
  expect(a.pieces[0]).toBe(b.pieces[0]);
});

test('who changes its wish gets what came before by the old one, and from then on by the new one', async () => {
  const reader = new Keeper();
  broadcast.set(reader, 1);
  broadcast.publish(1, 'before\n');
  broadcast.set(reader, 2);
  broadcast.publish(1, 'not wished for\n');
  broadcast.publish(2, 'after\n');
  await until(() => reader.text.includes('after'));
  broadcast.set(reader, 0);
  broadcast.publish(2, 'gone\n');
  broadcast.flush();
  expect(broadcast.wanted).toBe(0);
  expect(reader.text.endsWith('after\n')).toBe(true);
  expect(reader.text).not.toContain('not wished for');
});

test('what comes faster than it can be handed out is counted as lost to everybody, and takes no memory', async () => {
  const readers = Array.from({ length: 500 }, () => new Keeper());
  for (const reader of readers) broadcast.set(reader, 1);
  const line = `${'x'.repeat(1023)}\n`;
  let made = 0;
  for (let i = 0; i < 100_000; i++) {
    if (broadcast.isJammed) broadcast.lose(1);
    else {
      broadcast.publish(1, line);
      made++;
    }
  }
  expect(made).toBeLessThan(10_000);
  await until(() => readers.every(({ count, lost }) => count + lost === 100_000));
  expect(readers.every(({ count }) => count === made)).toBe(true);
});
