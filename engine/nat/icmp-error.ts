import { R_NAT_CHECKSUM, R_NAT_REDIRECT, R_NAT_SHORT } from '../base/reason.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import * as F from '../conntrack/flow-table.ts';
import { IPS_DST_NAT_DONE, IPS_NAT_MASK, IPS_SRC_NAT_DONE } from '../conntrack/status.ts';
import { fold, pseudoSum, sum } from '../packet/checksum.ts';
import {
  AF_INET,
  because,
  CHECKSUM_UNNECESSARY,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  type Packet,
} from '../packet/packet.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import { writable } from '../packet/rewrite.ts';
import { manipPacket } from './manip.ts';
import { ManipTarget } from './target.ts';
import { directionOf, isManipulated, readQuoted, readTarget } from './translate.ts';

const HEADER = 8;
/** ICMP_REDIRECT and NDISC_REDIRECT. */
const REDIRECT = 5;
const REDIRECT6 = 137;
const DONE = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;

const targetScratch: ManipTarget = new ManipTarget();

/** Whether a packet is an error about a flow, and not a packet of it. */
export function isError(pkt: Packet): boolean {
  const { ctinfo } = pkt;
  if (ctinfo !== IP_CT_RELATED && ctinfo !== IP_CT_RELATED_REPLY) return false;
  return pkt.proto === (pkt.family === AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

/**
 * Translates one end of an ICMP or ICMPv6 error about a flow (nf_nat_icmp_reply_translation): the packet that it quotes,
 * which went the other way, is put back to what its sender sent, and the error's own address changes with it.
 * @param manip which end of the error
 * @returns false if it is to be dropped, with a reason in the packet
 */
export function translateError(ct: Conntrack, pkt: Packet, manip: number): boolean {
  const { flow } = pkt;
  const isIpv4 = pkt.family === AF_INET;
  const quote = pkt.l4 + HEADER;
  if (quote + (isIpv4 ? 20 : 40) > pkt.end) return refuse(pkt, R_NAT_SHORT);
  // What tracking found right is not looked at again, even where nf_conntrack_checksum=0 lets wrong ones pass (measured).
  const isKnown = pkt.checksum === CHECKSUM_UNNECESSARY;
  if (!isKnown && fold(checksumOf(pkt)) !== 0xffff) return refuse(pkt, R_NAT_CHECKSUM);
  const status = ct.table.words[flow * F.ROW_WORDS + F.F_STATUS]!;
  const isRedirect = pkt.view.getUint8(pkt.l4) === (isIpv4 ? REDIRECT : REDIRECT6);
  if (isRedirect && ((status & DONE) !== DONE || (status & IPS_NAT_MASK) !== 0))
    return refuse(pkt, R_NAT_REDIRECT);
  const dir = directionOf(pkt);
  if (!isManipulated(ct, flow, dir, manip)) return true;
  writable(pkt);
  const { view, off, l4, end } = pkt;
  const target = targetScratch;
  readQuoted(ct, flow, 1 - dir, 1 - manip, target);
  if (!manipPacket(view, l4 + HEADER, end, target)) return refuse(pkt, R_NAT_SHORT);
  view.setUint16(l4 + 2, 0);
  view.setUint16(l4 + 2, ~fold(checksumOf(pkt)) & 0xffff);
  readTarget(ct, flow, dir, manip, target);
  return manipPacket(view, off, end, target) || refuse(pkt, R_NAT_SHORT);
}

/** The sum that an ICMP checksum makes come to 0xffff. */
function checksumOf({ view, off, family, l4, end }: Packet): number {
  const start = family === AF_INET ? 0 : pseudoSum(view, off, family, IPPROTO_ICMPV6, end - l4);
  return sum(view, l4, end, start);
}

function refuse(pkt: Packet, reason: number): false {
  because(pkt, reason);
  return false;
}
