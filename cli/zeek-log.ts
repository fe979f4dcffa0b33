import {
  type EventSink,
  F_ID,
  F_KIND,
  type FlowRecord,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  ipct,
  ROW_WORDS,
  readFlow,
} from '@keepstate/engine';
import { ZeekConn } from './format/zeek-conn.ts';
import type { Session } from './session.ts';

/** A connection that is over, or that the capture ended in. */
export type OnConn = (conn: ZeekConn, flow: FlowRecord) => void;

interface Ended {
  readonly row: number;
  readonly conn: ZeekConn;
  readonly flow: FlowRecord;
}

/** Keeps Zeek's account of every flow, beside the table, and hands over each connection when its flow leaves. */
export class ZeekLog implements EventSink {
  private readonly conns: (ZeekConn | undefined)[] = [];
  private readonly onConn: OnConn;
  private ended: Ended[] = [];
  private readonly session: Session;

  constructor(session: Session, onConn: OnConn) {
    this.session = session;
    this.onConn = onConn;
    session.listen(this);
  }

  event(row: number, events: number): void {
    if ((events & ipct.IPCT_DESTROY) === 0) return;
    const conn = this.conns[row];
    if (conn === undefined) return;
    this.conns[row] = undefined;
    this.ended.push({ row, conn, flow: readFlow(this.session.firewall.conntrack, row) });
  }

  /** Counts the packet that the session received last; one that removed its flow still belongs to it. */
  packet(time: number): void {
    const { pkt } = this.session;
    const { ctinfo, flow, proto } = pkt;
    const related = ctinfo === IP_CT_RELATED || ctinfo === IP_CT_RELATED_REPLY;
    // An ICMP error is about its flow, not of it.
    const error = related && (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6);
    if (flow !== 0 && !error) {
      const conn = this.connOf(flow, time);
      conn?.add(pkt, ctinfo === IP_CT_ESTABLISHED_REPLY || ctinfo === IP_CT_RELATED_REPLY, time);
    }
    if (this.ended.length > 0) this.handOver();
  }

  /** The capture is over: hands over the flows that are still in the table. */
  finish(): void {
    this.handOver();
    const { conntrack } = this.session.firewall;
    conntrack.eachFlow((row) => {
      const conn = this.conns[row];
      if (conn !== undefined) this.onConn(conn, readFlow(conntrack, row));
    });
  }

  private connOf(row: number, time: number): ZeekConn | undefined {
    const w = this.session.firewall.conntrack.table.words;
    const id = w[row * ROW_WORDS + F_ID]! >>> 0;
    if (id === 0) return this.ended.find((e) => e.row === row)?.conn;
    const known = this.conns[row];
    if (known !== undefined && known.id === id) return known;
    const conn = new ZeekConn(id, w[row * ROW_WORDS + F_KIND]! & 255, time);
    this.conns[row] = conn;
    return conn;
  }

  private handOver(): void {
    const ended = this.ended;
    this.ended = [];
    for (const { conn, flow } of ended) this.onConn(conn, flow);
  }
}
