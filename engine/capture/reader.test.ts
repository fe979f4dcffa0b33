import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { CaptureError, CaptureReader, CaptureRecord, PcapngWriter, PcapWriter } from './index.ts';
import {
  concat,
  FRAME,
  frame,
  hex,
  interfaceBlock,
  pcapHeader,
  pcapRecord,
  read,
  section,
  u8,
} from './testing.mts';

const PCAP = concat(pcapHeader(), pcapRecord(), pcapRecord({ seconds: 1001 }));

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

function failure(run: () => void): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return null;
}

describe('recognizing a file', () => {
  test('the format is unknown until four bytes have come', () => {
    const reader = new CaptureReader('a.pcap');
    const record = new CaptureRecord();
    reader.push(PCAP.subarray(0, 3));
    expect(reader.next(record)).toBe(false);
    expect(reader.format).toBe(null);
    reader.push(PCAP.subarray(3, 4));
    expect(reader.next(record)).toBe(false);
    expect(reader.format).toBe('pcap');
  });

  test('a section header makes it pcapng', () => {
    expect(read(section()).format).toBe('pcapng');
  });

  test.each([
    ['gzip', u8(0x1f, 0x8b, 8, 0), 'byte 0: the file begins with 1f8b0800 (gzip: decompress it first)'],
    ['zstd', u8(0x28, 0xb5, 0x2f, 0xfd), '(zstd: decompress it first)'],
    ['snoop', u8(0x73, 0x6e, 0x6f, 0x6f, 0x70), '(snoop, another capture format)'],
    ['text', u8(0x31, 0x30, 0x3a, 0x30), 'begins with 31303a30: expected a pcap or pcapng header'],
  ])('a %s file is refused with its first bytes', (_name, file, message) => {
    expect(read(file).error?.message).toContain(message);
  });

  test('an empty file is an error at byte 0', () => {
    const { error } = read(u8());
    expect(error?.message).toBe('test.cap: byte 0: the file is empty: expected a pcap or pcapng header');
    expect(error).toMatchObject({ file: 'test.cap', offset: 0, expected: 'a pcap or pcapng header' });
  });
});

describe('chunks', () => {
  test.each([1, 2, 3, 5, 7, 16, 17, 61, 62, 63, 4096])('chunks of %i bytes give the same packets', (size) => {
    expect(read(PCAP, [size])).toEqual(read(PCAP));
    expect(read(PCAP).packets).toHaveLength(2);
  });

  test('a Buffer inside a larger one is read at its own offset', () => {
    const large = Buffer.concat([Buffer.alloc(13, 0xff), PCAP, Buffer.alloc(9, 0xff)]);
    const reader = new CaptureReader('a.pcap');
    const record = new CaptureRecord();
    reader.push(large.subarray(13, 13 + PCAP.length));
    expect(reader.next(record)).toBe(true);
    expect(record.off).toBe(24 + 16);
    expect(record.view.getUint16(record.off + 12)).toBe(0x0800);
    expect(hex(record.bytes.subarray(record.off, record.off + record.caplen))).toBe(hex(FRAME));
    expect(reader.next(record)).toBe(true);
    expect(reader.next(record)).toBe(false);
    reader.end();
  });

  test('a packet that lies in one chunk is not copied', () => {
    const reader = new CaptureReader('a.pcap');
    const record = new CaptureRecord();
    const chunk = PCAP.slice();
    reader.push(chunk);
    reader.next(record);
    expect(record.bytes).toBe(chunk);
  });

  test('offset and number count in the file, not in the chunk', () => {
    const { packets } = read(PCAP, [50]);
    expect(packets.map(({ offset, number }) => [offset, number])).toEqual([
      [24, 1],
      [24 + 16 + FRAME.length, 2],
    ]);
  });

  test('empty chunks change nothing', () => {
    const reader = new CaptureReader('a.pcap');
    const record = new CaptureRecord();
    let count = 0;
    for (const chunk of [u8(), PCAP.subarray(0, 30), u8(), PCAP.subarray(30), u8()]) {
      reader.push(chunk);
      while (reader.next(record)) count++;
    }
    reader.end();
    expect(count).toBe(2);
    expect(reader.bytesRead).toBe(PCAP.length);
  });

  test('a packet of 1 MB that comes byte by byte takes linear time', { timeout: 20_000 }, () => {
    // Copied again at every byte, it would be 5 * 10^11 bytes.
    const data = frame(1_000_000);
    const file = concat(pcapHeader({ snaplen: 1 << 20 }), pcapRecord({ data }), pcapRecord());
    const reader = new CaptureReader('a.pcap');
    const record = new CaptureRecord();
    const lengths: number[] = [];
    for (let at = 0; at < file.length; at++) {
      reader.push(file.subarray(at, at + 1));
      while (reader.next(record)) lengths.push(record.caplen);
    }
    reader.end();
    expect(lengths).toEqual([1_000_000, FRAME.length]);
  });

  test('a consumed chunk is not held', async () => {
    const reader = new CaptureReader('a.pcap');
    const consume = (): WeakRef<ArrayBufferLike> => {
      const chunk = PCAP.slice(0, 100);
      const record = new CaptureRecord();
      reader.push(chunk);
      while (reader.next(record));
      return new WeakRef(chunk.buffer);
    };
    const chunk = consume();
    await new Promise((resolve) => setTimeout(resolve, 0));
    collectGarbage();
    expect(chunk.deref()).toBe(undefined);
    reader.push(PCAP.subarray(100));
    expect(reader.next(new CaptureRecord())).toBe(true);
  });

  test('a chunk before the last one is used up is a mistake of the program, not of the file', () => {
    const reader = new CaptureReader('a.pcap');
    reader.push(PCAP.subarray(0, 50));
    expect(() => reader.push(PCAP.subarray(50))).toThrow('a.pcap: push() before next() returned false');
    expect(() => reader.end()).toThrow('a.pcap: end() before next() returned false');
    while (reader.next(new CaptureRecord()));
    reader.push(PCAP.subarray(50));
    while (reader.next(new CaptureRecord()));
    reader.end();
    expect(() => reader.push(PCAP)).toThrow('a.pcap: push() after end()');
  });
});

