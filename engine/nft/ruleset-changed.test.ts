/** What Linux 6.18 said to sets that rules change, with nft 1.0.6. */
import { describe, expect, test } from 'vitest';
import { NftRuleset } from './ruleset.ts';

/** What is wrong with a ruleset, then with one that comes later. */
function errorsOf(...texts: string[]): string[] {
  const ruleset = new NftRuleset();
  return texts.flatMap((text) =>
    ruleset.load({ name: 'f', text }).map(({ message }) => message.replace(/^f:\d+:\d+: /, '')),
  );
}

const HINT = " (say 'flags dynamic' where the set is declared)";

describe('a set', () => {
  test.each([
    ['flags interval, dynamic', 'Operation not supported'],
    ['flags constant, timeout', 'Operation not supported'],
    ['flags constant; timeout 5s', 'Operation not supported'],
    ['flags dynamic, constant', null],
    ['flags interval, timeout', null],
  ])('with %s: %s', (flags, message) => {
    const errors = errorsOf(`table ip t {\n set s {\n type ipv4_addr\n ${flags}\n }\n}\n`);
    expect(errors).toEqual(message === null ? [] : [expect.stringContaining(message)]);
  });

  test.each([
    ['', 'add @s { ip saddr }', null],
    ['', 'add @s { ip saddr counter }', `Invalid argument${HINT}`],
    ['flags timeout;', 'add @s { ip saddr counter }', `Invalid argument${HINT}`],
    ['size 10;', 'add @s { ip saddr }', `Operation not supported${HINT}`],
    ['size 10; flags timeout;', 'add @s { ip saddr }', null],
    ['flags dynamic;', 'add @s { ip saddr counter }', null],
    [
      'flags constant;',
      'delete @s { ip saddr }',
      "Device or resource busy ('s' is constant: no packet can change it)",
    ],
    [
      'flags dynamic; counter;',
      'add @s { ip saddr quota 5 bytes }',
      "Operation not supported (the elements of 's' have other statements)",
    ],
  ])('that is there with "%s" and a later rule %s: %s', (declared, rule, message) => {
    const made = `add table ip t; add chain ip t c; add set ip t s { type ipv4_addr; ${declared} }`;
    expect(errorsOf(made, `add rule ip t c ${rule}`)).toEqual(message === null ? [] : [message]);
  });

  test('that a rule of the same transaction changes is dynamic of itself', () => {
    const text =
      'add table ip t; add chain ip t c; add set ip t s { type ipv4_addr; }; add rule ip t c add @s { ip saddr counter }';
    expect(errorsOf(text)).toEqual([]);
  });
});

test.each([
  'add table ip NAME',
  'add table ip t; add chain ip t NAME',
  'add table ip t; add counter ip t NAME',
])('a name is at most 255 characters long: %s', (text) => {
  const named = (length: number): string[] => errorsOf(text.replace('NAME', 'x'.repeat(length)));
  expect(named(255)).toEqual([]);
  expect(named(256)).toEqual(['Numerical result out of range (a name has at most 255 characters)']);
  expect(named(257)[0]).toContain('name too long, 256 characters maximum allowed');
});
