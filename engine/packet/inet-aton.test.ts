import { expect, test } from 'vitest';
import { inetAton } from './inet-aton.ts';

test.each([
  ['10.0.0.1', 0x0a000001],
  ['10.1', 0x0a000001],
  ['10', 10],
  ['0', 0],
  ['0x0a000001', 0x0a000001],
  ['10.0x1', 0x0a000001],
  ['010.1', 0x08000001],
  ['255.255.255.255', 0xffffffff],
  ['4294967295', 0xffffffff],
  ['4294967296', undefined],
  ['10.16777216', undefined],
  ['256.1', undefined],
  ['1.2.3.4.5', undefined],
  ['10.08', undefined],
  ['+10.1', undefined],
  ['10..1', undefined],
  ['', undefined],
])('%s', (text, word) => {
  expect(inetAton(text)).toBe(word);
});
