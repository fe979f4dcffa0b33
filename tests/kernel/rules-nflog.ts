/** NFLOG for the ruleset oracle: the ends of the hooks (one group), and the groups that rules log to. */
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
import type { GroupLog, Passed } from './rules-types.ts';

const NFNL_SUBSYS_ULOG = 4;
const NFULNL_MSG_PACKET = 0;
const NFULNL_MSG_CONFIG = 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_QTHRESH = 5;
const NFULA_CFG_FLAGS = 6;
const NFULNL_CFG_CMD_BIND = 1;
const NFULNL_COPY_META = 1;
const NFULNL_COPY_PACKET = 2;
const NFULNL_CFG_F_SEQ = 1;
const NFULA_MARK = 2;
const NFULA_PAYLOAD = 9;
const NFULA_PREFIX = 10;
const NFULA_SEQ = 12;

/** The group of the oracle's own rules; rulesets must not use it. */
export const GROUP_PASSED = 1000;
/** The group of the rules behind conntrack that tell a packet's state. */
export const GROUP_STATE = 1001;
/** Groups that rules may log to; others are not listened to. */
export const USER_GROUPS: readonly number[] = [0, 1, 2, 3, 5, 7, 10];

/** Prefixes of the oracle's rules. */
export const HOOKS: Readonly<Record<string, Passed['hook']>> = {
  I: 'input',
  F: 'forward',
  O: 'output',
  P: 'postrouting',
};

/** Collects the messages of one packet at a time. */
export class RuleLogReader {
  passed: Passed[] = [];
  groups: GroupLog[] = [];
  /** States of the packet, where the namespace has rules that tell them. */
  states: string[] = [];

  private readonly socket: NetlinkSocket = new NetlinkSocket(1 << 25);
  private readonly sequence: Map<number, number> = new Map();
  private readonly onMessage = (received: NetlinkMessage): void => this.take(received);

  constructor() {
    this.bind(GROUP_PASSED, NFULNL_COPY_PACKET);
    this.bind(GROUP_STATE, NFULNL_COPY_META);
    for (const group of USER_GROUPS) this.bind(group, NFULNL_COPY_META);
  }

  /** Takes all waiting messages; throws if one was lost. */
  read(): void {
    this.passed = [];
    this.groups = [];
    this.states = [];
    this.socket.drain('NFLOG', this.onMessage);
  }

  close(): void {
    this.socket.close();
  }

  private bind(group: number, mode: number): void {
    const config = (...attributes: Buffer[]): Buffer =>
      message(NFNL_SUBSYS_ULOG, NFULNL_MSG_CONFIG, NLM_F_ACK, 0, group, ...attributes);
    this.socket.transact([config(attribute(NFULA_CFG_CMD, u8(NFULNL_CFG_CMD_BIND)))], 1, `bind ${group}`);
    const set = config(
      attribute(NFULA_CFG_MODE, be32(0xffff), u8(mode), u8(0)),
      attribute(NFULA_CFG_QTHRESH, be32(1)),
      attribute(NFULA_CFG_FLAGS, be16(NFULNL_CFG_F_SEQ)),
    );
    this.socket.transact([set], 1, `configure NFLOG group ${group}`);
  }

  private take(received: NetlinkMessage): void {
    if (received.subsystem !== NFNL_SUBSYS_ULOG || received.type !== NFULNL_MSG_PACKET) return;
    const { buffer, resource: group } = received;
    let mark = 0; // left out by the kernel when it is 0
    let prefix = '';
    let sequence = -1;
    let bytes = new Uint8Array(0);
    eachAttribute(buffer, received.from, received.to, (type, from, to) => {
      if (type === NFULA_MARK) mark = buffer.readUInt32BE(from);
      else if (type === NFULA_PREFIX) prefix = buffer.toString('latin1', from, to - 1);
      else if (type === NFULA_SEQ) sequence = buffer.readUInt32BE(from);
      else if (type === NFULA_PAYLOAD) bytes = Uint8Array.from(buffer.subarray(from, to));
    });
    if (sequence < 0) return; // came while the group was being set up
    const due = this.sequence.get(group);
    if (due !== undefined && sequence !== due)
      throw new Error(`NFLOG group ${group}: message ${sequence} came, ${due} was due`);
    this.sequence.set(group, (sequence + 1) >>> 0);
    if (group === GROUP_STATE) this.states.push(prefix);
    else if (group !== GROUP_PASSED) this.groups.push({ group, prefix });
    else this.passed.push({ hook: HOOKS[prefix]!, mark, bytes });
  }
}
