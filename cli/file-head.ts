import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** The first bytes of captures: pcap in four forms, pcapng; and gzip, which only captures are. */
const CAPTURE = /^(a1b2c3d4|d4c3b2a1|a1b23c4d|4d3cb2a1|0a0d0d0a|1f8b)/;

/** Whether bytes begin as a capture does. */
export function isCapture(bytes: Uint8Array): boolean {
  return CAPTURE.test(Buffer.from(bytes.subarray(0, 4)).toString('hex'));
}

/**
 * The first bytes of a file. None of what is no regular file: a pipe can be read once, and who opens and closes it takes
 * it away from its writer.
 * @throws the error of the system
 */
export function fileHead(name: string, most: number): Buffer {
  const head = Buffer.alloc(most);
  if (!statSync(name).isFile()) return head.subarray(0, 0);
  const fd = openSync(name, 'r');
  try {
    return head.subarray(0, readSync(fd, head, 0, most, 0));
  } finally {
    closeSync(fd);
  }
}
