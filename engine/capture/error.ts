/**
 * A capture file that cannot be read on from some byte: damaged, cut short, or not a capture at all.
 * The only exception that bytes of a file can cause.
 *
 * The message reads `<file>: byte <offset>: <problem>: expected <expected>`.
 */
export class CaptureError extends Error {
  /** Name of the file as it was given to the reader. */
  readonly file: string;
  /**
   * Byte offset in the (uncompressed) file at which the bad record, block or header begins. All packets
   * before it are sound, so a file cut there is a sound capture.
   */
  readonly offset: number;
  /** What should have been there, in words. */
  readonly expected: string;

  constructor(file: string, offset: number, problem: string, expected: string) {
    super(`${file}: byte ${offset}: ${problem}: expected ${expected}`);
    this.name = 'CaptureError';
    this.file = file;
    this.offset = offset;
    this.expected = expected;
  }
}
