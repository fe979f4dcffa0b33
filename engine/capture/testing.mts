// Help for the tests beside it (a .mts file is in neither the engine's build nor vitest's list): files made by
// hand, byte for byte and with any mistake wanted; a reader run to the end; tcpdump as second opinion.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { CaptureError, type CaptureInterface, CaptureReader, CaptureRecord } from './index.ts';

export const LITTLE = true;
export const BIG = false;

export function u8(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

export function u16(value: number, little = LITTLE): Uint8Array {
  const view = new DataView(new ArrayBuffer(2));
  view.setUint16(0, value, little);
  return new Uint8Array(view.buffer);
}

export function u32(value: number, little = LITTLE): Uint8Array {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, value, little);
  return new Uint8Array(view.buffer);
}

export function i64(value: bigint, little = LITTLE): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, value, little);
  return new Uint8Array(view.buffer);
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function padded(bytes: Uint8Array): Uint8Array {
  return concat(bytes, new Uint8Array(-bytes.length & 3));
}

/** An Ethernet frame of 46 bytes: UDP 10.0.1.2:4000 -> 10.0.2.2:53, 4 bytes of payload. */
export const FRAME: Uint8Array = u8(
  ...[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0],
  ...[0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0x63, 0xc8, 10, 0, 1, 2, 10, 0, 2, 2],
  ...[0x0f, 0xa0, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4],
);

/** A frame like `FRAME` made longer (or shorter) to `length` bytes. */
export function frame(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  bytes.set(FRAME.subarray(0, length));
  return bytes;
}

export interface HeaderFields {
  magic?: number;
  major?: number;
  minor?: number;
  snaplen?: number;
  linktype?: number;
  little?: boolean;
}

export function pcapHeader(fields: HeaderFields = {}): Uint8Array {
  const { magic = 0xa1b2c3d4, major = 2, minor = 4, snaplen = 65535, linktype = 1, little = LITTLE } = fields;
  const start = concat(u32(magic, little), u16(major, little), u16(minor, little), u32(0), u32(0));
  return concat(start, u32(snaplen, little), u32(linktype, little));
}

export interface RecordFields {
  seconds?: number;
  fraction?: number;
  data?: Uint8Array;
  caplen?: number;
  origlen?: number;
  little?: boolean;
  /** Further bytes of record header (Kuznetsov: 8). */
  more?: number;
}

export function pcapRecord(fields: RecordFields = {}): Uint8Array {
  const { seconds = 1000, fraction = 5, data = FRAME, little = LITTLE, more = 0 } = fields;
  const { caplen = data.length, origlen = data.length } = fields;
  const time = concat(u32(seconds, little), u32(fraction, little));
  return concat(time, u32(caplen, little), u32(origlen, little), new Uint8Array(more), data);
}

export interface BlockFields {
  little?: boolean;
  total?: number;
  trailer?: number;
}

export function block(type: number, body: Uint8Array, fields: BlockFields = {}): Uint8Array {
  const content = padded(body);
  const { little = LITTLE, total = content.length + 12 } = fields;
  return concat(u32(type, little), u32(total, little), content, u32(fields.trailer ?? total, little));
}

export interface SectionFields {
  little?: boolean;
  major?: number;
  minor?: number;
  length?: bigint;
  options?: Uint8Array;
}

export function section(fields: SectionFields = {}): Uint8Array {
  const { little = LITTLE, major = 1, minor = 0, length = -1n, options = u8() } = fields;
  const body = concat(
    u32(0x1a2b3c4d, little),
    u16(major, little),
    u16(minor, little),
    i64(length, little),
    options,
  );
  return block(0x0a0d0d0a, body, { little });
}

export interface InterfaceFields {
  linktype?: number;
  snaplen?: number;
  options?: Uint8Array;
  little?: boolean;
}

export function interfaceBlock(fields: InterfaceFields = {}): Uint8Array {
  const { linktype = 1, snaplen = 0, options = u8(), little = LITTLE } = fields;
  return block(1, concat(u16(linktype, little), u16(0), u32(snaplen, little), options), { little });
}

export function option(code: number, value: Uint8Array, little = LITTLE): Uint8Array {
  return concat(u16(code, little), u16(value.length, little), padded(value));
}

export interface PacketFields extends BlockFields {
  iface?: number;
  time?: bigint;
  data?: Uint8Array;
  caplen?: number;
  origlen?: number;
  options?: Uint8Array;
}

function packetBody(first: Uint8Array, fields: PacketFields): Uint8Array {
  const { time = 1_000_005n, data = FRAME, little = LITTLE, options = u8() } = fields;
  const { caplen = data.length, origlen = data.length } = fields;
  const stamp = concat(u32(Number(time >> 32n), little), u32(Number(time & 0xffff_ffffn), little));
  return concat(first, stamp, u32(caplen, little), u32(origlen, little), padded(data), options);
}

export function enhanced(fields: PacketFields = {}): Uint8Array {
  return block(6, packetBody(u32(fields.iface ?? 0, fields.little), fields), fields);
}

