/** Rules that no packet reaches, and chains that no rule jumps to. */
import type { Chain, Rule, RuleTable } from '../rules/chain.ts';
import { type Conditions, conditionsOf, FIELD_BITS } from './conditions.ts';
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

/** A rule after which the packets that it matches do not go on. */
interface Ending {
  readonly rule: Rule;
  readonly index: number;
  readonly conditions: Conditions;
  readonly all: boolean;
}

/** Bytes of the fields whose single values many rules are told apart by: addresses, ports, names of devices. */
const TELLING: ReadonlyMap<string, number> = new Map([
  ['payload 1 12', 4],
  ['payload 1 16', 4],
  ['payload 1 8', 16],
  ['payload 1 24', 16],
  ['payload 2 0', 2],
  ['payload 2 2', 2],
]);
/** Rules without such a value are compared with all behind them: so many at most, for the sake of long chains. */
const MOST_OTHERS = 1000;

/** The single values of a rule's telling fields, as keys. */
function valuesOf({ fields }: Conditions): string[] {
  const found: string[] = [];
  for (const [key, bytes] of TELLING) {
    const [range, more] = fields.get(key) ?? [];
    if (range === undefined || more !== undefined) continue;
    const width = 1n << BigInt(FIELD_BITS - 8 * bytes);
    if (range[1] - range[0] < width) found.push(`${key} ${range[0]}`);
  }
  return found;
}

/** The rules so far that may cover a later one: where their single value is one of its own, or they have none. */
class Endings {
  private readonly byValue: Map<string, Ending[]> = new Map();
  private readonly others: Ending[] = [];

  add(ending: Ending): void {
    const [value] = valuesOf(ending.conditions);
    if (value === undefined) {
      if (this.others.length < MOST_OTHERS) this.others.push(ending);
      return;
    }
    const list = this.byValue.get(value);
    if (list === undefined) this.byValue.set(value, [ending]);
    else list.push(ending);
  }

  /** The first rule that matches all that these conditions would, undefined if there is none. */
  covering(conditions: Conditions): Ending | undefined {
    const lists = [this.others, ...valuesOf(conditions).map((value) => this.byValue.get(value) ?? [])];
    const found = lists.flatMap((list) => list.find((e) => covers(e.conditions, conditions)) ?? []);
    return found.sort((a, b) => a.index - b.index)[0];
  }
}

function ofChain(chain: Chain): Finding[] {
  const found: Finding[] = [];
  const before = new Endings();
  for (const [index, rule] of chain.rules.entries()) {
    const conditions = conditionsOf(rule);
    const { fields, opaque, fickle } = conditions;
    const end = before.covering(conditions);
    const never = [...fields.values()].some((ranges) => ranges.length === 0);
    // That it matches nothing at all is worth more than that another rule would have matched it, too.
    if (never && end?.all !== true) found.push(impossible(chain, rule));
    else if (end !== undefined) found.push(hidden(chain, rule, end));
    const all = fields.size === 0 && opaque.size === 0 && !fickle;
    if (endsHere(rule)) before.add({ rule, index, conditions, all });
  }
  return found;
}

function hidden(chain: Chain, rule: Rule, by: Ending): Finding {
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
