import type { Host } from '../host/host.ts';
import type { Packet } from '../packet/packet.ts';
import type { Chain, Rule } from '../rules/chain.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import { familyWord } from '../rules/family.ts';
import {
  NF_ACCEPT,
  NF_DROP,
  NF_QUEUE,
  NF_STOLEN,
  NF_UNKNOWN,
  NF_VERDICT_MASK,
  NFT_CONTINUE,
  NFT_GOTO,
  NFT_JUMP,
  NFT_RETURN,
} from '../rules/verdict.ts';
import { hex, NF_LOG_IPOPT, NF_LOG_TCPOPT, NF_LOG_TCPSEQ, NF_LOG_UID } from './log-bits.ts';
import { logLine } from './log-line.ts';
import type { PacketTrace } from './packet-trace.ts';
import { tracePacket } from './trace-packet.ts';

const VERDICTS: ReadonlyMap<number, string> = new Map([
  [NFT_CONTINUE, 'continue'],
  [NFT_RETURN, 'return'],
  [NF_ACCEPT, 'accept'],
  [NF_DROP, 'drop'],
  [NF_STOLEN, 'stolen'],
  [NF_QUEUE, 'queue'],
  [NF_UNKNOWN, 'unknown'],
]);
/** What TRACE asks the kernel's log for. */
const TRACE_FLAGS = NF_LOG_TCPSEQ | NF_LOG_TCPOPT | NF_LOG_IPOPT | NF_LOG_UID;
/** 2^32 / golden ratio: spreads the numbers of packets over ids that look like the kernel's. */
const ID_STEP = 0x9e3779b1;

/** `accept`, `jump sub`, … */
export function verdictName(verdict: number, target: Chain | null): string {
  if (verdict === NFT_JUMP) return `jump ${target?.name ?? ''}`;
  if (verdict === NFT_GOTO) return `goto ${target?.name ?? ''}`;
  return VERDICTS.get(verdict < 0 ? verdict : verdict & NF_VERDICT_MASK) ?? String(verdict);
}

/** Told each line. */
export interface TraceSink {
  /** A line of `nft monitor trace`, without line end. */
  nft(line: string): void;
  /** A line of the kernel's log by xtables' TRACE, without line end. */
  log(line: string): void;
}

/** A packet under way, or one that waits until its answer has gone. */
interface Way {
  readonly pkt: Packet;
  readonly id: number;
}

/**
 * The lines that Linux writes about packets whose way is traced (`meta nftrace set 1`, `-j TRACE`): those of
 * `nft monitor trace` 1.0.6 for chains of nf_tables, those of the kernel's log for legacy xtables. Ids of packets are
 * numbers of our own; the kernel's are drawn at random.
 */
export class TraceLines implements PacketTrace {
  private readonly host: Host;
  private readonly sink: TraceSink;
  private readonly ways: Way[] = [];
  private count = 0;
  private way: Way | null = null;
  private base: Chain | null = null;
  private chain: Chain | null = null;
  /** Whether the base chain that runs has said what packet it has. */
  private isDescribed = false;
  /** Whether the packet was traced, and its mark, before the rule that runs. */
  private wasTraced = false;
  private markBefore = 0;
  /** Whether the rule that matched last returns by itself. */
  private isReturning = false;

  constructor(host: Host, sink: TraceSink) {
    this.host = host;
    this.sink = sink;
  }

  atHook(_hook: number, pkt: Packet): void {
    if (this.way?.pkt !== pkt) {
      if (this.way !== null) this.ways.push(this.way);
      this.count++;
      this.way = { pkt, id: Math.imul(this.count, ID_STEP) >>> 0 };
    }
  }

  tracked(_pkt: Packet): void {}

  /** A packet of the firewall's own has come to its end, and the one that caused it goes on. */
  answered(pkt: Packet): void {
    while (this.way !== null && this.way.pkt !== pkt) this.way = this.ways.pop() ?? null;
  }