export function obsolete(fields: PacketFields & { drops?: number } = {}): Uint8Array {
  const first = concat(u16(fields.iface ?? 0, fields.little), u16(fields.drops ?? 0, fields.little));
  return block(2, packetBody(first, fields), fields);
}

export function simple(fields: { origlen?: number; data?: Uint8Array; little?: boolean } = {}): Uint8Array {
  const { data = FRAME, little = LITTLE } = fields;
  return block(3, concat(u32(fields.origlen ?? data.length, little), data), { little });
}

/** All that a reader says of a packet, and its bytes in hex. */
export interface Packet {
  hex: string;
  caplen: number;
  origlen: number;
  time: number;
  seconds: number;
  nanoseconds: number;
  linktype: number;
  iface: number;
  offset: number;
  number: number;
  comment: string | null;
}

export interface Reading {
  packets: Packet[];
  error: CaptureError | null;
  format: 'pcap' | 'pcapng' | null;
  interfaces: readonly CaptureInterface[];
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

/** Cuts bytes into chunks of the given sizes, the last size over and over. */
export function* chunksOf(file: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < file.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)];
    yield file.slice(at, at + size);
    at += size;
  }
}

/** Reads a whole file in chunks of the given sizes; other exceptions than a CaptureError pass. */
export function read(file: Uint8Array, sizes: readonly number[] = [file.length]): Reading {
  const reader = new CaptureReader('test.cap');
  const record = new CaptureRecord();
  const packets: Packet[] = [];
  let error: CaptureError | null = null;
  try {
    for (const chunk of chunksOf(file, sizes)) {
      reader.push(chunk);
      while (reader.next(record)) packets.push(packetOf(record, reader));
      // Whoever reads files into one buffer again and again does this to consumed chunks.
      chunk.fill(0xee);
    }
    reader.end();
  } catch (thrown) {
    if (!(thrown instanceof CaptureError)) throw thrown;
    error = thrown;
  }
  return { packets, error, format: reader.format, interfaces: reader.interfaces };
}

function packetOf(record: CaptureRecord, reader: CaptureReader): Packet {
  const { bytes, view, off, caplen, origlen, time, seconds, nanoseconds } = record;
  const { linktype, iface, offset, number } = record;
  if (view.buffer !== bytes.buffer || view.byteOffset !== bytes.byteOffset)
    throw new Error('view is not of bytes');
  if (off + caplen > bytes.length) throw new Error('packet outside its chunk');
  const comment = reader.comment();
  const data = hex(bytes.subarray(off, off + caplen));
  return { hex: data, caplen, origlen, time, seconds, nanoseconds, linktype, iface, offset, number, comment };
}

/** A packet as tcpdump read it. */
export interface Dumped {
  hex: string;
  caplen: number;
  origlen: number;
  seconds: number;
  nanoseconds: number;
}

/** What `tcpdump -r` makes of a file: its packets, by letting it write them again, and its error if it has one. */
export function tcpdump(file: Uint8Array): { packets: Dumped[]; error: string | null } {
  const args = ['-r', '-', '-w', '-', '--time-stamp-precision=nano'];
  const run = withFile(file, (input) => {
    return spawnSync('tcpdump', args, { stdio: [input, 'pipe', 'pipe'], maxBuffer: 1 << 28 });
  });
  if (run.error !== undefined) throw run.error;
  const out = run.stdout;
  const packets: Dumped[] = [];
  for (let at = 24; at < out.length; ) {
    const caplen = out.readUInt32LE(at + 8);
    packets.push({
      hex: out.subarray(at + 16, at + 16 + caplen).toString('hex'),
      caplen,
      origlen: out.readUInt32LE(at + 12),
      seconds: out.readUInt32LE(at),
      nanoseconds: out.readUInt32LE(at + 4),
    });
    at += 16 + caplen;
  }
  const said = run.stderr
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('tcpdump: '));
  return { packets, error: run.status === 0 ? null : said.join(' ') };
}

/** Runs with a temporary file open: a pipe would break where tcpdump stops early. */
function withFile<Result>(file: Uint8Array, run: (descriptor: number) => Result): Result {
  const folder = mkdtempSync(join(tmpdir(), 'keepstate-capture-'));
  try {
    writeFileSync(join(folder, 'file'), file);
    const descriptor = openSync(join(folder, 'file'), 'r');
    try {
      return run(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The part of our own reading that tcpdump's can be compared with. */
export function asDumped(packets: readonly Packet[]): Dumped[] {
  return packets.map(({ hex, caplen, origlen, seconds, nanoseconds }) => {
    return { hex, caplen, origlen, seconds, nanoseconds };
  });
}

/** Skips a test, saying why, where tcpdump is missing; never in CI. */
export function needsTcpdump(context: TestContext): void {
  const missing = spawnSync('tcpdump', ['--version']).error !== undefined;
  if (missing && process.env.CI !== 'true') context.skip('tcpdump is not installed');
}
