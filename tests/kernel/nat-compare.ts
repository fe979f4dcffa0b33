/**
 * Translated packets through this machine's kernel and through keepstate: every byte that leaves or is delivered, what
 * rules log, mark and count, and the table of flows at the end.
 */
import { shows } from '../features/record.ts';
import { flowLine, kernelFlowLine } from './dialogue-lines.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import { firstDifference, listingDifferences, listingOf, nftText } from './rules-listing.ts';
import type { RuleKernel } from './rules-oracle.ts';
import type { RuleOutcome, RulePacket, RuleRun, Source } from './rules-types.ts';
import { isFragment, kernelView, toHost } from './rules-view.ts';

/** Rules, and packets for them. Open the kernel with `{ dialogue: true }`. */
export interface NatCase {
  readonly sources: readonly Source[];
  readonly packets: readonly RulePacket[];
}

/** The fate of one packet, in an order that hangs on nothing. */
export interface NatView {
  readonly left: readonly string[];
  readonly delivered: readonly string[];
}

const NOW = 1_700_000_000_000;
const SLACK = 0.4;
const SCTP_STATES: readonly string[] = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
];
const ERRORS: readonly number[] = [3, 4, 5, 11, 12];

function headerSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}

/** Hex of a packet. The id of the host's own ICMP errors is random: it, and a header sum that is right, are left out. */
export function bytesText(bytes: Uint8Array): string {
  const copy = Buffer.from(bytes);
  if (copy[0]! >> 4 === 4 && copy[9] === 1 && ERRORS.includes(copy[20]!)) {
    const isRight = headerSum(copy) === 0xffff;
    copy.writeUInt16BE(0, 4);
    if (isRight) copy.writeUInt16BE(0, 10);
  }
  // Fragments of IPv6 get a random id as they leave.
  if (copy[0]! >> 4 === 6 && copy[6] === 44) copy.writeUInt32BE(0, 44);
  return copy.toString('hex');
}

function ordered(list: readonly Uint8Array[], before = ''): string[] {
  return list.map((bytes) => before + bytesText(bytes)).sort();
}

/** Of resets that this host sends to itself Linux leaves the checksum to a card that there is not. */
function deliveredText(bytes: Uint8Array): Uint8Array {
  const at = bytes[0]! >> 4 === 4 ? 20 : 40;
  const isReset = bytes[at - (at === 20 ? 11 : 34)] === 6 && ((bytes[at + 13] ?? 0) & 4) !== 0;
  return isReset ? Uint8Array.from(bytes, (byte, i) => (i === at + 16 || i === at + 17 ? 0 : byte)) : bytes;
}

/** The kernel's side. */
export function kernelNatView({ left, passed }: RuleOutcome): NatView {
  return {
    left: ordered(left.map(({ bytes }) => bytes)),
    delivered: ordered(
      passed.filter(({ hook }) => hook === 'input').map(({ bytes }) => deliveredText(bytes)),
    ),
  };
}

/** keepstate's side, of the packet that was just played. */
export function engineNatView({ firewall }: EngineRun): NatView {
  const { answers, out, delivered } = firewall.outcome;
  const sent = answers.filter((answer) => answer.left).map(({ bytes }) => bytes);
  const isLocal = (bytes: Uint8Array): boolean =>
    toHost(bytes) || (bytesText(bytes).startsWith('45') && bytes[16] === 127);
  return {
    left: ordered([...sent.filter((bytes) => !isLocal(bytes)), ...out]),
    delivered: ordered(
      [...sent.filter(isLocal), ...(delivered === null ? [] : [delivered])].map(deliveredText),
    ),
  };
}

/** Every difference of a case, in words; empty if there is none. */
export async function compareNat(kernel: RuleKernel, nat: NatCase): Promise<readonly string[]> {
  const run = await kernel.run({
    ...nat,
    tables: 'end',
    collect: listingOf(nat.sources, true),
    listing: { nft: nat.sources.some(({ kind }) => kind === 'nft') },
  });
  const found = compareNatRun(run, nat);
  if (found.length === 0 && run.ok) for (const { kind, text } of nat.sources) shows('compared', kind, text);
  return found;
}

