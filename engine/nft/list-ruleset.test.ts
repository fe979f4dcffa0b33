import { describe, expect, test } from 'vitest';
import type { SetNode } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type { SetShape } from './eval-elements.ts';
import type { Info } from './eval-scope.ts';
import { listJson } from './json-write.ts';
import { listChain, listSet, listText } from './list-ruleset.ts';
import type { ListOptions, NftChain, NftSet, NftState, NftTable } from './ruleset-state.ts';
import * as types from './type-datatype.ts';

function makeTable(name: string, rest: Partial<NftTable> = {}): NftTable {
  return {
    family: 'inet',
    name,
    handle: 1,
    flags: [],
    comment: undefined,
    chains: new Map(),
    sets: new Map(),
    objects: new Map(),
    flowtables: new Map(),
    lastHandle: 0,
    ...rest,
  };
}

function addChain(table: NftTable, name: string, rest: Partial<NftChain> = {}): NftChain {
  const chain: NftChain = {
    table,
    name,
    handle: 7,
    base: null,
    comment: undefined,
    rules: [],
    at: null,
    ...rest,
  };
  table.chains.set(name, chain);
  return chain;
}

const SERVICE: Info = { type: types.INET_SERVICE, bits: 16, order: 'big' };

function addSet(table: NftTable, name: string, node: Partial<SetNode>, ports: readonly number[]): NftSet {
  const shape: SetShape = {
    key: SERVICE,
    data: null,
    interval: false,
    merge: false,
    dataInterval: false,
    named: true,
    expires: false,
    stmts: [],
    timeout: undefined,
  };
  const set: NftSet = {
    table,
    name,
    handle: 3,
    kind: 'set',
    node: { family: 'inet', table: table.name, name, type: [{ type: 'inet_service' }], ...node },
    elements: new Map(
      ports.map((port) => [
        String(port),
        { constant: { type: types.INET_SERVICE, bits: 16, value: BigInt(port) } } as ExprNode,
      ]),
    ),
    plan: shape,
    at: null,
  };
  table.sets.set(name, set);
  return set;
}

function stateOf(...tables: readonly NftTable[]): NftState {
  return { tables: new Map(tables.map((table) => [`${table.family} ${table.name}`, table])), helpers: [] };
}

function list(table: NftTable, options: ListOptions = {}): string {
  return listText(stateOf(table), options);
}

describe('a table', () => {
  test('has a free line behind its flags, but not behind a comment alone', () => {
    const flagged = makeTable('z', { flags: ['dormant'], comment: 'tab le' });
    addChain(flagged, 'a');
    expect(list(flagged)).toBe(
      'table inet z {\n\tflags dormant\n\tcomment "tab le"\n\n\tchain a {\n\t}\n}\n',
    );
    const plain = makeTable('z', { comment: 'only' });
    addChain(plain, 'a');
    expect(list(plain)).toBe('table inet z {\n\tcomment "only"\n\tchain a {\n\t}\n}\n');
    expect(list(makeTable('z', { flags: ['dormant'] }))).toBe('table inet z {\n\tflags dormant\n}\n');
  });

  test('follows another without a free line, and lists alone by its family', () => {
    const state = stateOf(makeTable('a'), makeTable('b', { family: 'ip6' }));
    expect(listText(state, {})).toBe('table inet a {\n}\ntable ip6 b {\n}\n');
    expect(listText(state, {}, 'ip6')).toBe('table ip6 b {\n}\n');
  });

  test('lists objects, sets and chains in that order, handles on demand', () => {
    const table = makeTable('t');
    const counter = { family: 'inet', table: 't', name: 'c', packets: 5, bytes: 10, comment: 'c c' } as const;
    addChain(table, 'b', {
      rules: [{ handle: 9, node: NO_RULE, expr: [{ accept: null }], comment: 'x', at: null, plan: null }],
    });
    addSet(table, 's', {}, []);
    table.objects.set('counter c', { table, kind: 'counter', name: 'c', handle: 2, node: counter });
    expect(list(table, { handles: true })).toBe(
      [
        'table inet t { # handle 1',
        '\tcounter c { # handle 2',
        '\t\tcomment "c c"',
        '\t\tpackets 5 bytes 10',
        '\t}',
        '',
        '\tset s { # handle 3',
        '\t\ttype inet_service',
        '\t}',
        '',
        '\tchain b { # handle 7',
        '\t\taccept comment "x" # handle 9',
        '\t}',
        '}',
        '',
      ].join('\n'),
    );
    expect(list(table, { stateless: true })).not.toContain('packets');
  });
});

