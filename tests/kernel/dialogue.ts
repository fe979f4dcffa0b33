/**
 * Dialogues of helpers and translated flows: the same packets and rules through this machine's kernel and through
 * keepstate. Compared are, for each packet, the state that conntrack gives it, the verdict, every byte that leaves,
 * what rules log, expectations that come and go; and the tables of flows and expectations, after the last packet and,
 * where anything differs, after each.
 */
import { CTINFO_INVALID, CTINFO_NONE, IP_CT_UNTRACKED, type Packet } from '../../engine/packet/packet.ts';
import { expectLine, flowLine, kernelExpectLine, kernelFlowLine } from './dialogue-lines.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import type { RuleKernel } from './rules-oracle.ts';
import type { RuleOutcome, RulePacket, RuleRun, Source, Tables } from './rules-types.ts';
import { differing, kernelView, type PacketView } from './rules-view.ts';

/** Rules, and packets for them. Open the kernel with `{ dialogue: true }`. */
export interface Dialogue {
  readonly sources: readonly Source[];
  readonly packets: readonly RulePacket[];
}

/** What both sides say of a packet. */
export interface DialogueView extends PacketView {
  /** `NEW original` …, `none` if conntrack never gave it one. */
  readonly state: string;
  /** Expectations that were made or went: `NEW 6 1.2.3.4 > …`. */
  readonly events: readonly string[];
}

/** Lines of a table with the seconds that each has left. */
export interface TableView {
  readonly flows: ReadonlyMap<string, number>;
  readonly expects: ReadonlyMap<string, number>;
}

/** A moment for virtual time; only its distance to other moments matters. */
const NOW = 1_700_000_000_000;
/** How much longer a packet's way may take in the kernel than it says (s). */
const SLACK = 0.3;

const STATES: readonly string[] = [
  'ESTABLISHED original',
  'RELATED original',
  'NEW original',
  'ESTABLISHED reply',
  'RELATED reply',
];

function stateOf(pkt: Packet): string {
  if (pkt.ctinfo === CTINFO_INVALID) return 'INVALID';
  if (pkt.ctinfo === CTINFO_NONE) return 'none';
  return pkt.ctinfo === IP_CT_UNTRACKED ? 'UNTRACKED' : STATES[pkt.ctinfo]!;
}

/** keepstate's side of a dialogue. */
export class DialogueRun {
  readonly run: EngineRun;
  private events: string[] = [];

  constructor(rules: EngineRules) {
    this.run = new EngineRun(rules.tables());
    const { conntrack } = this.run.firewall;
    conntrack.sink = {
      event: () => {},
      expectation: (expected, event) => {
        this.events.push(`${event === 1 ? 'NEW' : 'DESTROY'} ${expectLine(conntrack, expected)}`);
      },
    };
  }

  /** One packet. @param now virtual time (ms) */
  play(packet: RulePacket, now: number): DialogueView {
    this.events = [];
    const view = this.run.play(packet, now);
    return { ...view, state: stateOf(this.run.pkt), events: this.events };
  }

  /** The tables now. */
  tables(): TableView {
    const { conntrack } = this.run.firewall;
    const flows = new Map<string, number>();
    conntrack.eachFlow((flow) => flows.set(flowLine(conntrack, flow), conntrack.left(flow) / 1000));
    const expects = new Map<string, number>();
    // The kernel's listing of flows takes those away whose time is up, and with them what they expect.
    for (const one of conntrack.expectations.all())
      if (conntrack.left(one.master) > 0)
        expects.set(expectLine(conntrack, one), (one.expires - conntrack.now) / 1000);
    return { flows, expects };
  }
}

function kernelDialogueView(outcome: RuleOutcome, packet: RulePacket): DialogueView {
  const { tracked } = outcome;
  if (tracked === undefined) throw new Error('open the kernel with { dialogue: true }');
  const view = kernelView(outcome, packet);
  return {
    ...view,
    // Why a helper drops a packet is a reason of keepstate's, not a line of a log.
    log: view.log.filter((line) => !/^<\d>nf_ct_\S+: dropping packet: /.test(line)),
    state: tracked.states[0] ?? 'none',
    events: tracked.events.map(({ type, expect }) => `${type} ${kernelExpectLine(expect)}`),
  };
}

function kernelTables({ flows, expects }: Tables): TableView {
  return {
    flows: new Map(flows.map((entry) => [kernelFlowLine(entry), entry.timeout ?? 0])),
    expects: new Map(expects.map((one) => [kernelExpectLine(one), one.timeout])),
  };
}

/** Lines that one side has alone, or with another time left. */
function tableDifferences(
  what: string,
  kernel: ReadonlyMap<string, number>,
  ours: ReadonlyMap<string, number>,
): string[] {
  const out: string[] = [];
  for (const [line, seconds] of kernel) {
    const left = ours.get(line);
    if (left === undefined) out.push(`${what} of the kernel alone: ${line} (${seconds} s)`);
    else if (left < seconds - SLACK || left > seconds + 1 + SLACK)
      out.push(`${what} ${line}: kernel ${seconds} s, keepstate ${left} s`);
  }
  for (const [line, left] of ours)
    if (!kernel.has(line) && left > 0.05) out.push(`${what} of keepstate alone: ${line} (${left} s)`);
  return out;
}

