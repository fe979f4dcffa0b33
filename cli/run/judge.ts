import { CTINFO_NONE, type Firewall, type Outcome, type Packet, REASONS } from '@keepstate/engine';
import type { Judge } from '@keepstate/live';

/** Verdicts are four bits (NF_*, and NF_UNKNOWN), ctinfo is below 16. */
const SHIFT = 4;

/** Reasons that Linux logs: others, as that neighbour discovery is never tracked, are no fault of a packet. */
const LOGGED: ReadonlySet<number> = new Set(
  REASONS.filter(({ effect }) => effect === 'INVALID' || effect === 'ignored').map(({ id }) => id),
);

const TABLE_FULL = REASONS.find(({ name }) => name === 'table-full')!.id;

/** Told of packets that are INVALID, or ignored by tracking, where nf_conntrack_log_invalid asks for it. */
export type InvalidLog = (pkt: Packet) => void;

/**
 * What stands between the drivers and the firewall: counts what became of each packet. Nothing is made for a packet,
 * and who listens to rules' logs or to events hangs at the firewall itself, where nobody is called if nobody listens.
 */
export class FirewallJudge implements Judge {
  readonly outcome: Outcome;
  /** Packets by verdict << 4 | ctinfo. Doubles: a day of a fast link is more than 32 bits hold. */
  readonly packets: Float64Array = new Float64Array(256);
  /** IP bytes by verdict. */
  readonly bytes: Float64Array = new Float64Array(16);
  /** Packets that were dropped since the table was full. */
  withoutRoom = 0;
  /** Protocol whose invalid packets are logged: 0 none, 255 all (nf_conntrack_log_invalid). */
  logInvalid = 0;
  /** Whom to tell of them. */
  onInvalid: InvalidLog | null = null;

  private readonly firewall: Firewall;

  constructor(firewall: Firewall) {
    this.firewall = firewall;
    this.outcome = firewall.outcome;
  }

  judge(pkt: Packet, linktype: number): number {
    const verdict = this.firewall.receive(pkt, linktype);
    const kind = verdict & 15;
    this.packets[(kind << SHIFT) | (pkt.ctinfo & 15)]!++;
    this.bytes[kind]! += pkt.end - pkt.off;
    if (pkt.reason === TABLE_FULL) this.withoutRoom++;
    if (this.logInvalid !== 0 && pkt.reason !== 0) this.tellInvalid(pkt);
    return verdict;
  }

  private tellInvalid(pkt: Packet): void {
    if (pkt.ctinfo === CTINFO_NONE || this.onInvalid === null || !LOGGED.has(pkt.reason)) return;
    if (this.logInvalid === 255 || this.logInvalid === pkt.proto) this.onInvalid(pkt);
  }

  /** Packets with a verdict and a ctinfo. */
  count(verdict: number, ctinfo: number): number {
    return this.packets[(verdict << SHIFT) | ctinfo]!;
  }

  /** Packets by verdict, all ct states together. */
  byVerdict(verdict: number): number {
    let sum = 0;
    for (let ctinfo = 0; ctinfo < 16; ctinfo++) sum += this.count(verdict, ctinfo);
    return sum;
  }

  /** Packets by ctinfo, all verdicts together. */
  byCtinfo(ctinfo: number): number {
    let sum = 0;
    for (let verdict = 0; verdict < 16; verdict++) sum += this.count(verdict, ctinfo);
    return sum;
  }
}
