import type { Outcome, Packet, RuleLog } from '@keepstate/engine';
import { logLine, NftTraceLines } from '@keepstate/engine';
import { type JsonRuleWishes, jsonRuleFields } from './format/json-rules.ts';
import { stepsText } from './format/steps-text.ts';
import type { Given } from './options.ts';
import type { Session } from './session.ts';
import { Steps } from './steps.ts';

const INDENT = ' '.repeat(8);

function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/** What a trace shows of the rules besides the verdict: steps, log lines, bytes. */
export class RuleView {
  private readonly session: Session;
  private readonly steps: Steps | null;
  private readonly verbose: boolean;
  private readonly bytes: boolean;
  private readonly logs: string[] | null;
  private readonly traces: NftTraceLines | null;
  private readonly colour: boolean;

  /** @param json whether it is for programs: then steps are told only if --verbose asks for them */
  constructor(session: Session, given: Given, json: boolean, colour: boolean) {
    const { firewall } = session;
    this.session = session;
    this.verbose = given.has('verbose');
    this.bytes = given.has('bytes');
    this.colour = colour;
    this.logs = given.has('log') ? [] : null;
    this.traces = given.has('nft-trace') ? new NftTraceLines(firewall.host) : null;
    this.steps = !json || this.verbose ? new Steps() : null;
    firewall.wantsBytes = this.bytes;
    firewall.tracer = this.traces?.beside(this.steps) ?? this.steps;
    if (this.logs !== null) firewall.ruleLog = this.logger(this.logs);
  }

  /** Before a packet: forgets the last one. */
  begin(): void {
    this.steps?.clear();
    this.traces?.clear();
    if (this.logs !== null) this.logs.length = 0;
  }

  /** The fields that rules add to the JSON of a packet, each with a comma in front. */
  json(): string {
    const { host, outcome } = this.session.firewall;
    const wishes: JsonRuleWishes = {
      steps: this.verbose ? (this.steps?.list ?? []) : null,
      bytes: this.bytes,
      log: this.logs,
      nftTrace: this.traces?.lines ?? null,
      device: (index) => host.device(index)?.name ?? null,
    };
    return jsonRuleFields(outcome, wishes);
  }

  /** What stands below a packet's line, lines with their newlines. */
  text(): string {
    const { outcome } = this.session.firewall;
    const lines: string[] = [];
    if (this.steps !== null) lines.push(stepsText(this.steps.list, this.verbose, this.colour));
    for (const line of this.logs ?? []) lines.push(`${INDENT}log: ${line}\n`);
    for (const line of this.traces?.lines ?? []) lines.push(`${line}\n`);
    lines.push(this.answers(outcome));
    return lines.join('');
  }

  private answers(outcome: Outcome): string {
    const lines = outcome.answers.map((a) => {
      const bytes = this.bytes ? `: ${hexText(a.bytes)}` : '';
      return `${INDENT}answers (${a.why})${a.left ? '' : ', but rules drop it'}${bytes}\n`;
    });
    if (this.bytes) for (const out of outcome.out) lines.push(`${INDENT}leaves: ${hexText(out)}\n`);
    return lines.join('');
  }

  private logger(lines: string[]): RuleLog {
    const { host } = this.session.firewall;
    return {
      log(state: { readonly pkt: Packet }, prefix, _level, flags, group): void {
        // What goes to an nfnetlink group is never a line of text.
        lines.push(group < 0 ? logLine(host, state.pkt, prefix, flags) : `nflog group ${group}: ${prefix}`);
      },
    };
  }
}
