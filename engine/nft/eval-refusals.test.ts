import { describe, expect, test } from 'vitest';
import { NftRuleset } from './ruleset.ts';

/** What is wrong with a text, as `line: message`. */
function errors(text: string): string[] {
  return new NftRuleset()
    .load({ name: 'x', text })
    .map((error) => error.message.replace(/^x:(\d+):\d+: (.*?)( \(.*)?$/, '$1: $2'));
}

const rule = (text: string): string => `table ip t {\n chain c {\n  ${text}\n }\n}\n`;
const set = (body: string, elements: string): string =>
  `table ip t {\n set s {\n  ${body.replaceAll('; ', '\n  ')}\n }\n}\nadd element ip t s { ${elements} }\n`;

// All measured on Linux 6.18 with nft 1.0.6.
describe('a limit that the kernel cannot count in 64 bits of nanoseconds is refused', () => {
  test.each([
    ['limit rate 5124095 bytes/hour', true],
    ['limit rate 5124096 bytes/hour', false],
    ['limit rate 5124095 bytes/hour burst 1 bytes', false],
    ['limit rate over 5 mbytes/day', false],
    ['limit rate 1/week burst 30500 packets', true],
    ['limit rate 1/week burst 30501 packets', false],
    ['limit rate 18446744073709551610/second', true],
    ['limit rate 18446744073709551611/second', false],
  ])('%s: %s', (text, isTaken) => {
    const said = errors(rule(text));
    if (isTaken) expect(said).toEqual([]);
    else expect(said).toEqual([expect.stringContaining('3: Value too large for defined data type')]);
  });

  test('also in objects, in sets and in what rules add to sets', () => {
    expect(errors('table ip t {\n limit l {\n rate 5 mbytes/hour\n }\n}\n')).toHaveLength(1);
    expect(errors(set('type ipv4_addr; limit rate 5 mbytes/hour', '1.2.3.4'))[0]).toContain('too large');
    const added = 'add @s { ip saddr limit rate 5 mbytes/hour }';
    const text = `table ip t {\n set s {\n type ipv4_addr\n flags dynamic\n }\n chain c {\n ${added}\n }\n}\n`;
    expect(errors(text)).toEqual([expect.stringContaining('7: Value too large')]);
  });

  test('bits of a burst that nft does not send are lost without a word', () => {
    const ruleset = new NftRuleset();
    ruleset.load({ name: 'x', text: rule('limit rate 5 mbytes/second burst 5000 mbytes') });
    expect(ruleset.list()).toContain('limit rate 5 mbytes/second burst 904 mbytes');
  });
});

describe('an element whose first or last values lie in an earlier one is refused', () => {
  const key = 'type ipv4_addr . inet_service; flags interval';
  test.each([
    ['1.2.3.4-1.2.3.8 . 10-20, 1.2.3.6 . 15', false],
    ['1.2.3.6 . 15, 1.2.3.4-1.2.3.8 . 10-20', true],
    ['1.2.0.0/16 . 5-30, 1.2.3.0/24 . 25-40', false],
    ['1.2.0.0/16 . 5-30, 1.2.3.0/24 . 1-40', true],
    ['1.2.3.4 . 5-20, 1.2.3.4 . 20-30', false],
    ['1.2.3.4 . 5-20, 1.2.3.4 . 21-30', true],
    ['1.2.3.4 . 5-20, 1.2.3.4 . 5-20', true],
  ])('{ %s }: %s', (elements, isTaken) => {
    const said = errors(set(key, elements));
    if (isTaken) expect(said).toEqual([]);
    else expect(said).toEqual(['7: File exists']);
  });

  test('but not once that one is deleted, nor after a transaction that failed', () => {
    const ruleset = new NftRuleset();
    const load = (text: string): number => ruleset.load({ name: 'x', text }).length;
    expect(load(set(key, '1.0.0.0/8 . 1-9'))).toBe(0);
    expect(load('delete element ip t s { 1.0.0.0/8 . 1-9 }\nadd element ip t nope { 1 }\n')).toBe(1);
    expect(load('add element ip t s { 1.2.3.4 . 5 }\n')).toBe(1);
    expect(load('delete element ip t s { 1.0.0.0/8 . 1-9 }\n')).toBe(0);
    expect(load('add element ip t s { 1.2.3.4 . 5 }\n')).toBe(0);
  });
});

describe("an element's statements are those that the set declares", () => {
  test.each([
    ['type ipv4_addr', '1.2.3.4 counter', 'missing statement in set declaration'],
    ['type ipv4_addr; flags dynamic', '1.2.3.4 counter limit rate 5/second', null],
    ['type ipv4_addr; counter', '1.2.3.4', null],
    ['type ipv4_addr; counter', '1.2.3.4 limit rate 5/second', 'expects limit, but set has type counter'],
    ['type ipv4_addr; counter quota 500 bytes', '1.2.3.4 counter', 'set expects 2 but element has 1'],
    ['type ipv4_addr; flags timeout', '1.2.3.4 expires 5s', 'Operation not supported'],
    ['type ipv4_addr; timeout 5s', '1.2.3.4 expires 10s', 'Numerical result out of range'],
    ['type ipv4_addr; timeout 5s', '1.2.3.4 timeout 20s expires 10s', null],
  ])('%s, { %s }: %s', (body, elements, said) => {
    const found = errors(set(body, elements));
    if (said === null) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringContaining(said)]);
  });
});

describe('the ingress hook of inet has less than that of netdev', () => {
  test.each([
    ['fib daddr type local', false],
    ['fib saddr oif exists', false],
    ['meta ipsec exists', false],
    ['osf name "Linux"', false],
    ['meta pkttype set host', false],
    ['reject', true],
    ['meta mark 1', true],
  ])('%s: %s', (text, isTaken) => {
    const chain = `type filter hook ingress device "lo" priority 0\n  ${text}`;
    const said = errors(`table inet t {\n chain c {\n  ${chain}\n }\n}\n`);
    expect(said).toHaveLength(isTaken ? 0 : 1);
  });
});

test('matches and targets of iptables cannot be written', () => {
  expect(errors(rule('xt match foo'))).toEqual(['3: unsupported xtables compat expression']);
});

test('a variable is not known in its own value', () => {
  expect(errors('define a = $a\n')).toEqual(["1: unknown variable 'a'"]);
  expect(errors('define a = 5\nredefine a = { $a, 6 }\n')).toEqual([]);
});

describe('what cannot be read hides nothing of what can', () => {
  test('as in nft, what is wrong with the meaning of other lines is told behind it', () => {
    expect(
      errors('table ip t {\n chain c {\n  ct state bogus\n  tcp dport $x\n  tcp dport 1 2\n }\n}\n'),
    ).toEqual([
      "4: unknown variable 'x'",
      expect.stringContaining('5: expected'),
      "3: could not parse conntrack state 'bogus'",
    ]);
  });

  test('but nothing that may be its consequence', () => {
    const text =
      'define a = 5 6\ntable ip t {\n set s {\n  type ipv4_addr\n  flags intervall\n  elements = { 1.0.0.0/8 }\n }\n' +
      ' chain c {\n  ip saddr @s\n  tcp dport $a\n  jump nope\n  tcp dport @nope\n }\n}\nadd rule ip u c accept\n';
    expect(errors(text)).toEqual([
      "1: expected a newline or ';', found '6'",
      "5: unknown set flag 'intervall'",
    ]);
  });

  test('and nothing is changed', () => {
    const ruleset = new NftRuleset();
    ruleset.load({ name: 'x', text: `${rule('accept')}oops\n` });
    expect(ruleset.list()).toBe('');
  });
});
