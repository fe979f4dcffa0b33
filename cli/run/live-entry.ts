import {
  type Conntrack,
  F_STATUS,
  IPPROTO_SCTP,
  ips,
  labelsOf,
  ROW_WORDS,
  readFlow,
  sctpTags,
} from '@keepstate/engine';
import type { Entry } from '../conntrack/table.ts';

/** A flow of a running table with all that conntrack(8) may show of it: its labels and SCTP's tags, too. */
export function liveEntry(conntrack: Conntrack, row: number): Entry {
  const flow = readFlow(conntrack, row);
  const labels = labelsOf(conntrack, row);
  // In the classic profiles SCTP has no tracker, and its words no tags.
  const hasTags = flow.protonum === IPPROTO_SCTP && flow.state !== null;
  return { ...flow, labels, vtags: hasTags ? sctpTags(conntrack, row) : null };
}

/** A flow that is under way: its timer has not been started. */
export function unconfirmedEntry(conntrack: Conntrack, row: number): Entry {
  const entry = liveEntry(conntrack, row);
  return { ...entry, timeout: entry.timeout + conntrack.now };
}

/** Whether a row holds a flow that is in the table. */
export function isInTable(conntrack: Conntrack, row: number): boolean {
  const status = conntrack.table.words[row * ROW_WORDS + F_STATUS]!;
  return (status & (ips.IPS_CONFIRMED | ips.IPS_DYING)) === ips.IPS_CONFIRMED;
}
