import { describe, expect, test } from 'vitest';
import {
  asDumped,
  BIG,
  concat,
  FRAME,
  frame,
  hex,
  needsTcpdump,
  pcapHeader,
  pcapRecord,
  read,
  tcpdump,
  u8,
} from './testing.mts';

const MICRO = 0xa1b2c3d4;
const NANO = 0xa1b23c4d;
const KUZNETSOV = 0xa1b2cd34;

describe('byte orders and resolutions', () => {
  test.each([
    ['microseconds, little-endian', MICRO, true, 5000],
    ['microseconds, big-endian', MICRO, false, 5000],
    ['nanoseconds, little-endian', NANO, true, 5],
    ['nanoseconds, big-endian', NANO, false, 5],
  ])('%s', (_name, magic, little, nanoseconds) => {
    const file = concat(pcapHeader({ magic, little }), pcapRecord({ little, origlen: 60 }));
    const { packets, interfaces, format } = read(file);
    expect(format).toBe('pcap');
    expect(packets).toEqual([
      {
        hex: hex(FRAME),
        caplen: 46,
        origlen: 60,
        time: 1_000_000 + nanoseconds / 1e6,
        seconds: 1000,
        nanoseconds,
        linktype: 1,
        iface: 0,
        offset: 24,
        number: 1,
        comment: null,
      },
    ]);
    const tsresol = magic === NANO ? 9 : 6;
    expect(interfaces[0]).toMatchObject({
      linktype: 1,
      snaplen: 65535,
      name: '',
      fcslen: -1,
      tsresol,
      tsoffset: 0,
    });
  });

  test('seconds are unsigned: the format lasts until 2106', () => {
    const { packets } = read(concat(pcapHeader(), pcapRecord({ seconds: 0xffff_ffff, fraction: 999_999 })));
    expect(packets[0]).toMatchObject({ seconds: 0xffff_ffff, nanoseconds: 999_999_000 });
    expect(new Date(packets[0].time).getUTCFullYear()).toBe(2106);
  });

  test.each([
    [MICRO, 2_000_005, 1002, 5000],
    [NANO, 3_000_000_005, 1003, 5],
  ])(
    'a fraction beyond the second (magic %i) is carried into the seconds',
    (magic, fraction, seconds, nanoseconds) => {
      const { packets } = read(concat(pcapHeader({ magic }), pcapRecord({ fraction })));
      expect(packets[0]).toMatchObject({ seconds, nanoseconds, time: seconds * 1000 + nanoseconds / 1e6 });
    },
  );

  test('microseconds survive in the double of time', () => {
    const { packets } = read(concat(pcapHeader(), pcapRecord({ seconds: 1_795_229_507, fraction: 64_555 })));
    expect(packets[0].time).toBe(1_795_229_507_064.555);
  });
});

describe('link type field', () => {
  test('the upper bits give the length of the frame check sequence', () => {
    const { packets, interfaces } = read(concat(pcapHeader({ linktype: 0x2400_0001 }), pcapRecord()));
    expect(packets[0].linktype).toBe(1);
    expect(interfaces[0].fcslen).toBe(4);
  });

  test('reserved bits are an error', () => {
    const { error } = read(concat(pcapHeader({ linktype: 0x0001_0001 }), pcapRecord()));
    expect(error?.message).toBe(
      'test.cap: byte 0: link type 0x10001 has reserved bits set: expected a link type of 16 bits',
    );
  });
});

describe('damage', () => {
  test('a captured length above the limit is named, with the offset of its record', () => {
    const { packets, error } = read(concat(pcapHeader(), pcapRecord(), pcapRecord({ caplen: 262_145 })));
    expect(packets).toHaveLength(1);
    expect(error?.message).toBe(
      'test.cap: byte 86: record says 262145 bytes were captured, more than the limit of 262144: ' +
        'expected a sound record header',
    );
  });

  test('a header with a larger snaplen allows longer packets, up to 16 MiB', () => {
    const data = frame(300_000);
    expect(read(concat(pcapHeader({ snaplen: 300_000 }), pcapRecord({ data }))).packets).toHaveLength(1);
    expect(read(concat(pcapHeader({ snaplen: 299_999 }), pcapRecord({ data }))).error).not.toBe(null);
    const limit = 16 * 1024 * 1024;
    const { error } = read(concat(pcapHeader({ snaplen: 0x7fff_ffff }), pcapRecord({ caplen: limit + 1 })));
    expect(error?.message).toContain('16777217 bytes were captured, more than the limit of 16777216');
  });

  test('the message of a file that was cut says where it ends and what is missing', () => {
    const file = concat(pcapHeader(), pcapRecord(), pcapRecord());
    const message = (length: number): string | undefined => read(file.subarray(0, length)).error?.message;
    expect(message(10)).toContain(
      'byte 0: the file ends at byte 10, inside the file header: expected 24 bytes',
    );
    expect(message(90)).toContain(
      'byte 86: the file ends at byte 90, inside a record header: expected 16 bytes',
    );
    expect(message(130)).toBe(
      'test.cap: byte 86: the file ends at byte 130, inside packet 2: expected 62 bytes, 44 are there',
    );
  });
});

