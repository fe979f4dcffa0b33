import {
  R_FRAG_DISTANCE,
  R_FRAG_DUPLICATE,
  R_FRAG_ECN,
  R_FRAG_EMPTY,
  R_FRAG_END,
  R_FRAG_LENGTH,
  R_FRAG_MEMORY,
  R_FRAG_OVERLAP,
  R_FRAG_TOO_BIG,
} from '../base/reason.ts';
import { fold, sum } from '../packet/checksum.ts';
import { because, copyOfBytes, FRAG_MORE, type Packet } from '../packet/packet.ts';
import type { Assembly } from './assembly.ts';
import { combineEcn, ECN_INVALID } from './ecn.ts';
import { drop, FRAG_HELD, FRAG_PASS, hold } from './fates.ts';
import { type FragQueue, INSERT_DUPLICATE, INSERT_OVERLAP } from './queue.ts';
import { FragQueues } from './queues.ts';
import { Sources } from './source.ts';
import { IPV4_QUEUE_SIZE, truesize } from './truesize.ts';

const MAX_TOTAL_LENGTH = 65535;
const DF = 0x4000;

/** IPv4 reassembly (RFC 791, section 3.2) with the rules of Linux's ip_defrag. */
export class Ipv4Defrag {
  readonly queues: FragQueues = new FragQueues(IPV4_QUEUE_SIZE);
  /** ipfrag_time in ms. */
  timeout = 0;
  /** ipfrag_high_thresh in bytes. */
  highThresh = 0;
  /** ipfrag_max_dist: fragments of the same source that may come in between; 0 for any number. */
  maxDist = 0;
  private readonly sources = new Sources();
  private readonly assembly: Assembly;

  constructor(assembly: Assembly) {
    this.assembly = assembly;
  }

  /** Forgets what timed out before `now` (ms). */
  tick(now: number): void {
    for (let queue = this.queues.expired(now); queue !== undefined; queue = this.queues.expired(now)) {
      this.kill(queue);
    }
  }

  /** Takes a fragment; see Defrag.receive. */
  receive(pkt: Packet, now: number): number {
    this.tick(now);
    // Linux asks this before it looks for the queue, so a datagram that is nearly there is refused as well.
    if (this.highThresh === 0 || this.queues.memory > this.highThresh) {
      return drop(pkt, R_FRAG_MEMORY, this.highThresh);
    }
    const queue = this.queueOf(pkt, now);
    const restarted = this.tooFar(queue);
    if (restarted) this.queues.restart(queue, now + this.timeout);
    const fate = this.take(queue, pkt);
    if (restarted && fate === FRAG_HELD) because(pkt, R_FRAG_DISTANCE, this.maxDist);
    return fate;
  }

  /** The queue of a fragment's datagram, made if there is none. */
  private queueOf(pkt: Packet, now: number): FragQueue {
    const { view, off } = pkt;
    const src = view.getInt32(off + 12);
    const key = `${src} ${view.getInt32(off + 16)} ${view.getUint16(off + 4)} ${pkt.proto} ${pkt.zone}`;
    const known = this.queues.find(key);
    if (known !== undefined) return known;
    const queue = this.queues.create(key, now + this.timeout);
    if (this.maxDist !== 0) queue.source = this.sources.hold(src);
    return queue;
  }

  /** Counts a fragment of the queue's source, even one that is dropped afterwards (measured). */
  private tooFar(queue: FragQueue): boolean {
    const { source } = queue;
    if (source === null || this.maxDist === 0) return false;
    const distance = ++source.count - queue.sourceCount;
    queue.sourceCount = source.count;
    return !queue.empty && distance > this.maxDist;
  }

  private take(queue: FragQueue, pkt: Packet): number {
    const offset = pkt.frag & ~7;
    const data = pkt.end - pkt.l4;
    const more = (pkt.frag & FRAG_MORE) !== 0;
    // With more to come, bytes beyond a multiple of 8 are cut off (measured); RFC 791 knows no such fragment.
    const length = more ? data & ~7 : data;
    if (!queue.acceptEnd(offset + length, more)) return this.giveUp(queue, pkt, R_FRAG_END);
    if (length === 0) return this.giveUp(queue, pkt, data === 0 ? R_FRAG_EMPTY : R_FRAG_LENGTH, data);
    const inserted = queue.insert(offset, length, pkt.bytes, pkt.l4);
    if (inserted === INSERT_DUPLICATE) return drop(pkt, R_FRAG_DUPLICATE);
    if (inserted === INSERT_OVERLAP) return this.giveUp(queue, pkt, R_FRAG_OVERLAP);
    this.note(queue, pkt, offset, length);
    return queue.complete ? this.finish(queue, pkt) : hold(pkt);
  }

  private note(queue: FragQueue, pkt: Packet, offset: number, length: number): void {
    const { view, off } = pkt;
    const size = pkt.l4 - off + length;
    queue.ecn |= 1 << (view.getUint8(off + 1) & 3);
    if (size > queue.maxSize) queue.maxSize = size;
    if (size > queue.maxDfSize && (view.getUint16(off + 6) & DF) !== 0) queue.maxDfSize = size;
    this.queues.charge(queue, truesize(pkt.end - off));
    if (offset !== 0) return;
    queue.head = copyOfBytes(pkt.bytes, off, pkt.l4);
    queue.mark = pkt.mark;
  }

  private finish(queue: FragQueue, pkt: Packet): number {
    const ecn = combineEcn(queue.ecn);
    if (ecn === ECN_INVALID) return this.giveUp(queue, pkt, R_FRAG_ECN);
    const header = queue.head.length;
    const total = header + queue.length;
    if (total > MAX_TOTAL_LENGTH) return this.giveUp(queue, pkt, R_FRAG_TOO_BIG, total);
    const { assembly } = this;
    const { view } = assembly;
    assembly.write(queue);
    view.setUint8(1, view.getUint8(1) | ecn);
    view.setUint16(2, total);
    // DF only if the largest fragment had it: else a router could not send on what its sender had sent on.
    view.setUint16(6, queue.maxDfSize === queue.maxSize ? DF : 0);
    view.setUint16(10, 0);
    view.setUint16(10, ~fold(sum(view, 0, header)) & 0xffff);
    assembly.adopt(pkt, total, queue);
    pkt.l4 = header;
    pkt.frag = 0;
    this.kill(queue);
    return FRAG_PASS;
  }

  private giveUp(queue: FragQueue, pkt: Packet, reason: number, operand = 0): number {
    this.kill(queue);
    return drop(pkt, reason, operand);
  }

  private kill(queue: FragQueue): void {
    this.queues.kill(queue);
    if (queue.source !== null) this.sources.release(queue.source);
  }
}
