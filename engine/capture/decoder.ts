import type { CaptureRecord } from './record.ts';

/** What a file format does for the reader: one of `PcapDecoder` and `PcapngDecoder`. */
export interface Decoder {
  /**
   * Reads the next packet into a record.
   * @returns false if a further chunk must come first
   * @throws CaptureError if the bytes are no sound capture
   */
  next(out: CaptureRecord): boolean;
  /** Comment of the packet that `next` read last, or null. */
  comment(): string | null;
  /** Must be called before further chunks come: the packet's bytes, and so its comment, go. */
  forget(): void;
  /** Throws a CaptureError if the file, which ends here, stops inside something. */
  end(): void;
}
