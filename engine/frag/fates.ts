/** Not a fragment, or the one that completed its datagram: the packet now is the whole datagram. */
export const FRAG_PASS = 0;
/** Held until its datagram is whole. */
export const FRAG_HELD = 1;
/** Dropped. */
export const FRAG_DROP = 2;
