/** Small numbers that stand for verdicts and stages on their way through log prefixes and the process border. */
import type { KernelStage, KernelState } from './types.ts';

/** One possible answer of the rules; its place in VERDICTS is its code. */
export interface VerdictCode {
  readonly state: KernelState | null;
  readonly dir: 'original' | 'reply' | null;
}

/** All answers. Code 0: no rule was reached. Ordered so that the frequent ones are tried first. */
export const VERDICTS: readonly VerdictCode[] = [
  { state: null, dir: null },
  { state: 'ESTABLISHED', dir: 'original' },
  { state: 'ESTABLISHED', dir: 'reply' },
  { state: 'NEW', dir: 'original' },
  { state: 'INVALID', dir: null },
  { state: 'RELATED', dir: 'original' },
  { state: 'RELATED', dir: 'reply' },
  { state: 'UNTRACKED', dir: null },
  { state: 'NEW', dir: 'reply' },
];

/** Stages by code, in the order a packet passes them. */
export const STAGES: readonly KernelStage[] = ['ip', 'defrag', 'conntrack', 'forward', 'out'];