function compareTables(where: string, kernel: Tables, ours: TableView): string[] {
  const theirs = kernelTables(kernel);
  return [
    ...tableDifferences('flow', theirs.flows, ours.flows),
    ...tableDifferences('expectation', theirs.expects, ours.expects),
  ].map((text) => `${where}: ${text}`);
}

/** Options of a comparison. */
export interface DialogueOptions {
  /** Compare the tables after each packet, 10 ms a time; otherwise after the last. */
  readonly each?: boolean;
  /** Differences that are none: of a text, `null` leaves it out. */
  readonly forgive?: (difference: string) => string | null;
}

/** Kernels in whose namespace legacy tables are: they stay registered, and with them NAT, until it is left. */
const withLegacy: WeakSet<RuleKernel> = new WeakSet();

/** Every difference of a dialogue, in words; empty if there is none. */
export async function compareDialogue(
  kernel: RuleKernel,
  dialogue: Dialogue,
  options: DialogueOptions = {},
): Promise<readonly string[]> {
  const { sources, packets } = dialogue;
  const isLegacy = sources.some(({ kind }) => kind.endsWith('legacy'));
  if (!isLegacy && withLegacy.delete(kernel)) await kernel.reset({ dialogue: true });
  if (isLegacy) withLegacy.add(kernel);
  const run = await kernel.run({ sources, packets, tables: options.each === true ? 'each' : 'end' });
  const forgive = options.forgive ?? ((text: string): string => text);
  return compareDialogueRun(run, dialogue).flatMap((text) => forgive(text) ?? []);
}

/** keepstate's half of {@link compareDialogue}, for a kernel run that was made before. */
export function compareDialogueRun(run: RuleRun, { sources, packets }: Dialogue): string[] {
  const rules = new EngineRules();
  const errors = sources.filter(({ kind }) => kind !== 'shell').flatMap((source) => [...rules.load(source)]);
  const isRefused = errors.length > 0;
  if (!run.ok) return [`refused by ${isRefused ? 'both' : 'the kernel alone'}: ${run.loaded.at(-1)!.stderr}`];
  if (isRefused) return [`refused by keepstate alone: ${errors[0]}`];
  const engine = new DialogueRun(rules);
  const out: string[] = [];
  const start = run.outcomes[0]?.at ?? 0;
  for (const [i, packet] of packets.entries()) {
    const outcome = run.outcomes[i]!;
    const ours = engine.play(packet, NOW + outcome.at - start);
    const found = packetDifferences(i, kernelDialogueView(outcome, packet), ours, packet);
    out.push(
      ...(isRenamed(outcome, packet, ours) ? found.filter((text) => !/ (verdict|mark): /.test(text)) : found),
    );
    const { tables } = outcome.tracked!;
    if (tables !== undefined) out.push(...compareTables(`after packet ${i}`, tables, engine.tables()));
  }
  if (run.tables !== undefined) out.push(...compareTables('at the end', run.tables, engine.tables()));
  return out;
}

/**
 * The oracle knows packets from and to this host at the end of their way by their addresses. Of those that are
 * translated it cannot say whether they came so far: what left and the tables tell.
 */
function isRenamed({ verdict, passed }: RuleOutcome, { from }: RulePacket, ours: DialogueView): boolean {
  if (verdict === 'accept' || ours.verdict !== 'accept') return false;
  return passed.some(({ hook }) => hook === 'input' || (from === 'host' && hook === 'postrouting'));
}

function packetDifferences(
  at: number,
  kernel: DialogueView,
  ours: DialogueView,
  packet: RulePacket,
): string[] {
  const fields: string[] = differing(kernel, ours, packet);
  for (const field of ['state', 'events'] as const)
    if (String(kernel[field]) !== String(ours[field])) fields.push(field);
  return fields.map((field) => {
    const [k, o] = [kernel, ours].map((view) => JSON.stringify(view[field as keyof DialogueView]));
    return `packet ${at} ${field}: kernel ${k}, keepstate ${o}`;
  });
}

/**
 * The differences of a dialogue as a report: if there are any it is played again with the tables after each packet.
 * @returns null if there are none
 */
export async function reportDialogue(
  kernel: RuleKernel,
  dialogue: Dialogue,
  options: DialogueOptions = {},
): Promise<string | null> {
  if ((await compareDialogue(kernel, dialogue, options)).length === 0) return null;
  const found = await compareDialogue(kernel, dialogue, { ...options, each: true });
  if (found.length === 0) return null;
  const rules = dialogue.sources.map(({ kind, text }) => `--- ${kind}\n${text}\n`);
  const packets = dialogue.packets.map(
    ({ from, bytes }, i) => `packet ${i} from ${from}: ${Buffer.from(bytes).toString('hex')}\n`,
  );
  return [...rules, ...packets, ...found.slice(0, 8).map((text) => `${text}\n`)].join('');
}
