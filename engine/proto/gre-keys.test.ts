import { expect, test } from 'vitest';
import { GreKeys } from './gre-keys.ts';

test('a call id is known by addresses and the receiver’s call id, and 0 otherwise', () => {
  const keys = new GreKeys();
  expect(keys.find(1, 2, 7)).toBe(0);
  expect(keys.add({}, 0, 1, 2, 5, 7)).toBe(true);
  expect(keys.find(1, 2, 7)).toBe(5);
  expect(keys.find(2, 1, 7)).toBe(0);
  expect(keys.find(1, 2, 8)).toBe(0);
});

test('an owner tells of one call a direction; the same again is fine, another is not', () => {
  const keys = new GreKeys();
  const owner = {};
  keys.add(owner, 0, 1, 2, 5, 7);
  expect(keys.add(owner, 0, 1, 2, 5, 7)).toBe(true);
  expect(keys.add(owner, 0, 1, 2, 5, 8)).toBe(false);
  expect(keys.add(owner, 1, 2, 1, 7, 5)).toBe(true);
  expect(keys.count).toBe(2);
});

test('what an owner told of goes with it, and what others told of stays', () => {
  const keys = new GreKeys();
  const [a, b] = [{}, {}];
  keys.add(a, 0, 1, 2, 5, 7);
  keys.add(b, 0, 1, 2, 6, 7);
  expect(keys.find(1, 2, 7)).toBe(5);
  keys.remove(a);
  expect(keys.find(1, 2, 7)).toBe(6);
  keys.remove(b);
  expect(keys.find(1, 2, 7)).toBe(0);
  expect(keys.count).toBe(0);
});
