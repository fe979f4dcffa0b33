import type { Host } from '../host/host.ts';
import type { PacketTrace } from './packet-trace.ts';
import { TraceLines } from './trace-lines.ts';

/** The lines about traced packets, collected: of `nft monitor trace`, and of xtables' TRACE for the kernel's log. */
export class NftTraceLines {
  /** Lines of `nft monitor trace`, without line ends. */
  readonly lines: string[] = [];
  /** Lines that TRACE of legacy tables writes to the kernel's log, without line ends. */
  readonly logLines: string[] = [];
  private readonly own: TraceLines;

  constructor(host: Host) {
    this.own = new TraceLines(host, {
      nft: (line) => this.lines.push(line),
      log: (line) => this.logLines.push(line),
    });
  }

  /** Forgets the lines so far. */
  clear(): void {
    this.lines.length = 0;
    this.logLines.length = 0;
  }

  /** What a firewall's `tracer` is to be: this one, telling `other` each step as well. */
  beside(other: PacketTrace | null): PacketTrace {
    return other === null ? this.own : both(this.own, other);
  }
}

/** Tells two of each step. */
function both(a: PacketTrace, b: PacketTrace): PacketTrace {
  return {
    begin(pkt) {
      a.begin?.(pkt);
      b.begin?.(pkt);
    },
    atHook(hook, pkt) {
      a.atHook(hook, pkt);
      b.atHook(hook, pkt);
    },
    tracked(pkt) {
      a.tracked(pkt);
      b.tracked(pkt);
    },
    answered(pkt) {
      a.answered?.(pkt);
      b.answered?.(pkt);
    },
    enter(chain, how) {
      a.enter(chain, how);
      b.enter(chain, how);
    },
    matched(chain, rule, index, verdict, target) {
      a.matched(chain, rule, index, verdict, target);
      b.matched(chain, rule, index, verdict, target);
    },
    unmatched(chain, rule, index, expr, part) {
      a.unmatched(chain, rule, index, expr, part);
      b.unmatched(chain, rule, index, expr, part);
    },
    unknown(chain, rule, index, expr, part, why) {
      a.unknown(chain, rule, index, expr, part, why);
      b.unknown(chain, rule, index, expr, part, why);
    },
    returned(chain) {
      a.returned(chain);
      b.returned(chain);
    },
    policy(chain, verdict) {
      a.policy(chain, verdict);
      b.policy(chain, verdict);
    },
  };
}
