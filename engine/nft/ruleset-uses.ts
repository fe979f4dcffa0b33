import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { NftRule, NftSet, NftTable } from './ruleset-state.ts';

/** What a rule or an element refers to: `chain x`, `set x`, `counter x`, …. */
type Uses = ReadonlySet<string>;

const known: WeakMap<object, Uses> = new WeakMap();

/** Takes note of the names in a node and in all that it holds. */
function collect(node: unknown, uses: Set<string>): void {
  if (Array.isArray(node)) {
    for (const one of node) {
      collect(one, uses);
    }
    return;
  }
  if (typeof node !== 'object' || node === null) {
    return;
  }
  for (const [key, value] of Object.entries(node)) {
    if (value !== null && typeof value === 'object') {
      note(key, value as Record<string, unknown>, uses);
      collect(value, uses);
    } else if (key === 'setref') {
      uses.add(`set ${String(value)}`);
    }
  }
}

function note(key: string, value: Record<string, unknown>, uses: Set<string>): void {
  if (key === 'jump' || key === 'goto') {
    uses.add(`chain ${String(value.target)}`);
  } else if ((key === 'set' || key === 'map') && typeof value[key] === 'string') {
    uses.add(`set ${value[key]}`);
  } else if (key === 'objref') {
    noteObjects(String(value.type), value.name as ExprNode, uses);
  } else if (key === 'flow') {
    uses.add(`flowtable ${String(value.flowtable)}`);
  } else if (key === 'meter') {
    uses.add(`meter ${String(value.name)}`);
  }
}

function noteObjects(type: string, name: ExprNode, uses: Set<string>): void {
  if ('symbol' in name) {
    uses.add(`${type} ${name.symbol}`);
  } else if ('map' in name && 'set' in name.map.data) {
    for (const element of name.map.data.set) {
      if ('pair' in element) {
        noteObjects(type, element.pair[1], uses);
      }
    }
  }
}

function usesOf(owner: object, nodes: unknown): Uses {
  let uses = known.get(owner);
  if (uses === undefined) {
    const found = new Set<string>();
    collect(nodes, found);
    uses = found;
    known.set(owner, uses);
  }
  return uses;
}

/** What a map's element refers to, with the kind of objects that the map gives. */
function elementUses(element: ExprNode, objects: string | undefined): Uses {
  if (objects === undefined || !('pair' in element)) {
    return usesOf(element, element);
  }
  const uses = new Set<string>();
  noteObjects(objects, element.pair[1], uses);
  return uses;
}

/** Whether statements refer to something, written as for {@link ruleUses}. */
export function refersTo(expr: readonly StmtNode[], what: string): boolean {
  const uses = new Set<string>();
  collect(expr, uses);
  return uses.has(what);
}

/** Whether a rule refers to something: `chain x`, `set x`, `ct helper x`, …. */
export function ruleUses(rule: NftRule, what: string): boolean {
  return usesOf(rule, [rule.node.expr, rule.expr]).has(what);
}

/** How often each thing of a table is referred to, kept up to date while a transaction changes it. */
export class UseIndex {
  readonly #counts: Map<string, number> = new Map();

  constructor(table: NftTable) {
    for (const chain of table.chains.values()) {
      this.rules(chain.rules, 1);
    }
    for (const set of table.sets.values()) {
      this.elements(set, set.elements.values(), 1);
    }
  }

  /** Whether anything refers to something, written as for {@link ruleUses}. */
  has(what: string): boolean {
    return (this.#counts.get(what) ?? 0) > 0;
  }

  /** Rules come (1) or go (-1). */
  rules(rules: Iterable<NftRule>, by: 1 | -1): void {
    for (const rule of rules) {
      this.#add(usesOf(rule, [rule.node.expr, rule.expr]), by);
    }
  }

  /** Elements come (1) or go (-1). */
  elements(set: NftSet, elements: Iterable<ExprNode>, by: 1 | -1): void {
    if (set.kind !== 'map') {
      return;
    }
    const type = set.node.map?.[0]?.type;
    const objects = type === 'verdict' ? undefined : type;
    for (const element of elements) {
      this.#add(elementUses(element, objects), by);
    }
  }

  #add(uses: Uses, by: number): void {
    for (const what of uses) {
      this.#counts.set(what, (this.#counts.get(what) ?? 0) + by);
    }
  }
}

/** A copy of a node in which every jump and goto to one chain goes to another; the node itself if there is none. */
export function retarget<T>(node: T, from: string, to: string): T {
  if (typeof node !== 'object' || node === null) {
    return node;
  }
  if (Array.isArray(node)) {
    const copies = node.map((one: unknown) => retarget(one, from, to));
    return copies.every((one, i) => one === node[i]) ? node : (copies as T);
  }
  let copy: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(node)) {
    const changed = key === 'target' && value === from ? to : retarget(value, from, to);
    if (changed !== value) {
      copy ??= { ...(node as Record<string, unknown>) };
      copy[key] = changed;
    }
  }
  return (copy ?? node) as T;
}

/**
 * Number of handles that a rule's statements take before the rule does: one for each anonymous set, for a meter, and
 * in `jump { … }` for the chain and for each of its rules.
 */
export function countHandles(node: unknown): number {
  let count = 0;
  if (Array.isArray(node)) {
    for (const one of node) {
      count += countHandles(one);
    }
    return count;
  }
  if (typeof node !== 'object' || node === null) {
    return 0;
  }
  for (const key in node) {
    const value = (node as Record<string, unknown>)[key];
    if (typeof value !== 'object' || value === null || key === 'type') {
      continue;
    }
    const many = Array.isArray(value);
    if ((key === 'set' && many) || key === 'meter') {
      count++;
    } else if (key === 'rules' && many) {
      count += 1 + value.length;
    }
    count += countHandles(value);
  }
  return count;
}
