import { R_NAT_SHORT } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import * as F from '../conntrack/flow-table.ts';
import { IPS_DST_NAT, IPS_NAT_MASK, IPS_SRC_NAT } from '../conntrack/status.ts';
import { because, IP_CT_ESTABLISHED_REPLY, type Packet } from '../packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import { writable } from '../packet/rewrite.ts';
import { manipPacket } from './manip.ts';
import { NF_NAT_MANIP_SRC } from './range.ts';
import { ManipTarget } from './target.ts';

const targetScratch: ManipTarget = new ManipTarget();

/** Direction of a packet of a flow. */
export function directionOf(pkt: Packet): number {
  return pkt.ctinfo >= IP_CT_ESTABLISHED_REPLY ? 1 : 0;
}

/** Whether a packet's end is translated: of answers it is the other end's translation that is undone. */
export function isManipulated(ct: Conntrack, flow: number, dir: number, manip: number): boolean {
  const status = ct.table.words[flow * F.ROW_WORDS + F.F_STATUS]!;
  const bit = (manip === NF_NAT_MANIP_SRC) === (dir === 0) ? IPS_SRC_NAT : IPS_DST_NAT;
  return (status & IPS_NAT_MASK & bit) !== 0;
}

/**
 * Writes what one end of a packet of a flow becomes: that of the tuple which answers it, turned round.
 * @param dir the packet's direction
 */
export function readTarget(ct: Conntrack, flow: number, dir: number, manip: number, out: ManipTarget): void {
  const w = ct.table.words;
  const at = flow * F.ROW_WORDS + (1 - dir) * 3;
  const kind = w[flow * F.ROW_WORDS + F.F_KIND]!;
  const ports = w[at + F.F_PORTS]!;
  const isSource = manip === NF_NAT_MANIP_SRC;
  const address = w[at + (isSource ? F.F_DST : F.F_SRC)]!;
  const id = isIcmp(kind & 255) ? ports >>> 16 : 0;
  out.set(ct.pool, kind >>> 8, manip, address, isSource ? ports & 0xffff : ports >>> 16, id);
}

/**
 * Writes what one end of a packet becomes that an error quotes: that of a tuple as it is.
 * @param dir the direction of the tuple
 */
export function readQuoted(ct: Conntrack, flow: number, dir: number, manip: number, out: ManipTarget): void {
  const w = ct.table.words;
  const at = flow * F.ROW_WORDS + dir * 3;
  const kind = w[flow * F.ROW_WORDS + F.F_KIND]!;
  const ports = w[at + F.F_PORTS]!;
  const isSource = manip === NF_NAT_MANIP_SRC;
  const address = w[at + (isSource ? F.F_SRC : F.F_DST)]!;
  const id = isIcmp(kind & 255) ? ports >>> 16 : 0;
  out.set(ct.pool, kind >>> 8, manip, address, isSource ? ports >>> 16 : ports & 0xffff, id);
}

function isIcmp(proto: number): boolean {
  return proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6;
}

/**
 * Translates one end of a packet as its flow says (nf_nat_packet); does nothing if that end is not translated. The
 * packet moves into bytes of its own.
 * @param manip NF_NAT_MANIP_*
 * @returns false if it cannot be rewritten, with a reason in the packet
 */
export function translate(ct: Conntrack, pkt: Packet, manip: number): boolean {
  const { flow } = pkt;
  const dir = directionOf(pkt);
  if (!isManipulated(ct, flow, dir, manip)) return true;
  writable(pkt);
  readTarget(ct, flow, dir, manip, targetScratch);
  if (manipPacket(pkt.view, pkt.off, pkt.end, targetScratch)) return true;
  because(pkt, R_NAT_SHORT);
  return false;
}
