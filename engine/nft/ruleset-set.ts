import type { CommandOp, ElementNode, SetNode } from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import { MAPPED_KINDS } from './ast-stmt.ts';
import { evalElements, evalSet } from './eval.ts';
import { elementKey, plainElements, type SetShape, setBoxes, shapeOf, valueText } from './eval-elements.ts';
import { coverOf } from './eval-interval.ts';
import { forgetNeighbours, noteAdded, noteDeleted } from './eval-neighbours.ts';
import { type Info, partsOf } from './eval-scope.ts';
import { elementAt, elementValue } from './eval-sorted.ts';
import { setFlags } from './list-set.ts';
import { keptDeclaration } from './ruleset-declared.ts';
import { checkNewName, findSet, findTable, lookTable } from './ruleset-find.ts';
import type { NftSet } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';

/** Gives a set another declaration, and what its evaluation found. */
export function changeSet(t: Transaction, set: NftSet, node: SetNode, plan: unknown = set.plan): void {
  const before = { node: set.node, plan: set.plan };
  t.onUndo(() => {
    set.node = before.node;
    set.plan = before.plan;
  });
  set.node = node;
  set.plan = plan;
}

function typesText(info: Info): string {
  return partsOf(info)
    .map(({ type, bits }) => `${type.name} ${bits}`)
    .join(' . ');
}

/** What the kernel wants to be the same where a set is added that is there already (measured). */
function declarationText({ key, data }: SetShape, node: SetNode): string {
  const values =
    data === null || data === 'verdict' ? data : 'object' in data ? data.object : typesText(data);
  const kinds = (node.stmt ?? []).map((stmt) => Object.keys(stmt)[0]);
  return JSON.stringify([typesText(key), values, setFlags(node), kinds]);
}

/** `add set` of one that exists: its times and its size may be others (measured; no size leaves the one it has). */
function addAgain(t: Transaction, old: NftSet, kind: 'set' | 'map', node: SetNode): void {
  const plan = node.broken === true ? null : evalSet(node, kind, old.table, t);
  // What is wrong with a declaration was said.
  if (plan === null || old.plan === null) {
    return;
  }
  const same = declarationText(shapeOf(old), old.node) === declarationText(plan as SetShape, node);
  if (old.kind !== kind || !same) {
    const lacksFlag = setFlags(old.node).includes('dynamic') && !setFlags(node).includes('dynamic');
    t.fail(
      'File exists',
      node.nameAt,
      lacksFlag
        ? "it is dynamic: say 'flags dynamic' here, too"
        : `there is another ${old.kind} '${node.name}' already`,
    );
  }
  const { timeout, size = old.node.size } = node;
  const times = { timeout, 'gc-interval': node['gc-interval'] };
  changeSet(t, old, { ...old.node, ...times, size, flags: setFlags(node) }, { ...shapeOf(old), timeout });
}

/** Flags and times that the kernel has no set for (measured). */
function refuseFlags(t: Transaction, node: SetNode): void {
  const flags = setFlags(node);
  const expires = flags.includes('timeout');
  if (node['gc-interval'] !== undefined && !expires)
    t.fail('Invalid argument', node.nameAt, "what does not expire has no gc-interval: add 'flags timeout'");
  if (flags.includes('interval') && flags.includes('dynamic'))
    t.fail(
      'Operation not supported',
      node.nameAt,
      'packets cannot change a set with intervals: it is not dynamic',
    );
  const values = node.map?.[0]?.type;
  if (flags.includes('dynamic') && MAPPED_KINDS.some((kind) => kind === values))
    t.fail(
      'Operation not supported',
      node.nameAt,
      'packets cannot change a map to objects: it is not dynamic',
    );
  if (flags.includes('constant') && expires)
    t.fail('Operation not supported', node.nameAt, 'what is constant does not expire');
}

function addSet(t: Transaction, op: CommandOp, kind: 'set' | 'map', written: SetNode): void {
  const node = keptDeclaration(written);
  const table = findTable(t, node.family, node.table, node.tableAt);
  const old = table.sets.get(node.name);
  if (old !== undefined) {
    if (op === 'create') {
      t.fail('File exists', node.nameAt, `there is a ${old.kind} '${node.name}' already`);
    }
    addAgain(t, old, kind, node);
    return;
  }
  const errors = t.errors.length;
  const plan = node.broken === true ? null : evalSet(node, kind, table, t);
  refuseFlags(t, node);
  checkNewName(t, node);
  const handle = t.nextHandle(table);
  const at = t.span(node.nameAt);
  const set: NftSet = { table, name: node.name, handle, kind, at, node, elements: new Map(), plan };
  t.set(table.sets, node.name, set);
  t.made(set);
  if (t.errors.length > errors || node.broken === true) {
    t.broke(set);
  }
}

function deleteSet(t: Transaction, op: CommandOp, kind: 'set' | 'map', node: SetNode): void {
  if (op === 'destroy' && lookTable(t.state, node.family, node.table)?.sets.has(node.name) !== true) {
    return;
  }
  // The kernel does not tell sets and maps apart here.
  const set = findSet(t, node);
  if (t.isUsed(set.table, `set ${set.name}`)) {
    t.fail('Device or resource busy', node.nameAt, `rules still use the ${kind} '${set.name}'`);
  }
  t.usesOf(set.table)?.elements(set, set.elements.values(), -1);
  t.delete(set.table.sets, set.name);
}