/** keepstate's half of {@link compareNat}. */
export function compareNatRun(run: RuleRun, { sources, packets }: NatCase): string[] {
  const rules = new EngineRules();
  const errors = sources.flatMap((source) => [...rules.load(source)]);
  if (!run.ok) return errors.length > 0 ? [] : [`refused by the kernel alone: ${run.loaded.at(-1)!.stderr}`];
  if (errors.length > 0) return [`refused by keepstate alone: ${errors[0]}`];
  const isListed =
    run.listing.nft === undefined || String(nftText(run.listing.nft)) === String(nftText(rules.listNft()));
  const engine = new EngineRun(rules.tables());
  const out: string[] = [];
  const start = run.outcomes[0]?.at ?? 0;
  let now = NOW;
  for (const [i, packet] of packets.entries()) {
    const outcome = run.outcomes[i]!;
    now = NOW + outcome.at - start;
    const { log, groups } = engine.play(packet, now);
    const theirs = { ...kernelNatView(outcome), ...logsOf(kernelView(outcome, packet)) };
    const ours = { ...engineNatView(engine), ...logsOf({ log, groups }) };
    for (const field of ['left', 'delivered', 'logs'] as const)
      if (String(theirs[field]) !== String(ours[field]))
        out.push(`packet ${i} ${field}: kernel ${theirs[field]}, keepstate ${ours[field]}`);
    const { verdict, answers } = engine.firewall.outcome;
    const last = outcome.passed.at(-1);
    // Who was answered went another way at the end than the answer.
    if (
      verdict === 'accept' &&
      answers.length === 0 &&
      last !== undefined &&
      last.mark !== engine.pkt.mark >>> 0
    )
      out.push(`packet ${i} mark: kernel ${last.mark}, keepstate ${engine.pkt.mark >>> 0}`);
  }
  out.push(...compareFlows(run, engine));
  // Pieces may count otherwise, and so does all behind a difference.
  if (out.length > 0 || packets.some(({ bytes }) => isFragment(bytes))) return out;
  const counted = listingDifferences(sources, run.texts, rules, true, now);
  return counted
    .filter(([name]) => isListed || name !== 'nft')
    .map(([name, kernel, keepstate]) => `counters of ${name}:\n${firstDifference(kernel, keepstate)}`);
}

function logsOf({ log, groups }: { log: readonly string[]; groups: readonly string[] }): { logs: string[] } {
  return { logs: [...log, ...groups] };
}

function compareFlows(run: RuleRun, { firewall }: EngineRun): string[] {
  const { conntrack } = firewall;
  const state = (_: string, n: string): string => SCTP_STATES[Number(n)]!;
  const theirs = new Map(
    (run.tables?.flows ?? []).map((entry) => [
      kernelFlowLine(entry).replace(/(?<= )sctp(\d)/, state),
      entry.timeout ?? 0,
    ]),
  );
  const ours = new Map<string, number>();
  conntrack.eachFlow((flow) => ours.set(flowLine(conntrack, flow), conntrack.left(flow) / 1000));
  const out: string[] = [];
  for (const [line, seconds] of theirs) {
    const left = ours.get(line);
    if (left === undefined) out.push(`flow of the kernel alone: ${line} (${seconds} s)`);
    else if (left < seconds - SLACK || left > seconds + 1 + SLACK)
      out.push(`flow ${line}: kernel ${seconds} s, keepstate ${left} s`);
  }
  for (const [line, left] of ours)
    if (!theirs.has(line) && left > 0.05) out.push(`flow of keepstate alone: ${line} (${left} s)`);
  return out;
}

/** A case that differs, as text to look into. */
export function natReport({ sources, packets }: NatCase, found: readonly string[]): string {
  const rules = sources.map(({ kind, text }) => `--- ${kind}\n${text}\n`);
  const hex = packets.map(
    ({ from, bytes }, i) => `packet ${i} from ${from}: ${Buffer.from(bytes).toString('hex')}\n`,
  );
  return [...rules, ...hex, ...found.slice(0, 8).map((text) => `${text}\n`)].join('');
}
