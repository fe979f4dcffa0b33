/** Scenarios: a ruleset in the languages that can say it, packets, and the verdict each must get, on both sides. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults, shows } from '../features/record.ts';
import { textCase } from './rules-case.ts';
import { complaint, report, safely } from './rules-compare.ts';
import { EngineRules, EngineRun } from './rules-engine.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import { nft, type Said, say, xt } from './rules-say.ts';
import type { Source } from './rules-types.ts';

/** What a scenario says; at least one of xt, xt6, nft, sources. */
export interface Scenario {
  /** A sentence: what is so. */
  readonly name: string;
  /** iptables rules, for both variants: lines of *filter, or whole restore text. */
  readonly xt?: string;
  /** ip6tables rules likewise. */
  readonly xt6?: string;
  /** Rules of one inet chain (objects of the table before `---`), or a whole nft file. */
  readonly nft?: string;
  /** The hook of that chain; forward if not said. */
  readonly hook?: string;
  /** ipset text, loaded before xt and xt6. */
  readonly sets?: string;
  /** Several languages on one host, in this order of loading. */
  readonly sources?: readonly Source[];
  /** Lines as `say` reads them; empty if the ruleset is refused by the tools. */
  readonly packets: string;
}

/** A moment for virtual time. */
const NOW = 1_700_000_000_000;

function variants({ name, xt: rules, xt6, nft: text, hook, sets, sources }: Scenario): [string, Source[]][] {
  const before: Source[] = sets === undefined ? [] : [{ kind: 'ipset', text: sets }];
  const made: [string, Source[]][] = [];
  const iptables = (kind: 'iptables' | 'ip6tables', lines: string): void => {
    for (const variant of ['legacy', 'nft'] as const)
      made.push([
        `${name} (${kind}-${variant})`,
        [...before, { kind: `${kind}-${variant}`, text: xt(lines) }],
      ]);
  };
  if (rules !== undefined) iptables('iptables', rules);
  if (xt6 !== undefined) iptables('ip6tables', xt6);
  if (text !== undefined) made.push([`${name} (nft)`, [{ kind: 'nft', text: nft(text, hook ?? 'forward') }]]);
  if (sources !== undefined) made.push([name, [...sources]]);
  return made;
}

/** keepstate's verdicts, with the packet they are about; or that the ruleset is refused. */
function judged(sources: readonly Source[], said: readonly Said[]): string[] {
  const rules = new EngineRules();
  if (sources.some((source) => rules.load(source).length > 0)) return ['refused'];
  const engine = new EngineRun(rules.tables());
  let now = NOW;
  return said.map(({ packet, text }) => {
    now += packet.waitMs ?? 0;
    return `${engine.play(packet, now).verdict} ${text.replace(/^\S+\s+/, '')}`;
  });
}

function expected(said: readonly Said[]): string[] {
  if (said.length === 0) return ['refused'];
  return said.map(({ verdict, text }) => `${verdict} ${text.replace(/^\S+\s+/, '')}`);
}

/**
 * Makes the tests of a file: each scenario in each of its languages has the verdicts written down, and the kernel gives
 * the same verdicts, bytes, answers, marks and counters.
 */
export function behaviours(title: string, result: string, scenarios: readonly Scenario[]): void {
  describe.skipIf(!rulesUsable())(title, () => {
    let kernel: RuleKernel;
    beforeAll(async () => {
      kernel = await RuleKernel.open();
    });
    afterAll(() => kernel.close());
    afterAll(() => keepResults(result));
    const all = scenarios.flatMap((scenario) =>
      variants(scenario).map(([name, sources]) => ({ name, sources, packets: scenario.packets })),
    );
    test.each(all)('$name', async ({ sources, packets }) => {
      const said = say(packets);
      const one = textCase(
        sources,
        said.map(({ packet }) => packet),
      );
      const compared = await safely(kernel, one);
      const why = complaint(compared);
      expect(why === null ? '' : await report(kernel, one, why)).toBe('');
      expect(compared.refused).toBe(said.length === 0 ? 'both' : null);
      expect(judged(sources, said)).toEqual(expected(said));
      if (compared.refused === null) for (const { kind, text } of sources) shows('compared', kind, text);
    });
  });
}
