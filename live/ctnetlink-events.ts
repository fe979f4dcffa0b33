import koffi from 'koffi';
import { type KernelExpectation, readKernelExpectation } from './ctnetlink-expectation.ts';
import { type KernelFlow, readKernelFlow } from './ctnetlink-flow.ts';
import * as N from './ctnetlink-names.ts';
import { close, getOption, pollSet, SO_RCVBUF, SOL_SOCKET } from './libc.ts';
import {
  messageFlags,
  messagePort,
  messageType,
  NETLINK_NETFILTER,
  NLM_F_CREATE,
  NLM_F_EXCL,
} from './netlink.ts';
import { NETLINK_LOST, NetlinkSocket } from './netlink-socket.ts';

/** What happened. */
export type KernelEventKind = 'NEW' | 'UPDATE' | 'DESTROY';

/** Something that happened to a flow or an expectation. */
export interface KernelEvent {
  readonly kind: KernelEventKind;
  /** Netlink port of the program that did it, 0 if packets or time did. */
  readonly portid: number;
  /** One of the two. */
  readonly flow: KernelFlow | null;
  readonly expectation: KernelExpectation | null;
}

/** The groups of events of flows, by kind. */
const FLOW_GROUPS: Readonly<Record<KernelEventKind, number>> = {
  NEW: N.GROUP_NEW,
  UPDATE: N.GROUP_UPDATE,
  DESTROY: N.GROUP_DESTROY,
};
const EXPECTATION_GROUPS: Readonly<Record<KernelEventKind, number>> = {
  NEW: N.GROUP_EXP_NEW,
  UPDATE: N.GROUP_EXP_UPDATE,
  DESTROY: N.GROUP_EXP_DESTROY,
};

/** At most about so many events until other things have their turn. */
const BATCH = 1000;

/** Whoever listens to events. */
export interface KernelEventListener {
  event(event: KernelEvent): void;
  /** The kernel had more events than there was room for: some are lost. */
  lost(): void;
  /** A batch has been told. */
  batch(): void;
  /** Nothing more is told: the listener itself threw, or netlink failed. */
  failed(error: unknown): void;
}

/** Events of the kernel's connection tracking in the network namespace that the process is in. */
export class CtnetlinkEvents {
  /** Bytes of events that the kernel keeps until they are read, as it reckons (SO_RCVBUF). */
  readonly bufferBytes: number;
  private readonly socket: NetlinkSocket;
  private readonly groups: readonly number[];
  private readonly listener: KernelEventListener;
  /**
   * Readable when the socket is, or has an error. libuv takes the error of a netlink socket that lost messages for the
   * end of it, and would not look any more.
   */
  private readonly ready: number;
  private readonly handle: ReturnType<typeof koffi.node.poll>;

  /**
   * Listens from now on, whenever the event loop has a turn.
   * @param kinds what to listen to
   * @param bytes how much the kernel shall keep until it is read
   * @throws NetlinkError: EPERM without CAP_NET_ADMIN
   */
  constructor(
    table: 'flows' | 'expectations',
    kinds: readonly KernelEventKind[],
    bytes: number,
    listener: KernelEventListener,
  ) {
    this.listener = listener;
    this.socket = new NetlinkSocket(NETLINK_NETFILTER, bytes);
    const groups = table === 'flows' ? FLOW_GROUPS : EXPECTATION_GROUPS;
    this.groups = kinds.map((kind) => groups[kind]);
    try {
      for (const group of this.groups) this.socket.join(group);
    } catch (error) {
      this.socket.close();
      throw error;
    }
    const value = new Uint8Array(4);
    getOption(this.socket.fd, SOL_SOCKET, SO_RCVBUF, value);
    this.bufferBytes = new DataView(value.buffer).getInt32(0, true);
    this.ready = pollSet([this.socket.fd]);
    this.handle = koffi.node.poll(this.ready, { readable: true }, () => {
      try {
        this.read();
      } catch (error) {
        this.handle.stop();
        listener.failed(error);
      }
    });
  }

  /** Tells of what has come so far, and of nothing that comes later. */
  finish(): void {
    for (const group of this.groups) this.socket.leave(group);
    let count = 1;
    while (count !== 0) count = this.read();
  }

  /** Tells of a batch of what has come, without waiting. @returns how many, NETLINK_LOST if some are lost */
  private read(): number {
    const count = this.socket.drain(
      'conntrack events',
      (bytes, view, at) => this.tell(bytes, view, at),
      BATCH,
    );
    if (count === NETLINK_LOST) this.listener.lost();
    this.listener.batch();
    return count;
  }

  close(): void {
    this.handle.close();
    close(this.ready);
    this.socket.close();
  }

  private tell(bytes: Uint8Array, view: DataView, at: number): void {
    const type = messageType(view, at);
    const subsystem = type >> 8;
    const flows = subsystem === N.NFNL_SUBSYS_CTNETLINK;
    if (!flows && subsystem !== N.NFNL_SUBSYS_CTNETLINK_EXP) return;
    const number = type & 0xff;
    if (number !== N.CT_NEW && number !== N.CT_DELETE) return;
    // New ones have both flags, changed ones none.
    const made = (messageFlags(view, at) & (NLM_F_CREATE | NLM_F_EXCL)) !== 0;
    this.listener.event({
      kind: number === N.CT_DELETE ? 'DESTROY' : made ? 'NEW' : 'UPDATE',
      portid: messagePort(view, at),
      flow: flows ? readKernelFlow(bytes, view, at) : null,
      expectation: flows ? null : readKernelExpectation(bytes, view, at),
    });
  }
}
