/** Random transactions: the ruleset takes, refuses and holds after each what the kernel does. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kernel, kernelUsable } from '../../tests/kernel/oracle.ts';
import { NftRuleset } from './ruleset.ts';

const table = fc.constantFrom('ip t', 'ip t', 'inet u', 't');
const chain = fc.constantFrom('a', 'b', 'c', 'd');
const base = fc.constantFrom(
  ...[
    '',
    '',
    '{ type filter hook input priority 0; }',
    '{ type filter hook input priority 0; policy drop; }',
  ],
  ...[
    '{ type nat hook prerouting priority dstnat; }',
    '{ type filter hook output priority 5; }',
    '{ policy drop; }',
  ],
);
const plainStatement = fc.constantFrom(
  ...[
    'accept',
    'drop',
    'counter',
    'tcp dport { 1, 3 }',
    'tcp dport 22 accept',
    'ip saddr @s',
    'counter name n',
  ],
  ...['tcp dport { 1, 3 } tcp sport { 5, 9 } accept', 'ip saddr @i drop', 'return', 'limit name l'],
  'ip saddr vmap @m',
);
const jump = fc.tuple(fc.constantFrom('jump', 'goto'), chain).map((words) => words.join(' '));
const statement = fc.oneof(
  { weight: 3, arbitrary: plainStatement },
  jump,
  jump.map((to) => `meta mark vmap { 1 : ${to}, 2 : drop }`),
);
const addresses = fc.constantFrom('1.1.1.1', '2.2.2.2', '3.3.3.3', '1.1.1.1, 4.4.4.4');
const intervals = fc.constantFrom('1.0.0.0/8', '2.2.2.2-2.2.2.9', '2.2.2.5', '3.3.3.3', '1.1.1.1');
const verdict = fc.oneof(fc.constantFrom('accept', 'drop'), jump);

/** A command of words and arbitrary parts. */
function line(...parts: (string | fc.Arbitrary<unknown>)[]): fc.Arbitrary<string> {
  const arbitraries = parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part));
  return fc.tuple(...arbitraries).map((words) => words.join(' '));
}

const index = fc.nat(2);
const command = fc.oneof(
  line(fc.constantFrom('add table', 'create table', 'delete table', 'flush table'), table),
  { weight: 3, arbitrary: line('add chain', table, chain, base) },
  line(fc.constantFrom('delete chain', 'flush chain', 'create chain'), table, chain),
  { weight: 4, arbitrary: line('add rule', table, chain, statement) },
  { weight: 2, arbitrary: line('insert rule', table, chain, statement) },
  line(fc.constantFrom('insert', 'add'), 'rule', table, chain, 'index', index, statement),
  line('add set', table, 's { type ipv4_addr; }'),
  line('add set', table, 'i { type ipv4_addr; flags interval; }'),
  line('add map', table, 'm { type ipv4_addr : verdict; }'),
  line('add counter', table, 'n'),
  line('add limit', table, 'l { rate 5/second }'),
  line(
    'delete',
    fc.constantFrom('set', 'map', 'counter', 'limit'),
    table,
    fc.constantFrom('s', 'i', 'm', 'n', 'l'),
  ),
  line(fc.constantFrom('add', 'delete', 'create'), 'element', table, 's {', addresses, '}'),
  line('add element', table, 'i {', intervals, '}'),
  line('add element', table, 'm {', fc.constantFrom('1.1.1.1', '2.2.2.2'), ':', verdict, '}'),
  line(
    'table',
    table,
    '{ set s { type ipv4_addr; elements = {',
    addresses,
    '}; }; chain',
    chain,
    '{',
    statement,
    '; }; }',
  ),
);
// nft finds the chain to rename, but not one that the same transaction made: alone, then.
const transaction = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(command, { minLength: 1, maxLength: 2 }).map((lines) => lines.join('\n')),
  },
  line('rename chain', table, chain, chain),
);
const START = `add table ip t
add chain ip t a
add chain ip t b { type filter hook input priority 0; }
add chain ip t c
add set ip t s { type ipv4_addr; }
add counter ip t n`;

/** For each line, a transaction in base64: prints `ok` or `no`, the ruleset and a line of signs. */
const RUN = `nft flush ruleset
while read -r text; do
  if printf %s "$text" | base64 -d | nft -f - 2>/dev/null; then echo ok; else echo no; fi
  nft list ruleset
  echo =====
done`;

describe.skipIf(!kernelUsable())('transactions', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ log: false });
  });
  afterAll(() => kernel.close());

  test('leave what they leave in the kernel', async () => {
    let taken = 0;
    const scenario = fc.array(transaction, { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(scenario, async (rest) => {
        const texts = [START, ...rest].map((text) => `${text}\n`);
        const input = texts.map((text) => `${Buffer.from(text).toString('base64')}\n`).join('');
        const { stdout } = await kernel.exec(['sh', '-c', RUN], input);
        const ruleset = new NftRuleset();
        const ours = texts.map((text) => {
          const errors = ruleset.load({ name: 'f', text });
          taken += errors.length === 0 ? 1 : 0;
          return `${errors.length === 0 ? 'ok' : 'no'}\n${ruleset.list()}`;
        });
        expect(ours).toEqual(stdout.split('=====\n').slice(0, -1));
      }),
      { numRuns: 60 },
    );
    expect(taken).toBeGreaterThan(120);
  });
});
