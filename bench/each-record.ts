import { closeSync, openSync, readSync } from 'node:fs';
import { CaptureReader, CaptureRecord } from '../engine/index.ts';

/** Bytes read at once, as the command line does. */
const CHUNK = 128 << 10;

/** Reads a capture packet by packet. */
export function eachRecord(file: string, visit: (record: CaptureRecord) => void): void {
  const reader = new CaptureReader(file);
  const record = new CaptureRecord();
  const buffer = new Uint8Array(CHUNK);
  const fd = openSync(file, 'r');
  for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) {
    reader.push(buffer.subarray(0, length));
    while (reader.next(record)) visit(record);
  }
  reader.end();
  closeSync(fd);
}
