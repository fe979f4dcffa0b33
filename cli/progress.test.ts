import { describe, expect, test } from 'vitest';
import { progressText, shortCount, shortTime } from './progress.ts';

describe('progress', () => {
  test('tells share, rate and time left where the size is known', () => {
    expect(progressText({ packets: 3_100_000, bytes: 250, size: 1000 }, 2000)).toBe(
      '25 %, 3.1M packets, 1.6M packets/s, 6 s left',
    );
  });

  test('tells only the rate where it is not, as with a pipe', () => {
    expect(progressText({ packets: 50_000, bytes: 123, size: 0 }, 2000)).toBe('50k packets, 25k packets/s');
  });

  test('is short', () => {
    expect([9999, 10_000, 1_500_000, 2e9].map(shortCount)).toEqual(['9999', '10k', '1.5M', '2.0G']);
    expect([0.2, 59, 61, 3720].map(shortTime)).toEqual(['1 s', '59 s', '1 min 1 s', '1 h 2 min']);
  });
});
