import {
  R_FRAG_DUPLICATE,
  R_FRAG_ECN,
  R_FRAG_EMPTY,
  R_FRAG_END,
  R_FRAG_FIRST,
  R_FRAG_MALFORMED,
  R_FRAG_MEMORY,
  R_FRAG_ODD,
  R_FRAG_OVERLAP,
  R_FRAG_TOO_BIG,
} from '../base/reason.ts';
import { ExtensionWalk, IPV6_HEADER, skipExtensionHeaders } from '../packet/ipv6.ts';
import { because, copyOfBytes, FRAG_MORE, type Packet } from '../packet/packet.ts';
import {
  IPPROTO_AH,
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ICMPV6,
  IPPROTO_ROUTING,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../packet/protocols.ts';
import type { Assembly } from './assembly.ts';
import { combineEcn, ECN_INVALID } from './ecn.ts';
import { drop, FRAG_PASS, hold } from './fates.ts';
import { type FragQueue, INSERT_DUPLICATE, INSERT_OVERLAP } from './queue.ts';
import { FragQueues } from './queues.ts';
import { IPV6_QUEUE_SIZE, truesize } from './truesize.ts';

const FRAGMENT_HEADER = 8;
const MAX_PAYLOAD = 65535;
const NEXT_HEADER = 6;

const walkScratch = new ExtensionWalk();

/** Bytes of transport header that a first fragment must have (measured; RFC 8200, section 4.5 wants all of it). */
function leastTransport(proto: number): number {
  if (proto === IPPROTO_TCP) return 20;
  return proto === IPPROTO_UDP || proto === IPPROTO_ICMPV6 ? 8 : 1;
}

/** Whether a fragment is a first one and ends before its transport header does. */
function isCutShort(view: DataView, at: number, end: number): boolean {
  const l4 = skipExtensionHeaders(view, at, end, IPPROTO_FRAGMENT, walkScratch);
  if (l4 < 0 || walkScratch.frag >= FRAGMENT_HEADER) return false;
  return l4 + leastTransport(walkScratch.proto) > end;
}

/**
 * IPv6 reassembly (RFC 8200, section 4.5; RFC 5722) with the rules of Linux's nf_ct_frag6_gather. An atomic
 * fragment (RFC 6946) is a fragment like any other there: it loses its header by being a whole datagram at once,
 * and an unlucky one meets a queue of the same identification (measured).
 */
export class Ipv6Defrag {
  readonly queues: FragQueues = new FragQueues(IPV6_QUEUE_SIZE);
  /** nf_conntrack_frag6_timeout in ms. */
  timeout = 0;
  /** nf_conntrack_frag6_high_thresh in bytes. */
  highThresh = 0;
  private readonly assembly: Assembly;
  /** Where the byte stands that names the header which {@link findHeader} found, from the packet's start. */
  private nextHeaderAt = 0;

  constructor(assembly: Assembly) {
    this.assembly = assembly;
  }

  /** Forgets what timed out before `now` (ms). */
  tick(now: number): void {
    for (let queue = this.queues.expired(now); queue !== undefined; queue = this.queues.expired(now)) {
      this.queues.kill(queue);
    }
  }

  /** Takes a packet that may be a fragment; see Defrag.receive. */
  receive(pkt: Packet, now: number): number {
    const { view, off, end } = pkt;
    const at = this.findHeader(view, off, end);
    // A payload length of 0 announces a jumbogram (RFC 2675), which has no fragments.
    if (at < 0 || end === off + IPV6_HEADER) return FRAG_PASS;
    if (isCutShort(view, at, end)) return passAlone(pkt, R_FRAG_FIRST);
    if (at + FRAGMENT_HEADER > end) return drop(pkt, R_FRAG_MALFORMED);
    this.tick(now);
    if (this.highThresh === 0 || this.queues.memory > this.highThresh) {
      return drop(pkt, R_FRAG_MEMORY, this.highThresh);
    }
    return this.take(this.queueOf(pkt, at, now), pkt, at);
  }

  /** Finds the first fragment header. @returns its first byte, which may be the packet's end, or -1 */
  private findHeader(view: DataView, off: number, end: number): number {
    let next = view.getUint8(off + NEXT_HEADER);
    let at = off + IPV6_HEADER;
    this.nextHeaderAt = NEXT_HEADER;
    while (next !== IPPROTO_FRAGMENT) {
      if (at + 2 > end) return -1;
      let length: number;
      if (next === IPPROTO_HOPOPTS || next === IPPROTO_ROUTING || next === IPPROTO_DSTOPTS) {
        length = (view.getUint8(at + 1) + 1) << 3;
      } else if (next === IPPROTO_AH) {
        length = (view.getUint8(at + 1) + 2) << 2;
      } else return -1;
      this.nextHeaderAt = at - off;
      next = view.getUint8(at);
      at += length;
    }
    return at > end ? -1 : at;
  }

  /** The queue of a fragment's datagram, made if there is none. The transport protocol is not part of its key. */
  private queueOf(pkt: Packet, at: number, now: number): FragQueue {
    const { view, off } = pkt;
    let key = `${view.getInt32(at + 4)} ${pkt.zone}`;
    for (let i = 8; i < IPV6_HEADER; i += 4) key += ` ${view.getInt32(off + i)}`;
    return this.queues.find(key) ?? this.queues.create(key, now + this.timeout);
  }

  /** @param at first byte of the fragment header */
  private take(queue: FragQueue, pkt: Packet, at: number): number {
    const field = pkt.view.getUint16(at + 2);
    const offset = field & ~7;
    const more = (field & FRAG_MORE) !== 0;
    const from = at + FRAGMENT_HEADER;
    const length = pkt.end - from;
    const end = offset + length;
    // Unlike with IPv4, what does not fit is dropped alone: the queue stays, even if it is a new and empty one.
    if (end > MAX_PAYLOAD) return drop(pkt, R_FRAG_TOO_BIG, end);
    if (more && (length & 7) !== 0) {
      this.queues.kill(queue);
      return passAlone(pkt, R_FRAG_ODD, length);
    }
    if (!queue.acceptEnd(end, more)) return drop(pkt, R_FRAG_END);
    if (length === 0) return drop(pkt, R_FRAG_EMPTY);
    const inserted = queue.insert(offset, length, pkt.bytes, from);
    if (inserted === INSERT_DUPLICATE) return drop(pkt, R_FRAG_DUPLICATE);
    if (inserted === INSERT_OVERLAP) return this.giveUp(queue, pkt, R_FRAG_OVERLAP);
    this.note(queue, pkt, offset, at);
    return queue.complete ? this.finish(queue, pkt) : hold(pkt);
  }

  private note(queue: FragQueue, pkt: Packet, offset: number, at: number): void {
    const { view, off } = pkt;
    const size = pkt.end - off;
    queue.ecn |= 1 << ((view.getUint8(off + 1) >> 4) & 3);
    if (size > queue.maxSize) queue.maxSize = size;
    this.queues.charge(queue, truesize(size));
    if (offset !== 0) return;
    queue.head = copyOfBytes(pkt.bytes, off, at);
    queue.mark = pkt.mark;
    // Linux 6.18 keeps this position in one byte. Behind 256 bytes of headers it therefore writes the protocol
    // into some other field and leaves the chain of headers broken (measured), and the packet is INVALID.
    queue.nextHeaderAt = this.nextHeaderAt & 0xff;
    queue.nextHeader = view.getUint8(at);
  }

  private finish(queue: FragQueue, pkt: Packet): number {
    const ecn = combineEcn(queue.ecn);
    if (ecn === ECN_INVALID) return this.giveUp(queue, pkt, R_FRAG_ECN);
    const total = queue.head.length + queue.length;
    if (total - IPV6_HEADER > MAX_PAYLOAD) return this.giveUp(queue, pkt, R_FRAG_TOO_BIG, total);
    const { assembly } = this;
    const { view } = assembly;
    assembly.write(queue);
    view.setUint8(queue.nextHeaderAt, queue.nextHeader);
    view.setUint16(4, total - IPV6_HEADER);
    view.setUint8(1, view.getUint8(1) | (ecn << 4));
    assembly.adopt(pkt, total, queue);
    this.queues.kill(queue);
    findTransport(pkt);
    return FRAG_PASS;
  }

  private giveUp(queue: FragQueue, pkt: Packet, reason: number, operand = 0): number {
    this.queues.kill(queue);
    return drop(pkt, reason, operand);
  }
}

/**
 * Lets a fragment pass as it is. One that is not the first has no transport header to find, so tracking calls it
 * INVALID, as Linux does; a first one is tracked by what it holds.
 */
function passAlone(pkt: Packet, reason: number, operand = 0): number {
  because(pkt, reason, operand);
  if (pkt.frag >= FRAGMENT_HEADER) pkt.l4 = -1;
  return FRAG_PASS;
}

/** Finds the transport header anew. A second fragment header may stand before it: Linux reassembles only once. */
function findTransport(pkt: Packet): void {
  const { view, off } = pkt;
  const l4 = skipExtensionHeaders(
    view,
    off + IPV6_HEADER,
    pkt.end,
    view.getUint8(off + NEXT_HEADER),
    walkScratch,
  );
  pkt.proto = walkScratch.proto;
  pkt.frag = walkScratch.frag;
  pkt.l4 = walkScratch.frag >= FRAGMENT_HEADER ? -1 : l4;
}
