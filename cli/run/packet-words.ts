import {
  CTINFO_INVALID,
  CTINFO_NONE,
  IP_CT_ESTABLISHED,
  IP_CT_ESTABLISHED_REPLY,
  IP_CT_NEW,
  IP_CT_RELATED,
  IP_CT_RELATED_REPLY,
  IP_CT_UNTRACKED,
  NF_ACCEPT,
  NF_DROP,
  NF_QUEUE,
  NF_STOLEN,
  NF_UNKNOWN,
} from '@keepstate/engine';
import type { FirewallJudge } from './judge.ts';

/** Verdicts by name. */
export const VERDICT_WORDS: readonly (readonly [verdict: number, word: string])[] = [
  [NF_ACCEPT, 'accept'],
  [NF_DROP, 'drop'],
  [NF_STOLEN, 'stolen'],
  [NF_QUEUE, 'queue'],
  [NF_UNKNOWN, 'unknown'],
];

/** ct states by name; ctinfo of both directions is one state. */
export const CT_STATE_WORDS: readonly (readonly [word: string, ctinfos: readonly number[]])[] = [
  ['NEW', [IP_CT_NEW]],
  ['ESTABLISHED', [IP_CT_ESTABLISHED, IP_CT_ESTABLISHED_REPLY]],
  ['RELATED', [IP_CT_RELATED, IP_CT_RELATED_REPLY]],
  ['INVALID', [CTINFO_INVALID]],
  ['UNTRACKED', [IP_CT_UNTRACKED]],
  ['NONE', [CTINFO_NONE]],
];

/** Packets by verdict. */
export function packetsByVerdict(judge: FirewallJudge): Record<string, number> {
  return Object.fromEntries(VERDICT_WORDS.map(([verdict, word]) => [word, judge.byVerdict(verdict)]));
}

/** Packets by ct state. */
export function packetsByState(judge: FirewallJudge): Record<string, number> {
  return Object.fromEntries(
    CT_STATE_WORDS.map(([word, ctinfos]) => [word, ctinfos.reduce((n, c) => n + judge.byCtinfo(c), 0)]),
  );
}

/** IP bytes that were accepted, and all others. */
export function bytesByFate(judge: FirewallJudge): { accepted: number; dropped: number } {
  const all = judge.bytes.reduce((sum, n) => sum + n, 0);
  const accepted = judge.bytes[NF_ACCEPT]!;
  return { accepted, dropped: all - accepted };
}
