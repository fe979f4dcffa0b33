/** Whatever is said to the helpers of H.323, they neither throw nor write anything but addresses and ports. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from './payload.ts';
import { Talk } from './testing.mts';

const hex = (text: string): readonly number[] => text.match(/../g)!.map((pair) => Number.parseInt(pair, 16));

/** A Setup with h245Address and fastStart, and a RegistrationRequest, of 10.0.0.1. */
const SAMPLES = [
  {
    helper: 'Q.931',
    proto: 'tcp',
    port: 1720,
    sample: hex(
      '03000090080212340504038893a52803616c007e007a0500f0060008914a0004000a00000113880240040061006c00690063006501801234' +
        '22c0b500534c0470686f6e650031000101801234000102030405060708090a0b0c0d0e0f1000c910000011000102030405060708090a0b0c' +
        '0d0e0f101b01190000640c60138011140001000a0000011770000a0000011771',
    ),
  },
  {
    helper: 'RAS',
    proto: 'udp',
    port: 1719,
    sample: hex(
      '0e800001060008914a00048001000a00000106b801000a0000010fa022c0b500534c0470686f6e650031000140040061006c006900630065' +
        '00b500534c0a880200770180',
    ),
  },
] as const;

const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));

describe.each(SAMPLES)('$helper', ({ helper, proto, port, sample }) => {
  const damaged = fc.array(change, { maxLength: 4 }).map((changes) => {
    const bytes = Uint8Array.from(sample);
    for (const [where, byte] of changes) bytes[where % bytes.length] = byte;
    return bytes;
  });
  const said = fc.oneof(fc.uint8Array({ maxLength: 120 }), damaged, fc.tuple(damaged, damaged));

  test.each([false, true])('takes anything, and its length stays (translated: %s)', (masqueraded) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), said), { maxLength: 5 }), (all) => {
        const talk = new Talk(helper, proto, port, { masqueraded });
        for (const [isUp, one] of all) {
          const bytes = Array.isArray(one) ? Uint8Array.of(...one[0], ...one[1]) : (one as Uint8Array);
          const heard = isUp ? talk.up(bytes) : talk.down(bytes);
          if (heard.text === null) continue;
          expect(heard.text).toHaveLength(bytes.length);
          if (!masqueraded) expect(bytesOf(heard.text)).toEqual(bytes);
        }
      }),
      { numRuns: 60 },
    );
  });
});
