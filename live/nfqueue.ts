import { readFileSync } from 'node:fs';
import {
  CHECKSUM_UNNECESSARY,
  type HostModel,
  NF_ACCEPT,
  NF_DROP,
  type Outcome,
  Packet,
  resetPacket,
} from '@keepstate/engine';
import { CAP_NET_ADMIN, hasCapability } from './capabilities.ts';
import { now } from './clock.ts';
import { DLT_RAW, type Driver, type DriverCounts, DriverError, type Judge } from './driver.ts';
import {
  check,
  EAGAIN,
  EINTR,
  ENOBUFS,
  EPERM,
  errnoName,
  lastErrno,
  SO_SNDBUFFORCE,
  SOL_SOCKET,
  setIntOption,
} from './libc.ts';
import {
  isMessage,
  messageEnd,
  messageSequence,
  messageType,
  NETLINK_NETFILTER,
  NLM_F_ACK,
  NLMSG_ERROR,
  nextMessage,
} from './netlink.ts';
import { NetlinkSocket } from './netlink-socket.ts';
import { MessageWriter } from './netlink-writer.ts';
import { RawSender } from './nfqueue-answers.ts';
import { completeChecksum } from './nfqueue-checksum.ts';
import {
  HOOK_INPUT,
  NFNL_SUBSYS_QUEUE,
  NFQA_CFG_F_FAIL_OPEN,
  NFQA_CFG_F_GSO,
  NFQA_SKB_CSUMNOTREADY,
  NFQA_SKB_GSO,
  NFQNL_MSG_PACKET,
  QueuedPacket,
  writeBind,
  writeConfig,
} from './nfqueue-message.ts';
import { ReceiveBatch } from './nfqueue-receive.ts';
import { GAP, Verdicts } from './nfqueue-verdicts.ts';

