/**
 * Scenarios of translation that tell the state of each packet too: what conntrack says of it, then what becomes of it.
 * keepstate does what is written down, and the kernel agrees in state, bytes, logs, counters, flows and expectations.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareDialogueRun, DialogueRun } from './dialogue.ts';
import { compareNatRun, engineNatView, natReport } from './nat-compare.ts';
import { ends, type Line, linesOf } from './nat-say.ts';
import { EngineRules } from './rules-engine.ts';
import { listingOf } from './rules-listing.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import type { RulePacket, Source } from './rules-types.ts';

/** A ruleset in the languages that can say it, and a conversation. */
export interface Told {
  /** A sentence: what is so. */
  readonly name: string;
  /** Text of nft. */
  readonly nft?: string;
  /** Restore text of iptables, for both variants. */
  readonly xt?: string;
  /** Restore text of ip6tables, for both variants. */
  readonly xt6?: string;
  /** Lines as nat-say.ts reads them, with the state in front of what becomes of the packet: `=> new; host 1024 > outside 53`. */
  readonly packets: string;
}

const NOW = 1_700_000_000_000;

/** How the lines call what dialogues call otherwise. */
const STATES: Readonly<Record<string, string>> = {
  'NEW original': 'new',
  'ESTABLISHED original': 'established',
  'ESTABLISHED reply': 'reply',
  'RELATED original': 'related',
  'RELATED reply': 'related reply',
};

function stateText(state: string): string {
  return STATES[state] ?? state.toLowerCase();
}

function variants({ name, nft, xt, xt6, packets }: Told): [string, Source[], string][] {
  const made: [string, Source[], string][] = [];
  if (nft !== undefined) made.push([`${name} (nft)`, [{ kind: 'nft', text: nft }], packets]);
  for (const kind of ['legacy', 'nft'] as const) {
    const rules: Source[] = [];
    if (xt !== undefined) rules.push({ kind: `iptables-${kind}`, text: xt });
    if (xt6 !== undefined) rules.push({ kind: `ip6tables-${kind}`, text: xt6 });
    if (rules.length > 0) made.push([`${name} (iptables-${kind})`, rules, packets]);
  }
  return made;
}

/** What keepstate makes of the packets, as the lines say it. */
function played(sources: readonly Source[], lines: readonly Line[]): string[] {
  const rules = new EngineRules();
  for (const source of sources) expect(rules.load(source).map(String)).toEqual([]);
  const dialogue = new DialogueRun(rules);
  let now = NOW;
  return lines.map(({ packet, text }) => {
    now += packet.waitMs ?? 0;
    const { state } = dialogue.play(packet, now);
    const { left, delivered } = engineNatView(dialogue.run);
    const out = [...new Set([...left, ...delivered].map(ends))].sort();
    return `${text} => ${stateText(state)}; ${out.length === 0 ? 'nothing' : out.join(' + ')}`;
  });
}

/** Of a whole packet in pieces: that those before the last are held. */
function said({ text, becomes }: Line): string {
  return `${text} => ${becomes === 'nothing' ? 'none; nothing' : becomes}`;
}

/** Every difference between the kernel and keepstate. */
export async function differences(
  kernel: RuleKernel,
  sources: readonly Source[],
  packets: readonly RulePacket[],
): Promise<string> {
  await kernel.reset({ dialogue: true });
  const run = await kernel.run({
    sources,
    packets,
    tables: 'end',
    collect: listingOf(sources, true),
    listing: { nft: sources.some(({ kind }) => kind === 'nft') },
  });
  const found = [
    ...compareNatRun(run, { sources, packets }),
    ...compareDialogueRun(run, { sources, packets }).filter((text) =>
      / (state|events): |: expectation/.test(text),
    ),
  ];
  return found.length === 0 ? '' : natReport({ sources, packets }, found);
}

/** Makes the tests of a file. */
export function told(title: string, scenarios: readonly Told[]): void {
  describe.skipIf(!rulesUsable())(title, () => {
    let kernel: RuleKernel;
    beforeAll(async () => {
      kernel = await RuleKernel.open({ dialogue: true });
    }, 60_000);
    afterAll(() => kernel.close());
    test.each(scenarios.flatMap(variants))(
      '%s',
      async (_name, sources, packets) => {
        const lines = linesOf(packets);
        const raw = lines.map(({ packet }) => packet);
        expect(await differences(kernel, sources, raw)).toBe('');
        expect(played(sources, lines)).toEqual(lines.map(said));
      },
      30_000,
    );
  });
}

/** An nft chain of type nat. */
export function natChain(hook: string, rules: string): string {
  const priority = { prerouting: -100, output: -100, postrouting: 100, input: 100 }[hook];
  return `chain ${hook} {\ntype nat hook ${hook} priority ${priority}\n${rules}\n}\n`;
}

/** An nft table of chains and objects. */
export function table(family: string, ...parts: readonly string[]): string {
  return `table ${family} ${family}t {\n${parts.join('')}}\n`;
}

/** An nft chain of type filter. */
export function filterChain(hook: string, priority: number, rules: string, policy = 'accept'): string {
  const name = `${hook}_${String(priority).replace('-', 'm')}`;
  return `chain ${name} {\ntype filter hook ${hook} priority ${priority}; policy ${policy};\n${rules}\n}\n`;
}
