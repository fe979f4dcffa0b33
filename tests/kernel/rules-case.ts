/** Generated cases: a ruleset and packets for it, and smaller ones to shrink to. */
import { Dice } from '../traffic/dice.ts';
import { type NftTable, nftRuleset, nftText } from './rules-gen-nft.ts';
import { PacketGenerator } from './rules-gen-packet.ts';
import { setText, type XtRuleset, xtRuleset, xtText } from './rules-gen-xt.ts';
import type { RulePacket, Source } from './rules-types.ts';

/** A ruleset with packets. */
export interface Case {
  readonly sources: readonly Source[];
  readonly packets: readonly RulePacket[];
  /** The same case with less in it, likely ones first. */
  smaller(): Iterable<Case>;
}

/** What to draw a case of. */
export type CaseKind =
  | 'mixed'
  | 'nft'
  | 'iptables-legacy'
  | 'iptables-nft'
  | 'ip6tables-legacy'
  | 'ip6tables-nft';

/** The same list without one element, for each of them; first without its last half. */
function* without<T>(list: readonly T[]): Iterable<readonly T[]> {
  if (list.length > 3) {
    yield list.slice(0, list.length >> 1);
    yield list.slice(list.length >> 1);
  }
  for (let i = list.length - 1; i >= 0; i--) yield [...list.slice(0, i), ...list.slice(i + 1)];
}

/** The same list with one element replaced by smaller ones. */
function* shrunk<T>(list: readonly T[], smaller: (value: T) => Iterable<T>): Iterable<readonly T[]> {
  for (const [i, value] of list.entries())
    for (const less of smaller(value)) yield [...list.slice(0, i), less, ...list.slice(i + 1)];
}

function nftCase(tables: readonly NftTable[], packets: readonly RulePacket[]): Case {
  return {
    sources: [{ kind: 'nft', text: nftText(tables) }],
    packets,
    *smaller(): Iterable<Case> {
      for (const fewer of without(packets)) yield nftCase(tables, fewer);
      for (const fewer of without(tables)) yield nftCase(fewer, packets);
      for (const less of shrunk(tables, smallerTable)) yield nftCase(less, packets);
    },
  };
}

function* smallerTable(table: NftTable): Iterable<NftTable> {
  for (const chains of without(table.chains)) yield { ...table, chains };
  for (const objects of without(table.objects)) yield { ...table, objects };
  const smallerChain = function* (chain: NftTable['chains'][number]): Iterable<NftTable['chains'][number]> {
    for (const rules of without(chain.rules)) yield { ...chain, rules };
    for (const rules of shrunk(chain.rules, without)) yield { ...chain, rules };
  };
  for (const chains of shrunk(table.chains, smallerChain)) yield { ...table, chains };
}

function xtCase(kind: CaseKind, rules: XtRuleset, packets: readonly RulePacket[]): Case {
  const sets: Source[] = rules.sets.length > 0 ? [{ kind: 'ipset', text: setText(rules) }] : [];
  const again = (less: Partial<XtRuleset>): Case => xtCase(kind, { ...rules, ...less }, packets);
  return {
    sources: [...sets, { kind: kind as Source['kind'], text: xtText(rules) }],
    packets,
    *smaller(): Iterable<Case> {
      for (const fewer of without(packets)) yield xtCase(kind, rules, fewer);
      for (const tables of without(rules.tables)) yield again({ tables });
      for (const less of without(rules.sets)) yield again({ sets: less });
      for (const tables of shrunk(rules.tables, smallerXt)) yield again({ tables });
    },
  };
}

function* smallerXt(table: XtRuleset['tables'][number]): Iterable<XtRuleset['tables'][number]> {
  for (const rules of without(table.rules)) yield { ...table, rules };
  const user = table.chains.filter((chain) => chain.includes(' - '));
  for (const chain of user) yield { ...table, chains: table.chains.filter((c) => c !== chain) };
  const smallerRule = function* (rule: (typeof table.rules)[number]): Iterable<(typeof table.rules)[number]> {
    for (const parts of without(rule.parts)) if (parts.length > 0) yield { ...rule, parts };
  };
  for (const rules of shrunk(table.rules, smallerRule)) yield { ...table, rules };
}

/** A case of any texts; made smaller packet by packet and line by line. */
export function textCase(sources: readonly Source[], packets: readonly RulePacket[]): Case {
  return {
    sources,
    packets,
    *smaller(): Iterable<Case> {
      for (const fewer of without(packets)) yield textCase(sources, fewer);
      const smallerText = function* ({ kind, text }: Source): Iterable<Source> {
        for (const lines of without(text.split('\n'))) yield { kind, text: lines.join('\n') };
      };
      for (const less of shrunk(sources, smallerText)) yield textCase(less, packets);
    },
  };
}

/**
 * Old connections are taken off the count once a jiffy (up to 10 ms), those that were never confirmed after two: within
 * one, each packet counts as a connection of its own.
 */
const COUNTED = /connlimit|ct count/;
const PAUSE = 13;

function paced(packets: readonly RulePacket[], text: string): readonly RulePacket[] {
  if (!COUNTED.test(text)) return packets;
  return packets.slice(0, packets.length >> 1).map((packet) => ({ ...packet, waitMs: PAUSE }));
}

/** iptables-legacy, iptables-nft and nft on one host, in any order. */
function mixedCase(dice: Dice, count: number): Case {
  const parts: (readonly Source[])[] = [
    nftCase(nftRuleset(dice, { repeatable: true }), []).sources,
    xtCase('iptables-legacy', xtRuleset(dice, false, true), []).sources.filter(
      ({ kind }) => kind !== 'ipset',
    ),
    xtCase('ip6tables-nft', xtRuleset(dice, true, true), []).sources.filter(({ kind }) => kind !== 'ipset'),
  ];
  const from = dice.below(3);
  const text = (source: Source): Source => ({
    ...source,
    text: source.text.replace(/^-A .*(?:match-set|-j SET).*\n/gm, ''),
  });
  const sources = [...parts.slice(from), ...parts.slice(0, from)].flat().map(text);
  const all = sources.map((source) => source.text).join('');
  return textCase(sources, paced(new PacketGenerator(dice, 46, all).take(count), all));
}

/** The case of a seed: equal seeds give equal cases. */
export function generate(kind: CaseKind, seed: number, count: number, repeatable = true): Case {
  const dice = new Dice(seed);
  if (kind === 'mixed') return mixedCase(dice, count);
  if (kind === 'nft') {
    const tables = nftRuleset(dice, { repeatable });
    const text = nftText(tables);
    return nftCase(tables, paced(new PacketGenerator(dice, 46, text).take(count), text));
  }
  const v6 = kind.startsWith('ip6');
  const rules = xtRuleset(dice, v6, repeatable);
  const text = xtText(rules) + setText(rules);
  return xtCase(kind, rules, paced(new PacketGenerator(dice, v6 ? 6 : 4, text).take(count), text));
}

/**
 * Makes a case smaller as long as it still fails.
 * @param fails whether a case still shows the difference
 * @param tries how many smaller cases to try at most
 */
export async function shrink(
  failing: Case,
  fails: (candidate: Case) => Promise<boolean>,
  tries = 400,
): Promise<Case> {
  let best = failing;
  let left = tries;
  for (let found = true; found; ) {
    found = false;
    for (const candidate of best.smaller()) {
      if (left-- <= 0) return best;
      if (await fails(candidate)) {
        best = candidate;
        found = true;
        break;
      }
    }
  }
  return best;
}
