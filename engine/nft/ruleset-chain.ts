import type { ChainNode, CommandOp, Family, TableNode } from './ast.ts';
import { priorityNumber } from './list-priority.ts';
import { checkNewName, findChain, findTable, lookTable, tableKey } from './ruleset-find.ts';
import { renameChain } from './ruleset-rename.ts';
import type { NftBase, NftChain, NftTable } from './ruleset-state.ts';
import type { Transaction } from './ruleset-transaction.ts';

/** Hooks of base chains, by family (measured: what nft and Linux 6.18 take). */
const HOOKS: Readonly<Record<Family, readonly string[]>> = {
  ip: ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  ip6: ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  inet: ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress'],
  arp: ['input', 'output'],
  bridge: ['prerouting', 'input', 'forward', 'output', 'postrouting'],
  netdev: ['ingress', 'egress'],
};
/** nat chains must come behind connection tracking, which is at -200. */
const NF_IP_PRI_CONNTRACK = -200;

function addTable(t: Transaction, node: TableNode, op: CommandOp, handle: () => number): void {
  const { family, name, flags = [], comment } = node;
  const old = lookTable(t.state, family, name);
  if (old === undefined) {
    checkNewName(t, node);
    const table: NftTable = {
      ...{ family, name, handle: handle(), flags, comment, lastHandle: 0 },
      ...{ chains: new Map(), sets: new Map(), objects: new Map(), flowtables: new Map() },
    };
    t.set(t.state.tables, tableKey(family, name), table);
    return;
  }
  if (op === 'create') {
    t.fail('File exists', node.nameAt, `there is a table ${family} ${name} already`);
  }
  const before = old.flags;
  old.flags = flags;
  t.onUndo(() => {
    old.flags = before;
  });
}

function deleteTable(t: Transaction, node: TableNode, op: CommandOp): void {
  const { family, name, handle } = node;
  const table =
    handle === undefined
      ? lookTable(t.state, family, name)
      : [...t.state.tables.values()].find((one) => one.family === family && one.handle === handle);
  if (table !== undefined) {
    t.delete(t.state.tables, tableKey(family, table.name));
  } else if (op !== 'destroy') {
    t.missing(`table ${family} ${handle === undefined ? name : `with handle ${handle}`}`, node.nameAt);
  }
}

/** A command about a table. */
export function applyTable(t: Transaction, op: CommandOp, node: TableNode, handle: () => number): void {
  switch (op) {
    case 'add':
    case 'create':
      addTable(t, node, op, handle);
      return;
    case 'delete':
    case 'destroy':
      deleteTable(t, node, op);
      return;
    default: {
      const table = findTable(t, node.family, node.name, node.nameAt);
      if (op === 'flush') {
        for (const chain of table.chains.values()) {
          flushChain(t, chain);
        }
      }
    }
  }
}

/** Complains about a base chain whose type, hook, family and devices do not go together. */
function checkHook(t: Transaction, node: ChainNode, type: string, hook: string): void {
  const { family, devices } = node;
  if (!HOOKS[family].includes(hook)) {
    t.fail(
      `the ${family} family does not support the hook '${hook}'`,
      node.hookAt,
      `it has ${HOOKS[family].join(', ')}`,
    );
  }
  const onDevice = hook === 'ingress' || hook === 'egress';
  if (onDevice && (devices === undefined || devices.length === 0)) {
    t.fail(`a chain at the ${hook} hook needs a device`, node.hookAt, `write hook ${hook} device "eth0"`);
  }
  if (!onDevice && devices !== undefined) {
    t.fail(
      'this chain type cannot be bound to a device',
      node.hookAt,
      'only ingress and egress chains have devices',
    );
  }
  if (devices !== undefined && new Set(devices).size < devices.length) {
    t.fail('File exists', node.nameAt, 'a device is named twice');
  }
  const nat = type === 'nat' && (hook === 'forward' || !['ip', 'ip6', 'inet'].includes(family) || onDevice);
  const route = type === 'route' && (hook !== 'output' || !['ip', 'ip6', 'inet'].includes(family));
  if (nat || route) {
    const where = type === 'nat' ? 'prerouting, input, output and postrouting of ip, ip6 and inet' : 'output';
    t.fail('Operation not supported', node.typeAt, `chains of type ${type} exist at ${where} only`);
  }
}

/** Only what stands at a device can be left to it (measured). */
function refuseOffload(t: Transaction, node: ChainNode): void {
  if (node.flags?.includes('offload') === true && node.family !== 'netdev') {
    t.fail('Operation not supported', node.nameAt, 'only chains of family netdev are offloaded');
  }
}

