/** examples/sandbox: the program prints what its output.txt says. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { report } from '../../examples/sandbox/gateway.ts';

test('a gateway in a program passes, translates, answers and drops as its output.txt says', () => {
  expect(report()).toBe(readFileSync(new URL('../../examples/sandbox/output.txt', import.meta.url), 'utf8'));
});
