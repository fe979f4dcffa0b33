import { describe, expect, test } from 'vitest';
import { periodRate, readRate } from './rate.ts';

const SCALE = 10000;

function listed(text: string): string {
  const { rate, unit } = periodRate(readRate(text, SCALE), SCALE);
  return `${rate}/${unit.name}`;
}

describe('a rate', () => {
  test.each([
    ['5', '5/sec'],
    ['60/minute', '1/sec'],
    ['61/hour', '61/hour'],
    ['24/day', '1/hour'],
    ['6667/s', '10000/sec'],
    ['3/h', '3/hour'],
    ['7/mi', '7/min'],
  ])('%s is listed as %s', (text, expected) => {
    expect(listed(text)).toBe(expected);
  });

  test.each(['0/s', '5/', '5/fortnight', 'x/s'])('%s is refused as bad', (text) => {
    expect(() => readRate(text, SCALE)).toThrow('bad rate');
  });

  test('of more than the scale a second is too fast', () => {
    expect(() => readRate('10001/s', SCALE)).toThrow('Rate too fast "10001/s"');
  });
});
