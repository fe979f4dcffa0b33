import { type Conntrack, IPPROTO_SCTP, labelsOf, readFlow, sctpTags } from '@keepstate/engine';
import type { Entry } from './table.ts';

/** A flow of a table with all that conntrack(8) may show of it: its labels and SCTP's tags, too. */
export function rowEntry(conntrack: Conntrack, row: number): Entry {
  const flow = readFlow(conntrack, row);
  const labels = labelsOf(conntrack, row);
  // In the classic profiles SCTP has no tracker, and its words no tags.
  const hasTags = flow.protonum === IPPROTO_SCTP && flow.state !== null;
  return { ...flow, labels, vtags: hasTags ? sctpTags(conntrack, row) : null };
}

/** A flow that is under way: its timer has not been started. */
export function unconfirmedEntry(conntrack: Conntrack, row: number): Entry {
  const entry = rowEntry(conntrack, row);
  return { ...entry, timeout: entry.timeout + conntrack.now };
}
