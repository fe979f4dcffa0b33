import { describe, expect, test } from 'vitest';
import { type Argument, Getopt, type LongOption } from './getopt.ts';

const SHORT: ReadonlyMap<string, Argument> = new Map([
  ['a', 'none'],
  ['b', 'required'],
  ['c', 'optional'],
]);
const LONG: readonly LongOption[] = [
  { name: 'alpha', argument: 'none', id: 'a' },
  { name: 'beta', argument: 'required', id: 'b' },
  { name: 'better', argument: 'required', id: 'better' },
  { name: 'alphabet', argument: 'none', id: 'a' },
];

/** Options as `id=value`, and what error messages would call them. */
function read(...args: string[]): string[] {
  const getopt = new Getopt(['program', ...args], SHORT, () => LONG);
  const found: string[] = [];
  for (let t = getopt.next(); t !== null; t = getopt.next()) {
    found.push(t.id === '?' || t.id === ':' ? `${t.id} ${t.previous}` : `${t.id}=${t.value}`);
  }
  return found;
}

// Each expectation is what getopt_long(3) of glibc 2.36 gave.
describe('options are found as getopt_long(3) finds them', () => {
  test.each([
    [
      ['-a', '-b', '1', '-c'],
      ['a=null', 'b=1', 'c=null'],
    ],
    [
      ['-ab1', '-cx'],
      ['a=null', 'b=1', 'c=x'],
    ],
    [
      ['-c', 'x', '-a'],
      ['c=null', 'a=null'],
    ],
    [
      ['word', '-a', 'word', '-b', '-a'],
      ['a=null', 'b=-a'],
    ],
    [
      ['--alpha', '--beta=1', '--beta', '2'],
      ['a=null', 'b=1', 'b=2'],
    ],
    [
      ['--alp', '--bett', '1'],
      ['a=null', 'better=1'],
    ],
    [['--be', '1'], ['? --be']],
    [['--alpha=1'], ['? --alpha=1']],
    [['-a', '--', '-b'], ['a=null']],
    [['-b'], [': -b']],
    [['x', '--beta'], [': --beta']],
    [['-z'], ['? -z']],
    [['-zb1'], ['? program', 'b=1']],
    [['-', '-a'], ['a=null']],
  ])('%j', (args, wanted) => {
    expect(read(...args)).toEqual(wanted);
  });
});
