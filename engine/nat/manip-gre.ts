import { NF_NAT_MANIP_DST } from './range.ts';
import type { ManipTarget } from './target.ts';

/** Flags and version, protocol, payload length, call id (RFC 2637, section 4.1). */
const HEADER = 8;
const VERSION = 7;

/** GRE: version 1 (PPTP) carries its receiver's call id; version 0 stays as it is. As manipTcp. */
export function manipGre(view: DataView, _ip: number, l4: number, end: number, target: ManipTarget): boolean {
  if (l4 + HEADER > end) return false;
  if (target.manip === NF_NAT_MANIP_DST && (view.getUint16(l4) & VERSION) === 1)
    view.setUint16(l4 + 6, target.port);
  return true;
}