  /** Another packet, even if it uses the same object. */
  begin(_pkt: Packet): void {
    this.way = null;
    this.ways.length = 0;
  }

  enter(chain: Chain, how: 'hook' | 'jump' | 'goto'): void {
    this.chain = chain;
    if (how === 'hook') {
      this.base = chain;
      this.isDescribed = false;
    }
    this.note();
  }

  matched(chain: Chain, rule: Rule, index: number, verdict: number, target: Chain | null): void {
    this.isReturning = verdict === NFT_RETURN;
    if (chain.table.backend === 'legacy') this.legacyRule(chain, rule, index);
    else if (this.isTraced) {
      const text = rule.parts.map((part) => part.text).join(' ');
      this.nftLine(chain, `rule ${text} (verdict ${verdictName(verdict, target)})`);
    }
    this.note();
  }

  unmatched(): void {
    this.note();
  }

  unknown(): void {
    this.note();
  }

  returned(chain: Chain): void {
    if (chain.table.backend === 'legacy' && !this.isReturning)
      this.legacyLine(chain, 'return', chain.rules.length + 1);
    this.isReturning = false;
    this.note();
  }

  policy(chain: Chain, verdict: number): void {
    if (chain.table.backend === 'legacy') {
      // A chain that was gone to comes to its end with the base chain's.
      if (this.chain !== null && this.chain !== chain && this.chain.base === null && !this.isReturning)
        this.legacyLine(this.chain, 'return', this.chain.rules.length + 1);
      this.legacyLine(chain, 'policy', chain.rules.length + 1);
    } else if (this.isTraced) {
      const mark = this.way!.pkt.mark;
      const text = mark === 0 ? '' : `meta mark 0x${hex(mark, 8)} `;
      this.nftLine(chain, `policy ${verdictName(verdict, null)} ${text}`);
    }
    this.isReturning = false;
  }

  private get isTraced(): boolean {
    return this.way !== null && this.way.pkt.nftrace !== 0;
  }

  /** Remembers how things stand before the next rule. */
  private note(): void {
    this.wasTraced = this.isTraced;
    this.markBefore = this.way?.pkt.mark ?? 0;
  }

  private nftLine(chain: Chain, text: string): void {
    const { pkt, id } = this.way!;
    if (!this.isDescribed) {
      this.isDescribed = true;
      const base = this.base ?? chain;
      const family = familyWord(base.table.family);
      this.sink.nft(`${this.head(base, id)} packet: ${tracePacket(this.host, pkt, family)}`);
    }
    this.sink.nft(`${this.head(chain, id)} ${text}`);
  }

  private head(chain: Chain, id: number): string {
    return `trace id ${hex(id, 8)} ${familyWord(chain.table.family)} ${chain.table.name} ${chain.name}`;
  }

  /** Measured: a rule that accepts, drops or returns and asks for nothing counts as a chain's end. */
  private legacyRule(chain: Chain, rule: Rule, index: number): void {
    const [only] = rule.exprs;
    const isEnd = rule.exprs.length === 1 && only instanceof VerdictExpr && isStandard(only.code);
    const kind = !isEnd ? 'rule' : chain.base === null ? 'return' : 'policy';
    this.legacyLine(chain, kind, index + 1);
  }

  private legacyLine(chain: Chain, kind: string, number: number): void {
    if (!this.wasTraced) return;
    const { pkt } = this.way!;
    // The kernel writes the line before the rule's target sets a mark.
    const mark = pkt.mark;
    pkt.mark = this.markBefore;
    const prefix = `TRACE: ${chain.table.name}:${chain.name}:${kind}:${number} `;
    this.sink.log(logLine(this.host, pkt, prefix, TRACE_FLAGS));
    pkt.mark = mark;
  }
}

function isStandard(code: number): boolean {
  return code === NF_ACCEPT || code === NF_DROP || code === NFT_RETURN;
}
