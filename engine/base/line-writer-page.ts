import { LINE_ROOM, LineWriter, SLACK } from './line-writer.ts';

/** Bytes of lines on the page before they are to be written out: there is room for one more line behind. */
export const PAGE_BYTES: number = 1 << 16;

const PAGE = new DataView(new ArrayBuffer(PAGE_BYTES + LINE_ROOM + SLACK));
let taken = false;

/**
 * The memory of the program's main output. It is a constant of this module, and has to be: V8 checks what kind of
 * object a view is, fetches its length and compares before each word that is written, but of a constant it knows
 * both; and writing to a view makes it forget what it found out before (measured: half the time of a line). Who writes
 * here calls this function once and hands its result to the functions of line-writer-put.ts.
 */
export const page = (): DataView => {
  return PAGE;
};

/** A writer with room for {@link PAGE_BYTES} and a line: on the page for who asks first, elsewhere for all others. */
export function pageWriter(): LineWriter {
  const view = taken ? undefined : PAGE;
  taken = true;
  return new LineWriter(PAGE_BYTES + LINE_ROOM, view);
}
