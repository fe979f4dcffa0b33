import type { TupleRecord } from '@keepstate/engine';
import { dumpOf } from './ctnetlink-dump.ts';
import { type KernelExpectation, readKernelExpectation } from './ctnetlink-expectation.ts';
import { type KernelFlow, readKernelFlow } from './ctnetlink-flow.ts';
import * as N from './ctnetlink-names.ts';
import { type FlowRequest, writeFlowRequest } from './ctnetlink-request.ts';
import { type KernelCpuStats, readCpuStats, readEntryCount } from './ctnetlink-stats.ts';
import { writeTuple } from './ctnetlink-tuple.ts';
import {
  messageType,
  NETLINK_NETFILTER,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
} from './netlink.ts';
import { NetlinkSocket, type OnMessage } from './netlink-socket.ts';
import { MessageWriter } from './netlink-writer.ts';

/** The lists of flows that the kernel has. */
export type KernelList = 'conntrack' | 'dying' | 'unconfirmed';

/** Which flows the kernel shall list; what is left out does not matter. It compares, so that less has to be read. */
export interface KernelFilter {
  /** AF_INET or AF_INET6. */
  readonly family?: number | undefined;
  readonly mark?: { readonly value: number; readonly mask: number } | undefined;
  /** IPS_* bits. Linux 5.8 and later look at it. */
  readonly status?: { readonly value: number; readonly mask: number } | undefined;
}

/** An expectation for the kernel. */
export interface ExpectationRequest {
  readonly family: number;
  readonly protonum: number;
  readonly tuple: TupleRecord;
  readonly mask: TupleRecord;
  readonly master: TupleRecord;
  /** Seconds. */
  readonly timeout: number;
}

const LISTS: Readonly<Record<KernelList, number>> = {
  conntrack: N.CT_GET,
  dying: N.CT_GET_DYING,
  unconfirmed: N.CT_GET_UNCONFIRMED,
};

const FLOW_NEW = (N.NFNL_SUBSYS_CTNETLINK << 8) | N.CT_NEW;
const FLOW_STATS = (N.NFNL_SUBSYS_CTNETLINK << 8) | N.CT_GET_STATS;
const EXPECTATION_NEW = (N.NFNL_SUBSYS_CTNETLINK_EXP << 8) | N.EXP_NEW;

function writeFilter(writer: MessageWriter, { mark, status }: KernelFilter): void {
  if (mark !== undefined) {
    writer.attrBe32(N.CTA_MARK, mark.value);
    writer.attrBe32(N.CTA_MARK_MASK, mark.mask);
  }
  if (status !== undefined) {
    writer.attrBe32(N.CTA_STATUS, status.value);
    writer.attrBe32(N.CTA_STATUS_MASK, status.mask);
  }
}

/**
 * The kernel's connection tracking, of the network namespace that the process is in. Takes CAP_NET_ADMIN. What the
 * kernel refuses comes back as its errno; anything else that goes wrong is thrown as a NetlinkError. Listings have
 * sockets of their own, so that the table may be changed while it is listed.
 */
export class Ctnetlink {
  private readonly socket: NetlinkSocket;
  private readonly writer: MessageWriter = new MessageWriter();

  /** @throws NetlinkError */
  constructor() {
    this.socket = new NetlinkSocket(NETLINK_NETFILTER);
  }

  /**
   * Lists flows, as they are when the listing comes to them.
   * @param zero whether to set their counters to 0, each as it is read; of `conntrack` only
   * @throws NetlinkError while it is read
   */
  flows(which: KernelList, filter: KernelFilter = {}, zero = false): Generator<KernelFlow, void, void> {
    const number = zero && which === 'conntrack' ? N.CT_GET_CTRZERO : LISTS[which];
    return dumpOf(
      (writer, sequence) => {
        const { family = 0 } = filter;
        writer.beginNetfilter(N.NFNL_SUBSYS_CTNETLINK, number, NLM_F_DUMP, sequence, family, 0);
        writeFilter(writer, filter);
        writer.end();
      },
      readKernelFlow,
      'listing flows',
    );
  }

  /**
   * The flow that a request stands for. While the kernel answers it holds the flow: one use more than a listing says.
   * @returns it, or the errno
   */
  get(request: FlowRequest): KernelFlow | number {
    let found: KernelFlow | null = null;
    const errno = this.askFlow(N.CT_GET, 0, request, (bytes, view, at) => {
      if (messageType(view, at) === FLOW_NEW) found = readKernelFlow(bytes, view, at);
    });
    return found ?? errno;
  }

  /** Makes a flow. @returns 0, or the errno: EEXIST if there is one with these tuples */
  create(request: FlowRequest): number {
    return this.askFlow(N.CT_NEW, NLM_F_CREATE | NLM_F_EXCL, request, null);
  }

  /** Changes the flow with the original tuple of a request. @returns 0, or the errno */
  update(request: FlowRequest): number {
    return this.askFlow(N.CT_NEW, 0, request, null);
  }

