import type { Packet } from '../packet/packet.ts';
import { TH_FIN, TH_SYN } from '../packet/tcp.ts';
import { indexOf } from './tcp-states.ts';

/**
 * What tracking needs of a TCP segment. Read once, because nearly every step asks for it, and handed on as one
 * thing, because a call with many numbers costs more than the step itself. One per tracker, reused.
 */
export class Segment {
  /** 0 original, 1 reply. */
  dir = 0;
  /** TH_* bits. */
  flags = 0;
  /** INDEX_*: what it counts as. */
  index = 0;
  /** Bytes of its header. */
  header = 0;
  /** Sequence number. */
  seq = 0;
  /** Sequence number behind it: data plus one for SYN and one for FIN. */
  end = 0;
  /** Acknowledgment number; once the windows were looked at, as the one who is acknowledged counts. */
  ack = 0;
  /** By how much translation shifted what it acknowledges (nf_ct_seq_offset). */
  shift = 0;
  /** Window as it stands in the header, not scaled. */
  window = 0;
}

/** Reads the segment that a packet carries; its header is whole. */
export function readSegment(pkt: Packet, dir: number, out: Segment): void {
  const { view, l4 } = pkt;
  // Bytes 12 and 13: data offset in the high four bits, flags in the low eight (RFC 9293, section 3.1).
  const word = view.getUint16(l4 + 12);
  const flags = word & 0xff;
  const header = (word >> 12) << 2;
  const seq = view.getInt32(l4 + 4);
  out.dir = dir;
  out.flags = flags;
  out.index = indexOf(flags);
  out.header = header;
  out.seq = seq;
  out.end = (seq + (pkt.end - l4 - header) + ((flags & TH_SYN) >> 1) + (flags & TH_FIN)) | 0;
  out.ack = view.getInt32(l4 + 8);
  out.shift = 0;
  out.window = view.getUint16(l4 + 14);
}
