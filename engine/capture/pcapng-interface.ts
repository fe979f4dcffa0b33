import { decodeUtf8 } from '../base/utf8.ts';
import { IF_DESCRIPTION, IF_FCSLEN, IF_NAME, IF_TSOFFSET, IF_TSRESOL } from './format.ts';
import type { CaptureInput } from './input.ts';
import type { CaptureInterface } from './interface.ts';
import { OptionCursor } from './pcapng-options.ts';
import { isResolution, TimeScale } from './timestamp.ts';

/**
 * Reads the options of the Interface Description Block at the front of the input's window into its interface.
 * As strict as libpcap with those that timestamps depend on; a wrong one would put every packet at a wrong time.
 * @param total the block's length; all of it is in the window
 * @throws CaptureError
 */
export function readInterfaceOptions(
  input: CaptureInput,
  total: number,
  little: boolean,
  iface: CaptureInterface,
): void {
  const { view, bytes, pos } = input;
  const options = new OptionCursor(view, pos + 16, pos + total - 4, little);
  let tsresol = -1;
  let tsoffset: number | null = null;
  while (options.next()) {
    const { code, value, length } = options;
    if (code === IF_NAME) iface.name = text(bytes, value, length);
    else if (code === IF_DESCRIPTION) iface.description = text(bytes, value, length);
    else if (code === IF_FCSLEN && length === 1) iface.fcslen = fcsBytes(bytes[value]);
    else if (code === IF_TSRESOL) {
      if (tsresol >= 0) repeated(input, 'if_tsresol');
      if (length !== 1) wrongLength(input, 'if_tsresol', length, 1);
      tsresol = bytes[value];
      if (!isResolution(tsresol)) tooFine(input, tsresol);
    } else if (code === IF_TSOFFSET) {
      if (tsoffset !== null) repeated(input, 'if_tsoffset');
      if (length !== 8) wrongLength(input, 'if_tsoffset', length, 8);
      const high = view.getInt32(value + (little ? 4 : 0), little);
      tsoffset = high * 2 ** 32 + view.getUint32(value + (little ? 0 : 4), little);
    }
  }
  if (options.overrun) {
    input.fail(input.offset, 'an interface option runs over the end of its block', 'options that fit');
  }
  if (tsresol >= 0 || tsoffset !== null) {
    iface.scale = new TimeScale(tsresol >= 0 ? tsresol : 6, tsoffset ?? 0);
  }
}

function text(bytes: Uint8Array, value: number, length: number): string {
  // The format says "not zero-terminated", and some writers terminate nevertheless.
  let end = value + length;
  while (end > value && bytes[end - 1] === 0) end--;
  return decodeUtf8(bytes, value, end);
}

/** The format never said whether bits or bytes; an FCS of 8 bytes does not exist, one of 16 or 32 bits does. */
function fcsBytes(fcslen: number): number {
  return fcslen >= 8 ? fcslen >> 3 : fcslen;
}

function repeated(input: CaptureInput, option: string): never {
  input.fail(input.offset, `an interface has ${option} twice`, 'it once');
}

function wrongLength(input: CaptureInput, option: string, length: number, expected: number): never {
  input.fail(input.offset, `an interface's ${option} has length ${length}`, `length ${expected}`);
}

function tooFine(input: CaptureInput, tsresol: number): never {
  const resolution = tsresol >= 0x80 ? `2^-${tsresol - 0x80}` : `10^-${tsresol}`;
  const problem = `an interface counts time in ${resolution} s, too fine for a second to fit in 64 bits`;
  input.fail(input.offset, problem, '10^-19 s or 2^-63 s at the finest');
}