const LOOPBACK = 1;
const PACKET_OUTGOING = 4;
const PACKET_MESSAGE = (NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET;
/** Packets that are received, judged and answered at once. */
const BATCH = 64;
/** Longest message: the packet (64 KiB) and what is said of it. */
const SLOT = 0x10000 + 512;
/** As much of a packet as an attribute can hold. */
const COPY_RANGE = 0xffff;
const RECEIVE_BYTES: number = 1 << 25;
const SEND_BYTES: number = 1 << 20;
/** So often in a row receiving must fail to be an error. */
const PATIENCE = 16;
const QUEUES_FILE = '/proc/self/net/netfilter/nfnetlink_queue';

/** Mark of the packets that the firewall sends itself, if no other is chosen. */
export const ANSWER_MARK = 0x6b73;

/** What is known of the machine that the packets are queued on. */
export interface QueueHost {
  /** Its devices, addresses and routes. */
  readonly host: HostModel;
  /** Number in the host model of the device that the kernel numbers so, 0 if there is none. */
  deviceOf(ifindex: number): number;
  /** The kernel's number of a device of the host model, 0 if there is none. */
  ifindexOf(device: number): number;
}

/** How packets are taken from the kernel's queues. */
export interface NfqueueOptions {
  /** Numbers of queues: those of `-j NFQUEUE --queue-num`, or all of `--queue-balance`. */
  readonly queues: readonly number[];
  readonly host: QueueHost;
  /** Whether packets pass for which there is no room in the queue. Off if left out. */
  readonly failOpen?: boolean;
  /**
   * Whether the kernel hands over packets that it has not yet cut into segments. On if left out; ends with the first
   * packet that is rewritten.
   */
  readonly gso?: boolean;
  /** How many packets at most wait in each queue, 4096 if left out. */
  readonly maxlen?: number;
  /** Mark of packets that the firewall sends itself, {@link ANSWER_MARK} if left out. */
  readonly answerMark?: number;
}

/** One queue: a socket of its own, so that what comes by it is of this queue. */
class Queue {
  readonly socket: NetlinkSocket;
  readonly verdicts: Verdicts;
  /** Id of the packet that came last, -1 before the first. */
  last = -1;
  readonly number: number;

  private readonly maxlen: number;
  private flags: number;

  constructor(number: number, flags: number, maxlen: number) {
    this.number = number;
    this.flags = flags;
    this.maxlen = maxlen;
    this.socket = new NetlinkSocket(NETLINK_NETFILTER, RECEIVE_BYTES);
    try {
      this.bind();
    } catch (error) {
      this.socket.close();
      throw error;
    }
    this.verdicts = new Verdicts(this.socket.fd, number, BATCH);
  }

  private bind(): void {
    const { socket, number } = this;
    const what = `binding queue ${number}`;
    check(setIntOption(socket.fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BYTES), what, 'CAP_NET_ADMIN');
    const writer = new MessageWriter(256);
    writeBind(writer, NLM_F_ACK, socket.next(), number);
    let errno = socket.ask(writer, what);
    // Measured: EPERM also where another socket has the queue.
    if (errno === EPERM)
      throw new DriverError(
        hasCapability(CAP_NET_ADMIN) ? `${what}: another program has it` : `${what} needs CAP_NET_ADMIN`,
      );
    if (errno !== 0) throw new DriverError(`${what}: ${errnoName(errno)}`);
    writer.reset();
    this.writeConfig(writer, NLM_F_ACK);
    errno = socket.ask(writer, what);
    if (errno !== 0) throw new DriverError(`${what}: ${errnoName(errno)}`);
    // A full socket is no error of ours: the ids of the packets tell what was lost.
    socket.ignoreLoss();
  }

  /**
   * From now on packets come cut into segments. Measured: the kernel sends long packets that come back with other bytes
   * cut short, or drops them.
   */
  segment(): void {
    if ((this.flags & NFQA_CFG_F_GSO) === 0) return;
    this.flags &= ~NFQA_CFG_F_GSO;
    const writer = new MessageWriter(256);
    this.writeConfig(writer, 0);
    // An answer comes only if it was refused, and is then counted as other errors are.
    this.socket.send(writer, `configuring queue ${this.number}`);
  }

  private writeConfig(writer: MessageWriter, flags: number): void {
    const { number, maxlen, socket } = this;
    const mask = NFQA_CFG_F_FAIL_OPEN | NFQA_CFG_F_GSO;
    writeConfig(writer, flags, socket.next(), number, { range: COPY_RANGE, maxlen, flags: this.flags, mask });
  }
}

/**
 * Judges packets that the kernel's own rules hand over (`-j NFQUEUE`), each once by the whole ruleset, wherever it was
 * queued. The kernel routes, takes the hop limit and sends; what the rules rewrite goes back to it. Where to queue:
 *
 * - to filter: `-t mangle -A PREROUTING`; or INPUT, FORWARD and OUTPUT, where the kernel knows more of the devices;
 * - to translate (measured): towards the machine at `-t mangle -A PREROUTING -i wan0`, away from it at
 *   `-t mangle -A POSTROUTING -o wan0`. What gets a source of the machine's own in PREROUTING the kernel drops as a
 *   martian, and what gets another destination behind routing still goes to the old one.
 *
 * Answers (REJECT) leave by OUTPUT and POSTROUTING, marked: a rule that queues there needs `-m mark ! --mark 0x6b73`.
 * When the process ends, queued packets and those that come are dropped, unless the rule says `--queue-bypass`.
 */
export class Nfqueue implements Driver {
  readonly mode = 'nfqueue';
  readonly fds: readonly number[];
  private readonly queues: Queue[] = [];
  private readonly batch: ReceiveBatch = new ReceiveBatch(BATCH, SLOT);
  private readonly raw: RawSender;
  private readonly pkt: Packet = new Packet();
  private readonly queued: QueuedPacket = new QueuedPacket();
  private readonly network: QueueHost;
  private received = 0;
  private accepted = 0;
  /** Packets that ids say were lost on the way to us; verdicts that the kernel refused. */
  private lost = 0;
  private refused = 0;
  private failures = 0;
  private isClosed = false;

  /** @throws DriverError for lack of a capability, or if a queue is somebody else's */
  constructor(options: NfqueueOptions) {
    const { queues, host, failOpen = false, gso = true, maxlen = 4096, answerMark = ANSWER_MARK } = options;
    if (queues.length === 0) throw new DriverError('no queue is given');
    const flags = (failOpen ? NFQA_CFG_F_FAIL_OPEN : 0) | (gso ? NFQA_CFG_F_GSO : 0);
    this.network = host;
    this.raw = new RawSender(answerMark);
    try {
      for (const number of queues) this.queues.push(new Queue(number, flags, maxlen));
    } catch (error) {
      this.close();
      throw error;
    }
    this.fds = this.queues.map(({ socket }) => socket.fd);
  }

  /** Reads a file of /proc for what the kernel lost: not for every batch. */
  get counts(): DriverCounts {
    const unsent = this.queues.reduce((sum, { verdicts }) => sum + verdicts.unsent, this.raw.unsent);
    return {
      received: this.received,
      sent: this.accepted + this.raw.sent,
      lost: this.lost + this.droppedByKernel(),
      unsent: unsent + this.refused,
    };
  }

  run(judge: Judge, most: number): number {
    let total = 0;
    for (let got = 1; got > 0 && total < most; ) {
      got = 0;
      for (let i = 0; i < this.queues.length; i++) got += this.take(this.queues[i]!, judge);
      total += got;
    }
    return total;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    // The kernel drops what is queued and was not judged.
    for (const { socket } of this.queues) socket.close();
    this.raw.close();
  }

  /** Takes a batch of packets from a queue. @returns how many */
  private take(queue: Queue, judge: Judge): number {
    const { batch } = this;
    const { view, slot } = batch;
    const count = batch.receive(queue.socket.fd, BATCH);
    if (count < 0) return this.failed(queue);
    this.pkt.time = now();
    for (let i = 0; i < count; i++) {
      const end = i * slot + Math.min(slot, batch.length(i));
      for (let at = i * slot; isMessage(view, at, end); at = nextMessage(view, at)) {
        const type = messageType(view, at);
        if (type === PACKET_MESSAGE) this.judge(queue, judge, at, messageEnd(view, at));
        // Errors come for verdicts of packets that are no longer there: a device went away.
        else if (type === NLMSG_ERROR && messageSequence(view, at) !== GAP) this.refused++;
      }
    }
    queue.verdicts.flush();
    return count;
  }

  private failed({ number }: Queue): number {
    const errno = lastErrno();
    if (errno === EAGAIN || errno === EINTR || errno === ENOBUFS) {
      this.failures = 0;
      return 0;
    }
    // errno is asked for by a call of its own; measured: once in a while V8 makes calls in between that fail.
    if (++this.failures < PATIENCE) return 0;
    throw new DriverError(`receiving from queue ${number}: ${errnoName(errno)}`);
  }

  private judge(queue: Queue, judge: Judge, at: number, end: number): void {
    const { queued, pkt, batch, network } = this;
    const isWhole = queued.read(batch.view, at, end);
    const { id, mark } = queued;
    if (id < 0) return;
    // Ids are counted before a message is sent, and so tell of messages for which there was no room.
    const missed = queue.last < 0 ? 0 : (id - queue.last - 1) >>> 0;
    if (missed > 0) {
      this.lost += missed;
      queue.verdicts.gap((id - 1) >>> 0);
    }
    queue.last = id;
    if (!isWhole) {
      queue.verdicts.plain(id, NF_DROP);
      return;
    }
    this.received++;
    resetPacket(pkt, batch.bytes, batch.view, queued.from, queued.end);
    pkt.missing = queued.missing;
    pkt.mark = mark;
    pkt.ifin = network.deviceOf(queued.indev);
    // Behind routing: for this machine, or by which device. Before it the model's routes have to do.
    pkt.ifout = queued.hook === HOOK_INPUT ? LOOPBACK : network.deviceOf(queued.outdev);
    if (pkt.ifin === 0) pkt.pkttype = PACKET_OUTGOING;
    const isPartial = (queued.info & NFQA_SKB_CSUMNOTREADY) !== 0;
    if (isPartial) pkt.checksum = CHECKSUM_UNNECESSARY;
    const verdict = judge.judge(pkt, DLT_RAW);
    const { outcome } = judge;
    if (outcome.answers.length > 0) this.answer(outcome);
    if (verdict !== NF_ACCEPT) {
      queue.verdicts.plain(id, NF_DROP);
      return;
    }
    this.accepted++;
    if (outcome.out.length > 0) this.putPieces(outcome.out);
    if (pkt.bytes === pkt.own) this.rewrite(queue, isPartial);
    else if (pkt.mark !== mark) queue.verdicts.marked(id, NF_ACCEPT, pkt.mark);
    else queue.verdicts.plain(id, NF_ACCEPT);
  }

  /** The packet goes on with other bytes. */
  private rewrite(queue: Queue, isPartial: boolean): void {
    const { queued, pkt } = this;
    queue.segment();
    if (queued.missing > 0 || (queued.info & NFQA_SKB_GSO) !== 0) {
      this.refused++;
      queue.verdicts.plain(queued.id, NF_DROP);
      return;
    }
    if (isPartial) completeChecksum(pkt);
    queue.verdicts.rewritten(queued.id, NF_ACCEPT, pkt);
  }

  /** What leaves instead of the packet: the first piece in its place, the others are sent. */
  private putPieces(pieces: readonly Uint8Array[]): void {
    const { pkt } = this;
    const first = pieces[0]!;
    if (pkt.own.length < first.length + 64) {
      pkt.own = new Uint8Array(first.length + 64);
      pkt.ownView = new DataView(pkt.own.buffer);
    }
    pkt.own.set(first);
    pkt.bytes = pkt.own;
    pkt.view = pkt.ownView;
    pkt.off = 0;
    pkt.end = first.length;
    pkt.l4 = -1;
    for (const piece of pieces.slice(1)) this.raw.send(piece, this.network.ifindexOf(pkt.ifout));
  }

  private answer({ answers }: Outcome): void {
    for (const { bytes, left, ifout } of answers)
      if (left) this.raw.send(bytes, this.network.ifindexOf(ifout));
  }

  /** Packets that the kernel dropped since the queue was full, as /proc tells (to root only). */
  private droppedByKernel(): number {
    let text = '';
    try {
      text = readFileSync(QUEUES_FILE, 'latin1');
    } catch {
      return 0;
    }
    let dropped = 0;
    // Number, port id, waiting, copy mode, copy range, dropped as the queue was full, dropped as the socket was full, …
    for (const line of text.split('\n')) {
      const fields = line.trim().split(/\s+/).map(Number);
      if (this.queues.some(({ number }) => number === fields[0])) dropped += fields[5] ?? 0;
    }
    return dropped;
  }
}