const NO_RULE = { family: 'inet', table: 't', chain: 'b', expr: [] } as const;

describe('a chain', () => {
  test('names its hook, devices and policy, and the priority as a number if asked', () => {
    const table = makeTable('t');
    const base = {
      type: 'filter',
      hook: 'ingress',
      prio: { offset: 5 },
      priority: 5,
      policy: 'drop',
      devices: ['d0', 'd1'],
      flags: [],
    } as const;
    const chain = addChain(table, 'c', { base, comment: 'base c' });
    expect(listChain(chain, {})).toBe(
      'table inet t {\n\tchain c {\n\t\tcomment "base c"\n\t\ttype filter hook ingress devices = { d0, d1 } priority filter + 5; policy drop;\n\t}\n}\n',
    );
    expect(listChain(chain, { numericPriority: true })).toContain('priority 5;');
    const one = addChain(table, 'e', { base: { ...base, devices: ['d0'] } });
    expect(listChain(one, {})).toContain('hook ingress device "d0" priority');
  });
});

describe('a set', () => {
  test('puts five ports on a line', () => {
    const set = addSet(makeTable('t'), 's', {}, [1, 2, 3, 4, 5, 6, 7]);
    expect(listSet(set, {})).toContain('\t\telements = { 1, 2, 3, 4, 5,\n\t\t\t     6, 7 }\n');
    expect(listSet(set, { services: true })).toContain('{ "tcpmux", "nbp", 3, ');
    expect(listSet(set, { terse: true })).not.toContain('elements');
  });

  test('leaves out the flag that its timeout implies, unless there are others', () => {
    const table = makeTable('t');
    expect(listSet(addSet(table, 'a', { timeout: 5000 }, []), {})).not.toContain('flags');
    const two = addSet(table, 'b', { timeout: 5000, flags: ['interval'] }, []);
    expect(listSet(two, {})).toContain('\t\tflags interval,timeout\n\t\ttimeout 5s\n');
    expect(listSet(two, { numeric: true })).toContain('\t\ttimeout 5s\n');
  });

  test('gives its elements what it says for all of them', () => {
    const node: Partial<SetNode> = { timeout: 5000, stmt: [{ counter: null }] };
    const set = addSet(makeTable('t'), 's', node, [22]);
    expect(listSet(set, {})).toContain('elements = { 22 counter packets 0 bytes 0 expires 5s }');
    expect(listSet(set, { stateless: true })).toContain('elements = { 22 counter }');
  });
});

describe('JSON', () => {
  test('has a table’s chains before all of its rules, and no comments of tables and chains', () => {
    const table = makeTable('t', { comment: 'c' });
    const rule = {
      handle: 9,
      node: NO_RULE,
      expr: [{ accept: null }],
      comment: 'x "y"',
      at: null,
      plan: null,
    } as const;
    addChain(table, 'b', { rules: [rule], comment: 'c' });
    addChain(table, 'd');
    addSet(table, 's', { timeout: 5000, flags: ['dynamic'], size: 5 }, [22]);
    expect(listJson(stateOf(table))).toBe(
      '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}, ' +
        '{"table": {"family": "inet", "name": "t", "handle": 1}}, ' +
        '{"set": {"family": "inet", "name": "s", "table": "t", "type": "inet_service", "handle": 3, "size": 5, ' +
        '"flags": ["timeout"], "timeout": 5, "elem": [{"elem": {"val": 22, "expires": 5}}]}}, ' +
        '{"chain": {"family": "inet", "table": "t", "name": "b", "handle": 7}}, ' +
        '{"chain": {"family": "inet", "table": "t", "name": "d", "handle": 7}}, ' +
        '{"rule": {"family": "inet", "table": "t", "chain": "b", "handle": 9, "comment": "x \\"y\\"", "expr": [{"accept": null}]}}]}',
    );
  });
});
