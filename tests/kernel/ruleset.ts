/**
 * The oracle's own nf_tables table, built over raw netlink: `nft` cannot say "packet mark := ct status".
 *
 * At PREROUTING priority -199, right behind conntrack (-200), one rule for each ct state and direction: it keeps
 * the packet's mark in a register, sets the mark to the ct status bits, logs (NFLOG messages carry the mark) with
 * a prefix that names state and direction, and puts the mark back. A second chain drops what the namespace itself
 * would send (ICMP errors, MLD), before conntrack sees it.
 */
import { VERDICTS } from './codes.ts';
import {
  attribute,
  be16,
  be32,
  eachAttribute,
  message,
  NetlinkSocket,
  NLM_F_ACK,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_DUMP,
  nest,
  text,
  u8,
} from './netlink.ts';
import type { KernelState } from './types.ts';

/** NFLOG groups: conntrack's own remarks come to group 0 by the kernel's default, our rules use 1 and 2. */
export const GROUP_REASON = 0;
export const GROUP_VERDICT = 1;
export const GROUP_STAGE = 2;

/** Prefix letters of GROUP_STAGE: before and behind defragmentation (priority -400). */
export const STAGE_ARRIVED = 'A';
export const STAGE_WHOLE = 'W';

const TABLE = 'keepstate_oracle';
const VERDICT_CHAIN = 'verdict';
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_SUBSYS_NONE = 0;
const NFNL_MSG_BATCH_BEGIN = 16;
const NFNL_MSG_BATCH_END = 17;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_GETRULE = 7;
const NFPROTO_INET = 1;
const NF_INET_PRE_ROUTING = 0;
const NF_INET_LOCAL_OUT = 3;
const NF_DROP = 0;
const NF_ACCEPT = 1;

const NFT_CT_STATE = 0;
const NFT_CT_DIRECTION = 1;
const NFT_CT_STATUS = 2;
const NFT_META_MARK = 3;
const NFT_REG_1 = 1;
const NFT_REG_2 = 2;
const NFT_REG_3 = 3;

/** The bits `ct state` yields (what `nft -nn` prints for them). */
const STATE_BITS: Readonly<Record<KernelState, number>> = {
  INVALID: 1,
  ESTABLISHED: 2,
  RELATED: 4,
  NEW: 8,
  UNTRACKED: 64,
};

function expression(name: string, ...data: readonly Buffer[]): Buffer {
  return nest(1, attribute(1, text(name)), nest(2, ...data));
}

const loadCt = (register: number, key: number): Buffer =>
  expression('ct', attribute(1, be32(register)), attribute(2, be32(key)));

const loadMark = (register: number): Buffer =>
  expression('meta', attribute(1, be32(register)), attribute(2, be32(NFT_META_MARK)));

const storeMark = (register: number): Buffer =>
  expression('meta', attribute(2, be32(NFT_META_MARK)), attribute(3, be32(register)));

const isEqual = (register: number, value: Buffer): Buffer =>
  expression('cmp', attribute(1, be32(register)), attribute(2, be32(0)), nest(3, attribute(1, value)));

// Queue threshold 1: each message is sent at once, inside the write() that caused it.
const log = (group: number, prefix: string): Buffer =>
  expression('log', attribute(1, be16(group)), attribute(2, text(prefix)), attribute(4, be16(1)));

function hostOrder32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Prefix of the verdict with this code: one letter. */
export function verdictPrefix(code: number): string {
  return String.fromCharCode(64 + code);
}

function verdictRule(code: number): Buffer[] {
  const { state, dir } = VERDICTS[code]!;
  const match = [loadCt(NFT_REG_1, NFT_CT_STATE), isEqual(NFT_REG_1, hostOrder32(STATE_BITS[state!]))];
  const write = log(GROUP_VERDICT, verdictPrefix(code));
  if (dir === null) {
    // No entry: loading status would end the rule. Mark 0, so that a leftover is not taken for status bits.
    const zero = expression(
      'immediate',
      attribute(1, be32(NFT_REG_2)),
      nest(2, attribute(1, hostOrder32(0))),
    );
    return [...match, zero, loadMark(NFT_REG_3), storeMark(NFT_REG_2), write, storeMark(NFT_REG_3)];
  }
  return [
    ...match,
    loadCt(NFT_REG_1, NFT_CT_DIRECTION),
    isEqual(NFT_REG_1, u8(dir === 'original' ? 0 : 1)),
    loadCt(NFT_REG_2, NFT_CT_STATUS),
    loadMark(NFT_REG_3),
    storeMark(NFT_REG_2),
    write,
    storeMark(NFT_REG_3),
  ];
}

