import { page } from '../base/line-writer-page.ts';
import { putIpv4Ends, putPiece, putSmall, putUint } from '../base/line-writer-put.ts';
import { AF_INET, type Packet } from './packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from './protocols.ts';
import { TCP_HEADER, TH_ACK, TH_URG } from './tcp.ts';
import { TCP_FLAGS } from './text-transport.ts';
import { UDP_HEADER } from './udp.ts';

/** {@link putPlain}: not a packet for it. */
export const NOT_PLAIN: number = -1;

// ASCII in words whose lowest byte comes first.
const SPACE = 0x20;
/** ` ack`, ` win`, ` len`, each with a space to come. */
const ACK = 0x6b636120;
const WIN = 0x6e697720;
const LEN = 0x6e656c20;
/** ` udp` */
const UDP = 0x70647520;

/** `10.0.0.1:1000 > 10.1.0.1:80` of a packet with its IP header at `off` and both ports in one word. */
const putEnds = (view: DataView, start: number, packet: DataView, off: number, ports: number): number =>
  putIpv4Ends(
    view,
    start,
    packet.getInt32(off + 12),
    ports >>> 16,
    packet.getInt32(off + 16),
    ports & 0xffff,
  );

/** A number behind a word of four characters and a space. */
const putField = (view: DataView, at: number, word: number, n: number): number => {
  view.setInt32(at, word, true);
  view.setUint8(at + 4, SPACE);
  return putUint(view, at + 5, n);
};

/** The same of a number below a million. */
const putSmallField = (view: DataView, at: number, word: number, n: number): number => {
  view.setInt32(at, word, true);
  view.setUint8(at + 4, SPACE);
  return putSmall(view, at + 5, n);
};

/**
 * Writes on the {@link page} about nearly any packet what `writePacket` writes of all: TCP and UDP over IPv4, no
 * fragment, whole and sound. The same text in a third of the time (docs/performance.md): the place to write at is in a
 * register all along, and no layer asks again what another knew.
 * @param start where on the page, with LINE_ROOM behind
 * @param pkt after dissect
 * @returns the place behind, or NOT_PLAIN if it is not a packet for it; then nothing was written
 */
export function putPlain(start: number, pkt: Packet): number {
  const view = page();
  const { l4, end, proto, view: packet } = pkt;
  if (pkt.family !== AF_INET || pkt.frag !== 0 || l4 < 0) return NOT_PLAIN;
  if (proto === IPPROTO_UDP) {
    const length = end - l4;
    if (length < UDP_HEADER || packet.getUint16(l4 + 4) !== length) return NOT_PLAIN;
    const at = putEnds(view, start, packet, pkt.off, packet.getInt32(l4));
    view.setInt32(at, UDP, true);
    return putSmallField(view, at + 4, LEN, length - UDP_HEADER);
  }
  if (proto !== IPPROTO_TCP || l4 + TCP_HEADER > end) return NOT_PLAIN;
  // Header length in words, flags and window (RFC 9293, section 3.1).
  const word = packet.getInt32(l4 + 12);
  const header = (word >>> 28) << 2;
  const flags = (word >>> 16) & 0xff;
  const length = end - l4 - header;
  if (header < TCP_HEADER || length < 0 || (flags & TH_URG) !== 0) return NOT_PLAIN;
  let at = putEnds(view, start, packet, pkt.off, packet.getInt32(l4));
  at = putUint(view, putPiece(view, at, TCP_FLAGS.of(flags)), packet.getInt32(l4 + 4));
  if ((flags & TH_ACK) !== 0) at = putField(view, at, ACK, packet.getInt32(l4 + 8));
  at = putSmallField(view, at, WIN, word & 0xffff);
  return putSmallField(view, at, LEN, length);
}
