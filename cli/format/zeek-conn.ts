import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  type Packet,
  tcpFlags,
  tcpHeaderLength,
  tcpSeq,
  tcpWindow,
} from '@keepstate/engine';

const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;

/** What one end of a TCP connection has shown so far; `partial` is traffic without a SYN before it. */
type EndState = 'inactive' | 'partial' | 'syn' | 'synack' | 'established' | 'closed' | 'reset';

/** One end of a connection: what it sent. */
export class ZeekEnd {
  packets = 0;
  /** Bytes of IP datagrams. */
  ipBytes = 0;
  /** Bytes of payload, each counted as often as it was sent; not used for TCP. */
  payload = 0;
  state: EndState = 'inactive';
  /** TCP: bytes from the first sequence number to the highest. */
  stream = 0;
  /** TCP: bytes that were stepped over and have not come since. */
  missed = 0;
  private next = 0;
  private started = false;

  /**
   * Takes a TCP segment's place in the stream.
   * @returns whether all its payload had been sent before
   */
  segment(seq: number, payload: number, flags: number): boolean {
    const begin = (flags & SYN) !== 0 ? (seq + 1) | 0 : seq;
    if (!this.started) {
      this.started = true;
      this.next = begin;
    }
    if (payload === 0) return false;
    const ahead = (begin - this.next) | 0;
    const fresh = ahead + payload;
    if (fresh <= 0) {
      const filled = this.missed > 0;
      this.missed = Math.max(0, this.missed - payload);
      return !filled;
    }
    if (ahead > 0) this.missed += ahead;
    this.stream += fresh;
    this.next = (begin + payload) | 0;
    return false;
  }
}

/** A connection as Zeek's conn.log tells it. One for each flow, only made where that log is wanted. */
export class ZeekConn {
  /** The flow's id. */
  readonly id: number;
  readonly protonum: number;
  /** Time of the first packet (ms). */
  readonly first: number;
  /** Time of the last packet (ms). */
  last: number;
  readonly orig: ZeekEnd = new ZeekEnd();
  readonly resp: ZeekEnd = new ZeekEnd();
  /** What happened, a letter for each first time: upper case for the originator. */
  history = '';

  constructor(id: number, protonum: number, time: number) {
    this.id = id;
    this.protonum = protonum;
    this.first = time;
    this.last = time;
  }

  /**
   * Counts a packet.
   * @param reply whether it went in reply direction
   * @param time ms
   */
  add(pkt: Packet, reply: boolean, time: number): void {
    const end = reply ? this.resp : this.orig;
    const { view, l4 } = pkt;
    this.last = Math.max(this.last, time);
    end.packets++;
    end.ipBytes += pkt.end - pkt.off;
    if (this.protonum === IPPROTO_TCP) this.addSegment(pkt, end, reply);
    else if (this.protonum === IPPROTO_UDP) {
      const payload = Math.max(0, view.getUint16(l4 + 4) - 8);
      end.payload += payload;
      if (payload > 0) this.note('d', reply);
    } else if (this.protonum === IPPROTO_ICMP || this.protonum === IPPROTO_ICMPV6) {
      end.payload += Math.max(0, pkt.end - l4 - 8);
    }
  }

  /** How it went, by Zeek's names: SF, S0, REJ … */
  get connState(): string {
    if (this.protonum === IPPROTO_TCP) return tcpConnState(this.orig, this.resp);
    if (this.protonum !== IPPROTO_UDP) return 'OTH';
    if (this.orig.packets === 0) return 'SHR';
    return this.resp.packets === 0 ? 'S0' : 'SF';
  }

  /** Payload bytes of an end: for TCP by sequence numbers, so that what was sent twice counts once. */
  bytesOf(end: ZeekEnd): number {
    return this.protonum === IPPROTO_TCP ? end.stream : end.payload;
  }

  private addSegment(pkt: Packet, end: ZeekEnd, reply: boolean): void {
    const { view, l4 } = pkt;
    const flags = tcpFlags(view, l4);
    const payload = Math.max(0, pkt.end - l4 - tcpHeaderLength(view, l4));
    const again = end.segment(tcpSeq(view, l4), payload, flags);
    if ((flags & SYN) !== 0) this.note((flags & ACK) !== 0 ? 'h' : 's', reply);
    if (payload > 0) this.note(again ? 't' : 'd', reply);
    else if ((flags & (SYN | FIN | RST)) === 0) this.note('a', reply);
    if ((flags & (SYN | FIN | RST)) === 0 && tcpWindow(view, l4) === 0) this.note('w', reply);
    if ((flags & FIN) !== 0) this.note('f', reply);
    if ((flags & RST) !== 0) this.note('r', reply);
    advance(end, reply ? this.orig : this.resp, flags);
  }

  private note(letter: string, reply: boolean): void {
    const mark = reply ? letter : letter.toUpperCase();
    if (!this.history.includes(mark)) this.history += mark;
  }
}

/** Moves one end on by the flags it sent. */
function advance(end: ZeekEnd, peer: ZeekEnd, flags: number): void {
  if ((flags & RST) !== 0) {
    // A RST after both sides said they are done takes nothing back.
    if (end.state !== 'closed' || peer.state !== 'closed') end.state = 'reset';
    return;
  }
  if (end.state === 'closed' || end.state === 'reset') return;
  if ((flags & SYN) !== 0) {
    if ((flags & ACK) === 0) {
      if (end.state === 'inactive') end.state = 'syn';
    } else if (peer.state === 'syn') end.state = peer.state = 'established';
    else if (end.state === 'inactive') end.state = 'synack';
    return;
  }
  if ((flags & FIN) !== 0) end.state = 'closed';
  else if (end.state === 'inactive') end.state = 'partial';
}

function silent(end: ZeekEnd): boolean {
  return end.state === 'inactive' || end.state === 'partial';
}

/** The state of a TCP connection out of both ends' (Zeek documentation, conn.log, "conn_state"). */
function tcpConnState(orig: ZeekEnd, resp: ZeekEnd): string {
  if (resp.state === 'reset') {
    if (orig.state === 'syn' || orig.state === 'synack') return 'REJ';
    if (orig.state === 'reset' && orig.stream === 0 && resp.stream === 0) return 'REJ';
    return silent(orig) ? 'RSTRH' : 'RSTR';
  }
  if (orig.state === 'reset') return silent(resp) ? 'RSTOS0' : 'RSTO';
  if (orig.state === 'closed') {
    if (resp.state === 'closed') return 'SF';
    return silent(resp) ? 'SH' : 'S2';
  }
  if (resp.state === 'closed') return silent(orig) ? 'SHR' : 'S3';
  if (orig.state === 'syn' && resp.state === 'inactive') return 'S0';
  return orig.state === 'established' && resp.state === 'established' ? 'S1' : 'OTH';
}
