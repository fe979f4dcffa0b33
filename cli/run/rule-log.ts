import { type Firewall, logLine, type Packet, type RuleLog, reasonText } from '@keepstate/engine';
import { counted } from '../counted.ts';
import type { Log } from './log.ts';

/** Lines of packets that are written in a second at most. */
const LINES_A_SECOND = 100;
/** NF_LOG_TCPSEQ | NF_LOG_TCPOPT | NF_LOG_IPOPT: what the kernel says of invalid packets. */
const INVALID_FLAGS = 7;

/** Words for syslog's levels. */
const LEVELS: readonly string[] = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/**
 * What rules log of packets, in the kernel's format, and what nf_conntrack_log_invalid asks for. A flood writes no more
 * than a hundred lines a second; how many more there were is said when the second is over.
 */
export class PacketLog implements RuleLog {
  /** Lines that were not written, since the start. */
  suppressed = 0;

  private readonly output: Log;
  private readonly firewall: Firewall;
  private written = 0;
  private left = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(firewall: Firewall, log: Log) {
    this.firewall = firewall;
    this.output = log;
  }

  log(state: { readonly pkt: Packet }, prefix: string, level: number, flags: number, group: number): void {
    if (!this.mayWrite()) return;
    const line = logLine(this.firewall.host, state.pkt, prefix, flags);
    if (group >= 0) this.output.info('rule-log', line, { group });
    else this.output.info('rule-log', line, { severity: LEVELS[level] ?? 'warning' });
  }

  /** A packet that is INVALID or ignored, as the kernel shows it where nf_conntrack_log_invalid asks for that. */
  invalid(pkt: Packet): void {
    if (!this.mayWrite()) return;
    const prefix = `nf_ct_proto_${pkt.proto}: ${reasonText(pkt.reason, [...pkt.operands])} `;
    this.output.info('invalid', logLine(this.firewall.host, pkt, prefix, INVALID_FLAGS));
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private mayWrite(): boolean {
    this.timer ??= setTimeout(() => this.endSecond(), 1000).unref();
    if (this.written < LINES_A_SECOND) {
      this.written++;
      return true;
    }
    this.left++;
    this.suppressed++;
    return false;
  }

  private endSecond(): void {
    this.timer = null;
    this.written = 0;
    if (this.left === 0) return;
    this.output.warning(
      'rule-log',
      `${counted(this.left, 'line about packets was', 'lines about packets were')} too many to be written`,
    );
    this.left = 0;
  }
}
