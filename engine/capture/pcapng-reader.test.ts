import { describe, expect, test } from 'vitest';
import { CaptureReader, CaptureRecord } from './index.ts';
import {
  BIG,
  block,
  concat,
  enhanced,
  FRAME,
  frame,
  hex,
  i64,
  interfaceBlock,
  obsolete,
  option,
  read,
  section,
  simple,
  u8,
  u16,
  u32,
} from './testing.mts';

const END = new Uint8Array(4);

function text(value: string): Uint8Array {
  return new Uint8Array(Buffer.from(value));
}

/** Time of one packet with this timestamp on an interface with these options. */
function timeOf(options: Uint8Array, time: bigint): { seconds: number; nanoseconds: number; time: number } {
  const { packets, error } = read(concat(section(), interfaceBlock({ options }), enhanced({ time })));
  expect(error).toBe(null);
  return packets[0];
}

describe('packet blocks', () => {
  test.each([
    ['little', true],
    ['big', false],
  ])('Enhanced, Simple and obsolete Packet Blocks in %s-endian order', (_name, little) => {
    const head = concat(section({ little }), interfaceBlock({ little, snaplen: 100 }));
    const file = concat(
      head,
      enhanced({ little, origlen: 60, time: 0x0005_1234_89ab_cdefn }),
      simple({ little }),
      obsolete({ little, origlen: 70, drops: 9 }),
    );
    const { packets, error, format } = read(file);
    expect(error).toBe(null);
    expect(format).toBe('pcapng');
    expect(packets.map(({ hex }) => hex)).toEqual([hex(FRAME), hex(FRAME), hex(FRAME)]);
    expect(packets.map(({ origlen }) => origlen)).toEqual([60, 46, 70]);
    expect(packets.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(packets.map(({ offset }) => offset)).toEqual([
      head.length,
      head.length + 80,
      head.length + 80 + 64,
    ]);
    expect(packets[0]).toMatchObject({ seconds: 1_427_391_740, nanoseconds: 890_607_000 });
    expect(packets[2]).toMatchObject({ seconds: 1, nanoseconds: 5000, time: 1000.005 });
  });

  test('a Simple Packet Block has no time: the clock stays where the packet before it left it', () => {
    const { packets } = read(concat(section(), interfaceBlock(), simple(), enhanced(), simple()));
    expect(packets.map(({ time }) => time)).toEqual([0, 1000.005, 1000.005]);
  });

  test('a Simple Packet Block is captured up to the snaplen of the first interface', () => {
    const { packets } = read(
      concat(
        section(),
        interfaceBlock({ snaplen: 20 }),
        simple({ origlen: 46, data: FRAME.subarray(0, 20) }),
      ),
    );
    expect(packets[0]).toMatchObject({ hex: hex(FRAME.subarray(0, 20)), caplen: 20, origlen: 46 });
  });

  test.each([0, 1, 2, 3, 4, 5])('a packet of %i bytes is padded to a multiple of 4', (length) => {
    const data = frame(length);
    const { packets, error } = read(concat(section(), interfaceBlock(), enhanced({ data }), enhanced()));
    expect(error).toBe(null);
    expect(packets.map((packet) => packet.hex)).toEqual([hex(data), hex(FRAME)]);
  });
});

describe('interfaces', () => {
  test('names, descriptions, snaplen, link type, FCS length', () => {
    const options = concat(option(2, text('wg0')), option(3, text('Brücke 🌉\0')), option(13, u8(32)), END);
    const { interfaces } = read(concat(section(), interfaceBlock({ linktype: 101, snaplen: 96, options })));
    expect(interfaces).toHaveLength(1);
    expect(interfaces[0]).toMatchObject({ index: 0, section: 0, id: 0, linktype: 101, snaplen: 96 });
    expect(interfaces[0]).toMatchObject({
      name: 'wg0',
      description: 'Brücke 🌉',
      fcslen: 4,
      tsresol: 6,
      tsoffset: 0,
    });
  });

  test('each packet has the link type and the clock of its interface', () => {
    const nano = option(9, u8(9));
    const file = concat(
      section(),
      interfaceBlock(),
      enhanced(),
      interfaceBlock({ linktype: 101, options: nano }),
      enhanced({ iface: 1 }),
      enhanced({ iface: 0 }),
    );
    const { packets } = read(file);
    expect(packets.map(({ iface, linktype, time }) => [iface, linktype, time])).toEqual([
      [0, 1, 1000.005],
      [1, 101, 1.000005],
      [0, 1, 1000.005],
    ]);
  });

  test('a second section, of the other byte order, has its own interfaces', () => {
    const file = concat(
      section(),
      interfaceBlock(),
      interfaceBlock({ linktype: 113 }),
      enhanced({ iface: 1 }),
      section({ little: BIG, length: 1234n }),
      interfaceBlock({ linktype: 101, little: BIG }),
      enhanced({ iface: 0, little: BIG, options: concat(option(1, text('second'), BIG), END) }),
    );
    const { packets, interfaces, error } = read(file);
    expect(error).toBe(null);
    expect(interfaces.map(({ index, section, id, linktype }) => [index, section, id, linktype])).toEqual([
      [0, 0, 0, 1],
      [1, 0, 1, 113],
      [2, 1, 0, 101],
    ]);
    expect(packets.map(({ iface, linktype, comment }) => [iface, linktype, comment])).toEqual([
      [1, 113, null],
      [2, 101, 'second'],
    ]);
  });

  test('a packet of an interface that its section has not described is an error', () => {
    const head = concat(section(), interfaceBlock(), enhanced());
    const { packets, error } = read(concat(head, section(), enhanced()));
    expect(packets).toHaveLength(1);
    expect(error?.message).toContain(
      `byte ${head.length + 28}: a packet of interface 0 in a section that has 0`,
    );
    expect(read(concat(head, enhanced({ iface: 0xffff_ffff }))).error).toMatchObject({ offset: head.length });
  });
});

describe('timestamps', () => {
  test.each([
    ['microseconds unless said otherwise', u8(), 1_795_229_507_064_555n, 1_795_229_507, 64_555_000],
    ['nanoseconds', option(9, u8(9)), 1_795_229_507_064_555_123n, 1_795_229_507, 64_555_123],
    ['milliseconds', option(9, u8(3)), 1_795_229_507_064n, 1_795_229_507, 64_000_000],
    ['seconds', option(9, u8(0)), 1_795_229_507n, 1_795_229_507, 0],
    ['2^-10 s', option(9, u8(0x8a)), (1_795_229_507n << 10n) | 512n, 1_795_229_507, 500_000_000],
    ['2^-32 s', option(9, u8(0xa0)), (1_795_229_507n << 32n) | 0x8000_0001n, 1_795_229_507, 500_000_000],
  ])('%s', (_name, options, time, seconds, nanoseconds) => {
    const expected = { seconds, nanoseconds, time: seconds * 1000 + nanoseconds / 1e6 };
    expect(timeOf(options, time)).toMatchObject(expected);
  });

  test.each([
    [1_700_000_000n, 1_700_000_001],
    [-1n, 0],
    [-5n, -4],
  ])('an offset of %i seconds is added, in either byte order', (offset, seconds) => {
    expect(timeOf(option(14, i64(offset)), 1_000_005n)).toMatchObject({ seconds, nanoseconds: 5000 });
    const options = option(14, i64(offset, BIG), BIG);
    const parts = [
      section({ little: BIG }),
      interfaceBlock({ options, little: BIG }),
      enhanced({ little: BIG }),
    ];
    expect(read(concat(...parts)).packets[0]).toMatchObject({ seconds, nanoseconds: 5000 });
  });

  test.each([
    ['10^-20 s', option(9, u8(20)), 'counts time in 10^-20 s, too fine'],
    ['10^-127 s', option(9, u8(127)), 'counts time in 10^-127 s, too fine'],
    ['2^-64 s', option(9, u8(0xc0)), 'counts time in 2^-64 s, too fine'],
    ['2^-127 s', option(9, u8(0xff)), 'counts time in 2^-127 s, too fine'],
    ['if_tsresol of 2 bytes', option(9, u8(6, 6)), 'if_tsresol has length 2: expected length 1'],
    ['if_tsresol twice', concat(option(9, u8(6)), option(9, u8(6))), 'has if_tsresol twice'],
    ['if_tsoffset of 4 bytes', option(14, u8(0, 0, 0, 1)), 'if_tsoffset has length 4: expected length 8'],
    ['if_tsoffset twice', concat(option(14, i64(1n)), option(14, i64(1n))), 'has if_tsoffset twice'],
    ['an option longer than its block', concat(u16(2), u16(100)), 'option runs over the end of its block'],
  ])('%s is an error', (_name, options, message) => {
    const { error } = read(concat(section(), interfaceBlock({ options }), enhanced()));
    expect(error).toMatchObject({ offset: 28 });
    expect(error?.message).toContain(message);
  });
});

describe('comments', () => {
  const commented = (options: Uint8Array): string | null => {
    const file = concat(section(), interfaceBlock(), enhanced({ data: frame(45), options }), enhanced());
    const { packets, error } = read(file);
    expect(error).toBe(null);
    expect(packets[1].comment).toBe(null);
    return packets[0].comment;
  };

  test('the comment of a packet is found among its options', () => {
    expect(commented(concat(option(2, u32(1)), option(1, text('Ünïcode ✓')), END))).toBe('Ünïcode ✓');
  });

  test('several comments come one a line', () => {
    expect(commented(concat(option(1, text('one')), option(1, text('two')), END))).toBe('one\ntwo');
  });

  test('an obsolete Packet Block has them too, a Simple Packet Block never', () => {
    const options = option(1, text('old'));
    const { packets } = read(concat(section(), interfaceBlock(), obsolete({ options }), simple()));
    expect(packets.map(({ comment }) => comment)).toEqual(['old', null]);
  });

  test('options without opt_endofopt, and none at all, are allowed', () => {
    expect(commented(option(1, text('abc')))).toBe('abc');
    expect(commented(u8())).toBe(null);
  });

  test('the comment goes with its packet: it is null once further bytes have come', () => {
    const file = concat(section(), interfaceBlock(), enhanced({ options: option(1, text('abc')) }));
    const reader = new CaptureReader('a.pcapng');
    reader.push(file);
    expect(reader.next(new CaptureRecord())).toBe(true);
    expect(reader.comment()).toBe('abc');
    reader.push(file);
    expect(reader.comment()).toBe(null);
  });

  test('what comes after opt_endofopt is no option', () => {
    expect(commented(concat(END, option(1, text('abc'))))).toBe(null);
  });

  test('a damaged option ends the search but not the reading', () => {
    expect(commented(concat(option(1, text('abc')), u16(1), u16(9999)))).toBe('abc');
  });
});

describe('blocks without packets', () => {
  test('are passed over, whatever they hold, also when they span chunks', () => {
    const other = [4, 5, 10, 0xbad, 0x4000_0bad, 0x8000_0001].map((type) => block(type, frame(50)));
    const file = concat(section(), ...other, interfaceBlock(), ...other, enhanced(), ...other);
    for (const sizes of [[file.length], [1], [7], [64], [100]]) {
      const { packets, error } = read(file, sizes);
      expect(error).toBe(null);
      expect(packets).toMatchObject([{ hex: hex(FRAME), offset: 28 + 20 + 12 * 64 }]);
    }
  });

  test('of 16 MiB need no memory', () => {
    const file = concat(
      section(),
      block(0xbad, new Uint8Array(16 * 1024 * 1024 - 12)),
      interfaceBlock(),
      enhanced(),
    );
    const before = process.memoryUsage().arrayBuffers;
    const reader = new CaptureReader('a.pcapng');
    const record = new CaptureRecord();
    let count = 0;
    for (let at = 0; at < file.length; at += 10_000) {
      reader.push(file.subarray(at, at + 10_000));
      while (reader.next(record)) count++;
    }
    reader.end();
    expect(count).toBe(1);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
  });

  test('options of the section header do not disturb', () => {
    const options = concat(option(1, text('a comment')), option(4, text('dumpcap')), END);
    expect(read(concat(section({ options }), interfaceBlock(), enhanced())).packets).toHaveLength(1);
  });
});

describe('damage', () => {
  const head = concat(section(), interfaceBlock(), enhanced());

  test.each([
    [
      'length 8',
      concat(u32(9), u32(8)),
      'block says it is 8 bytes long: expected a multiple of 4 from 12 to 16777216',
    ],
    [
      'length 30 of an EPB',
      concat(u32(6), u32(28)),
      'block says it is 28 bytes long: expected a multiple of 4 from 32',
    ],
    ['odd length', concat(u32(9), u32(13)), 'block says it is 13 bytes long: expected a multiple of 4'],
    ['length above 16 MiB', concat(u32(9), u32(16_777_220)), 'block says it is 16777220 bytes long'],
    [
      'other length at the end',
      block(9, u32(1), { trailer: 20 }),
      'is 16 bytes long at its front and 20 at its end',
    ],
    [
      'other length at the end of an EPB',
      enhanced({ trailer: 76 }),
      'is 80 bytes long at its front and 76 at its end',
    ],
    ['packet over the end', enhanced({ caplen: 49 }), 'block of 80 bytes says 49 bytes were captured'],
    ['simple packet over the end', simple({ origlen: 49 }), 'block of 64 bytes says 49 bytes were captured'],
    [
      'captured length absurd',
      enhanced({ caplen: 0xffff_ffff }),
      'says 4294967295 bytes were captured, more than the',
    ],
    [
      'section without magic',
      block(0x0a0d0d0a, frame(16)),
      'without the byte-order magic: expected 1a2b3c4d',
    ],
    [
      'section of version 2.0',
      section({ major: 2 }),
      'pcapng version 2.0 is unknown: expected version 1.0 or 1.2',
    ],
    ['section too short', block(0x0a0d0d0a, u32(0x1a2b3c4d)), 'block says it is 16 bytes long'],
  ])('%s', (_name, bad, message) => {
    const { packets, error } = read(concat(head, bad, enhanced()));
    expect(packets).toHaveLength(1);
    expect(error?.message).toContain(`test.cap: byte ${head.length}: `);
    expect(error?.message).toContain(message);
  });

  test('the message of a file that was cut says where it ends and what is missing', () => {
    const end = head.length;
    const message = (...parts: Uint8Array[]): string | undefined =>
      read(concat(head, ...parts)).error?.message;
    const at = `test.cap: byte ${end}: the file ends at byte`;
    expect(message(u8(6, 0))).toBe(`${at} ${end + 2}, inside a block: expected 8 bytes, 2 are there`);
    expect(message(enhanced().subarray(0, 79))).toBe(
      `${at} ${end + 79}, inside a block: expected 80 bytes, 79 are there`,
    );
    const passed = block(9, frame(40)).subarray(0, 30);
    expect(message(passed)).toBe(`${at} ${end + 30}, inside a block: expected 52 bytes, 30 are there`);
  });
});
