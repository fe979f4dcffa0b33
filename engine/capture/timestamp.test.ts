import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CaptureRecord, TimeScale } from './index.ts';
import { isResolution } from './timestamp.ts';

interface Moment {
  seconds: number;
  nanoseconds: number;
  time: number;
}

function readUnits(tsresol: number, tsoffset: number, units: bigint, little = true): Moment {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, Number(units >> 32n), little);
  view.setUint32(4, Number(units & 0xffff_ffffn), little);
  const record = new CaptureRecord();
  new TimeScale(tsresol, tsoffset).read(view, 0, little, record);
  const { seconds, nanoseconds, time } = record;
  return { seconds, nanoseconds, time };
}

function perSecond(tsresol: number): bigint {
  return tsresol >= 0x80 ? 1n << BigInt(tsresol - 0x80) : 10n ** BigInt(tsresol);
}

const units64 = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.bigInt({ min: 0n, max: (1n << 54n) - 1n }),
);
const resolution = fc.integer({ min: 0, max: 255 }).filter(isResolution);

test('every resolution up to 2^37 units a second is exact to the nanosecond, for all 64-bit timestamps', () => {
  fc.assert(
    fc.property(resolution, units64, fc.boolean(), (tsresol, units, little) => {
      const unit = perSecond(tsresol);
      const whole = units / unit;
      // Seconds themselves must be exact: 2^53 of them is the year 285 million.
      fc.pre(unit <= 1n << 37n && whole < 1n << 50n);
      const nanoseconds = ((units % unit) * 1_000_000_000n) / unit;
      const read = readUnits(tsresol, 0, units, little);
      expect(read.seconds).toBe(Number(whole));
      expect(read.nanoseconds).toBe(Number(nanoseconds));
      expect(read.time).toBe(Number(whole) * 1000 + Number(nanoseconds) / 1e6);
    }),
    { numRuns: 20_000 },
  );
});

test('the last and the first unit of a second are told apart at every resolution', () => {
  for (let tsresol = 0; tsresol < 256; tsresol++) {
    const unit = perSecond(tsresol);
    if (!isResolution(tsresol) || unit > 1n << 37n) continue;
    for (const second of [1n, 2n, 1_795_229_507n, 4_294_967_295n]) {
      if (second * unit >= 1n << 64n) continue;
      expect(readUnits(tsresol, 0, second * unit)).toMatchObject({ seconds: Number(second), nanoseconds: 0 });
      const before = readUnits(tsresol, 0, second * unit - 1n);
      expect(before.seconds).toBe(Number(second) - 1);
      expect(before.nanoseconds).toBe(Number(((unit - 1n) * 1_000_000_000n) / unit));
    }
  }
});

test('the units around a second that is far away are told apart, too', () => {
  const around = fc.bigInt({ min: -1n, max: 1n });
  fc.assert(
    fc.property(resolution, units64, around, (tsresol, units, step) => {
      const unit = perSecond(tsresol);
      fc.pre(unit >= 1n << 14n && unit <= 1n << 37n && units >= unit);
      const near = units - (units % unit) + step;
      const read = readUnits(tsresol, 0, near);
      expect(read.seconds).toBe(Number(near / unit));
      expect(read.nanoseconds).toBe(Number(((near % unit) * 1_000_000_000n) / unit));
    }),
    { numRuns: 10_000 },
  );
});

test('finer resolutions are good for 20 ns', () => {
  fc.assert(
    fc.property(resolution, units64, (tsresol, units) => {
      const unit = perSecond(tsresol);
      fc.pre(unit > 1n << 37n);
      const exact = (units * 1_000_000_000n) / unit;
      const { seconds, nanoseconds } = readUnits(tsresol, 0, units);
      const read = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
      expect(Math.abs(Number(read - exact))).toBeLessThanOrEqual(20);
    }),
    { numRuns: 5000 },
  );
});

test('no resolution, offset or timestamp gives a time that is no number', () => {
  const offset = fc.oneof(fc.constantFrom(-(2 ** 63), 2 ** 63, 0), fc.maxSafeInteger());
  fc.assert(
    fc.property(resolution, offset, units64, (tsresol, tsoffset, units) => {
      const read = readUnits(tsresol, tsoffset, units);
      expect(Number.isFinite(read.time)).toBe(true);
      expect(read.nanoseconds).toBeGreaterThanOrEqual(0);
      expect(read.nanoseconds).toBeLessThan(1e9);
    }),
  );
});

test('what is written in units of a nanosecond or coarser reads back the same', () => {
  const seconds = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(resolution, seconds, fc.bigInt({ min: 0n, max: 1_000_000_000n }), (tsresol, second, part) => {
      const unit = perSecond(tsresol);
      fc.pre(unit <= 1_000_000_000n);
      const units = BigInt(second) * unit + (part * (unit - 1n)) / 1_000_000_000n;
      const scale = new TimeScale(tsresol, 0);
      const read = readUnits(tsresol, 0, units);
      const again = scale.units(read.seconds, read.nanoseconds);
      // 2^-29 s is finer than 2 ns, and whole nanoseconds cannot tell all of its units apart.
      const slack = tsresol >= 0x80 + 29 ? 1n : 0n;
      expect(again - units >= -slack && again - units <= slack).toBe(true);
    }),
    { numRuns: 5000 },
  );
});
