/**
 * Messages of nfnetlink_queue: what the kernel sends for a queued packet, and what configures a queue. Numbers as in
 * linux/netfilter/nfnetlink_queue.h; all in network order.
 *
 *     NFQA_PACKET_HDR    id u32, protocol of the link layer u16, hook u8
 *     NFQA_VERDICT_HDR   verdict u32, id u32
 *     NFQA_CFG_CMD       command u8, zero u8, family u16
 *     NFQA_CFG_PARAMS    how many bytes of a packet u32, what of it u8
 */
import {
  attributeFrom,
  attributeTo,
  attributeType,
  isAttribute,
  NFNL_HEADER,
  nextAttribute,
} from './netlink.ts';
import type { MessageWriter } from './netlink-writer.ts';

/** NFNL_SUBSYS_QUEUE. */
export const NFNL_SUBSYS_QUEUE = 3;
/** NFQNL_MSG_PACKET: a packet waits for its verdict. */
export const NFQNL_MSG_PACKET = 0;
/** NFQNL_MSG_VERDICT: of one packet. */
export const NFQNL_MSG_VERDICT = 1;
const NFQNL_MSG_CONFIG = 2;
/** NFQNL_MSG_VERDICT_BATCH: of all packets up to an id. */
export const NFQNL_MSG_VERDICT_BATCH = 3;

const NFQA_PACKET_HDR = 1;
/** NFQA_VERDICT_HDR. */
export const NFQA_VERDICT_HDR = 2;
/** NFQA_MARK. */
export const NFQA_MARK = 3;
const NFQA_IFINDEX_INDEV = 5;
const NFQA_IFINDEX_OUTDEV = 6;
/** NFQA_PAYLOAD: the packet, from its IP header on. */
export const NFQA_PAYLOAD = 10;
const NFQA_CAP_LEN = 13;
const NFQA_SKB_INFO = 14;

const NFQA_CFG_CMD = 1;
const NFQA_CFG_PARAMS = 2;
const NFQA_CFG_QUEUE_MAXLEN = 3;
const NFQA_CFG_MASK = 4;
const NFQA_CFG_FLAGS = 5;
const NFQNL_CFG_CMD_BIND = 1;
const NFQNL_COPY_PACKET = 2;

/** NFQA_CFG_F_FAIL_OPEN: packets for which there is no room pass. */
export const NFQA_CFG_F_FAIL_OPEN = 1;
/** NFQA_CFG_F_GSO: packets are not cut to the MTU, nor their checksums computed, before they are queued. */
export const NFQA_CFG_F_GSO = 4;

/** NFQA_SKB_CSUMNOTREADY: the transport checksum holds the sum of the pseudo header only. */
export const NFQA_SKB_CSUMNOTREADY = 1;
/** NFQA_SKB_GSO: the packet will be cut into segments. */
export const NFQA_SKB_GSO = 2;

/** NF_INET_LOCAL_IN. */
export const HOOK_INPUT = 1;

/** Request: this socket gets the packets of a queue. */
export function writeBind(writer: MessageWriter, flags: number, sequence: number, queue: number): void {
  writer.beginNetfilter(NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, flags, sequence, 0, queue);
  const at = writer.head(NFQA_CFG_CMD);
  writer.u8(NFQNL_CFG_CMD_BIND);
  writer.u8(0);
  writer.be16(0);
  writer.close(at);
  writer.end();
}

/**
 * Request: how much of each packet, how many at most wait in the kernel, and NFQA_CFG_F_*.
 * @param mask which of the flags are set or cleared; 0 leaves all as they are
 */
export function writeConfig(
  writer: MessageWriter,
  flags: number,
  sequence: number,
  queue: number,
  config: { readonly range: number; readonly maxlen: number; readonly flags: number; readonly mask: number },
): void {
  writer.beginNetfilter(NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, flags, sequence, 0, queue);
  const at = writer.head(NFQA_CFG_PARAMS);
  writer.be32(config.range);
  writer.u8(NFQNL_COPY_PACKET);
  writer.close(at);
  writer.attrBe32(NFQA_CFG_QUEUE_MAXLEN, config.maxlen);
  if (config.mask !== 0) {
    writer.attrBe32(NFQA_CFG_FLAGS, config.flags);
    writer.attrBe32(NFQA_CFG_MASK, config.mask);
  }
  writer.end();
}

/** A packet that waits for its verdict, as the kernel describes it. One object, read anew for each. */
export class QueuedPacket {
  /** Counts up in each queue, from 1, and after 2^32 - 1 from 0; -1 if there is none. */
  id = -1;
  /** NF_INET_* where it was queued. */
  hook = 0;
  mark = 0;
  /** Numbers of devices as the kernel has them (ifindex), 0 for none. */
  indev = 0;
  outdev = 0;
  /** Of the packet in the buffer that was read, from its IP header on. */
  from = 0;
  end = 0;
  /** Bytes of the packet that are not there. */
  missing = 0;
  /** NFQA_SKB_*. */
  info = 0;

  /**
   * Reads an NFQNL_MSG_PACKET.
   * @param at first byte of the message, `end` first past it
   * @returns false if it lacks id or packet
   */
  read(view: DataView, at: number, end: number): boolean {
    this.id = -1;
    this.mark = 0;
    this.indev = 0;
    this.outdev = 0;
    this.info = 0;
    this.end = 0;
    let whole = 0;
    for (let i = at + NFNL_HEADER; isAttribute(view, i, end); i = nextAttribute(view, i)) {
      const from = attributeFrom(i);
      const room = attributeTo(view, i) - from;
      const type = attributeType(view, i);
      if (type === NFQA_PAYLOAD) {
        this.from = from;
        this.end = from + room;
      } else if (room < 4) continue;
      else if (type === NFQA_PACKET_HDR && room >= 7) {
        this.id = view.getUint32(from);
        this.hook = view.getUint8(from + 6);
      } else if (type === NFQA_MARK) this.mark = view.getUint32(from);
      else if (type === NFQA_IFINDEX_INDEV) this.indev = view.getUint32(from);
      else if (type === NFQA_IFINDEX_OUTDEV) this.outdev = view.getUint32(from);
      else if (type === NFQA_CAP_LEN) whole = view.getUint32(from);
      else if (type === NFQA_SKB_INFO) this.info = view.getUint32(from);
    }
    this.missing = Math.max(0, whole - (this.end - this.from));
    return this.id >= 0 && this.end > 0;
  }
}