/** Empties a set. */
function flushSet(t: Transaction, set: NftSet): void {
  const old = [...set.elements];
  t.usesOf(set.table)?.elements(set, set.elements.values(), -1);
  set.elements.clear();
  forgetNeighbours(set);
  t.onUndo(() => {
    forgetNeighbours(set);
    for (const [key, element] of old) {
      set.elements.set(key, element);
    }
  });
}

/** A command about a set or a map. */
export function applySet(t: Transaction, op: CommandOp, kind: 'set' | 'map', node: SetNode): void {
  switch (op) {
    case 'add':
    case 'create':
      addSet(t, op, kind, node);
      return;
    case 'delete':
    case 'destroy':
      deleteSet(t, op, kind, node);
      return;
    case 'flush':
      flushSet(t, findSet(t, node, kind));
      return;
    default:
      findSet(t, node, kind);
  }
}

/** An element that is added again: its time begins anew, as the new one says; all else stays (measured). */
function withTimes(old: ExprNode, added: ExprNode): ExprNode {
  if ('pair' in old) return { ...old, pair: [withTimes(old.pair[0], added), old.pair[1]] };
  const key = 'pair' in added ? added.pair[0] : added;
  const { timeout, expires } = 'elem' in key ? key.elem : {};
  const parts = 'elem' in old ? old.elem : { val: old };
  return { elem: { ...parts, timeout, expires }, at: old.at };
}

/** Of the same interval twice in one command nft takes the last (measured). */
function lastOfEach(elements: readonly ExprNode[], set: NftSet): readonly ExprNode[] {
  const { interval, key } = shapeOf(set);
  if (!interval || key.parts !== undefined) return elements;
  return [...new Map(elements.map((one) => [`${elementKey(one, set)} ${valueText(one)}`, one])).values()];
}

function refuseMore(t: Transaction, set: NftSet, at: At | undefined): never {
  return t.fail(
    'Too many open files in system',
    at,
    `the ${set.kind} '${set.name}' holds ${set.node.size} elements at most`,
  );
}

function addElement(t: Transaction, op: CommandOp, set: NftSet, element: ExprNode): void {
  const key = elementKey(element, set);
  const old = set.elements.get(key);
  if (old !== undefined) {
    if (op === 'create' || valueText(old) !== valueText(element)) {
      t.error('File exists', elementAt(element), `the ${set.kind} '${set.name}' has this element already`);
    } else if (shapeOf(set).expires) {
      t.set(set.elements, key, withTimes(old, element));
    }
    return;
  }
  const { size } = set.node;
  // Of what is joined only the whole counts.
  if (size !== undefined && set.elements.size >= size && !shapeOf(set).merge)
    refuseMore(t, set, elementAt(element));
  const isThere = (other: ExprNode): boolean => set.elements.get(elementKey(other, set)) === other;
  const overlaps = setBoxes(set)?.add(element, isThere) ?? null;
  if (overlaps !== null) {
    t.error(
      'File exists',
      elementAt(element),
      `this element overlaps another of the ${set.kind} '${set.name}'`,
    );
    return;
  }
  t.set(set.elements, key, element);
  noteAdded(set, element, elementValue(element));
  t.usesOf(set.table)?.elements(set, [element], 1);
}

function deleteElement(t: Transaction, op: CommandOp, set: NftSet, element: ExprNode): void {
  const key = elementKey(element, set);
  const old = set.elements.get(key);
  if (old !== undefined) {
    t.usesOf(set.table)?.elements(set, [old], -1);
    t.deleteUnordered(set.elements, key);
    noteDeleted(set, elementValue(old));
  } else if (op !== 'destroy') {
    t.error(
      'No such file or directory',
      elementAt(element),
      `the ${set.kind} '${set.name}' has no such element`,
    );
  }
}

/** `get element` of what is not there. */
function getElements(t: Transaction, set: NftSet, node: ElementNode): void {
  const { key } = shapeOf(set);
  for (const element of evalElements(node.elem, set, t)) {
    const sought = coverOf(elementValue(element), key);
    const isIn = (one: ExprNode): boolean => {
      const cover = coverOf(elementValue(one), key);
      return cover !== null && sought !== null && cover.low <= sought.low && sought.high <= cover.high;
    };
    if (set.elements.has(elementKey(element, set))) continue;
    if (!shapeOf(set).interval || (key.parts === undefined && ![...set.elements.values()].some(isIn)))
      t.fail('No such file or directory', undefined, `the ${set.kind} '${set.name}' has no such element`);
  }
}

/** A command about elements. */
export function applyElements(t: Transaction, op: CommandOp, node: ElementNode): void {
  const set = findSet(t, node);
  // What is wrong with its declaration was said.
  if (set.plan === null) {
    return;
  }
  if (op === 'get') {
    getElements(t, set, node);
    return;
  }
  t.onUndo(() => forgetNeighbours(set));
  const evaluated = evalElements(node.elem, set, t, op === 'add' || op === 'create');
  for (const element of lastOfEach(evaluated, set)) {
    if (op === 'add' || op === 'create') {
      addElement(t, op, set, element);
    } else {
      deleteElement(t, op, set, element);
    }
  }
  const { size } = set.node;
  if (size === undefined || set.elements.size <= size || !shapeOf(set).merge) return;
  if (plainElements(set).length > size) refuseMore(t, set, elementAt(node.elem.at(-1)!));
}
