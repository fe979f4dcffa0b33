import { decodeUtf8 } from '../base/utf8.ts';
import { OPT_COMMENT, OPT_END } from './format.ts';

/**
 * Goes through the options of a pcapng block: `code` and the `length` bytes from `value` on are the current
 * one, once `next` has returned true.
 */
export class OptionCursor {
  /** Code of the current option. */
  code = 0;
  /** First byte of its value in the view. */
  value = 0;
  /** Bytes of its value, without the padding to a multiple of 4. */
  length = 0;
  /** True once an option did not fit in the block. */
  overrun = false;

  readonly #view: DataView;
  readonly #little: boolean;
  readonly #end: number;
  #at: number;

  /**
   * @param view the bytes that hold the block
   * @param from first byte of the options
   * @param end byte behind the options
   * @param little byte order of the section
   */
  constructor(view: DataView, from: number, end: number, little: boolean) {
    this.#view = view;
    this.#at = from;
    this.#end = end;
    this.#little = little;
  }

  /** Moves to the next option; false at the end of them, which opt_endofopt marks or the block's end. */
  next(): boolean {
    const at = this.#at;
    if (at === this.#end) return false;
    // A header fits: blocks, and so their options, are multiples of 4 bytes long.
    this.code = this.#view.getUint16(at, this.#little);
    if (this.code === OPT_END) {
      this.#at = this.#end;
      return false;
    }
    this.length = this.#view.getUint16(at + 2, this.#little);
    this.value = at + 4;
    this.#at = this.value + ((this.length + 3) & ~3);
    if (this.#at <= this.#end) return true;
    this.#at = this.#end;
    this.overrun = true;
    return false;
  }
}

/**
 * The comments among a block's options, one a line, or null. A damaged option ends the search: a comment is
 * no reason to stop reading packets (libpcap does not look at all).
 */
export function readComment(bytes: Uint8Array, options: OptionCursor): string | null {
  let comment: string | null = null;
  while (options.next()) {
    if (options.code !== OPT_COMMENT) continue;
    const text = decodeUtf8(bytes, options.value, options.value + options.length);
    comment = comment === null ? text : `${comment}\n${text}`;
  }
  return comment;
}
