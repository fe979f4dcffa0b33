import type { Conntrack } from '../conntrack/conntrack.ts';
import { ROW_WORDS } from '../conntrack/flow-table.ts';
import type { ProtoChange } from '../conntrack/tracker.ts';
import { SCTP_INVALID } from './sctp-states.ts';
import { W_STATE, W_TAGS } from './sctp-words.ts';

/** {@link Tracker.edit} of SCTP. Measured: a state without both tags is none (EINVAL), and so are tags without a state. */
export function editSctp(ct: Conntrack, flow: number, { state, vtags }: ProtoChange): boolean {
  if (state === undefined && vtags === undefined) return true;
  if (state === undefined || vtags === undefined || state < 0 || state >= SCTP_INVALID) return false;
  const w = ct.table.words;
  const at = flow * ROW_WORDS;
  w[at + W_STATE] = state;
  w[at + W_TAGS] = vtags.original;
  w[at + W_TAGS + 1] = vtags.reply;
  return true;
}

/** {@link Tracker.isSane} of SCTP: the state is one, and what says a direction does. */
export function isSaneSctp(w: Int32Array, at: number): boolean {
  return w[at + W_STATE]! >>> 0 < SCTP_INVALID;
}

/** The verification tags of an SCTP flow: those that packets of each direction must carry, 0 where not known. */
export function sctpTags(ct: Conntrack, flow: number): { readonly original: number; readonly reply: number } {
  const at = flow * ROW_WORDS + W_TAGS;
  return { original: ct.table.words[at]! >>> 0, reply: ct.table.words[at + 1]! >>> 0 };
}
