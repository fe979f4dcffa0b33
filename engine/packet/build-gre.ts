import {
  concat,
  halfWords,
  internetChecksum,
  type Payload,
  payloadBytes,
  viewOf,
  words,
} from './build-bytes.ts';
import { ETH_P_IP } from './ethernet.ts';
import { GRE_ACK, GRE_CSUM, GRE_HEADER, GRE_KEY, GRE_PROTO_PPP, GRE_SEQ } from './gre.ts';

/** What a GRE packet of version 0 says. */
export interface GreFields {
  /** Ethertype of the payload, IPv4 if left out. */
  readonly protocol?: number;
  readonly payload?: Payload;
  /** Whether there is a checksum; a number in place of the right one. */
  readonly checksum?: boolean | number;
  readonly key?: number;
  readonly seq?: number;
}

/** What a GRE packet of version 1 says. */
export interface PptpGreFields {
  /** Call id of the receiver. */
  readonly callId: number;
  readonly payload?: Payload;
  readonly seq?: number;
  readonly ack?: number;
  /** In place of PPP. */
  readonly protocol?: number;
}

/** A number as one word, or nothing. */
function optionalWord(value: number | undefined): Uint8Array {
  return value === undefined ? new Uint8Array(0) : words(value);
}

/** A GRE packet (RFC 2784) with key and sequence number (RFC 2890) where given. */
export function gre(o: GreFields): Uint8Array {
  const sums = o.checksum !== undefined && o.checksum !== false;
  const flags =
    (sums ? GRE_CSUM : 0) | (o.key === undefined ? 0 : GRE_KEY) | (o.seq === undefined ? 0 : GRE_SEQ);
  const packet = concat(
    halfWords(flags, o.protocol ?? ETH_P_IP),
    optionalWord(sums ? 0 : undefined),
    optionalWord(o.key),
    optionalWord(o.seq),
    payloadBytes(o.payload),
  );
  if (sums) {
    const checksum = typeof o.checksum === 'number' ? o.checksum : internetChecksum(packet);
    viewOf(packet).setUint16(GRE_HEADER, checksum);
  }
  return packet;
}

/** An enhanced GRE packet as PPTP sends them (RFC 2637, section 4.1). */
export function pptpGre(o: PptpGreFields): Uint8Array {
  const payload = payloadBytes(o.payload);
  const sequence = o.seq === undefined ? 0 : GRE_SEQ;
  const flags = GRE_KEY | sequence | (o.ack === undefined ? 0 : GRE_ACK) | 1;
  const head = halfWords(flags, o.protocol ?? GRE_PROTO_PPP, payload.length, o.callId);
  return concat(head, optionalWord(o.seq), optionalWord(o.ack), payload);
}