function chain(name: string, hook: number, priority: number, policy: number): Buffer {
  return message(
    NFNL_SUBSYS_NFTABLES,
    NFT_MSG_NEWCHAIN,
    NLM_F_CREATE | NLM_F_ACK,
    NFPROTO_INET,
    0,
    attribute(1, text(TABLE)),
    attribute(3, text(name)),
    nest(4, attribute(1, be32(hook)), attribute(2, be32(priority))),
    attribute(5, be32(policy)),
    attribute(7, text('filter')),
  );
}

function rule(chainName: string, expressions: readonly Buffer[]): Buffer {
  return message(
    NFNL_SUBSYS_NFTABLES,
    NFT_MSG_NEWRULE,
    NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK,
    NFPROTO_INET,
    0,
    attribute(1, text(TABLE)),
    attribute(2, text(chainName)),
    nest(4, ...expressions),
  );
}

function ownRules(stages: boolean): Buffer[] {
  const table = message(
    NFNL_SUBSYS_NFTABLES,
    NFT_MSG_NEWTABLE,
    NLM_F_CREATE | NLM_F_ACK,
    NFPROTO_INET,
    0,
    attribute(1, text(TABLE)),
  );
  const messages = [
    table,
    chain('silence', NF_INET_LOCAL_OUT, -1000, NF_DROP),
    chain(VERDICT_CHAIN, NF_INET_PRE_ROUTING, -199, NF_ACCEPT),
    rule(VERDICT_CHAIN, [expression('counter')]),
    ...VERDICTS.slice(1).map((_, index) => rule(VERDICT_CHAIN, verdictRule(index + 1))),
  ];
  if (!stages) return messages;
  return [
    ...messages,
    chain('arrived', NF_INET_PRE_ROUTING, -1000, NF_ACCEPT),
    rule('arrived', [log(GROUP_STAGE, STAGE_ARRIVED)]),
    chain('whole', NF_INET_PRE_ROUTING, -399, NF_ACCEPT),
    rule('whole', [log(GROUP_STAGE, STAGE_WHOLE)]),
  ];
}

/** Packet count of the expression in buffer[start, end), null if it is no counter. */
function counterOf(buffer: Buffer, start: number, end: number): number | null {
  let name = '';
  let packets: number | null = null;
  eachAttribute(buffer, start, end, (part, from, to) => {
    if (part === 1) name = buffer.toString('latin1', from, to - 1);
    if (part !== 2 || name !== 'counter') return;
    eachAttribute(buffer, from, to, (type, at) => {
      if (type === 2) packets = Number(buffer.readBigUInt64BE(at));
    });
  });
  return packets;
}

/** The oracle's table in the namespace the object was made in. */
export class VerdictRules {
  private readonly socket: NetlinkSocket = new NetlinkSocket();

  /** Installs the table; `stages` adds the chains that tell how far a packet came. */
  constructor(stages: boolean) {
    const body = ownRules(stages);
    const begin = message(NFNL_SUBSYS_NONE, NFNL_MSG_BATCH_BEGIN, 0, 0, NFNL_SUBSYS_NFTABLES);
    const end = message(NFNL_SUBSYS_NONE, NFNL_MSG_BATCH_END, 0, 0, NFNL_SUBSYS_NFTABLES);
    this.socket.transact([begin, ...body, end], body.length, 'install nf_tables rules');
  }

  /** How many packets reached the rule behind conntrack so far, by the kernel's own count. */
  reached(): number {
    const request = message(
      NFNL_SUBSYS_NFTABLES,
      NFT_MSG_GETRULE,
      NLM_F_DUMP,
      NFPROTO_INET,
      0,
      attribute(1, text(TABLE)),
      attribute(2, text(VERDICT_CHAIN)),
    );
    let packets = -1;
    this.socket.dump(request, 'read rule counter', ({ buffer, from, to }) => {
      eachAttribute(buffer, from, to, (inRule, start, end) => {
        if (inRule !== 4) return;
        eachAttribute(buffer, start, end, (_, first, last) => {
          packets = counterOf(buffer, first, last) ?? packets;
        });
      });
    });
    if (packets < 0) throw new Error('read rule counter: the rule is gone');
    return packets;
  }

  close(): void {
    this.socket.close();
  }
}
