import { SourceError } from '../base/error.ts';
import type {
  Command,
  CommandOp,
  Family,
  NamedNode,
  ObjectNode,
  RuleNode,
  SetNode,
  TypeName,
} from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import { MAPPED_KINDS, type StmtNode } from './ast-stmt.ts';
import { type JsonObject, JsonReader } from './json-read-cursor.ts';
import { readElement } from './json-read-expr.ts';
import { readLimit, readNamedStmt, readStmt, readSynproxy } from './json-read-stmt.ts';
import { type JsonNode, parseJson } from './json-read-text.ts';
import { Sources } from './lex-source.ts';
import type { Parsed } from './parse.ts';
import type { NamedText } from './parse-cursor.ts';
import { setCommands } from './parse-table.ts';
import { findType, typeNames } from './type-datatype.ts';

const FAMILIES: readonly Family[] = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'];

const COMMANDS: readonly CommandOp[] = [
  ...(['add', 'create', 'insert', 'replace', 'delete', 'destroy', 'flush', 'reset'] as const),
  ...(['rename', 'list'] as const),
];

function family(o: JsonObject): Family {
  o.need('family');
  return o.oneOf('family', FAMILIES)!;
}

/** The family, table and name (or handle) that everything in a table has. */
function named(r: JsonReader, o: JsonObject): NamedNode {
  const tableNode = o.need('table');
  const nameNode = o.get('name');
  const handle = o.number('handle');
  const name =
    nameNode === undefined && handle !== undefined ? '' : r.text(nameNode ?? o.need('name'), 'name');
  return {
    family: family(o),
    table: r.text(tableNode, 'table'),
    tableAt: tableNode.at,
    name,
    nameAt: (nameNode ?? tableNode).at,
    // A handle counts only where there is no name: listings have both.
    handle: name === '' ? handle : undefined,
    comment: o.text('comment'),
  };
}

type ReadObject = (r: JsonReader, o: JsonObject, op: CommandOp) => ObjectNode;

const table: ReadObject = (r, o) => {
  const nameNode = o.get('name');
  const handle = o.number('handle');
  const name = nameNode === undefined && handle !== undefined ? '' : r.text(o.need('name'), 'name');
  const flags = o.texts('flags')?.filter((flag) => flag === 'dormant');
  const comment = o.text('comment');
  const nameAt = (nameNode ?? o).at;
  return {
    table: { family: family(o), name, nameAt, handle: name === '' ? handle : undefined, flags, comment },
  };
};

