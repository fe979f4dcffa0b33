/** Rules that no packet reaches, and chains that no rule jumps to. */
import type { Chain, Rule, RuleTable } from '../rules/chain.ts';
import { type Conditions, conditionsOf } from './conditions.ts';
import type { Finding } from './finding.ts';
import { endsHere, outcomeOf, targetsOf } from './outcome.ts';
import { isWithin } from './ranges.ts';

/** `rule 3 (rules.v4:12)` */
function named(rule: Rule, index: number): string {
  return rule.at === null ? `rule ${index + 1}` : `rule ${index + 1} (${rule.at.file}:${rule.at.line})`;
}

/** Whether every packet that `inner` matches is matched by `outer`. */
function covers(outer: Conditions, inner: Conditions): boolean {
  if (outer.fickle) return false;
  for (const text of outer.opaque) if (!inner.opaque.has(text)) return false;
  for (const [key, ranges] of outer.fields) {
    const wanted = inner.fields.get(key);
    if (wanted === undefined || !isWithin(wanted, ranges)) return false;
  }
  return true;
}

function ofChain(chain: Chain): Finding[] {
  const found: Finding[] = [];
  const before: { rule: Rule; index: number; conditions: Conditions; all: boolean }[] = [];
  for (const [index, rule] of chain.rules.entries()) {
    const conditions = conditionsOf(rule);
    const { fields, opaque, fickle } = conditions;
    const end = before.find((b) => covers(b.conditions, conditions));
    if (end !== undefined) found.push(hidden(chain, rule, end));
    else if ([...fields.values()].some((ranges) => ranges.length === 0)) found.push(impossible(chain, rule));
    const all = fields.size === 0 && opaque.size === 0 && !fickle;
    if (endsHere(rule)) before.push({ rule, index, conditions, all });
  }
  return found;
}

function hidden(chain: Chain, rule: Rule, by: { rule: Rule; index: number; all: boolean }): Finding {
  const first = named(by.rule, by.index);
  if (by.all) {
    return {
      code: 'unreachable',
      at: rule.at,
      message: `no packet comes to this rule of chain ${chain.name}: ${first} decides every packet`,
      fix: 'remove it, or move it in front of that rule',
    };
  }
  const same = outcomeOf(by.rule) === outcomeOf(rule);
  return {
    code: 'shadowed',
    at: rule.at,
    message: `this rule of chain ${chain.name} never matches: ${first} matches every packet that it would`,
    fix: same ? 'remove it, it does the same' : 'move it in front of that rule, or make that rule narrower',
  };
}

function impossible(chain: Chain, rule: Rule): Finding {
  return {
    code: 'impossible',
    at: rule.at,
    message: `this rule of chain ${chain.name} matches no packet: its conditions exclude each other`,
    fix: 'split it into rules of their own, or use a set of values',
  };
}

function unusedChains(table: RuleTable): Finding[] {
  const used = new Set([...table.chains.values()].flatMap((chain) => chain.rules.flatMap(targetsOf)));
  return [...table.chains.values()]
    .filter((chain) => chain.base === null && !used.has(chain))
    .map((chain) => ({
      code: 'unused-chain',
      at: chain.at ?? chain.rules[0]?.at ?? null,
      message: `no rule jumps to chain ${chain.name} of table ${table.name}`,
      fix: `remove it, or add a rule that jumps to it (jump ${chain.name}, -j ${chain.name})`,
    }));
}

/** What of a table's rules and chains is never reached. */
export function unreached(table: RuleTable): Finding[] {
  return [...[...table.chains.values()].flatMap(ofChain), ...unusedChains(table)];
}
