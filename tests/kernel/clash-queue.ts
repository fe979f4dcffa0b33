/** NFQUEUE (nfnetlink_queue): holds packets between tracking and confirmation and lets them go one by one. */
import {
  attribute,
  be16,
  be32,
  eachAttribute,
  message,
  type NetlinkMessage,
  NetlinkSocket,
  NLM_F_ACK,
  u8,
} from './netlink.ts';

const NFNL_SUBSYS_QUEUE = 3;
const NFQNL_MSG_PACKET = 0;
const NFQNL_MSG_VERDICT = 1;
const NFQNL_MSG_CONFIG = 2;
const NFQA_CFG_CMD = 1;
const NFQA_CFG_PARAMS = 2;
const NFQNL_CFG_CMD_BIND = 1;
const NFQNL_COPY_META = 1;
const NFQA_PACKET_HDR = 1;
const NFQA_VERDICT_HDR = 2;
const RECEIVE_BYTES = 1 << 24;

/** NF_DROP, as a verdict on a queued packet. */
export const NF_DROP = 0;
/** NF_ACCEPT: the packet goes on behind the rule that queued it. */
export const NF_ACCEPT = 1;

/** One queue, bound in the namespace the object was made in. */
export class PacketQueue {
  private readonly number: number;
  private readonly socket: NetlinkSocket = new NetlinkSocket(RECEIVE_BYTES);

  /** @param number as in `-j NFQUEUE --queue-num` */
  constructor(number: number) {
    this.number = number;
    const config = (...attributes: Buffer[]): Buffer =>
      message(NFNL_SUBSYS_QUEUE, NFQNL_MSG_CONFIG, NLM_F_ACK, 0, number, ...attributes);
    // nfqnl_msg_config_cmd: command, padding, protocol family; _params: bytes to copy, mode
    const bind = config(attribute(NFQA_CFG_CMD, u8(NFQNL_CFG_CMD_BIND), u8(0), be16(0)));
    const mode = config(attribute(NFQA_CFG_PARAMS, be32(0), u8(NFQNL_COPY_META)));
    this.socket.transact([bind], 1, `bind NFQUEUE ${number}`);
    this.socket.transact([mode], 1, `configure NFQUEUE ${number}`);
  }

  /** Ids of the packets that were queued since the last call. Throws if an earlier verdict was refused. */
  arrived(): number[] {
    const ids: number[] = [];
    this.socket.drain('NFQUEUE', (received: NetlinkMessage) => {
      if (received.subsystem !== NFNL_SUBSYS_QUEUE || received.type !== NFQNL_MSG_PACKET) return;
      eachAttribute(received.buffer, received.from, received.to, (type, from) => {
        if (type === NFQA_PACKET_HDR) ids.push(received.buffer.readUInt32BE(from));
      });
    });
    return ids;
  }

  /** Lets a packet go (NF_ACCEPT) or drops it (NF_DROP). The rest of its way is done when this returns. */
  verdict(id: number, verdict: number): void {
    const body = attribute(NFQA_VERDICT_HDR, be32(verdict), be32(id));
    const request = message(NFNL_SUBSYS_QUEUE, NFQNL_MSG_VERDICT, NLM_F_ACK, 0, this.number, body);
    // Its acknowledgement is read by arrived(): packets may stand in front of it.
    this.socket.transact([request], 0, 'NFQUEUE verdict');
  }

  close(): void {
    this.socket.close();
  }
}
