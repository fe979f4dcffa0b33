import type { HelpCall } from '../conntrack/helper.ts';
import { TCP_HEADER } from '../packet/tcp.ts';
import type { H323State } from './h323-state.ts';

/** Version, a reserved byte that must be 0, and the length with this header (RFC 1006, section 6). */
const HEADER = 4;
const VERSION = 3;

/**
 * Reads the TPKT messages of a segment, one after the other. Measured: none is put together from several segments,
 * but for one whose header alone came in a segment of its own, which some endpoints do.
 * @param read takes a message: first byte and first byte past it, counted from `pkt.off`. Returns false to stop
 */
export function eachTpkt(call: HelpCall, read: (at: number, end: number) => boolean): void {
  const { pkt, dir, ext } = call;
  const state = ext.data as H323State;
  if (pkt.l4 + TCP_HEADER > pkt.end) return;
  // Measured: a UDP flow that a rule gives H.245 to is read as if a TCP header stood there too.
  const start = pkt.l4 + (pkt.view.getUint8(pkt.l4 + 12) >>> 4) * 4 - pkt.off;
  const end = pkt.end - pkt.off;
  const due = state.due[dir]!;
  state.due[dir] = 0;
  let at = start;
  if (!isHeader(call, at, end) && due > 0 && due <= end - at) {
    if (!read(at, at + due)) return;
    at += due;
  }
  // A message may be translated, which moves the packet to other bytes: `pkt` is asked anew each time.
  while (isHeader(call, at, end)) {
    const length = pkt.view.getUint16(pkt.off + at + 2);
    if (at + length > end) {
      if (end - start === HEADER) state.due[dir] = length - HEADER;
      return;
    }
    if (length <= HEADER || !read(at + HEADER, at + length)) return;
    at += length;
  }
}

function isHeader({ pkt }: HelpCall, at: number, end: number): boolean {
  return at + HEADER <= end && pkt.view.getUint16(pkt.off + at) === VERSION << 8;
}