  /** Deletes the flow that a request stands for. @returns 0, or the errno */
  delete(request: FlowRequest): number {
    return this.askFlow(N.CT_DELETE, 0, request, null);
  }

  /** Deletes every flow. @returns 0, or the errno */
  flush(): number {
    this.begin(N.NFNL_SUBSYS_CTNETLINK, N.CT_DELETE, NLM_F_ACK, 0);
    return this.ask('emptying the table', null);
  }

  /** How many flows there are. @returns `errno` 0, or that of the kernel */
  count(): { readonly errno: number; readonly count: number } {
    let count = 0;
    this.begin(N.NFNL_SUBSYS_CTNETLINK, N.CT_GET_STATS, NLM_F_ACK, 0);
    const errno = this.ask('counting flows', (_bytes, view, at) => {
      if (messageType(view, at) === FLOW_STATS) count = readEntryCount(view, at);
    });
    return { errno, count };
  }

  /** What each CPU counted. @param expect of expectations @throws NetlinkError */
  stats(expect = false): KernelCpuStats[] {
    const subsystem = expect ? N.NFNL_SUBSYS_CTNETLINK_EXP : N.NFNL_SUBSYS_CTNETLINK;
    const number = expect ? N.EXP_GET_STATS_CPU : N.CT_GET_STATS_CPU;
    const write = (writer: MessageWriter, sequence: number): void => {
      writer.beginNetfilter(subsystem, number, NLM_F_DUMP, sequence, 0, 0);
      writer.end();
    };
    return [...dumpOf(write, (_bytes, view, at) => readCpuStats(view, at, expect), 'reading statistics')];
  }

  /** Lists expectations. @param family AF_INET, AF_INET6, 0 for both @throws NetlinkError while it is read */
  expectations(family = 0): Generator<KernelExpectation, void, void> {
    return dumpOf(
      (writer, sequence) => {
        writer.beginNetfilter(N.NFNL_SUBSYS_CTNETLINK_EXP, N.EXP_GET, NLM_F_DUMP, sequence, family, 0);
        writer.end();
      },
      readKernelExpectation,
      'listing expectations',
    );
  }

  /** The expectation that a flow of this original tuple would fulfil. @returns it, or the errno */
  getExpectation(family: number, protonum: number, tuple: TupleRecord): KernelExpectation | number {
    let found: KernelExpectation | null = null;
    this.begin(N.NFNL_SUBSYS_CTNETLINK_EXP, N.EXP_GET, NLM_F_ACK, family);
    writeTuple(this.writer, N.CTA_EXPECT_TUPLE, protonum, tuple, 0);
    const errno = this.ask('looking for an expectation', (bytes, view, at) => {
      if (messageType(view, at) === EXPECTATION_NEW) found = readKernelExpectation(bytes, view, at);
    });
    return found ?? errno;
  }

  /** Makes an expectation. @returns 0, or the errno: ENOENT if its master is not there */
  createExpectation(request: ExpectationRequest): number {
    const { family, protonum } = request;
    this.begin(N.NFNL_SUBSYS_CTNETLINK_EXP, N.EXP_NEW, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, family);
    writeTuple(this.writer, N.CTA_EXPECT_TUPLE, protonum, request.tuple, 0);
    writeTuple(this.writer, N.CTA_EXPECT_MASTER, protonum, request.master, 0);
    writeTuple(this.writer, N.CTA_EXPECT_MASK, protonum, request.mask, 0);
    this.writer.attrBe32(N.CTA_EXPECT_TIMEOUT, request.timeout);
    return this.ask('making an expectation', null);
  }

  /** Deletes an expectation. @param zone that it is in @returns 0, or the errno */
  deleteExpectation(family: number, protonum: number, tuple: TupleRecord, zone: number): number {
    this.begin(N.NFNL_SUBSYS_CTNETLINK_EXP, N.EXP_DELETE, NLM_F_ACK, family);
    writeTuple(this.writer, N.CTA_EXPECT_TUPLE, protonum, tuple, 0);
    if (zone !== 0) this.writer.attrBe16(N.CTA_EXPECT_ZONE, zone);
    return this.ask('deleting an expectation', null);
  }

  /** Deletes every expectation. @returns 0, or the errno */
  flushExpectations(): number {
    this.begin(N.NFNL_SUBSYS_CTNETLINK_EXP, N.EXP_DELETE, NLM_F_ACK, 0);
    return this.ask('deleting all expectations', null);
  }

  close(): void {
    this.socket.close();
  }

  private begin(subsystem: number, number: number, flags: number, family: number): void {
    this.writer.reset();
    this.writer.beginNetfilter(subsystem, number, flags, this.socket.next(), family, 0);
  }

  private ask(what: string, each: OnMessage | null): number {
    this.writer.end();
    return this.socket.ask(this.writer, what, each);
  }

  private askFlow(number: number, flags: number, request: FlowRequest, each: OnMessage | null): number {
    this.begin(N.NFNL_SUBSYS_CTNETLINK, number, NLM_F_ACK | flags, request.family);
    writeFlowRequest(this.writer, request);
    return this.ask('asking for a flow', each);
  }
}
