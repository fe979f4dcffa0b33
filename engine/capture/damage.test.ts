import { describe, expect, test } from 'vitest';
import {
  BIG,
  block,
  concat,
  enhanced,
  FRAME,
  frame,
  interfaceBlock,
  obsolete,
  option,
  pcapHeader,
  pcapRecord,
  type Reading,
  read,
  section,
  simple,
  u8,
  u16,
} from './testing.mts';

const KUZNETSOV = 0xa1b2cd34;
const COMMENT = concat(option(1, new Uint8Array(Buffer.from('note'))), new Uint8Array(4));

/** Small files as the pieces (headers, records, blocks) that they consist of. */
const FILES: readonly [name: string, pieces: readonly Uint8Array[]][] = [
  ['pcap', [pcapHeader(), pcapRecord(), pcapRecord({ data: u8() }), pcapRecord({ data: frame(60) })]],
  [
    'pcap, big-endian',
    [pcapHeader({ little: BIG }), pcapRecord({ little: BIG }), pcapRecord({ little: BIG })],
  ],
  ['pcap, Kuznetsov', [pcapHeader({ magic: KUZNETSOV }), pcapRecord({ more: 8 }), pcapRecord({ more: 8 })]],
  [
    'pcapng',
    [
      section({ options: COMMENT }),
      interfaceBlock({ options: option(9, u8(9)) }),
      enhanced({ options: COMMENT }),
      block(5, frame(30)),
      simple(),
      obsolete({ data: frame(45) }),
      block(0xbad, u8()),
      enhanced({ data: u8() }),
    ],
  ],
  [
    'pcapng, two byte orders',
    [
      section({ little: BIG }),
      interfaceBlock({ little: BIG }),
      enhanced({ little: BIG }),
      block(0xbad, frame(20), { little: BIG }),
      section(),
      interfaceBlock(),
      interfaceBlock({ linktype: 101 }),
      enhanced({ iface: 1 }),
    ],
  ],
];

describe('a file that was cut', () => {
  test.each(FILES)(
    '%s: at every byte, all packets before it and then one error with the right offset',
    (_name, pieces) => {
      const file = concat(...pieces);
      const whole = read(file);
      expect(whole.error).toBe(null);
      const starts = pieces.map((_piece, index) => concat(...pieces.slice(0, index)).length);
      for (let cut = 0; cut <= file.length; cut++) {
        const start = starts.findLast((offset) => offset <= cut)!;
        const complete = cut === file.length || (cut === start && cut > 0);
        const before = whole.packets.filter(
          ({ offset }) => offset < start || (complete && cut === file.length),
        );
        for (const sizes of [[file.length], [1], [13]]) {
          const { packets, error } = read(file.subarray(0, cut), sizes);
          expect(packets, `cut at ${cut}`).toEqual(before);
          if (complete) expect(error, `cut at ${cut}`).toBe(null);
          else expect(error, `cut at ${cut}`).toMatchObject({ offset: start, file: 'test.cap' });
        }
      }
    },
  );
});

/** A generator of numbers below a limit, always the same from the same seed (mulberry32). */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

const NASTY = [0, 1, 3, 4, 8, 11, 12, 28, 255, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 262_145, 16_777_216];

function mutate(file: Uint8Array, below: (limit: number) => number): Uint8Array {
  let bytes: Uint8Array = file.slice();
  for (let changes = 1 + below(3); changes > 0; changes--) {
    const at = below(bytes.length);
    const kind = below(5);
    if (kind === 0) bytes[at] ^= 1 << below(8);
    else if (kind === 1) bytes[at] = below(256);
    else if (kind === 2 && at + 4 <= bytes.length) {
      new DataView(bytes.buffer).setUint32(at & ~3, NASTY[below(NASTY.length)], below(2) === 0);
    } else if (kind === 3) bytes = concat(bytes.subarray(0, at), bytes.subarray(at + 1 + below(8)));
    else bytes = concat(bytes.subarray(0, at), bytes.subarray(0, below(40)), bytes.subarray(at));
    if (bytes.length === 0) return bytes;
  }
  return bytes;
}

function comparable(reading: Reading): unknown {
  const { packets, error } = reading;
  return { packets, message: error?.message ?? null, offset: error?.offset ?? null };
}

describe('a file that was changed at random', () => {
  test.each(FILES)(
    '%s: gives packets and at most a CaptureError, the same in all chunks',
    (_name, pieces) => {
      const file = concat(...pieces);
      const below = random(file.length);
      let errors = 0;
      const rounds = 1500;
      for (let round = 0; round < rounds; round++) {
        const changed = mutate(file, below);
        // read() lets every other exception pass, and checks that packets lie inside their chunk.
        const reading = read(changed);
        if (reading.error !== null) errors++;
        expect(reading.packets.length).toBeLessThanOrEqual(changed.length / 12);
        for (const { time, offset, nanoseconds } of reading.packets) {
          expect(Number.isFinite(time)).toBe(true);
          expect(nanoseconds >= 0 && nanoseconds < 1e9).toBe(true);
          expect(offset).toBeLessThan(changed.length);
        }
        expect(comparable(read(changed, [1 + below(30)]))).toEqual(comparable(reading));
      }
      expect(errors).toBeGreaterThan(rounds / 4);
    },
  );

  test('nothing of it makes memory grow', () => {
    const before = process.memoryUsage().arrayBuffers;
    const below = random(1);
    const huge = concat(
      section(),
      interfaceBlock({ snaplen: 0x7fff_ffff }),
      u16(6),
      u16(0),
      u8(0, 0, 255, 0),
      FRAME,
    );
    for (let round = 0; round < 500; round++) read(mutate(huge, below));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 << 20);
  });
});
