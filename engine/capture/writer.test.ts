import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CaptureReader,
  CaptureRecord,
  type PcapngInterface,
  PcapngWriter,
  type PcapOptions,
  PcapWriter,
} from './index.ts';
import {
  asDumped,
  concat,
  enhanced,
  FRAME,
  frame,
  hex,
  interfaceBlock,
  needsTcpdump,
  option,
  pcapHeader,
  pcapRecord,
  read,
  section,
  tcpdump,
  u8,
} from './testing.mts';

const NOW = 1_795_229_507_064.555;

interface Made {
  data: Uint8Array;
  seconds: number;
  nanoseconds: number;
  cut: number;
  iface: number;
  comment: string | null;
}

const made: fc.Arbitrary<Made> = fc.record({
  data: fc.uint8Array({ maxLength: 90 }),
  seconds: fc.nat({ max: 0xffff_ffff }),
  nanoseconds: fc.nat({ max: 999_999_999 }),
  cut: fc.nat({ max: 3 }),
  iface: fc.nat({ max: 2 }),
  comment: fc.option(fc.string({ unit: 'binary', maxLength: 12 })),
});
const sizes = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 10 });

/** A record of a made packet, of which the first byte of its chunk is not part, at a whole number of units. */
function recordOf(packet: Made, nanosPerUnit: number): CaptureRecord {
  const record = new CaptureRecord().packet(concat(u8(0xff), packet.data, u8(0xff)), 0);
  record.off = 1;
  record.caplen = packet.data.length;
  record.origlen = packet.data.length + packet.cut;
  record.seconds = packet.seconds;
  record.nanoseconds = packet.nanoseconds - (packet.nanoseconds % nanosPerUnit);
  record.time = record.seconds * 1000 + record.nanoseconds / 1e6;
  return record;
}

