import type { TupleRecord } from '@keepstate/engine';
import * as N from './ctnetlink-names.ts';
import { type KernelTuple, NO_TUPLE, readTuple } from './ctnetlink-tuple.ts';
import {
  attributeFrom,
  attributeLength,
  attributeText,
  attributeTo,
  attributeType,
  isAttribute,
  messageEnd,
  messageFamily,
  NFNL_HEADER,
  nextAttribute,
} from './netlink.ts';

/** An expectation as the kernel tells it. */
export interface KernelExpectation {
  /** AF_INET (2) or AF_INET6 (10). */
  readonly family: number;
  readonly protonum: number;
  readonly id: number;
  /** Seconds left. */
  readonly timeout: number;
  readonly tuple: TupleRecord;
  readonly mask: TupleRecord;
  /** Original tuple of the flow that told of it. */
  readonly master: TupleRecord;
  readonly masterProtonum: number;
  readonly zone: number;
  readonly class: number;
  readonly helper: string | null;
  /** EXPECT_* bits. */
  readonly flags: number;
  /** Where the flow that comes is translated to, null if it is not. */
  readonly nat: { readonly direction: number; readonly tuple: TupleRecord } | null;
  /** Function that translates it, null if none. */
  readonly fn: string | null;
}

type Mutable = { -readonly [K in keyof KernelExpectation]: KernelExpectation[K] };

function readNat(view: DataView, start: number, end: number): KernelExpectation['nat'] {
  let direction = 0;
  let inner: KernelTuple = NO_TUPLE;
  for (let at = start; isAttribute(view, at, end); at = nextAttribute(view, at)) {
    const type = attributeType(view, at);
    if (type === N.CTA_EXPECT_NAT_DIR && attributeLength(view, at) >= 4) {
      direction = view.getUint32(attributeFrom(at));
    } else if (type === N.CTA_EXPECT_NAT_TUPLE) inner = readTuple(view, at);
  }
  return { direction, tuple: inner.tuple };
}

/** Attributes of 32 bits in network order, by what they are. */
const WORDS: Readonly<Record<number, 'timeout' | 'id' | 'flags' | 'class'>> = {
  [N.CTA_EXPECT_TIMEOUT]: 'timeout',
  [N.CTA_EXPECT_ID]: 'id',
  [N.CTA_EXPECT_FLAGS]: 'flags',
  [N.CTA_EXPECT_CLASS]: 'class',
};

function readAttribute(into: Mutable, bytes: Uint8Array, view: DataView, at: number): void {
  const type = attributeType(view, at);
  const length = attributeLength(view, at);
  const name = WORDS[type];
  if (name !== undefined) {
    if (length >= 4) into[name] = view.getUint32(attributeFrom(at));
    return;
  }
  switch (type) {
    case N.CTA_EXPECT_TUPLE: {
      const { tuple, protonum } = readTuple(view, at);
      into.tuple = tuple;
      into.protonum = protonum;
      break;
    }
    case N.CTA_EXPECT_MASK:
      into.mask = readTuple(view, at).tuple;
      break;
    case N.CTA_EXPECT_MASTER: {
      const { tuple, protonum } = readTuple(view, at);
      into.master = tuple;
      into.masterProtonum = protonum;
      break;
    }
    case N.CTA_EXPECT_HELP_NAME:
      into.helper = attributeText(bytes, view, at);
      break;
    case N.CTA_EXPECT_FN:
      into.fn = attributeText(bytes, view, at);
      break;
    case N.CTA_EXPECT_ZONE:
      if (length >= 2) into.zone = view.getUint16(attributeFrom(at));
      break;
    case N.CTA_EXPECT_NAT:
      into.nat = readNat(view, attributeFrom(at), attributeTo(view, at));
      break;
  }
}

/** Reads the expectation in the EXP_NEW or EXP_DELETE message at `at` of a datagram. What is damaged is left out. */
export function readKernelExpectation(bytes: Uint8Array, view: DataView, at: number): KernelExpectation {
  const into: Mutable = {
    family: messageFamily(view, at),
    protonum: 0,
    id: 0,
    timeout: 0,
    tuple: NO_TUPLE.tuple,
    mask: NO_TUPLE.tuple,
    master: NO_TUPLE.tuple,
    masterProtonum: 0,
    zone: 0,
    class: 0,
    helper: null,
    flags: 0,
    nat: null,
    fn: null,
  };
  const end = messageEnd(view, at);
  for (let i = at + NFNL_HEADER; isAttribute(view, i, end); i = nextAttribute(view, i)) {
    readAttribute(into, bytes, view, i);
  }
  return into;
}
