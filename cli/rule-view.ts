import {
  IPPROTO_TCP,
  logLine,
  NftTraceLines,
  type Outcome,
  Packet,
  packetText,
  type RuleLog,
  resetPacket,
} from '@keepstate/engine';
import { expectedBy } from './expected-by.ts';
import { hexText, type JsonRuleWishes, jsonRuleFields } from './format/json-rules.ts';
import { rewrittenLines } from './format/rewritten-text.ts';
import { stepsText } from './format/steps-text.ts';
import type { Given } from './options.ts';
import { rewritten } from './rewritten.ts';
import type { Session } from './session.ts';
import { Steps } from './steps.ts';

const INDENT = ' '.repeat(8);

/** What the firewall sent, in words. */
function packetLine(bytes: Uint8Array): string {
  const pkt = new Packet();
  resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
  return packetText(pkt);
}

/** What a trace shows of the rules besides the verdict: steps, log lines, bytes. */
export class RuleView {
  private readonly session: Session;
  private readonly steps: Steps | null;
  private readonly verbose: boolean;
  private readonly bytes: boolean;
  private readonly nftTrace: boolean;
  private readonly logs: string[] | null;
  private readonly traces: NftTraceLines | null;
  private readonly colour: boolean;

  /** @param json whether it is for programs: then steps are told only if --verbose asks for them */
  constructor(session: Session, given: Given, json: boolean, colour: boolean) {
    const { firewall } = session;
    this.session = session;
    this.verbose = given.has('verbose');
    this.bytes = given.has('bytes');
    this.nftTrace = given.has('nft-trace');
    this.colour = colour;
    this.logs = given.has('log') ? [] : null;
    this.traces = given.has('nft-trace') || given.has('log') ? new NftTraceLines(firewall.host) : null;
    this.steps = !json || this.verbose ? new Steps() : null;
    firewall.wantsBytes = this.bytes || given.has('write');
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
      log: this.logs === null ? null : [...this.logs, ...(this.traces?.logLines ?? [])],
      nftTrace: this.nftTrace ? (this.traces?.lines ?? null) : null,
      device: (index) => host.device(index)?.name ?? null,
      expectedBy: expectedBy(this.session),
      rewritten: rewritten(this.session),
    };
    return jsonRuleFields(outcome, wishes);
  }

  /** What stands below a packet's line, lines with their newlines. */
  text(): string {
    const { outcome } = this.session.firewall;
    const lines: string[] = [];
    const steps = this.steps?.list ?? [];
    lines.push(this.expected(), stepsText(steps, false, this.verbose, this.colour));
    lines.push(this.helped(), this.leaves());
    for (const line of this.logs ?? []) lines.push(`${INDENT}log: ${line}\n`);
    if (this.logs !== null)
      for (const line of this.traces?.logLines ?? []) lines.push(`${INDENT}log: ${line}\n`);
    if (this.nftTrace) for (const line of this.traces?.lines ?? []) lines.push(`${line}\n`);
    lines.push(this.answers(outcome), stepsText(steps, true, this.verbose, this.colour));
    return lines.join('');
  }

  /** Who expected the flow that the packet opened. */
  private expected(): string {
    const by = expectedBy(this.session);
    if (by === null) return '';
    const helper = by.helper === null ? '' : `, helper ${by.helper}`;
    return `${INDENT}expected by flow ${by.flow}${helper}\n`;
  }

  /** What a helper did to what the packet carries. */
  private helped(): string {
    const done = rewritten(this.session);
    if (done === null) return '';
    const lines = rewrittenLines(done, this.session.pkt.proto === IPPROTO_TCP);
    return lines.map((line) => `${INDENT}${line}\n`).join('');
  }

  /** What rules made of the packet, where that shows. */
  private leaves(): string {
    const { pkt, arrived } = this.session;
    if (pkt === arrived) return '';
    const after = packetText(pkt);
    return after === packetText(arrived) ? '' : `${INDENT}becomes ${after}\n`;
  }

  private answers(outcome: Outcome): string {
    const lines = outcome.answers.map((a) => {
      const bytes = this.bytes ? `: ${hexText(a.bytes)}` : '';
      const dropped = a.left ? '' : ' -- but rules drop it';
      return `${INDENT}answer (${a.why}): ${packetLine(a.bytes)}${dropped}${bytes}\n`;
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
