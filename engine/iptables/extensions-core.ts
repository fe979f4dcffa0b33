import type { Extension } from './extension.ts';
import { MATCH_ADDRTYPE } from './match-addrtype.ts';
import { MATCH_COMMENT } from './match-comment.ts';
import { MATCH_CONNTRACK, MATCH_STATE } from './match-conntrack.ts';
import { MATCH_DCCP } from './match-dccp.ts';
import { MATCH_HASHLIMIT } from './match-hashlimit.ts';
import { MATCH_ICMP } from './match-icmp.ts';
import { MATCH_ICMP6 } from './match-icmp6.ts';
import { MATCH_LIMIT } from './match-limit.ts';
import { MATCH_MAC } from './match-mac.ts';
import { MATCH_MULTIPORT } from './match-multiport.ts';
import { MATCH_RECENT } from './match-recent.ts';
import { MATCH_SCTP } from './match-sctp.ts';
import { MATCH_TCP } from './match-tcp.ts';
import { MATCH_UDP } from './match-udp.ts';
import { TARGET_LOG } from './target-log.ts';
import { TARGET_REJECT } from './target-reject.ts';

/** Matches of the core. */
export const CORE_MATCHES: readonly Extension[] = [
  MATCH_ADDRTYPE,
  MATCH_COMMENT,
  MATCH_CONNTRACK,
  MATCH_DCCP,
  MATCH_HASHLIMIT,
  MATCH_ICMP,
  MATCH_ICMP6,
  MATCH_LIMIT,
  MATCH_MAC,
  MATCH_MULTIPORT,
  MATCH_RECENT,
  MATCH_SCTP,
  MATCH_STATE,
  MATCH_TCP,
  MATCH_UDP,
];

/** Targets of the core. ACCEPT, DROP, RETURN and QUEUE are verdicts, not extensions. */
export const CORE_TARGETS: readonly Extension[] = [TARGET_LOG, TARGET_REJECT];
