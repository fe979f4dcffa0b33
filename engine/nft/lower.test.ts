import { expect, test } from 'vitest';
import { UnknownExpr } from '../rules/expr.ts';
import type { DynsetExpr } from '../rules/expr-dynset.ts';
import type { LookupExpr } from '../rules/expr-lookup.ts';
import { ObjrefMapExpr } from '../rules/expr-objref.ts';
import { QuotaExpr } from '../rules/expr-quota.ts';
import type { RuleSet } from '../rules/set.ts';
import { NF_ACCEPT, NF_DROP } from '../rules/verdict.ts';
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

test('the element for everything else stays it where interfaces are looked up by their names', () => {
  const { all } = lowered('ip', 'iif vmap { "eth0" : accept, * : drop }');
  const lookup = all.tables()[0]!.chains.get('i')!.rules[0]!.exprs.at(-1) as unknown as LookupExpr;
  expect(lookup.set.elements(0).map((element) => [element.catchall, element.verdict?.code])).toEqual([
    [false, NF_ACCEPT],
    [true, NF_DROP],
  ]);
});

test('a map to objects leads to those of its kind, whatever else has their names', () => {
  const all = new NftRuleset();
  const objects = 'counter x {\n}\nquota x {\n5 bytes\n}\n';
  const text = `table ip t {\n${objects}chain c {\nquota name tcp dport map { 22 : "x" } drop\n}\n}\n`;
  expect(all.load({ name: 'x', text })).toEqual([]);
  const { exprs } = all.tables()[0]!.chains.get('c')!.rules[0]!;
  const map = exprs.find((expr) => expr instanceof ObjrefMapExpr)!;
  expect(map.set.elements(0)[0]!.object!.expr).toBeInstanceOf(QuotaExpr);
});

test('a set that packets fill holds no more than the kernel lets it, and what a later declaration says', () => {
  const all = new NftRuleset();
  const load = (text: string): RuleSet => {
    expect(all.load({ name: 'x', text })).toEqual([]);
    const { rules } = all.tables()[0]!.chains.get('c')!;
    return (rules[0]!.exprs.at(-1) as DynsetExpr).set;
  };
  const rule = 'chain c {\nadd @s { ip saddr timeout 1s }\n}\n';
  const { spec } = load(`table ip t {\nset s {\ntype ipv4_addr\nflags dynamic,timeout\n}\n${rule}}\n`);
  expect([spec.size, spec.timeout]).toEqual([65535, undefined]);
  const set = load('add set ip t s { type ipv4_addr; flags dynamic; timeout 9s; size 3; }\n');
  expect([set.spec === spec, spec.size, spec.timeout]).toEqual([true, 3, 9000]);
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
