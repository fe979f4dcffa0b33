import type { Firewall } from '@keepstate/engine';
import type { FirewallJudge } from './judge.ts';
import type { Log } from './log.ts';

/** A table that stays full is told so often (ms). */
const EVERY = 5_000;

/** Tells that the table is full, as Linux does: at once, and while it goes on with the number of packets since. */
export class FullTable {
  private readonly firewall: Firewall;
  private readonly judge: FirewallJudge;
  private readonly log: Log;
  /** Packets that were told of. */
  private told = 0;
  private next = 0;

  constructor(firewall: Firewall, judge: FirewallJudge, log: Log) {
    this.firewall = firewall;
    this.judge = judge;
    this.log = log;
  }

  /** Looks whether there is something to tell. @param now ms of any clock that never goes back */
  look(now: number): void {
    const { withoutRoom } = this.judge;
    if (withoutRoom === this.told || now < this.next) return;
    const max = this.firewall.settings.get('nf_conntrack_max');
    const packets = withoutRoom - this.told;
    this.log.warning('table-full', 'nf_conntrack: table full, dropping packets', { packets, max });
    this.told = withoutRoom;
    this.next = now + EVERY;
  }
}
