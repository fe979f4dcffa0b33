import type { TupleRecord } from '@keepstate/engine';
import * as N from './ctnetlink-names.ts';
import { writeAddress, writeTuple } from './ctnetlink-tuple.ts';
import type { MessageWriter } from './netlink-writer.ts';

const IPPROTO_TCP = 6;
const IPPROTO_SCTP = 132;

/**
 * IP_CT_TCP_FLAG_BE_LIBERAL and IP_CT_TCP_FLAG_SACK_PERM, value and mask: the kernel knows no sequence numbers of a
 * flow whose state it is told, and without these takes its packets for INVALID. (conntrack(8) sends the same: measured.)
 */
const LIBERAL = 0x0a0a;
/** IP_CT_TCP_FLAG_CLOSE_INIT besides, which it sends from TIME_WAIT on (measured): a SYN may reopen the flow. */
const CLOSING = 0x0e0e;
/** Number of the first state that a flow has behind its end. */
const TIME_WAIT = 7;

/** Bytes of connlabels: 128 bits. */
const LABEL_BYTES = 16;

/** What to translate a new flow to; the port is null where it stays. */
export interface KernelNat {
  readonly address: string;
  readonly port: number | null;
}

/** What is said of a flow to the kernel: which one it is, and how it shall be. What is left out is not sent. */
export interface FlowRequest {
  readonly family: number;
  readonly protonum: number;
  readonly original?: TupleRecord | undefined;
  readonly reply?: TupleRecord | undefined;
  /** Protocol of the reply, where that is not the same. */
  readonly replyProtonum?: number | undefined;
  /** Zone of both directions, or of one; 0 is none. */
  readonly zone?: number | undefined;
  readonly zoneOriginal?: number | undefined;
  readonly zoneReply?: number | undefined;
  /** The flow has to have this id. */
  readonly id?: number | undefined;
  /** IPS_* bits, all that it shall have. */
  readonly status?: number | undefined;
  /** Seconds. */
  readonly timeout?: number | undefined;
  readonly mark?: number | undefined;
  /** Number of the state of TCP or SCTP. */
  readonly state?: number | undefined;
  /** SCTP's verification tags as little endian numbers: see KernelFlow. */
  readonly vtags?: { readonly original: number | null; readonly reply: number | null } | undefined;
  /** Name of the helper that a new flow gets. */
  readonly helper?: string | undefined;
  /** Bits of its connlabels. */
  readonly labels?: readonly number[] | undefined;
  /** Bits of its connlabels that are set to what `labels` says; left out: all. */
  readonly labelMask?: readonly number[] | undefined;
  readonly srcNat?: KernelNat | undefined;
  readonly dstNat?: KernelNat | undefined;
}

function writeProtoinfo(writer: MessageWriter, { protonum, state, vtags }: FlowRequest): void {
  if (protonum === IPPROTO_TCP && state !== undefined) {
    const whole = writer.open(N.CTA_PROTOINFO);
    const tcp = writer.open(N.CTA_PROTOINFO_TCP);
    writer.attrU8(N.CTA_PROTOINFO_STATE, state);
    const flags = state >= TIME_WAIT ? CLOSING : LIBERAL;
    writer.attrBe16(N.CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, flags);
    writer.attrBe16(N.CTA_PROTOINFO_TCP_FLAGS_REPLY, flags);
    writer.close(tcp);
    writer.close(whole);
  } else if (protonum === IPPROTO_SCTP && (state !== undefined || vtags !== undefined)) {
    const whole = writer.open(N.CTA_PROTOINFO);
    const sctp = writer.open(N.CTA_PROTOINFO_SCTP);
    if (state !== undefined) writer.attrU8(N.CTA_PROTOINFO_STATE, state);
    if (vtags?.original != null) writer.attrU32(N.CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, vtags.original);
    if (vtags?.reply != null) writer.attrU32(N.CTA_PROTOINFO_SCTP_VTAG_REPLY, vtags.reply);
    writer.close(sctp);
    writer.close(whole);
  }
}

function writeLabels(writer: MessageWriter, type: number, bits: readonly number[]): void {
  const at = writer.head(type);
  const bytes = new Uint8Array(LABEL_BYTES);
  for (const bit of bits) bytes[bit >> 3]! |= 1 << (bit & 7);
  writer.copy(bytes, 0, LABEL_BYTES);
  writer.close(at);
}

function writeNat(writer: MessageWriter, type: number, nat: KernelNat): void {
  const at = writer.open(type);
  writeAddress(writer, N.CTA_NAT_V4_MINIP, N.CTA_NAT_V6_MINIP, nat.address);
  if (nat.port !== null) {
    const ports = writer.open(N.CTA_NAT_PROTO);
    writer.attrBe16(N.CTA_PROTONAT_PORT_MIN, nat.port);
    writer.attrBe16(N.CTA_PROTONAT_PORT_MAX, nat.port);
    writer.close(ports);
  }
  writer.close(at);
}

/** Writes the attributes that a request has, behind the header of its message. */
export function writeFlowRequest(writer: MessageWriter, request: FlowRequest): void {
  const { protonum, original, reply, labels } = request;
  if (original !== undefined) {
    writeTuple(writer, N.CTA_TUPLE_ORIG, protonum, original, request.zoneOriginal ?? 0);
  }
  if (reply !== undefined) {
    const { replyProtonum = protonum, zoneReply = 0 } = request;
    writeTuple(writer, N.CTA_TUPLE_REPLY, replyProtonum, reply, zoneReply);
  }
  if (request.id !== undefined) writer.attrBe32(N.CTA_ID, request.id);
  if (request.status !== undefined) writer.attrBe32(N.CTA_STATUS, request.status);
  if (request.timeout !== undefined) writer.attrBe32(N.CTA_TIMEOUT, request.timeout);
  if (request.mark !== undefined) writer.attrBe32(N.CTA_MARK, request.mark);
  writeProtoinfo(writer, request);
  if (request.srcNat !== undefined) writeNat(writer, N.CTA_NAT_SRC, request.srcNat);
  if (request.dstNat !== undefined) writeNat(writer, N.CTA_NAT_DST, request.dstNat);
  if (request.helper !== undefined) {
    const help = writer.open(N.CTA_HELP);
    writer.attrText(N.CTA_HELP_NAME, request.helper);
    writer.close(help);
  }
  if (labels !== undefined) writeLabels(writer, N.CTA_LABELS, labels);
  if (request.labelMask !== undefined) writeLabels(writer, N.CTA_LABELS_MASK, request.labelMask);
  if (request.zone !== undefined && request.zone !== 0) writer.attrBe16(N.CTA_ZONE, request.zone);
}
