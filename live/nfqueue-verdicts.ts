import { NF_DROP, type Packet } from '@keepstate/engine';
import { DriverError } from './driver.ts';
import { addressOf, declare, errnoName, lastErrno } from './libc.ts';
import { NLA_HEADER, NLM_F_REQUEST, NLMSG_HEADER, nlAlign } from './netlink.ts';
import {
  NFNL_SUBSYS_QUEUE,
  NFQA_MARK,
  NFQA_PAYLOAD,
  NFQA_VERDICT_HDR,
  NFQNL_MSG_VERDICT,
  NFQNL_MSG_VERDICT_BATCH,
} from './nfqueue-message.ts';
import { putWord } from './nfqueue-receive.ts';

const sendmsg: (fd: number, message: number, flags: number) => number = declare(
  'int sendmsg(int fd, uintptr_t message, int flags)',
);

/** Longest message without its packet: nlmsghdr and nfgenmsg 20, verdict 12, mark 8, header of the packet 4. */
const MESSAGE_BYTES = 44;
/** Sequence number of verdicts that may be of no packet. */
export const GAP = 1;
/** So often a verdict is given again that the kernel did not take. */
const ATTEMPTS = 16;
const VERDICT_BYTES = 12;
const MARK_BYTES = 8;
const MSGHDR_BYTES = 56;
const IOVEC = 16;
/** Flush before more than this is in one datagram; the socket's send buffer must take it and one packet more. */
const MOST_BYTES = 1 << 18;

/**
 * Collects the verdicts of one queue and gives them to the kernel by one call. What is said of several packets in a row
 * becomes one message, since the kernel takes a verdict for all packets up to an id. Packets that were changed are not
 * copied: the kernel takes them from where they are.
 */
export class Verdicts {
  /** Verdicts that could not be given. */
  unsent = 0;
  private readonly fd: number;
  private readonly queue: number;
  private readonly most: number;
  private readonly heads: Uint8Array;
  private readonly view: DataView;
  private readonly headsAddress: number;
  private readonly iovecs: Uint8Array;
  private readonly iovecsView: DataView;
  private readonly message: Uint8Array;
  private readonly messageView: DataView;
  private readonly messageAddress: number;
  /**
   * Bytes for packets that are changed, one for each that may be in a datagram, in turn. The packet under way has those at
   * `place`.
   */
  private readonly owns: Uint8Array[] = [];
  private readonly ownViews: DataView[] = [];
  private readonly ownAddresses: number[] = [];
  private place = 0;
  /** Bytes of `heads`, packets and iovecs used; where the iovec that is not ended begins; bytes of all. */
  private used = 0;
  private changed = 0;
  private pieces = 0;
  private from = 0;
  private total = 0;
  /** Verdict of the last packets, that no message is there for yet, and the last one's id; -1 if there are none. */
  private run = 0;
  private runId = -1;
  /** Id of the last packet that there was a verdict of. */
  private newest = 0;

  /**
   * @param fd netlink socket that the queue is bound to
   * @param most how many packets there are before {@link flush} is called
   */
  constructor(fd: number, queue: number, most: number) {
    this.fd = fd;
    this.queue = queue;
    this.most = most;
    this.heads = new Uint8Array(new ArrayBuffer(3 * most * MESSAGE_BYTES));
    this.view = new DataView(this.heads.buffer);
    this.headsAddress = addressOf(this.heads);
    this.iovecs = new Uint8Array(new ArrayBuffer((2 * most + 1) * IOVEC));
    this.iovecsView = new DataView(this.iovecs.buffer);
    this.message = new Uint8Array(new ArrayBuffer(MSGHDR_BYTES));
    this.messageView = new DataView(this.message.buffer);
    this.messageAddress = addressOf(this.message);
    putWord(this.messageView, 16, addressOf(this.iovecs));
  }

  /** A verdict of a packet that stays as it was. */
  plain(id: number, verdict: number): void {
    if (this.runId >= 0 && this.run !== verdict) this.endRun();
    this.run = verdict;
    this.runId = id;
    this.newest = id;
  }

  /**
   * Drops packets up to an id that never came here. Without it the next verdict for all packets up to an id would be
   * theirs as well. The kernel has mostly dropped them itself and says so, with sequence number {@link GAP}.
   */
  gap(id: number): void {
    this.endRun();
    const at = this.used;
    this.begin(NFQNL_MSG_VERDICT_BATCH, VERDICT_BYTES, id, NF_DROP);
    this.view.setUint32(at + 8, GAP, true);
  }

  /** A verdict of a packet with another mark. */
  marked(id: number, verdict: number, mark: number): void {
    this.endRun();
    this.newest = id;
    const at = this.begin(NFQNL_MSG_VERDICT, VERDICT_BYTES + MARK_BYTES, id, verdict);
    this.putMark(at, mark);
  }

