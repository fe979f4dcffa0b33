import { F_PROTO } from '../conntrack/flow-table.ts';

/** Words of an SCTP flow, from the start of its row. */
/** State (SCTP_*). */
export const W_STATE: number = F_PROTO;
/** Verification tag that packets of the original direction must carry, then the reply direction's; 0: not known. */
export const W_TAGS: number = F_PROTO + 1;
/** 1 if an INIT of the original direction awaits its end, then the same of the reply direction. */
export const W_INITS: number = F_PROTO + 3;
/** 1 + direction of a HEARTBEAT with another verification tag that no answer has proven yet; 0: none. */
export const W_HEARTBEAT: number = F_PROTO + 5;
