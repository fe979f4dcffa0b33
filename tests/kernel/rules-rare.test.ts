/** What generated rulesets seldom or never ask, of packets that they seldom meet: counters, bytes and verdicts as in the kernel. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keepResults, shows } from '../features/record.ts';
import { textCase } from './rules-case.ts';
import { complaint, report, safely } from './rules-compare.ts';
import { RuleKernel, rulesUsable } from './rules-oracle.ts';
import { RARE_NFT, type RareNft } from './rules-rare-nft.ts';
import { RARE_XT, type RareXt } from './rules-rare-xt.ts';
import type { RulePacket, Source } from './rules-types.ts';
import { isFragment } from './rules-view.ts';

/** Where chains are: rules see packets tracked and put together, or as they come. */
const PLACES = {
  inet: ['inet', 'type filter hook forward priority 0'],
  ip: ['ip', 'type filter hook forward priority 0'],
  raw: ['inet', 'type filter hook prerouting priority -450'],
} as const;

function nftSource({ rules, at }: RareNft): Source {
  const [family, hook] = PLACES[at ?? 'inet'];
  const lines = rules.map((rule) => `${rule} counter`);
  return { kind: 'nft', text: `table ${family} t {\nchain c {\n${hook}\n${lines.join('\n')}\n}\n}\n` };
}

function xtSources({ family, rules, table }: RareXt): Source[] {
  const kinds =
    family === 4
      ? (['iptables-legacy', 'iptables-nft'] as const)
      : (['ip6tables-legacy', 'ip6tables-nft'] as const);
  const lines = rules.map((rule) => `-A FORWARD ${rule}`);
  return kinds.map((kind) => ({ kind, text: [`*${table ?? 'filter'}`, ...lines, 'COMMIT', ''].join('\n') }));
}

const CASES: readonly (readonly [string, Source, readonly RulePacket[]])[] = [
  ...RARE_NFT.map((rare) => [`nft: ${rare.name}`, nftSource(rare), rare.packets] as const),
  ...RARE_XT.flatMap((rare) =>
    xtSources(rare).map((source) => [`${source.kind}: ${rare.name}`, source, rare.packets] as const),
  ),
];

describe.skipIf(!rulesUsable())('what rulesets seldom ask', () => {
  let kernel: RuleKernel;
  beforeAll(async () => {
    kernel = await RuleKernel.open();
  });
  afterAll(() => kernel.close());
  afterAll(() => keepResults('rules-rare'));

  test.each(CASES)('%s', async (_, source, packets) => {
    const one = textCase([source], packets);
    const compared = await safely(kernel, one);
    const why = complaint(compared);
    expect(why === null ? '' : await report(kernel, one, why)).toBe('');
    expect([compared.refused, compared.unknown]).toEqual([null, 0]);
    shows('compared', source.kind, source.text);
    // Counters are compared in the listing, unless packets came in pieces.
    if (!packets.some(({ bytes }) => isFragment(bytes))) shows('listed', source.kind, source.text);
  });
});
