/**
 * Clashes: two packets of one new flow were under way at once, each with a flow of its own, and the first to be
 * confirmed took the tuple. All of this was measured on Linux 6.18 with packets held in NFQUEUE between tracking
 * and confirmation (tests/kernel/clash.test.ts).
 */
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP, IPPROTO_TCP } from '../packet/protocols.ts';
import {
  F_DST,
  F_KIND,
  F_PORTS,
  F_RDST,
  F_RPORTS,
  F_RSRC,
  F_SRC,
  F_STATUS,
  F_ZONES,
  ROW_WORDS,
} from './flow-table.ts';
import { IPS_DST_NAT_DONE, IPS_SRC_NAT_DONE } from './status.ts';

/** Of these the later packet is dropped; of UDP, UDP-Lite, GRE and all that is generic it joins the winner. */
const DROPPED: readonly number[] = [IPPROTO_TCP, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_SCTP];
const NAT_DONE = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;

/**
 * Whether a packet whose new flow lost its place may go on as a packet of the winner. Once address translation
 * has looked at the winner, both flows must have the same tuples, be it the other way round.
 * @param words rows of the flow table, `loser` and `winner` two of them
 */
export function mayJoin(words: Int32Array, loser: number, winner: number): boolean {
  const a = loser * ROW_WORDS;
  const b = winner * ROW_WORDS;
  if (DROPPED.includes(words[a + F_KIND]! & 255)) return false;
  // Two clients whose zones differ in the original direction alone: each other's answers are not theirs (measured).
  const zones = words[b + F_ZONES]!;
  if (words[a + F_ZONES] !== zones && words[a + F_ZONES] !== swapped(zones)) return false;
  return (words[b + F_STATUS]! & NAT_DONE) === 0 || sameTuples(words, a, b) || mirrored(words, a, b);
}

/** Whether the rows at `a` and `b` have the same tuples in both directions. */
function sameTuples(words: Int32Array, a: number, b: number): boolean {
  for (let i = F_SRC; i <= F_ZONES; i++) if (words[a + i] !== words[b + i]) return false;
  return true;
}

/** Whether each row's original tuple is the other's reply tuple. */
function mirrored(words: Int32Array, a: number, b: number): boolean {
  return (
    words[a + F_KIND] === words[b + F_KIND] &&
    words[a + F_ZONES] === swapped(words[b + F_ZONES]!) &&
    crosses(words, a, b) &&
    crosses(words, b, a)
  );
}

/** The zones of both directions, the other way round. */
function swapped(zones: number): number {
  return (zones << 16) | (zones >>> 16);
}

/** Whether the original tuple of the row at `a` is the reply tuple of the one at `b`. */
function crosses(words: Int32Array, a: number, b: number): boolean {
  return (
    words[a + F_SRC] === words[b + F_RSRC] &&
    words[a + F_DST] === words[b + F_RDST] &&
    words[a + F_PORTS] === words[b + F_RPORTS]
  );
}