describe('pcap', () => {
  test('what is written is read again, in any byte order, resolution and chunks', () => {
    fc.assert(
      fc.property(
        fc.array(made, { maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        sizes,
        (packets, ns, big, cuts) => {
          const writer = new PcapWriter({ nanoseconds: ns, bigEndian: big, linktype: 113, snaplen: 99 });
          const records = packets.map((packet) => recordOf(packet, ns ? 1 : 1000));
          for (const record of records) record.linktype = 113;
          const reading = read(
            concat(writer.header(), ...records.map((record) => writer.record(record))),
            cuts,
          );
          expect(reading).toMatchObject({ error: null, format: 'pcap' });
          expect(reading.interfaces).toMatchObject([{ linktype: 113, snaplen: 99, tsresol: ns ? 9 : 6 }]);
          const expected = records.map(({ caplen, origlen, time, seconds, nanoseconds, linktype }, index) => {
            const data = hex(packets[index].data);
            return { hex: data, caplen, origlen, time, seconds, nanoseconds, linktype, number: index + 1 };
          });
          expect(reading.packets).toMatchObject(expected);
          expect(reading.packets).toHaveLength(expected.length);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the bytes are those of the format', () => {
    const record = new CaptureRecord().packet(FRAME, 1_000_000.005);
    for (const little of [true, false]) {
      const micro = new PcapWriter({ bigEndian: !little });
      expect(hex(micro.header())).toBe(hex(pcapHeader({ snaplen: 262_144, little })));
      expect(hex(micro.record(record))).toBe(hex(pcapRecord({ little })));
      const nano = new PcapWriter({ bigEndian: !little, nanoseconds: true });
      expect(hex(nano.header())).toBe(hex(pcapHeader({ magic: 0xa1b23c4d, snaplen: 262_144, little })));
      expect(hex(nano.record(record))).toBe(hex(pcapRecord({ little, fraction: 5000 })));
    }
  });

  test('a time between two microseconds goes to the nearer one, also over the end of a second', () => {
    const written = (time: number): string =>
      hex(new PcapWriter().record(new CaptureRecord().packet(FRAME, time)));
    expect(written(1000.0004)).toBe(hex(pcapRecord({ seconds: 1, fraction: 0 })));
    expect(written(1000.0006)).toBe(hex(pcapRecord({ seconds: 1, fraction: 1 })));
    expect(written(1999.9996)).toBe(hex(pcapRecord({ seconds: 2, fraction: 0 })));
  });

  test('the exact time of a packet made by hand is the nearest nanosecond to its milliseconds', () => {
    const made = (time: number): CaptureRecord => new CaptureRecord().packet(FRAME, time);
    expect(made(1500.25)).toMatchObject({ seconds: 1, nanoseconds: 500_250_000 });
    expect(made(1999.9999999)).toMatchObject({ seconds: 2, nanoseconds: 0 });
    expect(made(-0.5)).toMatchObject({ seconds: -1, nanoseconds: 999_500_000 });
  });

  test('a time set after reading is the one that is written', () => {
    const record = new CaptureRecord().packet(FRAME, 5);
    record.time = NOW;
    const writer = new PcapWriter();
    expect(read(concat(writer.header(), writer.record(record))).packets[0].time).toBe(NOW);
  });

  test.each([-1, 2 ** 32 * 1000, Number.NaN, Number.POSITIVE_INFINITY])(
    'a time of %d does not fit',
    (time) => {
      expect(() => new PcapWriter().record(new CaptureRecord().packet(FRAME, time))).toThrow(RangeError);
    },
  );

  test('a packet of another link type is refused', () => {
    const record = new CaptureRecord().packet(FRAME, 0, 101);
    expect(() => new PcapWriter().record(record)).toThrow(
      'a packet of link type 101 in a pcap file of type 1',
    );
  });
});

const INTERFACES: readonly PcapngInterface[] = [
  { linktype: 1, name: 'eth0', description: 'the wire 🌍', snaplen: 262_144 },
  { linktype: 101, tsresol: 9, name: 'wg0' },
  { linktype: 113, tsresol: 9, tsoffset: -1_000_000_000 },
];

describe('pcapng', () => {
  test('what is written is read again, in any byte order and chunks, with comments and interfaces', () => {
    fc.assert(
      fc.property(fc.array(made, { maxLength: 12 }), fc.boolean(), sizes, (packets, bigEndian, cuts) => {
        const writer = new PcapngWriter({ bigEndian, application: 'keepstate' });
        const head = concat(writer.header(), ...INTERFACES.map((iface) => writer.interface(iface)));
        const records = packets.map((packet) => {
          const record = recordOf(packet, packet.iface === 0 ? 1000 : 1);
          record.iface = packet.iface;
          record.linktype = INTERFACES[packet.iface].linktype;
          return record;
        });
        const blocks = records.map((record, index) => writer.record(record, packets[index].comment));
        const reading = read(concat(head, ...blocks), cuts);
        expect(reading).toMatchObject({ error: null, format: 'pcapng', interfaces: INTERFACES });
        const expected = records.map(
          ({ caplen, origlen, time, seconds, nanoseconds, linktype, iface }, index) => {
            const { data, comment } = packets[index];
            return { hex: hex(data), caplen, origlen, time, seconds, nanoseconds, linktype, iface, comment };
          },
        );
        expect(reading.packets).toMatchObject(expected);
        expect(reading.packets).toHaveLength(expected.length);
      }),
      { numRuns: 300 },
    );
  });

  test('the bytes are those of the format', () => {
    for (const little of [true, false]) {
      const writer = new PcapngWriter({ bigEndian: !little });
      expect(hex(writer.header())).toBe(hex(section({ little })));
      const options = concat(option(2, new Uint8Array(Buffer.from('eth0')), little), new Uint8Array(4));
      expect(hex(writer.interface({ linktype: 1, name: 'eth0' }))).toBe(
        hex(interfaceBlock({ little, options })),
      );
      const comment = concat(option(1, new Uint8Array(Buffer.from('hello')), little), new Uint8Array(4));
      const record = new CaptureRecord().packet(frame(45), 1000.005);
      expect(hex(writer.record(record, 'hello'))).toBe(
        hex(enhanced({ little, data: frame(45), options: comment })),
      );
      expect(hex(writer.record(record))).toBe(hex(enhanced({ little, data: frame(45) })));
    }
  });

  test('a capture can be copied with its interfaces, link types and exact times', () => {
    const file = concat(
      section(),
      interfaceBlock({ options: concat(option(9, u8(9)), option(2, new Uint8Array(Buffer.from('lan')))) }),
      enhanced({ time: 1_795_229_507_064_555_123n }),
      section({ little: false }),
      interfaceBlock({ linktype: 101, little: false }),
      enhanced({ little: false, time: 1_795_229_507_064_555n }),
    );
    const reader = new CaptureReader('a.pcapng');
    const record = new CaptureRecord();
    const writer = new PcapngWriter();
    const pieces = [writer.header()];
    reader.push(file);
    while (reader.next(record)) {
      while (writer.interfaces < reader.interfaces.length) {
        pieces.push(writer.interface(reader.interfaces[writer.interfaces]));
      }
      pieces.push(writer.record(record, reader.comment()));
    }
    reader.end();
    const fields = read(file).packets.map(({ offset, ...rest }) => rest);
    const copy = read(concat(...pieces));
    expect(copy.packets.map(({ offset, ...rest }) => rest)).toEqual(fields);
    expect(copy.interfaces[0]).toMatchObject({ name: 'lan', tsresol: 9 });
  });

  test('a comment longer than an option can be is cut', () => {
    const writer = new PcapngWriter();
    const head = concat(writer.header(), writer.interface({ linktype: 1 }));
    const block = writer.record(new CaptureRecord().packet(FRAME, 0), 'x'.repeat(70_000));
    expect(read(concat(head, block)).packets[0].comment).toBe('x'.repeat(65_535));
  });

  test('packets that do not fit their interface are refused', () => {
    const writer = new PcapngWriter();
    const record = new CaptureRecord().packet(FRAME, 0);
    expect(() => writer.record(record)).toThrow('interface 0 has not been written');
    writer.interface({ linktype: 101 });
    expect(() => writer.record(record)).toThrow(
      'a packet of link type 1 on interface 0, which is of another',
    );
    writer.interface({ linktype: 1, tsresol: 0x80 + 40 });
    record.iface = 1;
    record.time = NOW;
    expect(() => writer.record(record)).toThrow('does not fit in 64 bits');
    record.time = -1;
    expect(() => writer.record(record)).toThrow(RangeError);
    expect(() => writer.interface({ linktype: 1, tsresol: 20 })).toThrow('20 is no if_tsresol');
  });
});

describe('tcpdump reads what we write', () => {
  const records = [0, 1, 2, 3, 46, 100, 1514].map((length, index) => {
    const record = new CaptureRecord().packet(frame(length), NOW + index * 1000);
    record.origlen += index;
    return record;
  });

  test.for<PcapOptions>([
    {},
    { bigEndian: true },
    { nanoseconds: true },
    { nanoseconds: true, bigEndian: true },
  ])('pcap %o', (options, context) => {
    needsTcpdump(context);
    const writer = new PcapWriter(options);
    const file = concat(writer.header(), ...records.map((record) => writer.record(record)));
    expect(tcpdump(file)).toEqual({ packets: asDumped(read(file).packets), error: null });
    expect(read(file).packets).toHaveLength(records.length);
  });

  test.for([6, 9, 3, 0x94, 0x9e])('pcapng with if_tsresol %i', (tsresol, context) => {
    needsTcpdump(context);
    for (const bigEndian of [true, false]) {
      const writer = new PcapngWriter({ bigEndian, application: 'keepstate' });
      const iface = { linktype: 1, tsresol, name: 'eth0', tsoffset: 1_000_000_000 };
      const head = concat(writer.header(), writer.interface(iface));
      const file = concat(head, ...records.map((record, index) => writer.record(record, `packet ${index}`)));
      expect(tcpdump(file)).toEqual({ packets: asDumped(read(file).packets), error: null });
      expect(read(file).packets).toHaveLength(records.length);
    }
  });
});
