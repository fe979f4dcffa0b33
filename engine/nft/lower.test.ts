import { expect, test } from 'vitest';
import { UnknownExpr } from '../rules/expr.ts';
import { netlinkText } from './netlink-text.ts';
import { NftRuleset } from './ruleset.ts';

function lowered(family: string, rules: string): { texts: string[]; parts: string[][]; all: NftRuleset } {
  const all = new NftRuleset();
  const text = `table ${family} t {\n chain i {\n type filter hook input priority 0;\n${rules}\n}\n}\n`;
  const errors = all.load({ name: 'x', text });
  if (errors.length > 0) throw errors[0]!;
  const { rules: list } = all.tables()[0]!.chains.get('i')!;
  return {
    texts: list.map((rule) => rule.exprs.map(netlinkText).join('; ')),
    parts: list.map((rule) => rule.parts.map((part) => `${part.first} ${part.text}`)),
    all,
  };
}

test('a port in an inet table is behind a test of the protocol', () => {
  expect(lowered('inet', 'tcp dport 22 accept').texts).toEqual([
    'meta load l4proto => reg 1; cmp eq reg 1 0x00000006; ' +
      'payload load 2b @ transport header + 2 => reg 1; cmp eq reg 1 0x00001600; immediate reg 0 accept',
  ]);
});

test('marks are turned round before they are compared with a range', () => {
  expect(lowered('ip', 'meta mark 1-5').texts[0]).toBe(
    'meta load mark => reg 1; byteorder reg 1 = hton(reg 1, 4, 4); ' +
      'cmp gte reg 1 0x01000000; cmp lte reg 1 0x05000000',
  );
});

test('a prefix that ends with a byte reads only its bytes', () => {
  expect(lowered('ip', 'ip saddr 10.1.0.0/16').texts[0]).toBe(
    'payload load 2b @ network header + 12 => reg 1; cmp eq reg 1 0x0000010a',
  );
});

test('an interface by number is looked up by its name, but lo, which is number 1 everywhere', () => {
  const { texts } = lowered('ip', 'iif "eth0"\niif lo');
  expect(texts).toEqual([
    'meta load iifname => reg 1; cmp eq reg 1 0x30687465 0x00000000 0x00000000 0x00000000',
    'meta load iif => reg 1; cmp eq reg 1 0x00000001',
  ]);
});

test('each listed statement is a part, and what nft inserts belongs to the part behind it', () => {
  const { parts } = lowered('inet', 'ip saddr 1.2.3.4 tcp dport 22 counter accept');
  expect(parts[0]).toEqual([
    '0 ip saddr 1.2.3.4',
    '4 tcp dport 22',
    '8 counter packets 0 bytes 0',
    '9 accept',
  ]);
});

test('tests of two neighbouring ports are one part', () => {
  expect(lowered('ip', 'tcp dport 1 tcp sport 2 accept').parts[0]).toEqual([
    '0 tcp sport 2 tcp dport 1',
    '4 accept',
  ]);
});

test('rules in braces behind a jump are a chain of their own', () => {
  const { all } = lowered('ip', 'jump {\n tcp dport 22 accept\n drop\n }');
  const rule = all.tables()[0]!.chains.get('i')!.rules[0]!;
  const [expr] = rule.exprs as unknown as {
    chain: { rules: { exprs: Parameters<typeof netlinkText>[0][] }[] };
  }[];
  expect(expr!.chain.rules.map((one) => netlinkText(one.exprs.at(-1)!))).toEqual([
    'immediate reg 0 accept',
    'immediate reg 0 drop',
  ]);
});

test('every rule and chain knows where it was written', () => {
  const { all } = lowered('ip', 'accept');
  const chain = all.tables()[0]!.chains.get('i')!;
  expect(chain.at?.line).toBe(2);
  expect(chain.rules[0]!.at?.line).toBe(4);
});

test('a dormant table does not run', () => {
  const all = new NftRuleset();
  expect(all.load({ name: 'x', text: 'table ip t {\n flags dormant;\n}\n' })).toEqual([]);
  expect(all.tables()).toEqual([]);
});

test('nothing that is lowered is unknown but what the engine cannot know', () => {
  const { all } = lowered('ip', 'tcp dport 22 ct state new limit rate 1/second log prefix "x" counter drop');
  const exprs = all
    .tables()[0]!
    .chains.get('i')!
    .rules.flatMap((rule) => rule.exprs);
  expect(exprs.filter((expr) => expr instanceof UnknownExpr)).toEqual([]);
});
