import type {
  ChainNode,
  Command,
  CommandOp,
  Family,
  NamedNode,
  ObjectNode,
  RuleBody,
  RuleNode,
  SetNode,
  TableNode,
} from './ast.ts';
import type { At } from './ast-expr.ts';
import { block } from './parse-block.ts';
import { chainBlock, chainNode, known } from './parse-chain.ts';
import type { Cursor } from './parse-cursor.ts';
import { objectBlock, objectKind } from './parse-object.ts';
import { commentText } from './parse-set.ts';
import { setBlock } from './parse-set-decl.ts';

/** What a table's block said, by the order in which nft sends it. */
interface TableParts {
  flags?: string[];
  comment?: string;
  readonly chains: Command[];
  readonly objects: Command[];
  readonly sets: Command[];
  readonly flowtables: Command[];
  readonly rules: Command[];
}

function added(object: ObjectNode, at: At, op: CommandOp = 'add'): Command {
  return { op, object, at };
}

/** A set as two commands: without its elements, and the elements. */
export function setCommands(op: CommandOp, kind: 'set' | 'map', node: SetNode, at: At): Command[] {
  const { elem, ...rest } = node;
  const bare = { ...rest, declared: elem?.length };
  const commands = [added(kind === 'set' ? { set: bare } : { map: bare }, at, op)];
  if (elem !== undefined && elem.length > 0) {
    const { family, table, tableAt, name, nameAt } = node;
    commands.push(added({ element: { family, table, tableAt, name, nameAt, elem } }, at));
  }
  return commands;
}

/** A chain's rules as commands. */
export function ruleCommands(chain: ChainNode, rules: readonly RuleBody[]): Command[] {
  const { family, table, tableAt, name, nameAt } = chain;
  return rules.map(({ expr, comment, at }) => {
    // Not spread: V8 makes a class of its own for each object that is.
    const rule: RuleNode = { family, table, tableAt, chain: name, chainAt: nameAt, expr, comment, at };
    return added({ rule }, at as At);
  });
}

/** Takes the name of something in a table's block. */
function named(p: Cursor, table: TableNode, what: string, kind?: string): NamedNode {
  const token = p.name(what, kind);
  const { family, name, nameAt } = table;
  return { family, table: name, tableAt: nameAt, name: token.text, nameAt: token.at };
}

/** In the order of listings. */
const TABLE_FLAGS = ['dormant', 'owner'];

/** `flags dormant`: one a line, unlike a set's; several lines add up (measured). */
function tableFlag(p: Cursor): string {
  p.expect('flags');
  return known(p, 'table flag', TABLE_FLAGS);
}

function tableItem(p: Cursor, table: TableNode, parts: TableParts): void {
  const start = p.at;
  const { text } = p.token;
  if (text === 'chain') {
    p.next();
    const name = named(p, table, 'the name of a chain');
    const body = chainBlock(p, name.name);
    const chain = chainNode(name, body.parts);
    parts.chains.push(added({ chain }, p.since(start)));
    parts.rules.push(...ruleCommands(chain, body.rules));
  } else if (text === 'set' || text === 'map') {
    p.next();
    const name = named(p, table, `the name of a ${text}`);
    const body = setBlock(p, name.name, text === 'map');
    parts.sets.push(...setCommands('add', text, { ...name, ...body }, name.nameAt!));
  } else if (text === 'flags') {
    const flags = [...(parts.flags ?? []), tableFlag(p)];
    parts.flags = TABLE_FLAGS.filter((flag) => flags.includes(flag));
  } else if (text === 'comment') {
    parts.comment = commentText(p, parts.comment);
  } else {
    objectItem(p, table, parts);
  }
}

const ITEMS = 'chain set map counter quota limit ct flowtable synproxy secmark flags comment define include';

function objectItem(p: Cursor, table: TableNode, parts: TableParts): void {
  const start = p.at;
  const kind = objectKind(p);
  if (kind === null) {
    p.unexpected('something that a table holds (a chain, a set, …)', ITEMS.split(' '));
  }
  const name = named(p, table, `the name of a ${kind}`, kind);
  const command = added(objectBlock(p, kind, name), p.since(start));
  (kind === 'flowtable' ? parts.flowtables : parts.objects).push(command);
}

/** `{ … }` behind a table's name: the table and all that it holds, as commands. */
export function tableBlock(
  p: Cursor,
  op: CommandOp,
  family: Family,
  name: { text: string; at: At },
): Command[] {
  const table: TableNode = { family, name: name.text, nameAt: name.at };
  const parts: TableParts = { chains: [], objects: [], sets: [], flowtables: [], rules: [] };
  block(p, `table '${name.text}'`, () => tableItem(p, table, parts));
  const { flags, comment } = parts;
  return [
    added({ table: { ...table, flags: flags ?? [], comment } }, name.at, op),
    ...parts.chains,
    ...parts.objects,
    ...parts.sets,
    ...parts.flowtables,
    ...parts.rules,
  ];
}
