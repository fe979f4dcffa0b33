import type { CommandOp, CounterNode, FlowtableNode, NamedNode } from './ast.ts';
import type { ObjectKind } from './ast-stmt.ts';
import { ctObjectTrouble } from './ct-object.ts';
import { UNTRACKED } from './eval-family.ts';
import { limitTrouble, quotaTrouble } from './limit-range.ts';
import { checkNewName, findTable, lookTable } from './ruleset-find.ts';
import type { NftFlowtable, NftObject, NftTable, ObjectBody } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';

/** What both objects and flowtables have. */
interface Thing {
  readonly name: string;
  readonly handle: number;
}

/** The entry of a map that a command names, by name or handle. */
function find<T extends Thing>(
  t: Transaction,
  kind: string,
  node: NamedNode,
  map: Map<string, T>,
): [string, T] {
  const prefix = kind === 'flowtable' ? '' : `${kind} `;
  if (node.handle !== undefined) {
    const found = [...map].find(([key, one]) => one.handle === node.handle && key.startsWith(prefix));
    return (
      found ??
      t.missing(`${kind} with handle ${node.handle} in table ${node.family} ${node.table}`, node.nameAt)
    );
  }
  const key = prefix + node.name;
  const one =
    map.get(key) ?? t.missing(`${kind} '${node.name}' in table ${node.family} ${node.table}`, node.nameAt);
  return [key, one];
}

/** Adds something, or complains that `create` found it there. */
function add<T extends Thing>(
  t: Transaction,
  op: CommandOp,
  about: { kind: string; key: string; node: NamedNode; map: Map<string, T> },
  make: () => T,
): void {
  const { kind, key, node, map } = about;
  if (!map.has(key)) {
    checkNewName(t, node);
    t.set(map, key, make());
  } else if (op === 'create') {
    t.fail('File exists', node.nameAt, `there is a ${kind} '${node.name}' already`);
  }
}

/** Deletes something that nothing uses. */
function remove<T extends Thing>(
  t: Transaction,
  kind: string,
  node: NamedNode,
  table: NftTable,
  map: Map<string, T>,
): void {
  const [key, one] = find(t, kind, node, map);
  if (t.isUsed(table, `${kind} ${one.name}`)) {
    t.fail('Device or resource busy', node.nameAt, `rules or maps still use the ${kind} '${one.name}'`);
  }
  t.delete(map, key);
}

/** `destroy` of something that is not there does nothing. */
function isGone(t: Transaction, op: CommandOp, kind: string, node: NamedNode): boolean {
  if (op !== 'destroy') {
    return false;
  }
  const table = lookTable(t.state, node.family, node.table);
  const there =
    kind === 'flowtable' ? table?.flowtables.has(node.name) : table?.objects.has(`${kind} ${node.name}`);
  return there !== true;
}

/** Objects that need tracking of the table's family. */
const TRACKING: ReadonlySet<string> = new Set(['ct helper', 'ct timeout', 'synproxy']);

/** What an object must say to be one. */
function incomplete(t: Transaction, kind: ObjectKind, node: ObjectBody): string | null {
  if (TRACKING.has(kind) && UNTRACKED.has(node.family))
    return `Protocol error: the ${node.family} family has no tracking`;
  if (kind === 'limit' && 'limit' in node && node.limit !== undefined) {
    return limitTrouble(node.limit);
  }
  if (kind === 'limit') {
    return 'a limit needs a rate';
  }
  if (kind === 'quota' && 'quota' in node && node.quota !== undefined) {
    return quotaTrouble(node.quota);
  }
  return ctObjectTrouble(kind, node, t.state.helpers);
}

/** A command about a stateful object. */
export function applyObject(t: Transaction, op: CommandOp, kind: ObjectKind, node: ObjectBody): void {
  if (isGone(t, op, kind, node)) {
    return;
  }
  const table = findTable(t, node.family, node.table, node.tableAt);
  const { objects } = table;
  if (op === 'add' || op === 'create') {
    const lacks = incomplete(t, kind, node);
    if (lacks !== null) {
      const [what, why] = lacks.includes(': ') ? lacks.split(': ') : ['Invalid argument', lacks];
      t.error(what!, node.nameAt, why);
    }
    const key = `${kind} ${node.name}`;
    const old = objects.get(key);
    add(t, op, { kind, key, node, map: objects }, (): NftObject => {
      const made = { table, kind, name: node.name, handle: t.nextHandle(table), node };
      t.made(made);
      return made;
    });
    if (old !== undefined) changeQuota(t, old, node);
  } else if (op === 'delete' || op === 'destroy') {
    remove(t, kind, node, table, objects);
  } else {
    const [key, one] = find(t, kind, node, objects);
    if (op === 'reset') {
      // The kernel is asked before it is given what the same file makes (measured).
      if (t.isNew(one)) {
        t.fail('No such file or directory', node.nameAt, 'it is made by the same file');
      }
      resetObject(t, table, key, one);
    }
  }
}

/** `add quota` of one that is there: it gets the new limit and keeps what is used; other objects stay (measured). */
function changeQuota(t: Transaction, old: NftObject, node: ObjectBody): void {
  if (old.kind !== 'quota' || !('quota' in node) || node.quota === undefined) return;
  const before = 'quota' in old.node ? old.node.quota : undefined;
  const quota = { ...node.quota, used: before?.used, used_unit: before?.used_unit };
  t.set(old.table.objects, `quota ${old.name}`, { ...old, node: { ...old.node, quota } as ObjectBody });
}

/** Sets a counter, or what is used of a quota, to 0. */
export function resetObject(t: Transaction, table: NftTable, key: string, one: NftObject): void {
  if (one.kind === 'counter') {
    const node: CounterNode = { ...(one.node as CounterNode), packets: 0, bytes: 0 };
    t.set(table.objects, key, { ...one, node });
  } else if (one.kind === 'quota' && 'quota' in one.node && one.node.quota !== undefined) {
    const node = { ...one.node, quota: { ...one.node.quota, used: 0 } };
    t.set(table.objects, key, { ...one, node });
  }
}

/** A command about a flowtable. */
export function applyFlowtable(t: Transaction, op: CommandOp, node: FlowtableNode): void {
  if (isGone(t, op, 'flowtable', node)) {
    return;
  }
  const table = findTable(t, node.family, node.table, node.tableAt);
  const { flowtables } = table;
  if (op === 'add' || op === 'create') {
    add(t, op, { kind: 'flowtable', key: node.name, node, map: flowtables }, (): NftFlowtable => {
      return { table, name: node.name, handle: t.nextHandle(table), node };
    });
  } else if (op === 'delete' || op === 'destroy') {
    remove(t, 'flowtable', node, table, flowtables);
  } else {
    find(t, 'flowtable', node, flowtables);
  }
}
