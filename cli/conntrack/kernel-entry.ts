import { type ExpectRecord, protocolName } from '@keepstate/engine';
import type { KernelExpectation, KernelFlow } from '@keepstate/live';
import { stateName } from './match.ts';
import type { Entry } from './table.ts';

/** Nanoseconds in a millisecond. */
const MILLISECOND = 1_000_000;

/** A time in ms, as exact as a double can be. */
export function milliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1000n) / (MILLISECOND / 1000);
}

/** A flow of the kernel as an entry; what the kernel left out is 0 or null there. */
export function kernelEntry(flow: KernelFlow): Entry {
  const { protonum, state, timeout, start, stop } = flow;
  return {
    flowId: flow.id,
    family: flow.family,
    protonum,
    protocol: protocolName(protonum),
    state: state === null ? null : stateName(protonum, state),
    timeout: (timeout ?? 0) * 1000,
    original: flow.original,
    reply: flow.reply,
    status: flow.status,
    mark: flow.mark ?? 0,
    zoneOriginal: flow.zoneOriginal,
    zoneReply: flow.zoneReply,
    master: null,
    helper: flow.helper,
    uses: flow.uses ?? 0,
    counters: flow.counters,
    start: start === null ? null : milliseconds(start),
    labels: flow.labels ?? [],
    vtags: flow.vtags,
    secctx: flow.secctx,
    ...(start === null ? {} : { stamps: { start, stop } }),
  };
}

/** An expectation of the kernel as a record: the kernel does not tell its master's id, nor what its class is called. */
export function kernelExpectation(one: KernelExpectation): ExpectRecord {
  const { nat } = one;
  return {
    id: one.id,
    family: one.family,
    protonum: one.protonum,
    timeout: one.timeout * 1000,
    tuple: one.tuple,
    mask: one.mask,
    master: one.master,
    masterId: 0,
    masterProtonum: one.masterProtonum,
    zone: one.zone,
    class: one.class,
    className: null,
    helper: one.helper === '' ? null : one.helper,
    expectedHelper: null,
    flags: one.flags,
    nat:
      nat === null
        ? null
        : {
            direction: nat.direction,
            dst: nat.tuple.src === '' ? null : nat.tuple.src,
            dport: nat.tuple.sport ?? 0,
          },
  };
}
