import { ETH_P_IP, ETH_P_IPV6 } from './ethernet.ts';
import {
  GRE_ACK,
  GRE_CSUM,
  GRE_HEADER,
  GRE_KEY,
  GRE_PPTP_HEADER,
  GRE_PROTO_PPP,
  GRE_ROUTING,
  GRE_SEQ,
  greHeaderLength,
} from './gre.ts';
import { chunkLength, chunkName, chunkType, nextChunk, SCTP_CHUNK_HEADER, SCTP_HEADER } from './sctp.ts';
import { TCP_HEADER, TH_ACK, TH_URG, tcpFlagNames, tcpHeaderLength } from './tcp.ts';
import { UDP_HEADER } from './udp.ts';

/** Flags in words for each value of the flags byte, made once. */
const FLAG_WORDS: readonly string[] = Array.from({ length: 256 }, (_, flags) => tcpFlagNames(flags));

/** More chunks than a packet usually has; the rest of a longer row is not spelled out. */
const CHUNKS_SHOWN = 8;

function cutShort(name: string, bytes: number): string {
  return `${name} cut short (${bytes} bytes)`;
}

/**
 * A TCP segment: `tcp SYN,ACK seq 1 ack 2 win 64240 len 0`. `ack` stands only where the ACK flag does.
 * @param l4 first byte of its header
 * @param end first byte past its payload
 * @param more whether bytes of the segment are in other fragments, so that its length is not known
 */
export function tcpText(view: DataView, l4: number, end: number, more: boolean): string {
  const there = end - l4;
  if (there < TCP_HEADER) return cutShort('tcp', there);
  const flags = view.getUint8(l4 + 13);
  let line = `tcp ${FLAG_WORDS[flags]} seq ${view.getUint32(l4 + 4)}`;
  if (flags & TH_ACK) line += ` ack ${view.getUint32(l4 + 8)}`;
  line += ` win ${view.getUint16(l4 + 14)}`;
  if (flags & TH_URG) line += ` urg ${view.getUint16(l4 + 18)}`;
  const header = tcpHeaderLength(view, l4);
  if (header < TCP_HEADER || header > there) return `${line} bad header length ${header}`;
  return more ? line : `${line} len ${there - header}`;
}

/**
 * A UDP datagram: `udp len 29`, the payload's bytes; its length field too where it says something else.
 * @param more whether bytes of the datagram are in other fragments: then the length field is all that tells
 */
export function udpText(view: DataView, l4: number, end: number, more: boolean): string {
  const there = end - l4;
  if (there < UDP_HEADER) return cutShort('udp', there);
  const field = view.getUint16(l4 + 4);
  if (field === there || (more && field >= UDP_HEADER)) return `udp len ${field - UDP_HEADER}`;
  return `udp len ${there - UDP_HEADER}, length field ${field}`;
}

/** A UDP-Lite datagram: `udplite len 29 coverage 8`; coverage 0 is all of it (RFC 3828, section 3.1). */
export function udpliteText(view: DataView, l4: number, end: number, more: boolean): string {
  const there = end - l4;
  if (there < UDP_HEADER) return cutShort('udplite', there);
  const coverage = view.getUint16(l4 + 4);
  return more ? `udplite coverage ${coverage}` : `udplite len ${there - UDP_HEADER} coverage ${coverage}`;
}

/** An SCTP packet by its chunks: `sctp COOKIE_ECHO,DATA vtag 0x1234`. Ends in `…` where chunks are left out. */
export function sctpText(view: DataView, l4: number, end: number, more: boolean): string {
  if (l4 + SCTP_HEADER > end) return cutShort('sctp', end - l4);
  let names = '';
  let at = l4 + SCTP_HEADER;
  for (let shown = 0; at + SCTP_CHUNK_HEADER <= end; shown++) {
    if (shown > 0) names += ',';
    if (shown === CHUNKS_SHOWN) {
      names += '…';
      break;
    }
    names += chunkName(chunkType(view, at));
    const length = chunkLength(view, at);
    if (length < SCTP_CHUNK_HEADER || at + length > end) {
      if (length < SCTP_CHUNK_HEADER || !more) names += ` (bad length ${length})`;
      break;
    }
    at = nextChunk(at, length);
  }
  const vtag = view.getUint32(l4 + 4).toString(16);
  return `sctp ${names === '' ? 'no chunk' : names} vtag 0x${vtag}`;
}

function greProtocolWord(protocol: number): string {
  if (protocol === ETH_P_IP) return 'ip';
  if (protocol === ETH_P_IPV6) return 'ipv6';
  return protocol === GRE_PROTO_PPP ? 'ppp' : `0x${protocol.toString(16).padStart(4, '0')}`;
}

/** A GRE packet: `gre ip key 0x7 seq 3 len 20`; version 1: `gre v1 ppp call 7 seq 3 ack 2 len 20`. */
export function greText(view: DataView, l4: number, end: number, more: boolean): string {
  const there = end - l4;
  if (there < GRE_HEADER) return cutShort('gre', there);
  const flags = view.getUint16(l4);
  const version = flags & 7;
  const protocol = greProtocolWord(view.getUint16(l4 + 2));
  const line = version === 0 ? `gre ${protocol}` : `gre v${version} ${protocol}`;
  if (version > 1) return line;
  const header = greHeaderLength(flags);
  if (header > there) return `${line} cut short (${there} bytes)`;
  const fields = version === 1 ? pptpText(view, l4, flags) : keyText(view, l4, flags);
  return more ? line + fields : `${line}${fields} len ${there - header}`;
}

function keyText(view: DataView, l4: number, flags: number): string {
  let at = l4 + GRE_HEADER + (flags & (GRE_CSUM | GRE_ROUTING) ? 4 : 0);
  let line = '';
  if (flags & GRE_KEY) {
    line = ` key 0x${view.getUint32(at).toString(16)}`;
    at += 4;
  }
  return flags & GRE_SEQ ? `${line} seq ${view.getUint32(at)}` : line;
}

function pptpText(view: DataView, l4: number, flags: number): string {
  let at = l4 + GRE_PPTP_HEADER;
  let line = ` call ${view.getUint16(l4 + 6)}`;
  if (flags & GRE_SEQ) {
    line += ` seq ${view.getUint32(at)}`;
    at += 4;
  }
  return flags & GRE_ACK ? `${line} ack ${view.getUint32(at)}` : line;
}
