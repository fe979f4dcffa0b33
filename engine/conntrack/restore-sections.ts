import { crc32 } from './snapshot-crc.ts';
import {
  FRAME,
  MAGIC,
  PRELUDE,
  SECTION_END,
  SECTION_HEAD,
  SECTION_NAMES,
  SNAPSHOT_VERSION,
  SnapshotError,
} from './snapshot-format.ts';

/** One section: where its payload begins and ends. */
export interface Section {
  readonly type: number;
  readonly from: number;
  readonly to: number;
}

/** Reads little-endian words, ASCII and JSON of a saved table. */
export class SnapshotBytes {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** Signed 32 bits. */
  word(at: number): number {
    return this.view.getInt32(at, true);
  }

  /** Unsigned 32 bits. */
  count(at: number): number {
    return this.view.getUint32(at, true);
  }

  /** 64 bits. */
  double(at: number): number {
    return this.view.getFloat64(at, true);
  }

  /** Whether bytes[from, to) are the same as bytes[from2, to2). */
  isSame(from: number, to: number, from2: number, to2: number): boolean {
    const { bytes } = this;
    if (to - from !== to2 - from2) return false;
    for (let i = to - from - 1; i >= 0; i--) if (bytes[from + i] !== bytes[from2 + i]) return false;
    return true;
  }

  /** Characters of ASCII. */
  ascii(from: number, to: number): string {
    let text = '';
    for (let at = from; at < to; ) {
      const stop = Math.min(at + 4096, to);
      text += String.fromCharCode(...this.bytes.subarray(at, stop));
      at = stop;
    }
    return text;
  }

  /** @throws SnapshotError if bytes[from, to) is no JSON. @param what what it should be, as in `expected …` */
  json(from: number, to: number, what: string): unknown {
    try {
      return JSON.parse(this.ascii(from, to));
    } catch {
      throw new SnapshotError(from, `expected ${what} as JSON`);
    }
  }
}

function checkPrelude(b: SnapshotBytes): void {
  const shown = `expected "${MAGIC.trim()}" and a line break: this is no saved table`;
  for (let i = 0; i < MAGIC.length; i++)
    if (i >= b.bytes.length || b.bytes[i] !== MAGIC.charCodeAt(i)) throw new SnapshotError(i, shown);
  if (b.bytes.length < PRELUDE)
    throw new SnapshotError(b.bytes.length, 'expected a version: the table is cut off');
  const version = b.count(MAGIC.length);
  if (version !== SNAPSHOT_VERSION)
    throw new SnapshotError(
      MAGIC.length,
      `expected version ${SNAPSHOT_VERSION}, not ${version}: another keepstate wrote this table, or it is damaged`,
    );
}

/**
 * Finds and checks all sections: lengths, CRCs, and that the table is whole.
 * @returns them in order: a head, others, an end
 * @throws SnapshotError
 */
export function readSections(b: SnapshotBytes): {
  readonly sections: readonly Section[];
  readonly check: number;
} {
  checkPrelude(b);
  const { length } = b.bytes;
  const sections: Section[] = [];
  let check = 0;
  for (let at = PRELUDE; ; ) {
    if (sections.at(-1)?.type === SECTION_END) {
      if (at !== length) throw new SnapshotError(at, `expected nothing more, found ${length - at} bytes`);
      return { sections, check };
    }
    const left = length - at;
    if (left < FRAME) throw new SnapshotError(length, `expected a section: the table is cut off`);
    const type = b.count(at);
    const size = b.count(at + 4);
    const name = SECTION_NAMES[type] ?? '';
    const isFirst = sections.length === 0;
    if (name === '' || isFirst !== (type === SECTION_HEAD))
      throw new SnapshotError(at, `expected ${isFirst ? 'the head' : 'a section'}, found type ${type}`);
    if (size > left - FRAME)
      throw new SnapshotError(
        at + 4,
        `expected ${size} bytes of section '${name}', found ${left - FRAME}: the table is cut off`,
      );
    const to = at + 8 + size;
    const crc = crc32(b.bytes, at, to);
    if (crc !== b.word(to))
      throw new SnapshotError(
        at,
        `expected checksum ${hex(b.word(to))} of section '${name}', found ${hex(crc)}`,
      );
    if (type !== SECTION_END) check = crc32(b.bytes, to, to + 4, check);
    sections.push({ type, from: at + 8, to });
    at = to + 4;
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}
