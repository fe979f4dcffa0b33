/** Fields of a TCP header (RFC 9293, section 3.1) as functions of (view, offset of the header). */

/** Bytes of a TCP header without options. */
export const TCP_HEADER = 20;
/** FIN. */
export const TH_FIN = 0x01;
/** SYN. */
export const TH_SYN = 0x02;
/** RST. */
export const TH_RST = 0x04;
/** PSH. */
export const TH_PUSH = 0x08;
/** ACK. */
export const TH_ACK = 0x10;
/** URG. */
export const TH_URG = 0x20;
/** ECE (RFC 3168). */
export const TH_ECE = 0x40;
/** CWR (RFC 3168). */
export const TH_CWR = 0x80;

/** Sequence number, as int32. */
export function tcpSeq(view: DataView, l4: number): number {
  return view.getInt32(l4 + 4);
}

/** Acknowledgment number, as int32. */
export function tcpAck(view: DataView, l4: number): number {
  return view.getInt32(l4 + 8);
}

/** Header length in bytes, 0 to 60, as its data offset says. */
export function tcpHeaderLength(view: DataView, l4: number): number {
  return (view.getUint8(l4 + 12) >> 4) << 2;
}

/** The eight flags CWR ECE URG ACK PSH RST SYN FIN, as TH_* bits. */
export function tcpFlags(view: DataView, l4: number): number {
  return view.getUint8(l4 + 13);
}

/** Window as it stands in the header, not scaled. */
export function tcpWindow(view: DataView, l4: number): number {
  return view.getUint16(l4 + 14);
}

const LETTERS: readonly (readonly [number, string])[] = [
  [TH_SYN, 'SYN'],
  [TH_FIN, 'FIN'],
  [TH_RST, 'RST'],
  [TH_PUSH, 'PSH'],
  [TH_ACK, 'ACK'],
  [TH_URG, 'URG'],
  [TH_ECE, 'ECE'],
  [TH_CWR, 'CWR'],
];

/** The flags by name, joined with commas as in `SYN,ACK`; `none` for none. */
export function tcpFlagNames(flags: number): string {
  const names = LETTERS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  return names.length === 0 ? 'none' : names.join(',');
}
