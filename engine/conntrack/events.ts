import type { Expectation } from './expectation.ts';

/** Events of a flow, with the kernel's bits (enum ip_conntrack_events: IPCT_NEW is bit 0). */
/** IPCT_NEW: entered the table. */
export const IPCT_NEW: number = 1 << 0;
/** IPCT_RELATED: entered the table as an expected flow. */
export const IPCT_RELATED: number = 1 << 1;
/** IPCT_DESTROY: left the table. */
export const IPCT_DESTROY: number = 1 << 2;
/** IPCT_REPLY: the first packet in reply direction. */
export const IPCT_REPLY: number = 1 << 3;
/** IPCT_ASSURED. */
export const IPCT_ASSURED: number = 1 << 4;
/** IPCT_PROTOINFO: the protocol's state changed. */
export const IPCT_PROTOINFO: number = 1 << 5;
/** IPCT_HELPER. */
export const IPCT_HELPER: number = 1 << 6;
/** IPCT_MARK. */
export const IPCT_MARK: number = 1 << 7;
/** IPCT_LABEL: connlabels changed by a command. */
export const IPCT_LABEL: number = 1 << 10;

/** Events that make a message of type NEW; all others but DESTROY are updates. */
export const IPCT_NEW_MASK: number = IPCT_NEW | IPCT_RELATED;

/** {@link EventSink.expectation}: it was made. */
export const IPEXP_NEW = 1;
/** It is gone: fulfilled, given up, or removed. */
export const IPEXP_DESTROY = 2;

/** Who listens to a table. Called in order of time; the flow's row is readable during the call only. */
export interface EventSink {
  /**
   * @param flow the row
   * @param events IPCT_* bits
   * @param now when it happened (ms); an expiry carries the moment it was due
   * @param reason why a flow left (base/reason.ts), 0 for other events
   */
  event(flow: number, events: number, now: number, reason: number): void;
  /**
   * Something is expected, or not any more.
   * @param event IPEXP_*
   * @param now when it happened (ms)
   */
  expectation?(expected: Expectation, event: number, now: number): void;
}
