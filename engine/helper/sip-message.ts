/** One SIP message under way, and what is needed to know or change of its flow. */

import { R_SIP, R_SIP_PORT } from '../base/reason.ts';
import { F_DST, F_PORTS, F_RPORTS, F_SRC, ROW_WORDS } from '../conntrack/flow-table.ts';
import { HELP_DROP, type HelpCall } from '../conntrack/helper.ts';
import { replacePayload } from '../nat/mangle.ts';
import { because } from '../packet/packet.ts';
import { SipText } from './sip-text.ts';

/** The kernel module's parameters. */
export interface SipOptions {
  /** How long a flow is kept after a message (s). */
  readonly timeout: number;
  /** Whether who registers is called by its registrar only (sip_direct_signalling). */
  readonly directSignalling: boolean;
  /** Whether media come from the other end of the signalling only (sip_direct_media). */
  readonly directMedia: boolean;
  /**
   * Without directMedia: by which device an address is reached (its number, 0 if by none). Media that leave by the
   * device of the signalling itself pass without this machine and are not expected (sip_external_media). Null if all
   * are.
   */
  readonly externalMedia: ((address: readonly number[]) => number) | null;
}

/** What is remembered of a flow. */
export interface SipFlow {
  /** CSeq of the last INVITE. */
  inviteCseq: number;
  /** CSeq of the last REGISTER. */
  registerCseq: number;
  /** Where answers go to, by the Via header of a telephone that sends from another port; 0 for where it sends from. */
  forcedPort: number;
}

/** The address and port of one end of a flow's tuple. */
export interface FlowEnd {
  readonly address: readonly number[];
  readonly port: number;
}

/** A message in the packet of a call. */
export class SipMessage extends SipText {
  readonly call: HelpCall;
  readonly options: SipOptions;
  readonly flow: SipFlow;
  /** AF_* and IPPROTO_* of its flow. */
  readonly family: number;
  readonly proto: number;
  /** Whether the packet's checksum is to be made anew. */
  isChanged = false;
  /** Distance from the IP header. */
  private readonly from: number;

  /** @param at first byte, as an offset in the packet's view */
  constructor(call: HelpCall, options: SipOptions, at: number, length: number) {
    super(call.pkt.view, at, length);
    this.call = call;
    this.options = options;
    this.flow = call.ext.data as SipFlow;
    this.family = call.pkt.family;
    this.proto = call.pkt.proto;
    this.from = at - call.pkt.off;
  }

  /** Who sends packets of a direction, as their sender sees it; `isBack` for the other direction. */
  source(isBack: boolean): FlowEnd {
    return this.end(isBack, F_SRC, 16);
  }

  /** Whom they are sent to. */
  destination(isBack: boolean): FlowEnd {
    return this.end(isBack, F_DST, 0);
  }

  /** Replaces bytes of the text. @returns false, and nothing changed, if the packet would be too long */
  replace(at: number, end: number, bytes: Uint8Array): boolean {
    const { call } = this;
    if (!replacePayload(call.pkt, this.start + at, end - at, bytes)) return false;
    this.isChanged = true;
    this.view = call.pkt.view;
    this.start = call.pkt.off + this.from;
    const by = bytes.length - (end - at);
    this.length += by;
    if (at >= this.plainFrom && end <= this.plainTo) this.plainTo += by;
    else this.plainTo = this.plainFrom - 1;
    return true;
  }

  private end(isBack: boolean, which: number, shift: number): FlowEnd {
    const { conntrack, flow, dir } = this.call;
    const way = isBack ? 1 - dir : dir;
    const ports = conntrack.table.words[flow * ROW_WORDS + (way === 0 ? F_PORTS : F_RPORTS)]!;
    return { address: conntrack.addressOf(flow, way, which), port: (ports >>> shift) & 0xffff };
  }
}

/** Why a message is dropped: the operand of R_SIP, in the kernel's words (base/reason.ts). */
export const CANNOT = {
  getCode: 0,
  parseCseq: 1,
  getCseq: 2,
  parseExpires: 3,
  parseSdp: 4,
  expectMedia: 5,
  expect: 6,
  mangle: 7,
  findPorts: 8,
} as const;

/** Drops a message. @param why of {@link CANNOT} */
export function drop(message: SipMessage, why: number): number {
  because(message.call.pkt, R_SIP, why);
  return HELP_DROP;
}

/** Drops a message because of a port that no medium has. */
export function dropPort(message: SipMessage, port: number): number {
  because(message.call.pkt, R_SIP_PORT, port);
  return HELP_DROP;
}
