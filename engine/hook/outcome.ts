import type { Chain, Rule } from '../rules/chain.ts';

/**
 * What became of a packet:
 * `accept` it left, or was delivered to this host; `drop` a rule, a policy, tracking or routing ended it; `reject` the
 * same, and the firewall answered; `stolen` it was taken over (a fragment held, a rule that keeps it); `queue` handed to
 * user space; `unknown` something that keepstate cannot evaluate would have decided; `none` it never came to any hook.
 */
export type Verdict = 'accept' | 'drop' | 'reject' | 'stolen' | 'queue' | 'unknown' | 'none';

/** A packet that the firewall itself sent because of another. */
export interface Answer {
  /** From its IP header on. */
  readonly bytes: Uint8Array;
  /** 'reject', 'dup', 'icmp' (the IP layer's own errors), … */
  readonly why: string;
  /** Whether it left: OUTPUT or POSTROUTING may have dropped it. */
  readonly left: boolean;
  /** Number of the device by which. */
  readonly ifout: number;
}

/** How much more an accepting rule, or policy, counts than its chain does: see {@link Outcome.pass}. */
export const RULE_WEIGHT = 2;
export const POLICY_WEIGHT = 1;

/** What became of the last packet. One object, written anew for each. */
export class Outcome {
  verdict: Verdict = 'none';
  /** NF_INET_* where it was decided, -1 if at no hook: before the first, by routing, or accepted without any chain. */
  hook = -1;
  /** The base or regular chain that decided, null if none did. */
  chain: Chain | null = null;
  /** The rule that decided, null if it was the chain's policy. */
  rule: Rule | null = null;
  /** Why the verdict is unknown, in words. */
  unknown = '';
  /** Number of the queue, where the verdict is `queue`. */
  queue = 0;
  /** Numbers of the devices it came in by and leaves by, 0 for none. */
  ifin = 0;
  ifout = 0;
  /** What the firewall sent, in order. */
  readonly answers: Answer[] = [];
  /** The packets that left because of it (more than one if it was cut into fragments); only if they were asked for. */
  readonly out: Uint8Array[] = [];
  /** The packet as this host got it, if it did; only if bytes were asked for. */
  delivered: Uint8Array | null = null;

  /** Who knew all this from the start, if anybody did: then it is not written again for the next such packet. */
  way: object | null = null;

  /** How much the chain that decided so far counts, when several accept. */
  weight = 0;

  /** Forgets the last packet. */
  clear(): void {
    this.way = null;
    this.verdict = 'none';
    this.hook = -1;
    this.chain = null;
    this.rule = null;
    this.weight = 0;
    this.ifin = 0;
    this.ifout = 0;
    if (this.answers.length > 0) this.answers.length = 0;
    if (this.out.length > 0) this.out.length = 0;
    if (this.delivered !== null) this.delivered = null;
  }

  /**
   * Notes a chain that let the packet pass. What is shown in the end is the last rule that accepted at priority filter,
   * else the last policy there, else those of other chains.
   * @param weight 2 for a chain at priority filter, 0 for others
   */
  pass(hook: number, weight: number, chain: Chain | null, rule: Rule | null): void {
    const sum = weight + (rule === null ? POLICY_WEIGHT : RULE_WEIGHT);
    if (sum < this.weight) return;
    this.weight = sum;
    this.hook = hook;
    this.chain = chain;
    this.rule = rule;
  }

  /** Notes what ended the packet's way. */
  decide(verdict: Verdict, hook: number, chain: Chain | null, rule: Rule | null): void {
    this.verdict = verdict;
    this.hook = hook;
    this.chain = chain;
    this.rule = rule;
  }
}

/** The number of a rule in its chain, from 1; 0 for none. */
export function ruleNumber(chain: Chain | null, rule: Rule | null): number {
  return chain === null || rule === null ? 0 : chain.rules.indexOf(rule) + 1;
}
