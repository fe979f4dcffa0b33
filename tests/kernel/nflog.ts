/** NFLOG (nfnetlink_log): binds the oracle's groups to one socket and reads what the rules and conntrack log. */
import { VERDICTS } from './codes.ts';
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
import {
  GROUP_REASON,
  GROUP_STAGE,
  GROUP_VERDICT,
  STAGE_ARRIVED,
  STAGE_WHOLE,
  verdictPrefix,
} from './ruleset.ts';

const NFNL_SUBSYS_ULOG = 4;
const NFULNL_MSG_PACKET = 0;
const NFULNL_MSG_CONFIG = 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_QTHRESH = 5;
const NFULA_CFG_FLAGS = 6;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_META = 1;
const NFULNL_CFG_F_SEQ = 1;
const NFULA_MARK = 2;
const NFULA_PREFIX = 10;
const NFULA_SEQ = 12;

const GROUPS = [GROUP_REASON, GROUP_VERDICT, GROUP_STAGE] as const;
const RECEIVE_BYTES = 1 << 25;

/** Values of LogReader.stage. */
export const STAGE_NOTHING = 0;
export const STAGE_SEEN_ARRIVED = 1;
export const STAGE_SEEN_WHOLE = 2;

/** Reads the log messages of one packet at a time; the fields hold what the last `read` found. */
export class LogReader {
  /** Code of the packet's verdict (index into VERDICTS), 0 if there was none. */
  code = 0;
  /** ct status bits that came with it. */
  status = 0;
  /** How far the stage rules saw it. */
  stage: number = STAGE_NOTHING;
  /** conntrack's remarks. */
  readonly reasons: string[] = [];

  private readonly socket: NetlinkSocket = new NetlinkSocket(RECEIVE_BYTES);
  /** Next sequence number the kernel must give per group: a gap is a lost message. */
  private readonly sequence: number[] = GROUPS.map(() => 0);
  private readonly onMessage = (received: NetlinkMessage): void => this.take(received);

  constructor() {
    for (const group of GROUPS) this.bind(group);
  }

  /** Takes all waiting messages. Throws if any was lost, or if there are two verdicts. */
  read(): void {
    this.code = 0;
    this.status = 0;
    this.stage = STAGE_NOTHING;
    this.reasons.length = 0;
    this.socket.drain('NFLOG', this.onMessage);
  }

  close(): void {
    this.socket.close();
  }

  private bind(group: number): void {
    const config = (...attributes: Buffer[]): Buffer =>
      message(NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, NLM_F_ACK, 0, group, ...attributes);
    const bind = config(attribute(NFULA_CFG_CMD, u8(NFULNL_CFG_CMD_BIND)));
    const mode = config(
      attribute(NFULA_CFG_MODE, be32(0), u8(NFULNL_COPY_META), u8(0)),
      attribute(NFULA_CFG_QTHRESH, be32(1)),
      attribute(NFULA_CFG_FLAGS, be16(NFULNL_CFG_F_SEQ)),
    );
    this.socket.transact([bind], 1, `bind NFLOG group ${group}`);
    this.socket.transact([mode], 1, `configure NFLOG group ${group}`);
  }

  private take(received: NetlinkMessage): void {
    if (received.subsystem !== NFNL_SUBSYS_ULOG || received.type !== NFULNL_MSG_PACKET) return;
    const { buffer, resource: group } = received;
    let mark = 0; // the kernel leaves the attribute out when the mark is 0
    let prefix = '';
    let sequence = -1;
    eachAttribute(buffer, received.from, received.to, (type, from, to) => {
      if (type === NFULA_MARK) mark = buffer.readUInt32BE(from);
      else if (type === NFULA_PREFIX) prefix = buffer.toString('latin1', from, to - 1);
      else if (type === NFULA_SEQ) sequence = buffer.readUInt32BE(from);
    });
    if (sequence !== this.sequence[group]) {
      throw new Error(`NFLOG group ${group}: message ${sequence} came, ${this.sequence[group]} was due`);
    }
    this.sequence[group] = (sequence + 1) >>> 0;
    if (group === GROUP_VERDICT) this.verdict(prefix, mark);
    else if (group === GROUP_REASON) this.reasons.push(prefix);
    else if (prefix === STAGE_ARRIVED) this.stage = Math.max(this.stage, STAGE_SEEN_ARRIVED);
    else if (prefix === STAGE_WHOLE) this.stage = STAGE_SEEN_WHOLE;
  }

  private verdict(prefix: string, mark: number): void {
    const code = prefix.charCodeAt(0) - verdictPrefix(0).charCodeAt(0);
    if (!(code > 0 && code < VERDICTS.length)) throw new Error(`NFLOG: unknown verdict prefix '${prefix}'`);
    if (this.code !== 0) throw new Error('NFLOG: two verdicts for one packet');
    this.code = code;
    this.status = mark;
  }
}
