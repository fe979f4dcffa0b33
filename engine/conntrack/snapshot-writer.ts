import { crc32 } from './snapshot-crc.ts';
import { asciiJson, FRAME, MAGIC, PRELUDE, SNAPSHOT_VERSION } from './snapshot-format.ts';

const START = 1 << 16;

/** Writes sections, little-endian, into bytes that grow; {@link take} hands them over. */
export class SnapshotWriter {
  /** CRC-32 of the CRCs of all sections that were closed. */
  check = 0;
  private bytes = new Uint8Array(START);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  private opened = 0;

  /** What stands before the first section. */
  prelude(): void {
    this.reserve(PRELUDE);
    this.ascii(MAGIC);
    this.word(SNAPSHOT_VERSION);
  }

  /** Makes room for so many bytes; {@link word}, {@link double} and {@link ascii} make none. */
  reserve(length: number): void {
    if (this.at + length <= this.bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.at + length, this.bytes.length * 2));
    bytes.set(this.bytes);
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }

  /** 32 bits. */
  word(value: number): void {
    this.view.setInt32(this.at, value, true);
    this.at += 4;
  }

  /** 64 bits. */
  double(value: number): void {
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** Characters of ASCII. */
  ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }

  /** Begins a section. */
  open(type: number): void {
    this.reserve(FRAME);
    this.opened = this.at;
    this.word(type);
    this.word(0);
  }

  /** Forgets the section that was begun. */
  cancel(): void {
    this.at = this.opened;
  }

  /** Where it stands, for {@link patch}. */
  get position(): number {
    return this.at;
  }

  /** Writes a word anew. */
  patch(at: number, value: number): void {
    this.view.setInt32(at, value, true);
  }

  /** Ends the section. */
  close(): void {
    this.reserve(4);
    this.patch(this.opened + 4, this.at - this.opened - 8);
    const crc = crc32(this.bytes, this.opened, this.at);
    this.word(crc);
    this.check = crc32(this.bytes, this.at - 4, this.at, this.check);
  }

  /** A whole section of JSON. */
  json(type: number, value: unknown): void {
    const text = asciiJson(value);
    this.open(type);
    this.reserve(text.length);
    this.ascii(text);
    this.close();
  }

  /** All that was written since the last call; it is the caller's. */
  take(): Uint8Array {
    const taken = this.bytes.slice(0, this.at);
    this.at = 0;
    return taken;
  }
}
