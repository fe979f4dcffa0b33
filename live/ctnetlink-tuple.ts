import { ipv4Text, ipv6Text, parseAddress, type TupleRecord } from '@keepstate/engine';
import * as N from './ctnetlink-names.ts';
import {
  attributeFrom,
  attributeLength,
  attributeTo,
  attributeType,
  isAttribute,
  nextAttribute,
} from './netlink.ts';
import type { MessageWriter } from './netlink-writer.ts';

const IPPROTO_ICMP = 1;
const IPPROTO_GRE = 47;
const IPPROTO_ICMPV6 = 58;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A tuple as ctnetlink has it. */
export interface KernelTuple {
  readonly tuple: TupleRecord;
  readonly protonum: number;
  /** The zone of this direction only, 0 if it has none of its own. */
  readonly zone: number;
}

/** Nothing: what a tuple that the kernel did not send is. */
export const NO_TUPLE: KernelTuple = { tuple: { src: '', dst: '' }, protonum: 0, zone: 0 };

/** Text of the address in the attribute at `at`; empty if it is none. */
function addressText(view: DataView, at: number): string {
  const from = attributeFrom(at);
  const length = attributeLength(view, at);
  if (length === 4) return ipv4Text(view.getInt32(from));
  if (length !== 16) return '';
  return ipv6Text(
    view.getInt32(from),
    view.getInt32(from + 4),
    view.getInt32(from + 8),
    view.getInt32(from + 12),
  );
}

function readAddresses(view: DataView, start: number, end: number, into: Mutable<TupleRecord>): void {
  for (let at = start; isAttribute(view, at, end); at = nextAttribute(view, at)) {
    const type = attributeType(view, at);
    if (type === N.CTA_IP_V4_SRC || type === N.CTA_IP_V6_SRC) into.src = addressText(view, at);
    else if (type === N.CTA_IP_V4_DST || type === N.CTA_IP_V6_DST) into.dst = addressText(view, at);
  }
}

/** An attribute of 8 bits, or 16 in network order, as its length says. */
function small(view: DataView, at: number): number {
  return attributeLength(view, at) >= 2
    ? view.getUint16(attributeFrom(at))
    : view.getUint8(attributeFrom(at));
}

/** Names of a tuple's fields by their attributes. */
const FIELDS: readonly (keyof TupleRecord | null)[] = [
  ...([null, null, 'sport', 'dport', 'id', 'type', 'code', 'id', 'type', 'code'] as const),
];
const GRE_FIELDS: readonly (keyof TupleRecord | null)[] = [null, null, 'srckey', 'dstkey'];

/** @returns the protocol's number */
function readProtocol(view: DataView, start: number, end: number, into: Record<string, unknown>): number {
  let protonum = 0;
  for (let at = start; isAttribute(view, at, end); at = nextAttribute(view, at)) {
    if (attributeLength(view, at) < 1) continue;
    const type = attributeType(view, at);
    if (type === N.CTA_PROTO_NUM) protonum = view.getUint8(attributeFrom(at));
    const name = (protonum === IPPROTO_GRE ? GRE_FIELDS : FIELDS)[type];
    if (name != null) into[name] = small(view, at);
  }
  return protonum;
}

/**
 * Reads a tuple.
 * @param at of the attribute that holds it: CTA_TUPLE_ORIG and its like
 */
export function readTuple(view: DataView, at: number): KernelTuple {
  const tuple: Mutable<TupleRecord> = { src: '', dst: '' };
  let protonum = 0;
  let zone = 0;
  const end = attributeTo(view, at);
  for (let i = attributeFrom(at); isAttribute(view, i, end); i = nextAttribute(view, i)) {
    const type = attributeType(view, i);
    const to = attributeTo(view, i);
    if (type === N.CTA_TUPLE_IP) readAddresses(view, attributeFrom(i), to, tuple);
    else if (type === N.CTA_TUPLE_PROTO) {
      protonum = readProtocol(view, attributeFrom(i), to, tuple as unknown as Record<string, unknown>);
    } else if (type === N.CTA_TUPLE_ZONE && attributeLength(view, i) >= 2)
      zone = view.getUint16(attributeFrom(i));
  }
  return { tuple, protonum, zone };
}

/** Writes an address; nothing if the text is none. @param v4 the attribute for IPv4, `v6` for IPv6 */
export function writeAddress(writer: MessageWriter, v4: number, v6: number, text: string): void {
  const words = parseAddress(text);
  if (words === undefined) return;
  const at = writer.head(words.length === 1 ? v4 : v6);
  for (const word of words) writer.be32(word >>> 0);
  writer.close(at);
}

function writePorts(writer: MessageWriter, protonum: number, t: TupleRecord): void {
  const v6 = protonum === IPPROTO_ICMPV6;
  if (protonum === IPPROTO_ICMP || v6) {
    if (t.type === undefined) return;
    writer.attrU8(v6 ? N.CTA_PROTO_ICMPV6_CODE : N.CTA_PROTO_ICMP_CODE, t.code ?? 0);
    writer.attrU8(v6 ? N.CTA_PROTO_ICMPV6_TYPE : N.CTA_PROTO_ICMP_TYPE, t.type);
    writer.attrBe16(v6 ? N.CTA_PROTO_ICMPV6_ID : N.CTA_PROTO_ICMP_ID, t.id ?? 0);
    return;
  }
  const source = t.sport ?? t.srckey;
  const destination = t.dport ?? t.dstkey;
  if (source !== undefined) writer.attrBe16(N.CTA_PROTO_SRC_PORT, source);
  if (destination !== undefined) writer.attrBe16(N.CTA_PROTO_DST_PORT, destination);
}

/**
 * Writes a tuple: those fields that it has.
 * @param type CTA_TUPLE_ORIG and its like
 * @param zone of this direction only, 0 for none
 */
export function writeTuple(
  writer: MessageWriter,
  type: number,
  protonum: number,
  tuple: TupleRecord,
  zone: number,
): void {
  const whole = writer.open(type);
  const addresses = writer.open(N.CTA_TUPLE_IP);
  writeAddress(writer, N.CTA_IP_V4_SRC, N.CTA_IP_V6_SRC, tuple.src);
  writeAddress(writer, N.CTA_IP_V4_DST, N.CTA_IP_V6_DST, tuple.dst);
  writer.close(addresses);
  const protocol = writer.open(N.CTA_TUPLE_PROTO);
  writer.attrU8(N.CTA_PROTO_NUM, protonum);
  writePorts(writer, protonum, tuple);
  writer.close(protocol);
  if (zone !== 0) writer.attrBe16(N.CTA_TUPLE_ZONE, zone);
  writer.close(whole);
}