/** Files that are unusual: what we read from them, and that tcpdump reads the same. */
const ODD: readonly [name: string, file: Uint8Array, packets: number][] = [
  ['no packets', pcapHeader(), 0],
  ['a packet of no bytes', concat(pcapHeader(), pcapRecord({ data: u8(), origlen: 60 }), pcapRecord()), 2],
  ['snaplen 0', concat(pcapHeader({ snaplen: 0 }), pcapRecord()), 1],
  ['snaplen -1', concat(pcapHeader({ snaplen: 0xffff_ffff }), pcapRecord()), 1],
  [
    '262144 bytes, above the snaplen of 0',
    concat(pcapHeader({ snaplen: 0 }), pcapRecord({ data: frame(262_144) })),
    1,
  ],
  ['origlen below caplen', concat(pcapHeader(), pcapRecord({ origlen: 20 }), pcapRecord()), 2],
  ['version 2.4', concat(pcapHeader(), pcapRecord({ origlen: 60 })), 1],
  ['version 2.3, lengths in order', concat(pcapHeader({ minor: 3 }), pcapRecord({ origlen: 60 })), 1],
  [
    'version 2.3, lengths swapped',
    concat(pcapHeader({ minor: 3 }), pcapRecord({ caplen: 60, origlen: 46 })),
    1,
  ],
  ['version 2.2', concat(pcapHeader({ minor: 2 }), pcapRecord({ caplen: 60, origlen: 46 })), 1],
  ['version 543.0', concat(pcapHeader({ major: 543, minor: 0 }), pcapRecord({ caplen: 60, origlen: 46 })), 1],
  [
    'Kuznetsov',
    concat(pcapHeader({ magic: KUZNETSOV }), pcapRecord({ more: 8 }), pcapRecord({ more: 8 })),
    2,
  ],
  [
    'Kuznetsov, big-endian',
    concat(pcapHeader({ magic: KUZNETSOV, little: BIG }), pcapRecord({ more: 8, little: BIG })),
    1,
  ],
  ['link type with FCS length', concat(pcapHeader({ linktype: 0x2400_0001 }), pcapRecord()), 1],
  ['link type with the R bit', concat(pcapHeader({ linktype: 0x0800_0001 }), pcapRecord()), 1],
  ['version 2.5', concat(pcapHeader({ minor: 5 }), pcapRecord()), -1],
  ['version 1.0', concat(pcapHeader({ major: 1, minor: 0 }), pcapRecord()), -1],
  ['version 3.0', concat(pcapHeader({ major: 3, minor: 0 }), pcapRecord()), -1],
  ['version 543.1', concat(pcapHeader({ major: 543, minor: 1 }), pcapRecord()), -1],
  ['reserved bits in the link type', concat(pcapHeader({ linktype: 0x0001_0001 }), pcapRecord()), -1],
  [
    '262145 bytes, snaplen -1',
    concat(pcapHeader({ snaplen: 0xffff_ffff }), pcapRecord({ data: frame(262_145) })),
    -1,
  ],
  ['262145 bytes', concat(pcapHeader(), pcapRecord({ data: frame(262_145) })), -1],
  ['a record header cut', concat(pcapHeader(), u8(1, 2, 3)), -1],
  ['a packet cut', concat(pcapHeader(), pcapRecord({ data: FRAME.subarray(0, 30), caplen: 46 })), -1],
  ['a file header cut', pcapHeader().subarray(0, 23), -1],
  ['empty', u8(), -1],
];

describe('odd files', () => {
  test.each(ODD)('%s: is read, or refused, as it should be', (_name, file, count) => {
    const { packets, error } = read(file);
    if (count < 0) expect(error).not.toBe(null);
    else expect(error).toBe(null);
    expect(packets).toHaveLength(Math.max(0, count));
    if (count > 0) expect(packets.at(-1)).toMatchObject({ seconds: 1000, nanoseconds: 5000 });
  });

  test.for(ODD)('%s: tcpdump agrees', ([, file], context) => {
    needsTcpdump(context);
    const ours = read(file);
    const theirs = tcpdump(file);
    expect(asDumped(ours.packets)).toEqual(theirs.packets);
    expect(ours.error !== null, `${ours.error?.message} | ${theirs.error}`).toBe(theirs.error !== null);
  });

  test('longer than the snaplen: tcpdump cuts the packet, we keep all that is there', (context) => {
    needsTcpdump(context);
    const file = concat(pcapHeader({ snaplen: 20 }), pcapRecord());
    expect(read(file).packets[0].hex).toBe(hex(FRAME));
    expect(tcpdump(file).packets[0].hex).toBe(hex(FRAME.subarray(0, 20)));
  });
});
