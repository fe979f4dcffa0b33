/** What nft 1.0.6 takes, refuses and lists in ways of its own; all measured on Linux 6.18. */
import { describe, expect, test } from 'vitest';
import { NftRuleset } from './ruleset.ts';

/** The listing, or what is wrong with a text. */
function listed(text: string): string {
  const ruleset = new NftRuleset();
  const errors = ruleset.load({ name: 'x', text });
  return errors.length > 0 ? errors.map((error) => error.message).join('\n') : ruleset.list();
}

const inTable = (family: string, objects: string, rule: string): string =>
  `table ${family} t {\n${objects}\nchain c {\n${rule}\n}\n}\n`;

/** A rule of a chain as it is listed, or the error. */
function rule(text: string, family = 'inet'): string {
  const all = listed(inTable(family, '', text));
  return /chain c \{\n\t\t(.*)\n/.exec(all)?.[1] ?? all;
}

describe('a rule is listed as nft lists it', () => {
  test.each([
    ['tcp option noop exists drop', 'tcp option nop exists drop'],
    ['tcp option 8 exists drop', 'tcp option timestamp exists drop'],
    ['reset tcp option 8', 'reset tcp option timestamp'],
    ['tcp option @254,16,8 5 drop', 'tcp option @254,16,8 5 drop'],
    ['tcp option @254,8,8 5-7 drop', 'tcp option @254,8,8 5-7 drop'],
    ['ct label 5,6 drop', 'ct label 5,6 drop'],
    ['ct label != 1,2 drop', 'ct label != 1 | 2 drop'],
    ['ct label set 1 | 2', 'ct label set 1 | 2'],
    ['icmp type set echo-reply', 'th sport set th sport & 255'],
    ['icmpv6 code set 3', 'th sport set th sport & 65283 | 3'],
    ['ct l3proto ipv4 ip saddr 1.2.3.4 drop', 'ip saddr 1.2.3.4 drop'],
  ])('%s', (text, expected) => {
    expect(rule(text)).toBe(expected);
  });

  test('what tracking says of the protocol counts as a test of it where the network is known', () => {
    expect(rule('ct protocol tcp ct original proto-dst 22 drop', 'ip')).toBe(
      'ct protocol tcp ct original proto-dst 22 drop',
    );
    expect(rule('ct protocol tcp tcp dport 22 drop', 'ip')).toBe('tcp dport 22 drop');
    expect(rule('ct protocol tcp ct original proto-dst 22 drop')).toContain('only known after a test');
  });
});

describe('what nft 1.0.6 refuses', () => {
  test.each([
    ['rt2 addr fd00::1 drop', 'rt2 addr cannot be compared'],
    ['meta secmark 1 drop', 'secmark cannot be compared'],
    ['ct secmark 1 drop', 'secmark cannot be compared'],
    ['tcp sport set 1-2', 'a range cannot be assigned'],
    ['ct label set 1,2', 'expected one label'],
    ['ct event new drop', 'ct event can only be set'],
    ['tcp option window count set 3', 'only fields of two or four bytes'],
    ['tcp dport 80 dnat ip to :8080', "expected an address, found ':'"],
    ['tcp dport vmap { 22 counter : accept }', 'missing statement in map declaration'],
    ['ct event vmap { new : drop }', 'ct event can only be set'],
    ['ct secmark { 1, 2 } drop', 'secmark cannot be compared'],
    ['ip saddr set 10.0.0.0/8', 'a prefix cannot be assigned'],
    ['meta mark 1 << 4000000000', 'Left shift of 4000000000 bits is undefined for type of 32 bits width'],
    ['meta mark set 1 >> 32', 'Right shift of 32 bits is undefined for type of 32 bits width'],
    ['@nh,4000000000,8 5', 'Numerical result out of range'],
    ['@nh,0,136 5', 'Value too large for defined data type'],
    ['tcp option @5,4000000000,8 5', 'exceeds max tcp headerlen (320)'],
    ['numgen inc mod 0 vmap { 0 : drop }', 'Numerical result out of range'],
    ['numgen inc mod 4294967295 offset 2 0', 'Value too large for defined data type'],
    ['quota 9223372036854775808 bytes', 'Value too large for defined data type'],
    [`log prefix "${'é'.repeat(64)}"`, 'log prefix is too long: at most 127 bytes'],
    [`accept comment "${'é'.repeat(65)}"`, 'a comment has at most 128 bytes'],
  ])('%s', (text, message) => {
    expect(rule(text)).toContain(message);
  });

  test.each([
    ['jump { masquerade; }', 'masquerade works in chains of type nat only'],
    ['goto { jump { meta pkttype set host; }; }', 'meta pkttype set does not work in the input hook'],
    ['jump a\n}\nchain a {\njump { jump a; }', 'jump to a makes a loop'],
    ['jump { tcp dport vmap { 22 : jump a }; }\n}\nchain a {\njump { goto a; }', 'jump to a makes a loop'],
  ])('in rules in braces: %s', (text, message) => {
    expect(rule(`type filter hook input priority 0\n${text}`, 'ip')).toContain(message);
  });

  test('a meter by the name of a set', () => {
    expect(listed(inTable('ip', 'set m {\n type ipv4_addr\n}', 'meter m { ip saddr counter }'))).toContain(
      "there is a set 'm' already",
    );
  });

  test('day and hour are no types of sets', () => {
    expect(listed('table ip t {\n set s {\n type day\n }\n}\n')).toContain(
      "expected a datatype, found 'day'",
    );
  });

  test('a map to ranges holds no single values', () => {
    const map = (value: string): string =>
      `table ip t {\n map m {\n type ipv4_addr : interval ipv4_addr\n flags interval\n elements = { 1.2.3.0/24 : ${value} }\n }\n}\n`;
    expect(listed(map('5.6.7.8'))).toContain('this map has ranges for values');
    expect(listed(map('5.6.7.8-5.6.7.9'))).toContain('1.2.3.0/24 : 5.6.7.8/31');
  });

  test('a chain that the same file makes cannot be renamed', () => {
    const text = 'table ip t {\n chain c {\n }\n}\n';
    expect(listed(`${text}rename chain ip t c d\n`)).toContain('it is made by the same file');
    const ruleset = new NftRuleset();
    ruleset.load({ name: 'x', text });
    expect(ruleset.load({ name: 'y', text: 'rename chain ip t c d\n' })).toEqual([]);
    expect(ruleset.list()).toContain('chain d');
  });

  test('the error of two intervals in each other’s way stands where the second is', () => {
    const ruleset = new NftRuleset();
    const text =
      'table ip t {\n set s {\n  type ipv4_addr\n  flags interval\n  elements = { 1.2.3.0-1.2.3.9, 1.2.3.5-1.2.3.20 }\n }\n}\n';
    expect(ruleset.load({ name: 'x', text })[0]!.at).toMatchObject({ line: 5, col: 33 });
  });
});

describe('a set that a rule of the same file changes', () => {
  const set = 'set s {\n type ipv4_addr\n flags timeout\n}';

  test('becomes dynamic', () => {
    const update = 'update @s { ip saddr timeout 5s }';
    for (const text of [update, `jump { ${update}; }`])
      expect(listed(inTable('ip', set, text))).toContain('\t\tsize 65535\n\t\tflags dynamic,timeout\n');
    expect(listed(inTable('ip', 'set s {\n type ipv4_addr\n}', 'delete @s { ip saddr }'))).toContain(
      'dynamic',
    );
  });

  test('does not if it was there before', () => {
    const ruleset = new NftRuleset();
    ruleset.load({ name: 'a', text: `table ip t {\n${set}\nchain c {\n}\n}\n` });
    const add = 'add rule ip t c update @s { ip saddr timeout 5s }\n';
    expect(ruleset.load({ name: 'b', text: add })).toEqual([]);
    expect(ruleset.list()).toContain('\t\tsize 65535\n\t\tflags timeout\n');
  });

  test('keeps the size that the kernel gave it when the rule goes', () => {
    for (const kind of ['set s {\n type ipv4_addr\n}', 'map s {\n type ipv4_addr : mark\n}']) {
      const ruleset = new NftRuleset();
      const element = kind.startsWith('set') ? 'ip saddr' : 'ip saddr : 5';
      ruleset.load({ name: 'a', text: inTable('ip', kind, `add @s { ${element} }`) });
      expect(ruleset.load({ name: 'b', text: 'flush chain ip t c\n' })).toEqual([]);
      expect(ruleset.list()).toContain('\t\tsize 65535\n');
    }
  });

  test('is as it was if the file fails', () => {
    const ruleset = new NftRuleset();
    ruleset.load({ name: 'a', text: `table ip t {\n${set}\nchain c {\n}\n}\n` });
    const before = ruleset.list();
    const text = 'add rule ip t c update @s { ip saddr timeout 5s }\nadd rule ip t d drop\n';
    expect(ruleset.load({ name: 'b', text })).toHaveLength(1);
    expect(ruleset.list()).toBe(before);
  });
});

describe('a set that is declared again', () => {
  /** What is wrong with the second declaration, or the set then. */
  function again(first: string, second: string): string {
    const ruleset = new NftRuleset();
    const declared = (body: string): string => `table ip t {\n set s {\n${body}\n}\n}\n`;
    ruleset.load({ name: 'a', text: declared(first) });
    const [error] = ruleset.load({ name: 'b', text: declared(second) });
    return error?.message ?? ruleset.list().replace(/^table ip t {\n\tset s {\n|\t}\n}\n$/g, '');
  }

  test.each([
    ['type ipv4_addr', 'typeof ip daddr', '\t\ttype ipv4_addr\n'],
    ['type ipv4_addr\nsize 10', 'type ipv4_addr\nsize 2', '\t\ttype ipv4_addr\n\t\tsize 2\n'],
    ['type ipv4_addr\nsize 10', 'type ipv4_addr', '\t\ttype ipv4_addr\n\t\tsize 10\n'],
    ['type ipv4_addr\ntimeout 5s', 'type ipv4_addr\ntimeout 6s', '\t\ttype ipv4_addr\n\t\ttimeout 6s\n'],
    [
      'type ipv4_addr\ntimeout 5s',
      'type ipv4_addr\nflags timeout',
      '\t\ttype ipv4_addr\n\t\tflags timeout\n',
    ],
  ])('takes its times and size from there: %j, then %j', (first, second, listing) => {
    expect(again(first, second)).toBe(listing);
  });

  test.each([
    ['type ipv4_addr', 'type mark'],
    ['type ipv4_addr\ntimeout 5s', 'type ipv4_addr'],
    ['type ipv4_addr\nflags dynamic', 'type ipv4_addr'],
    ['type ipv4_addr', 'type ipv4_addr\nflags dynamic'],
    ['type ipv4_addr\ncounter', 'type ipv4_addr'],
    ['type ipv4_addr\ncounter', 'type ipv4_addr\nquota 5 bytes'],
  ])('is refused as another: %j, then %j', (first, second) => {
    expect(again(first, second)).toContain('File exists');
  });

  test('is refused without the flag that a rule gave it', () => {
    const text = inTable('ip', 'set s {\n type ipv4_addr\n}', 'add @s { ip saddr }');
    const ruleset = new NftRuleset();
    expect(ruleset.load({ name: 'a', text })).toEqual([]);
    const [error] = ruleset.load({ name: 'b', text });
    expect([error!.message, error!.hint]).toEqual([
      expect.stringContaining('File exists'),
      expect.stringContaining("'flags dynamic'"),
    ]);
  });
});

describe('objects', () => {
  test('a helper without l3proto is of its table’s family', () => {
    const helper = 'ct helper h {\n type "ftp" protocol tcp;\n}';
    expect(listed(`table ip t {\n${helper}\n}\n`)).toContain('l3proto ip\n');
    expect(listed(`table inet t {\n${helper}\n}\n`)).toContain('l3proto inet\n');
  });

  test('the states of a timeout policy are listed in the order of the protocol', () => {
    const text =
      'table ip t {\n ct timeout o {\n protocol tcp;\n policy = { established : 5, syn_sent : 60 };\n }\n}\n';
    expect(listed(text)).toContain('policy = { syn_sent : 60, established : 5 }');
  });

  test('a table may have an owner', () => {
    expect(listed('table ip t {\n flags owner;\n}\n')).toBe('table ip t {\n\tflags owner\n}\n');
  });
});

test('no suggestion repeats the word that stands there', () => {
  const [error] = new NftRuleset().load({
    name: 'x',
    text: 'table ip t {\n set s {\n type ct_label\n }\n}\n',
  });
  expect(error!.message).toContain("'ct_label'");
  expect(error!.hint).toBeUndefined();
});

test.each([
  ['log prefx "x"', 'prefix'],
  ['counter packet 5 bytes 6', 'packets'],
  ['meta l4proto tpc accept', 'tcp'],
])('of %s the word that was meant is named', (text, meant) => {
  expect(rule(text)).toContain(`did you mean '${meant}'?`);
});
