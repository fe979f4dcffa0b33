/** How far the sequence numbers of one direction are shifted (nf_ct_seqadj): by `before` up to a place, then by `after`. */
export interface SeqShift {
  /** Sequence number, as the sender counts, where the last change of length was. */
  place: number;
  before: number;
  after: number;
}

/** Both directions: original, reply. */
export type SeqAdjust = readonly [SeqShift, SeqShift];
