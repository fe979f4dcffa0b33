/** Bits of a LOG rule's flags (NF_LOG_*): TCP sequence numbers. */
export const NF_LOG_TCPSEQ = 1;
/** TCP options. */
export const NF_LOG_TCPOPT = 2;
/** IP options, and IPv6 extension headers. */
export const NF_LOG_IPOPT = 4;
/** User and group of the socket, which captured packets do not have. */
export const NF_LOG_UID = 8;
/** The link header's fields by name. */
export const NF_LOG_MACDECODE = 32;

/** What a line is made from. */
export interface LogSource {
  readonly view: DataView;
  /** First byte past the packet. */
  readonly end: number;
  /** NF_LOG_*. */
  readonly flags: number;
  /** Set where the kernel breaks off: nothing more is said of the packet then, not even its mark. */
  isCut: boolean;
}

/** A number in hex with so many digits at least. */
export function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}

/** Bytes as two hex digits each, in upper case. */
export function hexBytes(view: DataView, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += hex(view.getUint8(at), 2).toUpperCase();
  return text;
}

/** What is printed of a header that is not all there; a place beyond the end wraps around, as the kernel's does. */
export function incomplete(source: LogSource, at: number): string {
  return `INCOMPLETE [${(source.end - at) >>> 0} bytes] `;
}

/** What is printed where the kernel breaks off. */
export function cut(source: LogSource, text: string): string {
  source.isCut = true;
  return text;
}
