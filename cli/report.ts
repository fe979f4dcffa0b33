import {
  AF_INET,
  CTINFO_NONE,
  ctStateOf,
  type EventSink,
  F_ID,
  F_KIND,
  F_STATUS,
  hasPorts,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  ipct,
  Located,
  locatePacket,
  NF_ACCEPT,
  NF_STOLEN,
  REASONS,
  type Reason,
  ROW_WORDS,
  type Verdict,
} from '@keepstate/engine';
import type { Subject } from './filter-subject.ts';
import type { Session } from './session.ts';

/**
 * What became of a packet. Without rules: accept, drop, held (a fragment that waits for the others), null for frames
 * that carry no IP, which are not the firewall's to judge. With rules in the words of {@link Verdict}.
 */
export type Fate = Verdict | 'held' | null;
const REASON_BY_ID: readonly (Reason | undefined)[] = REASONS.reduce<(Reason | undefined)[]>(
  (list, reason) => {
    list[reason.id] = reason;
    return list;
  },
  [],
);

/** Reasons below are of the frame: what it carries could not be read as IP. */
const FIRST_IP_REASON = 100;
/** Reasons from here on are of tracking; fragments, dropped before it, are below. */
const FIRST_TRACKING_REASON = 300;

/** Remembers the flow that left last: a packet may remove its own flow, and the table forgets it. */
export class LastGone implements EventSink {
  row = 0;
  /** Its id as a signed word. */
  id = 0;
  status = 0;
  private readonly session: Session;

  constructor(session: Session) {
    this.session = session;
    session.listen(this);
  }

  event(flow: number, events: number): void {
    if ((events & ipct.IPCT_DESTROY) === 0) return;
    const w = this.session.firewall.conntrack.table.words;
    this.row = flow;
    this.id = w[flow * ROW_WORDS + F_ID]!;
    this.status = w[flow * ROW_WORDS + F_STATUS]!;
  }
}

/** What tracking made of the packet that was received last. Filled again and again. */
export class PacketReport {
  fate: Fate = null;
  /** IP_CT_* or CTINFO_*. */
  ctinfo: number = CTINFO_NONE;
  /** Id of its flow as a signed word, 0 if none. */
  flow = 0;
  /** Protocol of its flow: an ICMP error belongs to a flow of another protocol. */
  flowProtocol = -1;
  /** IPS_* bits of the flow as rules see them: before the flow is confirmed. 0 without a flow. */
  ctstatus = 0;
  /** IPS_* bits of the flow after the packet, -1 without a flow. */
  status = -1;
  /** State of the flow after the packet. */
  state: string | null = null;
  /** Whole seconds that the flow has left, -1 without a flow, or if this packet removed it. */
  seconds = -1;
  /** The packet removed its own flow. */
  removed = false;
  /** Why, null if there is nothing to say. */
  reason: Reason | null = null;
  /** The packet as bytes show it: where its IP and transport headers are. After {@link locate}, as what follows. */
  readonly where: Located = new Located();
  /** Whether there is an IP header to be shown. */
  isIp = false;
  /** First byte of the transport header if that is in this packet and whole enough for ports or type, else -1. */
  l4 = -1;

  /** Fills it after {@link Session.receive} returned `verdict`. */
  fill(session: Session, verdict: number, gone: LastGone): void {
    const { pkt } = session;
    this.reason = pkt.reason === 0 ? null : (REASON_BY_ID[pkt.reason] ?? null);
    if (session.rules !== null) this.fate = session.firewall.outcome.verdict;
    else if (this.reason !== null && this.reason.id < FIRST_IP_REASON) this.fate = null;
    else this.fate = verdict === NF_ACCEPT ? 'accept' : verdict === NF_STOLEN ? 'held' : 'drop';
    this.ctinfo = pkt.ctinfo;
    this.ctstatus = pkt.status;
    this.fillFlow(session, gone);
  }

  /** Whether the packet never reached tracking though it is no fragment that waits for others. */
  get skipped(): boolean {
    const { reason } = this;
    if (reason === null) return false;
    return reason.effect === 'skipped' || (reason.effect === 'dropped' && reason.id < FIRST_TRACKING_REASON);
  }

  /** Finds the packet's headers, which filters and JSON want to know. */
  locate(session: Session): void {
    const pkt = session.arrived;
    const { where } = this;
    this.l4 = -1;
    const readable =
      this.reason === null || this.reason.id >= FIRST_IP_REASON || this.reason.name === 'cut-short';
    this.isIp = readable && locatePacket(pkt, where);
    // Bit 0 of `frag` is "more follow": the first fragment has the transport header, later ones do not.
    if (this.isIp && where.l4 >= 0 && where.frag <= 1 && where.l4 + 4 <= where.end) this.l4 = where.l4;
  }

  private fillFlow(session: Session, gone: LastGone): void {
    const { conntrack } = session.firewall;
    const row = session.pkt.flow;
    this.removed = false;
    this.flow = 0;
    this.flowProtocol = -1;
    this.status = -1;
    this.state = null;
    this.seconds = -1;
    if (row === 0) return;
    const w = conntrack.table.words;
    const at = row * ROW_WORDS;
    this.flowProtocol = w[at + F_KIND]! & 255;
    this.flow = w[at + F_ID]!;
    if (this.flow === 0) {
      this.removed = true;
      if (gone.row !== row) return;
      this.flow = gone.id;
      this.status = gone.status;
      return;
    }
    this.status = w[at + F_STATUS]!;
    this.state = conntrack.tracker(this.flowProtocol).state(conntrack, row);
    this.seconds = Math.floor(Math.max(0, conntrack.left(row)) / 1000);
  }
}

/** Fills what a filter looks at, after {@link PacketReport.fill}. */
export function subjectOfPacket(session: Session, report: PacketReport, out: Subject): void {
  report.locate(session);
  const { view, off } = session.arrived;
  const { where, l4, isIp } = report;
  out.packet = session.packets;
  out.ctstate = ctStateOf(report.ctinfo);
  out.verdict = report.fate;
  out.reason = report.reason === null ? null : report.reason.name;
  out.flow = report.flow === 0 ? -1 : report.flow >>> 0;
  out.state = report.state;
  out.status = report.status;
  out.zone = session.pkt.zone;
  out.mark = session.pkt.mark;
  out.family = isIp ? where.family : 0;
  out.protonum = isIp ? where.proto : -1;
  const ports = l4 >= 0 && hasPorts(where.proto);
  out.sport = ports ? view.getUint16(l4) : -1;
  out.dport = ports ? view.getUint16(l4 + 2) : -1;
  const icmp = l4 >= 0 && (where.proto === IPPROTO_ICMP || where.proto === IPPROTO_ICMPV6);
  out.type = icmp ? view.getUint8(l4) : -1;
  out.code = icmp ? view.getUint8(l4 + 1) : -1;
  if (!isIp) return;
  const v4 = where.family === AF_INET;
  const words = v4 ? 1 : 4;
  for (let i = 0; i < words; i++) {
    out.src[i] = view.getInt32(off + (v4 ? 12 : 8) + i * 4);
    out.dst[i] = view.getInt32(off + (v4 ? 16 : 24) + i * 4);
  }
}
