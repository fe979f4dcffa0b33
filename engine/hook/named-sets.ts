import type { Span } from '../base/error.ts';
import { worldSets } from '../iptables/ipset-world.ts';
import type { NamedSet } from '../lint/lint.ts';
import type { RuleTable } from '../rules/chain.ts';
import type { Ruleset } from './ruleset.ts';

/** A name as a regular expression that matches nothing else. */
function literal(name: string): string {
  return name.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

/** All that the rules of some tables say, as their tools list them. */
function textOf(tables: readonly RuleTable[]): string {
  const rules = tables.flatMap((table) => [...table.chains.values()].flatMap((chain) => chain.rules));
  return rules.flatMap((rule) => rule.parts.map((part) => part.text)).join('\n');
}

/** The named sets of a ruleset, and whether its rules use them. */
export function namedSets(ruleset: Ruleset): NamedSet[] {
  const nft = [...ruleset.nft.state.tables.values()];
  const text = textOf(ruleset.nft.tables());
  const found: NamedSet[] = nft.flatMap((table) =>
    [...table.sets.values()].map((set) => ({
      what: `${set.kind} ${set.name} of table ${table.family} ${table.name}`,
      at: (set as { at?: Span | null }).at ?? null,
      used: new RegExp(`@${literal(set.name)}(?![\\w./-])`).test(text),
    })),
  );
  const legacy = textOf([...ruleset.ipv4.tables(), ...ruleset.ipv6.tables()]);
  const sets = worldSets(ruleset.world);
  const members = sets.save();
  for (const name of sets.names()) {
    const used = new RegExp(`-set ${literal(name)}(?![\\w.-])`).test(legacy);
    const listed = new RegExp(`^add \\S+ ${literal(name)}(?![\\w.-])`, 'm').test(members);
    found.push({ what: `IP set ${name}`, at: null, used: used || listed });
  }
  return found;
}
