/** One case through the kernel and through keepstate, and what differs. */
import { type Case, shrink } from './rules-case.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import { firstDifference, listingDifferences, listingOf, nftText } from './rules-listing.ts';
import type { RuleKernel } from './rules-oracle.ts';
import { differing, isFragment, kernelView, type PacketView } from './rules-view.ts';

/** A packet whose fate differs. */
export interface Difference {
  readonly packet: number;
  readonly fields: readonly string[];
  readonly kernel: PacketView;
  readonly keepstate: PacketView;
}

/** What a comparison found. */
export interface Compared {
  /** Why nothing was compared: the kernel refuses the ruleset, keepstate does. */
  readonly refused: 'kernel' | 'keepstate' | 'both' | null;
  /** The refusing side's words. */
  readonly message: string;
  readonly differences: readonly Difference[];
  /** Packets that keepstate could not judge. */
  readonly unknown: number;
  /** What differs in the counters after the run, in words. */
  readonly counters: string | null;
}

/** A moment for virtual time; only its distance to other moments matters. */
const NOW = 1_700_000_000_000;

/** Plays a case on both sides. */
export async function compareCase(kernel: RuleKernel, { sources, packets }: Case): Promise<Compared> {
  // Of hooks with one priority the one that was registered last comes first, and legacy tables stay registered.
  const kinds = sources.map(({ kind }) => kind);
  const isLegacy = (kind: string): boolean => kind.endsWith('legacy');
  if (kinds.some(isLegacy) && !kinds.every((kind) => isLegacy(kind) || kind === 'ipset'))
    await kernel.reset();
  const run = await kernel.run({
    sources,
    packets,
    collect: listingOf(sources, true),
    listing: { nft: sources.some((source) => source.kind.startsWith('nft')) },
  });
  const rules = new EngineRules();
  const errors = sources.flatMap((source) => [...rules.load(source)]);
  if (!run.ok || errors.length > 0) {
    const refused = run.ok ? 'keepstate' : errors.length > 0 ? 'both' : 'kernel';
    const message = run.ok ? String(errors[0]) : run.loaded.at(-1)!.stderr.trim();
    return { refused, message, differences: [], unknown: 0, counters: null };
  }
  const isListed =
    run.listing.nft === undefined || String(nftText(run.listing.nft)) === String(nftText(rules.listNft()));
  const engine = new EngineRun(rules.tables());
  let now = NOW;
  let unknown = 0;
  const differences: Difference[] = [];
  for (const [i, packet] of packets.entries()) {
    now += packet.waitMs ?? 0;
    const keepstate = engine.play(packet, now);
    if (keepstate.verdict === 'unknown') unknown++;
    const view = kernelView(run.outcomes[i]!, packet);
    const fields = differing(view, keepstate, packet);
    if (fields.length > 0) differences.push({ packet: i, fields, kernel: view, keepstate });
  }
  // Once a packet differs, so do the counters; what was not judged, or came in pieces, may count otherwise.
  const countable =
    unknown === 0 && differences.length === 0 && !packets.some(({ bytes }) => isFragment(bytes));
  const found = countable ? listingDifferences(sources, run.texts, rules, true, now) : [];
  // Where the listings differed before the packets, it is not the counters' fault (rules-listing.test.ts finds it).
  const [first] = found.filter(([name]) => isListed || name !== 'nft');
  const counters = first === undefined ? null : `${first[0]}\n${firstDifference(first[1], first[2])}`;
  return { refused: null, message: '', differences, unknown, counters };
}

/** What is wrong with a comparison, as a word that shrinking must keep; null if nothing is. */
export function complaint(compared: Compared): string | null {
  if (compared.refused === 'keepstate') return `refused: ${compared.message.replace(/^\S+ /, '')}`;
  if (compared.refused === 'kernel') return 'taken: the kernel refuses';
  if (compared.refused !== null) return null;
  if (compared.differences.length === 0)
    return compared.counters === null ? null : `counters: ${compared.counters}`;
  const [first] = compared.differences;
  return `${first!.fields.join('+')}: ${first!.kernel.verdict}/${first!.keepstate.verdict}`;
}

/** The smallest case with the same complaint, as text that tells how to repeat it. */
export async function report(kernel: RuleKernel, failing: Case, why: string): Promise<string> {
  const kind = why.split(':')[0]!;
  const again = async (candidate: Case): Promise<Compared> => {
    // Fragments of the same case played before would still wait in the kernel.
    if (candidate.packets.some(({ bytes }) => isFragment(bytes))) await kernel.reset();
    return safely(kernel, candidate);
  };
  const same = async (candidate: Case): Promise<boolean> => {
    const now = complaint(await again(candidate));
    return now?.split(':')[0] === kind;
  };
  const small = await shrink(failing, same);
  const compared = await again(small);
  const lines = small.sources.map(({ kind: k, text }) => `--- ${k}\n${text}`);
  for (const [i, { from, bytes }] of small.packets.entries())
    lines.push(`packet ${i} from ${from}: ${cut(Buffer.from(bytes).toString('hex'))}\n`);
  if (compared.refused !== null) lines.push(`${compared.refused} refused: ${compared.message}\n`);
  for (const { packet, fields, kernel: k, keepstate } of compared.differences.slice(0, 3)) {
    lines.push(`packet ${packet} differs in ${fields.join(', ')}\n`);
    lines.push(`  kernel    ${cut(JSON.stringify(k))}\n  keepstate ${cut(JSON.stringify(keepstate))}\n`);
  }
  if (compared.counters !== null) lines.push(`counters of ${compared.counters}\n`);
  return lines.join('');
}

/** Long runs of zeros say nothing. */
function cut(text: string): string {
  return text.replace(/(?:00){24,}/g, (zeros) => `<${zeros.length / 2} zeros>`);
}

/** A crash of keepstate is a difference too. */
export async function safely(kernel: RuleKernel, one: Case): Promise<Compared> {
  try {
    const compared = await compareCase(kernel, one);
    // The kernel's log is one for the whole machine: a line of some other namespace may have come in between.
    const isLog = compared.differences.some(({ fields }) => fields.includes('log'));
    // Fragments of a case before may have met those of this one.
    const isPieces = compared.differences.length > 0 && one.packets.some(({ bytes }) => isFragment(bytes));
    if (isPieces) await kernel.reset();
    return isLog || isPieces ? await compareCase(kernel, one) : compared;
  } catch (error) {
    const message = `crash ${error instanceof Error ? (error.stack ?? error.message) : error}`;
    return { refused: 'keepstate', message, differences: [], unknown: 0, counters: null };
  }
}