const chain: ReadObject = (r, o) => {
  const base = named(r, o);
  const prio = o.get('prio');
  const typeNode = o.get('type');
  const hookNode = o.get('hook');
  return {
    chain: {
      ...base,
      newname: o.text('newname'),
      type: o.oneOf('type', ['filter', 'nat', 'route']),
      typeAt: typeNode?.at,
      hook: o.oneOf('hook', ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress']),
      hookAt: hookNode?.at,
      prio: prio === undefined ? undefined : { offset: o.integer('prio')!, at: prio.at },
      policy: o.oneOf('policy', ['accept', 'drop']),
      devices: o.texts('dev'),
    },
  };
};

const rule: ReadObject = (r, o, op) => {
  const tableNode = o.need('table');
  const chainNode = o.need('chain');
  const handle = o.number('handle');
  // In a listing the handle is the rule's own; only these commands mean another rule by it.
  const byHandle = op !== 'add' || o.get('expr') === undefined;
  const list = o.get('expr');
  const node: RuleNode = {
    family: family(o),
    table: r.text(tableNode, 'table'),
    tableAt: tableNode.at,
    chain: r.text(chainNode, 'chain'),
    chainAt: chainNode.at,
    handle: byHandle ? handle : undefined,
    handleAt: o.get('handle')?.at,
    index: o.number('index'),
    expr: list === undefined ? [] : r.items(list).map((one) => readStmt(r, one)),
    comment: o.text('comment'),
    at: o.at,
  };
  return { rule: node };
};

/** Type names: one, several, or `a . b` in one string. */
function types(r: JsonReader, node: JsonNode | undefined, more: readonly string[]): TypeName[] | undefined {
  if (node === undefined) {
    return;
  }
  return r.items(node).flatMap((one) =>
    r
      .text(one, 'type')
      .split(' . ')
      .map((type) => {
        if (findType(type) === null && !more.includes(type)) {
          r.unknown('datatype', type, [...typeNames(), ...more], one.at);
        }
        return { type, at: one.at };
      }),
  );
}

function setNode(r: JsonReader, o: JsonObject): SetNode {
  const elem = o.get('elem');
  const stmt = o.get('stmt');
  const stmts = stmt === undefined ? undefined : r.items(stmt).map((one) => readStmt(r, one));
  return {
    ...named(r, o),
    type: types(r, o.get('type'), []),
    map: types(r, o.get('map'), [...MAPPED_KINDS, 'verdict']),
    policy: o.oneOf('policy', ['performance', 'memory']),
    flags: o.someOf('flags', ['constant', 'interval', 'timeout', 'dynamic']),
    elem: elem === undefined ? undefined : r.items(elem).map((one) => completed(readElement(r, one), stmts)),
    timeout: o.seconds('timeout'),
    'gc-interval': o.seconds('gc-interval'),
    size: o.number('size'),
    'auto-merge': o.boolean('auto-merge') || undefined,
    stmt: stmts,
  };
}

/** An element with all statements of its set: nft lists the first one only (measured). */
function completed(node: ExprNode, all: readonly StmtNode[] = []): ExprNode {
  if ('pair' in node) return { ...node, pair: [completed(node.pair[0], all), node.pair[1]] };
  const own = 'elem' in node ? (node.elem.stmts ?? []) : [];
  if (!('elem' in node) || own.length === 0 || own.length >= all.length) return node;
  return { ...node, elem: { ...node.elem, stmts: [...own, ...all.slice(own.length)] } };
}

const element: ReadObject = (r, o) => {
  return { element: { ...named(r, o), elem: r.items(o.need('elem')).map((one) => readElement(r, one)) } };
};

const flowtable: ReadObject = (r, o) => {
  const prio = o.integer('prio');
  return {
    flowtable: {
      ...named(r, o),
      hook: o.text('hook'),
      prio: prio === undefined ? undefined : { offset: prio },
      devices: o.texts('dev'),
      flags: o.texts('flags'),
    },
  };
};

const quota: ReadObject = (r, o) => {
  const bytes = o.u64('bytes');
  const used = o.u64('used');
  const inv = o.boolean('inv');
  const spec = { val: bytes ?? 0, val_unit: 'bytes' as const, used, used_unit: 'bytes' as const, inv };
  return { quota: { ...named(r, o), quota: bytes === undefined ? undefined : spec } };
};

const ctTimeout: ReadObject = (r, o) => {
  const node = o.get('policy');
  const policy = node === undefined || node.kind === 'null' ? undefined : r.object(node, 'policy');
  return {
    'ct timeout': {
      ...named(r, o),
      protocol: o.text('protocol'),
      l3proto: o.text('l3proto'),
      policy: policy?.entries().map(([state, value]) => {
        if (value.kind !== 'number') {
          return r.fail('a timeout is a number of seconds', value.at);
        }
        return { state, value: Number(value.value), at: value.at };
      }),
    },
  };
};

const ctExpectation: ReadObject = (r, o) => {
  return {
    'ct expectation': {
      ...named(r, o),
      protocol: o.text('protocol'),
      dport: o.number('dport'),
      timeout: o.u64('timeout'),
      size: o.number('size'),
      l3proto: o.text('l3proto'),
    },
  };
};

const OBJECTS: ReadonlyMap<string, ReadObject> = new Map<string, ReadObject>([
  ['table', table],
  ['chain', chain],
  ['rule', rule],
  ['set', (r, o) => ({ set: setNode(r, o) })],
  ['map', (r, o) => ({ map: setNode(r, o) })],
  ['element', element],
  ['flowtable', flowtable],
  [
    'counter',
    (r, o) => ({ counter: { ...named(r, o), packets: o.u64('packets') ?? 0, bytes: o.u64('bytes') ?? 0 } }),
  ],
  ['quota', quota],
  [
    'limit',
    (r, o) => ({ limit: { ...named(r, o), limit: o.get('rate') === undefined ? undefined : readLimit(o) } }),
  ],
  [
    'ct helper',
    (r, o) => ({
      'ct helper': {
        ...named(r, o),
        type: o.text('type'),
        protocol: o.text('protocol'),
        l3proto: o.text('l3proto'),
      },
    }),
  ],
  ['ct timeout', ctTimeout],
  ['ct expectation', ctExpectation],
  ['synproxy', (r, o) => ({ synproxy: { ...named(r, o), synproxy: readSynproxy(o) } })],
  ['secmark', (r, o) => ({ secmark: { ...named(r, o), context: o.text('context') } })],
  ['meter', (r, o) => ({ meter: named(r, o) })],
]);

/** What a command is about. */
function readObject(r: JsonReader, op: CommandOp, node: JsonNode): ObjectNode {
  const [key, value] = r.only(node, `what to ${op}`);
  if (key === 'ruleset') {
    const o = value.kind === 'null' ? null : r.object(value, 'ruleset');
    return { ruleset: { family: o?.oneOf('family', FAMILIES) } };
  }
  const read = OBJECTS.get(key);
  if (read === undefined) {
    return key.endsWith('s') && OBJECTS.has(key.slice(0, -1))
      ? readAll(r, key, value)
      : r.unknown('object', key, [...OBJECTS.keys(), 'ruleset'], node.at);
  }
  const o = r.object(value, key);
  return read(r, o, op);
}

/** `{ "list": { "tables": { "family": "ip" } } }`. */
function readAll(r: JsonReader, of: string, node: JsonNode): ObjectNode {
  const o = node.kind === 'null' ? null : r.object(node, of);
  return { all: { of, family: o?.oneOf('family', FAMILIES), table: o?.text('table') } };
}

/** The latest form of JSON that nft 1.0.6 reads. */
const SCHEMA_VERSION = 1;

function checkVersion(o: JsonObject, r: JsonReader): void {
  const version = o.number('json_schema_version') ?? SCHEMA_VERSION;
  if (version > SCHEMA_VERSION) {
    const message = `Schema version ${version} not supported, maximum supported version is ${SCHEMA_VERSION}`;
    r.fail(message, o.need('json_schema_version').at);
  }
}

/** One item of the array: a command, or an object that is to be added, as listings have it. */
function readCommand(r: JsonReader, node: JsonNode): Command[] {
  const [key, value] = r.only(node, 'a command');
  if (key === 'metainfo') {
    checkVersion(r.object(value, 'metainfo'), r);
    return [];
  }
  const op = COMMANDS.find((one) => one === key);
  const object = op === undefined ? readObject(r, 'add', node) : readObject(r, op, value);
  if ('set' in object && (op ?? 'add') !== 'delete') {
    return setCommands(op ?? 'add', 'set', object.set, node.at);
  }
  if ('map' in object && (op ?? 'add') !== 'delete') {
    return setCommands(op ?? 'add', 'map', object.map, node.at);
  }
  return [{ op: op ?? 'add', object, at: node.at }];
}

/**
 * Reads a ruleset as `nft -j` has it: `{ "nftables": [ … ] }`, with commands or (as listed) plain objects.
 * @param source a name for messages, and the text
 */
export function parseNftJson(source: NamedText): Parsed {
  const sources = new Sources();
  const commands: Command[] = [];
  const errors: SourceError[] = [];
  const r = new JsonReader(sources, readNamedStmt);
  const guarded = (read: () => void): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof SourceError)) {
        throw error;
      }
      errors.push(error);
    }
  };
  guarded(() => {
    const document = r.object(
      parseJson(source.text, sources.add(source.name, source.text), sources),
      'the text',
    );
    const list = document.need('nftables');
    const items = list.kind === 'array' ? list.items : r.fail('"nftables" is an array', list.at);
    for (const item of items) {
      guarded(() => {
        for (const one of readCommand(r, item)) {
          commands.push(one);
        }
      });
    }
  });
  return { commands, errors, sources };
}
