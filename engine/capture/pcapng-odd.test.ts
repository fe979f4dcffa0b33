import { describe, expect, test } from 'vitest';
import {
  asDumped,
  BIG,
  block,
  concat,
  enhanced,
  frame,
  i64,
  interfaceBlock,
  needsTcpdump,
  obsolete,
  option,
  read,
  section,
  simple,
  tcpdump,
  u8,
  u16,
  u32,
} from './testing.mts';

const UNPADDED = concat(
  u32(6),
  u32(61),
  concat(u32(0), u32(0), u32(5), u32(29), u32(29)),
  frame(29),
  u32(61),
);
/** Unusual files that tcpdump must read as we do; -1: both refuse. (Ethernet: tcpdump's other types differ, see below.) */
const ODD: readonly [name: string, file: Uint8Array, packets: number][] = [
  ['all packet blocks', concat(section(), interfaceBlock(), enhanced(), obsolete({ drops: 3 })), 2],
  ['version 1.2', concat(section({ minor: 2 }), interfaceBlock(), enhanced()), 1],
  ['a section length', concat(section({ length: 80n }), interfaceBlock(), enhanced()), 1],
  ['nanoseconds', concat(section(), interfaceBlock({ options: option(9, u8(9)) }), enhanced()), 1],
  ['2^-10 s', concat(section(), interfaceBlock({ options: option(9, u8(0x8a)) }), enhanced()), 1],
  [
    '2^-20 s',
    concat(section(), interfaceBlock({ options: option(9, u8(0x94)) }), enhanced({ time: 1n << 50n })),
    1,
  ],
  [
    '10^-19 s',
    concat(section(), interfaceBlock({ options: option(9, u8(19)) }), enhanced({ time: 1n << 60n })),
    1,
  ],
  [
    '2^-63 s',
    concat(section(), interfaceBlock({ options: option(9, u8(0xbf)) }), enhanced({ time: 1n << 63n })),
    1,
  ],
  [
    'an offset',
    concat(section(), interfaceBlock({ options: option(14, i64(1_700_000_000n)) }), enhanced()),
    1,
  ],
  [
    'two sections',
    concat(section(), interfaceBlock(), enhanced(), section(), interfaceBlock(), enhanced()),
    2,
  ],
  ['two interfaces', concat(section(), interfaceBlock(), interfaceBlock(), enhanced({ iface: 1 })), 1],
  [
    'other blocks',
    concat(section(), block(5, frame(9)), interfaceBlock(), block(0xbad, frame(7)), enhanced()),
    1,
  ],
  [
    'a broken packet option',
    concat(section(), interfaceBlock(), enhanced({ options: concat(u16(1), u16(99)) })),
    1,
  ],
  ['262144 bytes', concat(section(), interfaceBlock(), enhanced({ data: frame(262_144) })), 1],
  ['262145 bytes', concat(section(), interfaceBlock(), enhanced({ data: frame(262_145) })), -1],
  ['version 1.1', concat(section({ minor: 1 }), interfaceBlock(), enhanced()), -1],
  ['version 2.0', concat(section({ major: 2 }), interfaceBlock(), enhanced()), -1],
  ['a packet before its interface', concat(section(), enhanced()), -1],
  ['10^-20 s', concat(section(), interfaceBlock({ options: option(9, u8(20)) }), enhanced()), -1],
  ['2^-64 s', concat(section(), interfaceBlock({ options: option(9, u8(0xc0)) }), enhanced()), -1],
  [
    'if_tsresol twice',
    concat(section(), interfaceBlock({ options: concat(...[6, 6].map((n) => option(9, u8(n)))) })),
    -1,
  ],
  [
    'an option over the end',
    concat(section(), interfaceBlock({ options: concat(u16(2), u16(100)) }), enhanced()),
    -1,
  ],
  ['a length not a multiple of 4', concat(section(), interfaceBlock(), UNPADDED, enhanced()), -1],
  [
    'a block above 16 MiB',
    concat(section(), interfaceBlock(), block(9, new Uint8Array(1 << 24)), enhanced()),
    -1,
  ],
  ['two lengths', concat(section(), interfaceBlock(), enhanced({ trailer: 99 })), -1],
  ['a packet over the end', concat(section(), interfaceBlock(), enhanced({ caplen: 60 })), -1],
  ['a simple packet over the end', concat(section(), interfaceBlock(), simple({ origlen: 100 })), -1],
  ['a section without magic', concat(section(), interfaceBlock(), block(0x0a0d0d0a, frame(16))), -1],
  ['cut', concat(section(), interfaceBlock(), enhanced()).subarray(0, -2), -1],
];

describe('odd files', () => {
  test.for(ODD)('%s: tcpdump agrees', ([, file, count], context) => {
    const ours = read(file);
    expect(ours.packets).toHaveLength(Math.max(0, count));
    expect(ours.error === null).toBe(count >= 0);
    needsTcpdump(context);
    const theirs = tcpdump(file);
    expect(asDumped(ours.packets)).toEqual(theirs.packets);
    expect(ours.error !== null, `${ours.error?.message} | ${theirs.error}`).toBe(theirs.error !== null);
  });

  test('we read what tcpdump refuses: other link types and byte orders in one file, long packets, no interface', (context) => {
    needsTcpdump(context);
    for (const [file, count] of [
      [concat(section(), interfaceBlock(), interfaceBlock({ linktype: 101 }), enhanced()), 1],
      [concat(section(), interfaceBlock(), interfaceBlock({ snaplen: 99 }), enhanced()), 1],
      [
        concat(
          section(),
          section({ little: BIG }),
          interfaceBlock({ little: BIG }),
          enhanced({ little: BIG }),
        ),
        1,
      ],
      [concat(section(), interfaceBlock({ snaplen: 20 }), enhanced()), 1],
      [section(), 0],
    ] as const) {
      expect(read(file)).toMatchObject({ error: null, packets: { length: count } });
      expect(tcpdump(file).error).not.toBe(null);
    }
  });
});
