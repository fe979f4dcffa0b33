import { expect, test } from 'vitest';
import { words } from '../packet/build-bytes.ts';
import { Talk } from './testing.mts';

const START = words(7, 1);

test('sane: the answer to SANE_NET_START names the data port', () => {
  const talk = new Talk('sane', 'tcp', 6566);
  talk.up(START);
  talk.down(words(0, 4000, 0));
  expect(talk.expected()).toEqual(['tcp 10.0.0.1 > 198.51.100.1:4000 300']);
});

test.each([
  ['an answer to nothing', [], words(0, 4000, 0)],
  ['an answer to something else', [words(3, 1)], words(0, 4000, 0)],
  ['a request of another length', [words(7, 1, 1)], words(0, 4000, 0)],
  ['a failure', [START], words(1, 4000, 0)],
  ['a port above 65535', [START], words(0, 70000, 0)],
  ['an answer cut short', [START], words(0, 4000).subarray(0, 7)],
])('sane: %s makes nothing expected', (_, requests, reply) => {
  const talk = new Talk('sane', 'tcp', 6566);
  for (const request of requests) talk.up(request);
  talk.down(reply);
  expect(talk.expected()).toEqual([]);
});

test('sane: one answer to each request is read', () => {
  const talk = new Talk('sane', 'tcp', 6566);
  talk.up(START);
  talk.down('?');
  talk.down(words(0, 4000, 0));
  expect(talk.expected()).toEqual([]);
});
