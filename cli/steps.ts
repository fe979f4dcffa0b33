import {
  type Chain,
  ctDirectionOf,
  ctStateOf,
  hookName,
  type NatDecision,
  type Packet,
  type PacketTrace,
  type Rule,
  verdictName,
} from '@keepstate/engine';

/** What happened to a packet at one place of its way. */
export interface Step {
  readonly kind:
    | 'hook'
    | 'conntrack'
    | 'nat'
    | 'chain'
    | 'match'
    | 'no match'
    | 'unknown'
    | 'return'
    | 'policy';
  /** PREROUTING, INPUT, … */
  readonly hook: string;
  readonly chain: Chain | null;
  readonly rule: Rule | null;
  /** Number of the rule in its chain, from 1; 0 without one. */
  readonly number: number;
  /** accept, drop, continue, `jump NAME`, …; the ct state of conntrack; how a chain was come to. */
  readonly says: string;
  /** The part of the rule that did not match, or that is unknown; '' if there is none. */
  readonly part: string;
  /** Whether it happened to a packet that the firewall sent because of this one. */
  readonly answer: boolean;
  /** Of `nat`: what was decided. */
  readonly nat: NatDecision | null;
}

/** The hook of a base chain, '' of any other. */
function hookOf(chain: Chain | null): string {
  return chain?.base ? hookName(chain.base.hook) : '';
}

/** Writes down every step of a packet past the rules. */
export class Steps implements PacketTrace {
  private readonly own: Step[] = [];
  /** What the firewall sends comes to its hooks in the middle of the rule that sends it. */
  private readonly answers: Step[] = [];
  private pkt: Packet | null = null;
  private current: Packet | null = null;
  private hook = '';

  /** The steps of the packet, then those of what the firewall sent because of it. */
  get list(): readonly Step[] {
    return this.answers.length === 0 ? this.own : [...this.own, ...this.answers];
  }

  /** Forgets the last packet. */
  clear(): void {
    this.own.length = 0;
    this.answers.length = 0;
    this.hook = '';
  }

  begin(pkt: Packet): void {
    this.pkt = pkt;
    this.current = pkt;
  }

  answered(pkt: Packet): void {
    this.current = pkt;
  }

  atHook(hook: number, pkt: Packet): void {
    this.current = pkt;
    this.hook = hookName(hook);
    this.add('hook', null, null, 0, this.hook);
  }

  tracked(pkt: Packet): void {
    const state = ctStateOf(pkt.ctinfo) ?? '-';
    this.add('conntrack', null, null, 0, [state, ctDirectionOf(pkt.ctinfo) ?? ''].join(' ').trim());
  }

  decided(_pkt: Packet, decision: NatDecision): void {
    this.add('nat', null, null, 0, decision.text, '', decision);
  }

  enter(chain: Chain, how: 'hook' | 'jump' | 'goto'): void {
    this.add('chain', chain, null, 0, how);
  }

  matched(chain: Chain, rule: Rule, index: number, verdict: number, target: Chain | null): void {
    this.add('match', chain, rule, index + 1, verdictName(verdict, target));
  }

  unmatched(chain: Chain, rule: Rule, index: number, _expr: number, part: number): void {
    this.add('no match', chain, rule, index + 1, 'no match', rule.parts[part]?.text);
  }

  unknown(chain: Chain, rule: Rule, index: number, _expr: number, part: number, why: string): void {
    this.add('unknown', chain, rule, index + 1, why, rule.parts[part]?.text);
  }

  returned(chain: Chain): void {
    this.add('return', chain, null, 0, 'return');
  }

  policy(chain: Chain, verdict: number): void {
    this.add('policy', chain, null, 0, verdictName(verdict, null));
  }

  private add(
    kind: Step['kind'],
    chain: Chain | null,
    rule: Rule | null,
    number: number,
    says: string,
    part = '',
    nat: NatDecision | null = null,
  ): void {
    const answer = this.current !== this.pkt;
    const hook = kind === 'hook' || rule === null ? this.hook : hookOf(chain) || this.hook;
    (answer ? this.answers : this.own).push({ kind, hook, chain, rule, number, says, part, answer, nat });
  }
}
