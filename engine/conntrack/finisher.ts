import { IP_CT_ESTABLISHED_REPLY, IP_CT_RELATED_REPLY, Packet } from '../packet/packet.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { Conntrack } from './conntrack.ts';
import { FlowExtension } from './extension.ts';
import { F_STATUS, ROW_WORDS } from './flow-table.ts';
import { HELP_DROP, type HelpCall } from './helper.ts';
import { adjustSegment } from './seq-adjust.ts';
import { IPS_SEQ_ADJUST } from './status.ts';

/** Number of the device lo: always the first. */
const LOOPBACK = 1;

/**
 * What comes before confirmation for packets of flows that have more than a row (nf_confirm): the helper reads the
 * packet, then sequence numbers are adjusted.
 */
export class Finisher {
  private readonly call: { -readonly [K in keyof HelpCall]: HelpCall[K] };

  constructor(conntrack: Conntrack) {
    this.call = { conntrack, pkt: new Packet(), flow: 0, dir: 0, ext: new FlowExtension(), isSummed: false };
  }

  /** @returns false if the packet is to be dropped */
  finish(pkt: Packet, flow: number, ext: FlowExtension): boolean {
    // An error that answers a packet carries nothing for a helper.
    if (pkt.ctinfo === IP_CT_RELATED_REPLY) return true;
    const { call } = this;
    call.pkt = pkt;
    call.flow = flow;
    call.dir = pkt.ctinfo >= IP_CT_ESTABLISHED_REPLY ? 1 : 0;
    call.ext = ext;
    call.isSummed = false;
    const { words } = call.conntrack.table;
    // Only what was changed in earlier packets: a place is shifted from its next byte on.
    const isShifted = (words[flow * ROW_WORDS + F_STATUS]! & IPS_SEQ_ADJUST) !== 0;
    if (ext.helper !== null && ext.helper.help(call) === HELP_DROP) return false;
    // Over lo a packet comes here twice, and was adjusted when it was sent.
    if (!isShifted || ext.seq === null || pkt.ifin === LOOPBACK || pkt.proto !== IPPROTO_TCP) return true;
    if (!adjustSegment(pkt, ext.seq, call.dir)) {
      call.conntrack.stats.drop++;
      return false;
    }
    // Linux sums a segment that a helper changed as it leaves, and then writes ffff for 0 (measured).
    const checksum = pkt.l4 + 16;
    if (call.isSummed && pkt.view.getUint16(checksum) === 0) pkt.view.setUint16(checksum, 0xffff);
    return true;
  }
}
