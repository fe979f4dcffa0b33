import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NftRuleset } from './ruleset.ts';

interface Command {
  readonly op: 'add' | 'delete' | 'flush';
  readonly low: number;
  readonly high: number;
}

const command: fc.Arbitrary<Command> = fc.record({
  op: fc.constantFrom('add', 'add', 'add', 'add', 'delete', 'flush'),
  low: fc.integer({ min: 1, max: 400 }),
  high: fc.integer({ min: 0, max: 3 }),
});

function textOf({ op, low, high }: Command): string {
  if (op === 'flush') return 'flush set ip t s';
  return `${op} element ip t s { ${high === 0 ? low : `${low}-${low + high}`} }`;
}

/** What the commands make of ranges by their first values; null if one of them is refused. */
function apply(
  ranges: ReadonlyMap<number, number>,
  commands: readonly Command[],
): Map<number, number> | null {
  const out = new Map(ranges);
  for (const { op, low, high: length } of commands) {
    const high = low + length;
    const isThere = out.get(low) === high;
    if (op === 'flush') out.clear();
    else if (op === 'delete' && !out.delete(isThere ? low : -1)) return null;
    else if (op === 'add' && !isThere) {
      for (const [from, to] of out) if (from <= high && low <= to) return null;
      out.set(low, high);
    }
  }
  return out;
}

function listed(ruleset: NftRuleset): string {
  return /elements = \{ ([^}]*) \}/.exec(ruleset.list())?.[1]?.replaceAll(/\s+/g, ' ') ?? '';
}

test('ranges that come one by one and go again, in transactions of which some fail, never overlap', () => {
  const transactions = fc.array(fc.array(command, { minLength: 1, maxLength: 3 }), { maxLength: 80 });
  fc.assert(
    fc.property(transactions, (all) => {
      const ruleset = new NftRuleset();
      const set = 'add table ip t\nadd set ip t s { type inet_service; flags interval; }\n';
      expect(ruleset.load({ name: 'f', text: set })).toEqual([]);
      let ranges: Map<number, number> = new Map();
      for (const commands of all) {
        const text = `${commands.map(textOf).join('\n')}\n`;
        const next = apply(ranges, commands);
        expect([text, ruleset.load({ name: 'f', text }).length === 0]).toEqual([text, next !== null]);
        ranges = next ?? ranges;
      }
      const expected = [...ranges].sort(([a], [b]) => a - b);
      const words = expected.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`));
      expect(listed(ruleset)).toBe(words.join(', '));
    }),
    { numRuns: 60 },
  );
});

test('an element in the way of an earlier one of very many is refused where it stands', () => {
  const ruleset = new NftRuleset();
  const many = Array.from({ length: 2000 }, (_, i) => `add element ip t s { ${i * 10}-${i * 10 + 5} }\n`);
  const text = `add table ip t\nadd set ip t s { type inet_service; flags interval; }\n${many.join('')}`;
  expect(ruleset.load({ name: 'f', text })).toEqual([]);
  const errors = ruleset.load({ name: 'g', text: 'add element ip t s { 5003 }\n' });
  expect(errors.map((error) => error.message)).toEqual(['g:1:22: conflicting intervals specified']);
});