describe('trouble', () => {
  test('the same error comes again from every call after it', () => {
    const reader = new CaptureReader('a.pcap');
    const record = new CaptureRecord();
    reader.push(concat(pcapHeader(), pcapRecord(), pcapRecord({ caplen: 300_000 }), pcapRecord()));
    expect(reader.next(record)).toBe(true);
    const first = failure(() => reader.next(record));
    expect(first).toBeInstanceOf(CaptureError);
    expect(failure(() => reader.next(record))).toBe(first);
    expect(failure(() => reader.push(PCAP))).toBe(first);
    expect(failure(() => reader.end())).toBe(first);
  });

  test('a huge length allocates nothing', () => {
    const huge = 16 * 1024 * 1024;
    const files = [
      concat(pcapHeader({ snaplen: huge }), pcapRecord({ caplen: huge - 16 })),
      concat(section(), interfaceBlock(), u8(6, 0, 0, 0, 0, 0, 0, 1), new Uint8Array(100)),
      concat(section(), interfaceBlock(), u8(99, 0, 0, 0, 0, 0, 0, 1), new Uint8Array(100)),
    ];
    for (const file of files) {
      const before = process.memoryUsage().arrayBuffers;
      const { error } = read(file, [10]);
      expect(error?.message).toContain('the file ends at byte');
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000);
    }
  });
});

/** Least growth of the heap over a few readings of a file in chunks of 64 KiB. */
function heapGrowth(file: Uint8Array): number {
  const record = new CaptureRecord();
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 20; run++) {
    const before = process.memoryUsage().heapUsed;
    const reader = new CaptureReader('a');
    for (let at = 0; at < file.length; at += 65536) {
      reader.push(file.subarray(at, at + 65536));
      while (reader.next(record));
    }
    const growth = process.memoryUsage().heapUsed - before;
    if (run >= 10 && growth > 0) least = Math.min(least, growth);
  }
  return least;
}

test('nothing is allocated per packet', () => {
  const count = 100_000;
  const packet = new CaptureRecord().packet(frame(80), 1_795_229_507_064.555);
  const pcap = new PcapWriter({ nanoseconds: true });
  const ng = new PcapngWriter();
  const record = pcap.record(packet);
  const headers = [ng.header(), ng.interface({ linktype: 1, tsresol: 9 })];
  const packetBlock = ng.record(packet);
  for (const file of [
    concat(pcap.header(), ...new Array<Uint8Array>(count).fill(record)),
    concat(...headers, ...new Array<Uint8Array>(count).fill(packetBlock)),
  ]) {
    // A boxed number takes 16 bytes; what remains is the chunks' views.
    expect(heapGrowth(file) / count).toBeLessThan(4);
  }
});
