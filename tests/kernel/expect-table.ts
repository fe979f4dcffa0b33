/** ctnetlink's other half: dumps the expectations of a namespace and reads their events. */
import { decodeTuple } from './ctnetlink.ts';
import { eachAttribute, message, type NetlinkMessage, NetlinkSocket, NLM_F_DUMP } from './netlink.ts';
import type { KernelTuple } from './types.ts';

const NFNL_SUBSYS_CTNETLINK_EXP = 2;
const IPCTNL_MSG_EXP_NEW = 0;
const IPCTNL_MSG_EXP_GET = 1;
const IPCTNL_MSG_EXP_DELETE = 2;
const NFNLGRP_CONNTRACK_EXP_NEW = 4;
const NFNLGRP_CONNTRACK_EXP_DESTROY = 6;
const AF_INET = 2;
const AF_INET6 = 10;

/** One expectation as ctnetlink gives it. */
export interface KernelExpect {
  readonly family: number;
  /** Original tuple of the flow that told of it. */
  readonly master: KernelTuple;
  readonly tuple: KernelTuple;
  readonly mask: KernelTuple;
  /** Seconds left, rounded down. */
  readonly timeout: number;
  readonly id: number;
  readonly helper: string;
  /** EXPECT_*. */
  readonly flags: number;
  readonly class: number;
  /** What the flow that comes is translated to, null if it is not. */
  readonly nat: { readonly dir: number; readonly tuple: KernelTuple } | null;
  /** Name of the function that translates it: `nat-follow-master`. */
  readonly fn: string;
}

/** An expectation was made or is gone. */
export interface KernelExpectEvent {
  readonly type: 'NEW' | 'DESTROY';
  readonly expect: KernelExpect;
}

const NO_TUPLE: KernelTuple = decodeTuple(Buffer.alloc(0), 0, 0);

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Setter = (expect: Mutable<KernelExpect>, buffer: Buffer, from: number, to: number) => void;

const decodeNat: Setter = (expect, buffer, start, end) => {
  let dir = 0;
  let tuple = NO_TUPLE;
  eachAttribute(buffer, start, end, (type, from, to) => {
    if (type === 1) dir = buffer.readUInt32BE(from);
    else if (type === 2) tuple = decodeTuple(buffer, from, to);
  });
  expect.nat = { dir, tuple };
};

/** CTA_EXPECT_* attributes by number. */
const SETTERS: Readonly<Record<number, Setter>> = {
  1: (e, buffer, from, to) => {
    e.master = decodeTuple(buffer, from, to);
  },
  2: (e, buffer, from, to) => {
    e.tuple = decodeTuple(buffer, from, to);
  },
  3: (e, buffer, from, to) => {
    e.mask = decodeTuple(buffer, from, to);
  },
  4: (e, buffer, from) => {
    e.timeout = buffer.readUInt32BE(from);
  },
  5: (e, buffer, from) => {
    e.id = buffer.readUInt32BE(from);
  },
  6: (e, buffer, from, to) => {
    e.helper = buffer.toString('latin1', from, to - 1);
  },
  8: (e, buffer, from) => {
    e.flags = buffer.readUInt32BE(from);
  },
  9: (e, buffer, from) => {
    e.class = buffer.readUInt32BE(from);
  },
  10: decodeNat,
  11: (e, buffer, from, to) => {
    e.fn = buffer.toString('latin1', from, to - 1);
  },
};

function decode(received: NetlinkMessage): KernelExpect {
  const expect: Mutable<KernelExpect> = {
    family: received.family,
    master: NO_TUPLE,
    tuple: NO_TUPLE,
    mask: NO_TUPLE,
    timeout: 0,
    id: 0,
    helper: '',
    flags: 0,
    class: 0,
    nat: null,
    fn: '',
  };
  const { buffer } = received;
  eachAttribute(buffer, received.from, received.to, (type, from, to) =>
    SETTERS[type]?.(expect, buffer, from, to),
  );
  return expect;
}

/** Reads the expectations of the namespace it was made in. */
export class ExpectTable {
  private readonly socket: NetlinkSocket = new NetlinkSocket();
  private readonly events: NetlinkSocket = new NetlinkSocket(1 << 22);

  constructor() {
    this.events.join(NFNLGRP_CONNTRACK_EXP_NEW);
    this.events.join(NFNLGRP_CONNTRACK_EXP_DESTROY);
  }

  /** All of them, in the kernel's own order. */
  dump(): KernelExpect[] {
    const found: KernelExpect[] = [];
    for (const family of [AF_INET, AF_INET6]) {
      const request = message(NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_GET, NLM_F_DUMP, family, 0);
      this.socket.dump(request, 'dump expectations', (received) => found.push(decode(received)));
    }
    return found;
  }

  /** What happened since the last call. */
  read(): KernelExpectEvent[] {
    const found: KernelExpectEvent[] = [];
    this.events.drain('expectation events', (received) => {
      if (received.subsystem !== NFNL_SUBSYS_CTNETLINK_EXP) return;
      const type = received.type === IPCTNL_MSG_EXP_DELETE ? 'DESTROY' : 'NEW';
      if (type === 'DESTROY' || received.type === IPCTNL_MSG_EXP_NEW)
        found.push({ type, expect: decode(received) });
    });
    return found;
  }

  close(): void {
    this.socket.close();
    this.events.close();
  }
}
