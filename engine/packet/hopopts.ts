const PAD1 = 0;
const PADN = 1;
const ROUTER_ALERT = 5;
const CALIPSO = 7;
const IOAM = 0x31;
const JUMBO = 0xc2;
/** Linux takes at most this many options that are no padding (net.ipv6.max_hbh_opts_number). */
const MOST_OPTIONS = 8;
/** More padding than alignment can need is refused. */
const MOST_PADDING = 7;

/**
 * Whether Linux accepts the hop-by-hop options behind an IPv6 header. It reads them before connection tracking
 * sees the packet, and drops it there if they are cut short, padded beyond need, or hold an option that it does
 * not know and whose two highest bits forbid to skip it (RFC 8200, section 4.2).
 * @param at first byte of the hop-by-hop header, `end` first byte past the packet
 */
export function hopOptionsOk(view: DataView, at: number, end: number): boolean {
  if (at + 8 > end) return false;
  const stop = at + ((view.getUint8(at + 1) + 1) << 3);
  if (stop > end) return false;
  let padding = 0;
  let options = 0;
  let off = at + 2;
  while (off < stop) {
    const type = view.getUint8(off);
    if (type === PAD1) {
      if (++padding > MOST_PADDING) return false;
      off++;
      continue;
    }
    if (off + 2 > stop) return false;
    const length = view.getUint8(off + 1) + 2;
    if (off + length > stop) return false;
    if (type === PADN) {
      padding += length;
      if (padding > MOST_PADDING || !allZero(view, off + 2, off + length)) return false;
    } else {
      padding = 0;
      if (++options > MOST_OPTIONS || !optionOk(view, off, off - at, type, length)) return false;
    }
    off += length;
  }
  return true;
}

function allZero(view: DataView, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (view.getUint8(i) !== 0) return false;
  return true;
}

/** A jumbogram's option is refused too: with a payload length it contradicts itself, and TUN carries none. */
function optionOk(view: DataView, off: number, place: number, type: number, length: number): boolean {
  if (type === ROUTER_ALERT) return length === 4;
  // Measured: not aligned to 4 bytes it is dropped, else skipped.
  if (type === IOAM) return (place & 3) === 0;
  if (type === CALIPSO) return length >= 10 && view.getUint8(off + 6) * 4 + 10 <= length;
  return type !== JUMBO && type >> 6 === 0;
}