/** The properties of a base chain; null of a regular one. */
function baseOf(t: Transaction, node: ChainNode): NftBase | null {
  refuseOffload(t, node);
  const { type, hook, prio } = node;
  if (type === undefined || hook === undefined || prio === undefined) {
    return null;
  }
  checkHook(t, node, type, hook);
  const named = prio.name === undefined ? 0 : priorityNumber(prio.name, node.family, hook);
  if (named === undefined) {
    t.fail(
      `'${prio.name}' is no priority at the ${hook} hook of the ${node.family} family`,
      prio.at,
      prio.name!.includes('-') ? 'an offset stands apart: filter - 10' : undefined,
    );
  }
  // The kernel holds it in 32 bits.
  const priority = (named + prio.offset) | 0;
  if (type === 'nat' && priority <= NF_IP_PRI_CONNTRACK) {
    t.fail(
      'Operation not supported',
      prio.at,
      'a nat chain comes behind tracking: its priority is above -200',
    );
  }
  return {
    ...{ type, hook, prio, priority, policy: node.policy ?? 'accept' },
    // In the order of their names (measured).
    ...{ devices: [...(node.devices ?? [])].sort(), flags: node.flags ?? [] },
  };
}

function sameHook(a: NftBase, b: NftBase): boolean {
  return a.type === b.type && a.hook === b.hook && a.priority === b.priority;
}

/** `add chain` of one that exists: only its policy may differ. */
function changeChain(t: Transaction, chain: NftChain, node: ChainNode, base: NftBase | null): void {
  if (base !== null && chain.base === null) {
    t.fail('File exists', node.nameAt, `'${chain.name}' is a chain without a hook already`);
  }
  if (base !== null && chain.base !== null && !sameHook(base, chain.base)) {
    t.fail('Operation not supported', node.nameAt, `'${chain.name}' has another hook or priority already`);
  }
  if (node.policy !== undefined && chain.base === null) {
    t.fail('Operation not supported', node.nameAt, 'only a base chain has a policy');
  }
  const current = chain.base;
  if (node.policy !== undefined && current !== null) {
    const before = current.policy;
    current.policy = node.policy;
    t.onUndo(() => {
      current.policy = before;
    });
  }
}

function addChain(t: Transaction, node: ChainNode, op: CommandOp): void {
  const table = findTable(t, node.family, node.table, node.tableAt);
  const old = table.chains.get(node.name);
  if (old !== undefined) {
    if (op === 'create') {
      t.fail('File exists', node.nameAt, `there is a chain '${node.name}' already`);
    }
    changeChain(t, old, node, baseOf(t, node));
    return;
  }
  checkNewName(t, node);
  const { name, comment } = node;
  const handle = t.nextHandle(table);
  const at = t.span(node.nameAt);
  const make = (base: NftBase | null): void => {
    const chain: NftChain = { table, name, handle, base, comment, at, rules: [] };
    t.set(table.chains, name, chain);
    t.made(chain);
  };
  // There even if its hook is wrong: its rules, and the jumps to it, are not wrong for that.
  make(null);
  const base = baseOf(t, node);
  if (node.policy !== undefined && base === null) {
    t.fail('Operation not supported', node.nameAt, 'only a base chain has a policy');
  }
  if (base !== null) {
    make(base);
  }
}

function deleteChain(t: Transaction, node: ChainNode, op: CommandOp): void {
  if (op === 'destroy' && lookTable(t.state, node.family, node.table)?.chains.has(node.name) !== true) {
    return;
  }
  const chain = findChain(t, node);
  if (t.isUsed(chain.table, `chain ${chain.name}`)) {
    t.fail('Device or resource busy', node.nameAt, `rules or maps still lead to the chain '${chain.name}'`);
  }
  t.usesOf(chain.table)?.rules(chain.rules, -1);
  t.delete(chain.table.chains, chain.name);
}

function flushChain(t: Transaction, chain: NftChain): void {
  t.usesOf(chain.table)?.rules(chain.rules, -1);
  t.keepPast(chain).clear();
  t.rulesOf(chain).length = 0;
}

/** A command about a chain. */
export function applyChain(t: Transaction, op: CommandOp, node: ChainNode): void {
  switch (op) {
    case 'add':
    case 'create':
      addChain(t, node, op);
      return;
    case 'delete':
    case 'destroy':
      deleteChain(t, node, op);
      return;
    case 'rename':
      renameChain(t, node);
      return;
    case 'flush':
      flushChain(t, findChain(t, node));
      return;
    default:
      findChain(t, node);
  }
}
