import { LineWriter } from '@keepstate/engine';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochText, momentAt, parseMoment, secondsText, writeElapsed, writeEpoch } from './moment.ts';

const NOON = Date.UTC(2026, 10, 21, 12, 0, 0);

describe('--at', () => {
  test.each([
    ['1795262400', NOON],
    ['1795262400.25', NOON + 250],
    ['2026-11-21T12:00:00Z', NOON],
    ['2026-11-21T12:00:00', NOON],
    ['2026-11-21 12:00:00.5', NOON + 500],
    ['2026-11-21T13:00+01:00', NOON],
    ['2026-11-21', NOON - 12 * 3600_000],
  ])('%s is that moment, in UTC unless it says otherwise', (text, ms) => {
    expect(momentAt(parseMoment(text), 0)).toBe(ms);
  });

  test('+30 is half a minute after the first packet', () => {
    expect(momentAt(parseMoment('+30'), NOON)).toBe(NOON + 30_000);
    expect(momentAt(parseMoment('+0.5'), NOON)).toBe(NOON + 500);
  });

  test.each(['tomorrow', '', '-5', '12:00', '2026-13-45T99:00:00Z', '1e9', '+', '2026-11-21T', '2026-02-30'])(
    "'%s' is refused",
    (text) => {
      expect(() => parseMoment(text)).toThrow(/bad time/);
    },
  );
});

describe('times in output', () => {
  test('have six digits, or nine where the capture has them', () => {
    expect(epochText(1795229507, 64_555_000)).toBe('1795229507.064555');
    expect(epochText(1795229507, 64_555_123)).toBe('1795229507.064555123');
    expect(epochText(1795229507, 0)).toBe('1795229507.000000');
  });

  test('before 1970, as pcapng can have them, are negative as a whole', () => {
    expect(epochText(-1, 500_000_000)).toBe('-0.500000');
    expect(epochText(-1_000_000_000, 5000)).toBe('-999999999.999995');
    expect(epochText(-3, 0)).toBe('-3.000000');
  });

  test('of milliseconds keep every microsecond of a time of today', () => {
    for (const micros of [0, 1, 999_999, 64_555, 123_456]) {
      expect(secondsText(1_795_229_507_000 + micros / 1000)).toBe(
        `1795229507.${String(micros).padStart(6, '0')}`,
      );
    }
    expect(secondsText(-1.5)).toBe('-0.001500');
    expect(secondsText(1999.9996)).toBe('2.000000');
    expect(secondsText(9.3e18)).toBe('9300000000000000.000000');
  });
});

describe('times written to a line', () => {
  const written = (write: (out: LineWriter) => void): string => {
    const out = new LineWriter();
    write(out);
    return out.toString();
  };
  const time = fc.oneof(
    fc.double({ min: -1e6, max: 1e13, noNaN: true }),
    fc.integer({ min: 0, max: 10_000_000 }).map((micros) => micros / 1000),
    fc.constantFrom(0, -1.5, 1999.9996, 9.3e18, 999_999_999_999.9999),
  );

  test('are those of secondsText, at the right of their column', () => {
    fc.assert(
      fc.property(time, time, (first, ms) => {
        expect(written((out) => writeElapsed(out, { first }, { time: ms }, 12))).toBe(
          secondsText(ms - first).padStart(12),
        );
      }),
    );
  });

  test('are those of epochText, at the right of their column', () => {
    const seconds = fc.oneof(fc.integer({ min: -5, max: 20 }), fc.maxSafeInteger(), fc.constant(2 ** 31));
    const nanoseconds = fc.oneof(
      fc.nat(999_999_999),
      fc.nat(999_999).map((micros) => micros * 1000),
    );
    fc.assert(
      fc.property(seconds, nanoseconds, fc.constantFrom(0, 12), (s, n, width) => {
        expect(written((out) => writeEpoch(out, { seconds: s, nanoseconds: n }, width))).toBe(
          epochText(s, n).padStart(width),
        );
      }),
    );
  });
});