  /**
   * A verdict of a packet that leaves with other bytes: those of `pkt`, which must stand in its own ones. The packet gets
   * other ones for the next time.
   */
  rewritten(id: number, verdict: number, pkt: Packet): void {
    const length = pkt.end - pkt.off;
    if (this.total + length > MOST_BYTES || this.changed === this.most) this.flush();
    this.endRun();
    this.newest = id;
    const payload = nlAlign(NLA_HEADER + length);
    let at = this.begin(NFQNL_MSG_VERDICT, VERDICT_BYTES + MARK_BYTES + payload, id, verdict);
    at = this.putMark(at, pkt.mark);
    this.view.setUint16(at, NLA_HEADER + length, true);
    this.view.setUint16(at + 2, NFQA_PAYLOAD, true);
    this.used = at + NLA_HEADER;
    this.endPiece();
    this.piece(this.keep(pkt) + pkt.off, payload - NLA_HEADER);
    this.exchange(pkt);
  }

  /** Gives the kernel all verdicts so far. */
  flush(): void {
    this.endRun();
    this.endPiece();
    if (this.pieces > 0 && !this.send()) this.dropAll();
    this.used = 0;
    this.from = 0;
    this.pieces = 0;
    this.changed = 0;
    this.total = 0;
  }

  /** @returns false if the kernel did not take the verdicts */
  private send(): boolean {
    putWord(this.messageView, 24, this.pieces);
    for (let i = 0; i < ATTEMPTS; i++) if (sendmsg(this.fd, this.messageAddress, 0) >= 0) return true;
    return false;
  }

  /** The verdicts could not be given: all those packets are dropped, lest a later verdict be taken for theirs. */
  private dropAll(): void {
    this.unsent++;
    this.used = 0;
    this.from = 0;
    this.pieces = 0;
    this.gap(this.newest);
    this.endPiece();
    if (!this.send())
      throw new DriverError(`giving verdicts to queue ${this.queue}: ${errnoName(lastErrno())}`);
  }

  private endRun(): void {
    if (this.runId < 0) return;
    this.begin(NFQNL_MSG_VERDICT_BATCH, VERDICT_BYTES, this.runId, this.run);
    this.runId = -1;
  }

  /** Begins a message with a verdict. @returns where its next attribute goes */
  private begin(type: number, attributes: number, id: number, verdict: number): number {
    const { view } = this;
    const at = this.used;
    const length = NLMSG_HEADER + 4 + attributes;
    view.setUint32(at, length, true);
    view.setUint16(at + 4, (NFNL_SUBSYS_QUEUE << 8) | type, true);
    view.setUint16(at + 6, NLM_F_REQUEST, true);
    view.setUint32(at + 8, 0);
    view.setUint32(at + 12, 0);
    view.setUint16(at + 16, 0);
    view.setUint16(at + 18, this.queue);
    view.setUint16(at + 20, VERDICT_BYTES, true);
    view.setUint16(at + 22, NFQA_VERDICT_HDR, true);
    view.setUint32(at + 24, verdict);
    view.setUint32(at + 28, id);
    this.used = at + 32;
    return this.used;
  }

  private putMark(at: number, mark: number): number {
    this.view.setUint16(at, MARK_BYTES, true);
    this.view.setUint16(at + 2, NFQA_MARK, true);
    this.view.setUint32(at + 4, mark);
    this.used = at + MARK_BYTES;
    return this.used;
  }

  /** Ends the piece of `heads` that was written since the last one. */
  private endPiece(): void {
    if (this.used > this.from) this.piece(this.headsAddress + this.from, this.used - this.from);
    this.from = this.used;
  }

  private piece(address: number, length: number): void {
    const at = this.pieces * IOVEC;
    putWord(this.iovecsView, at, address);
    putWord(this.iovecsView, at + 8, length);
    this.pieces++;
    this.total += length;
  }

  /** Notes the bytes of a packet's own. @returns their address */
  private keep(pkt: Packet): number {
    const { owns, ownViews, ownAddresses, place } = this;
    if (pkt.end + 3 > pkt.own.length) widen(pkt);
    if (owns[place] === pkt.own) return ownAddresses[place]!;
    owns[place] = pkt.own;
    ownViews[place] = pkt.ownView;
    ownAddresses[place] = addressOf(pkt.own);
    return ownAddresses[place]!;
  }

  /** Takes a packet's own bytes away and gives it the next ones, if there are some already. */
  private exchange(pkt: Packet): void {
    this.changed++;
    this.place = (this.place + 1) % this.most;
    pkt.own = this.owns[this.place] ?? new Uint8Array(0);
    pkt.ownView = this.ownViews[this.place] ?? new DataView(pkt.own.buffer);
  }
}

/** Makes room for the padding behind a packet in its own bytes. */
function widen(pkt: Packet): void {
  const bytes = new Uint8Array(pkt.end + 64);
  bytes.set(pkt.own.subarray(0, pkt.end));
  pkt.own = bytes;
  pkt.ownView = new DataView(bytes.buffer);
}
