import { SourceError } from '../base/error.ts';
import { suggest } from '../base/suggest.ts';
import type {
  Command,
  CommandOp,
  ElementNode,
  Family,
  NamedNode,
  ObjectNode,
  RuleBody,
  RuleNode,
} from './ast.ts';
import type { At } from './ast-expr.ts';
import { T_NUMBER, T_WORD, type Token } from './lex.ts';
import { chainBlock, chainNode, rule } from './parse-chain.ts';
import type { Cursor } from './parse-cursor.ts';
import { variable } from './parse-expr.ts';
import { KEYWORDS } from './parse-keywords.ts';
import { bareObject, inlineObject, objectBlock, objectKind } from './parse-object.ts';
import { setExpr } from './parse-set.ts';
import { setBlock } from './parse-set-decl.ts';
import { ruleCommands, setCommands, tableBlock } from './parse-table.ts';

const FAMILIES: readonly string[] = ['ip', 'ip6', 'inet', 'arp', 'bridge', 'netdev'];

/** Takes a family; `ip` if there is none. */
function family(p: Cursor): Family {
  return optionalFamily(p) ?? 'ip';
}

function optionalFamily(p: Cursor): Family | undefined {
  return p.token.kind === T_WORD && FAMILIES.includes(p.token.text) ? (p.next().text as Family) : undefined;
}

/** A number that names something. */
function handle(p: Cursor): number {
  p.expect('handle');
  return p.number('the handle', Number.MAX_SAFE_INTEGER);
}

/** `[family] table name`, or with `byHandle` also `[family] table handle N`. */
function named(p: Cursor, what: string, byHandle: boolean = false, kind?: string): NamedNode {
  const of = family(p);
  const table = p.name('the name of a table', kind);
  if (byHandle && p.is('handle')) {
    const at = p.peek().at;
    return { family: of, table: table.text, tableAt: table.at, name: '', nameAt: at, handle: handle(p) };
  }
  const name = p.name(what, kind);
  return { family: of, table: table.text, tableAt: table.at, name: name.text, nameAt: name.at };
}

function table(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  p.expect('table');
  const of = family(p);
  if ((op === 'delete' || op === 'destroy') && p.is('handle')) {
    const at = p.peek().at;
    return [{ op, object: { table: { family: of, name: '', nameAt: at, handle: handle(p) } }, at }];
  }
  const name = p.name('the name of a table');
  if ((op === 'add' || op === 'create') && p.is('{')) {
    return tableBlock(p, op, of, name);
  }
  return [{ op, object: { table: { family: of, name: name.text, nameAt: name.at } }, at: p.since(start) }];
}

function chain(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  p.expect('chain');
  const name = named(p, 'the name of a chain', op === 'delete' || op === 'destroy');
  if ((op === 'add' || op === 'create') && p.is('{')) {
    const body = chainBlock(p, name.name);
    const node = chainNode(name, body.parts);
    return [{ op, object: { chain: node }, at: p.since(start) }, ...ruleCommands(node, body.rules)];
  }
  const newname = op === 'rename' ? p.name('the new name').text : undefined;
  return [{ op, object: { chain: { ...name, newname } }, at: p.since(start) }];
}

const NOWHERE: Pick<RuleNode, 'handle' | 'handleAt' | 'index'> = {};

/** `handle N`, `position N`, `index N`, where they may stand. */
function place(p: Cursor): Pick<RuleNode, 'handle' | 'handleAt' | 'index'> {
  const { text } = p.token;
  if (text !== 'handle' && text !== 'position' && text !== 'index') {
    return NOWHERE;
  }
  p.next();
  const handleAt = p.at;
  const number = p.number(`the ${text}`, Number.MAX_SAFE_INTEGER);
  return text === 'index' ? { index: number, handleAt } : { handle: number, handleAt };
}

const NO_RULE: RuleBody = { expr: [] };

/** `[family] table chain …`, behind `rule` or without it. */
function ruleCommand(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  const name = named(p, 'the name of a chain');
  const placed = op === 'add' || op === 'insert';
  const where = placed ? place(p) : { handleAt: p.peek().at, handle: handle(p), index: undefined };
  const body = placed || op === 'replace' ? rule(p) : NO_RULE;
  // One literal and no spreads: a file may have a hundred thousand of these.
  const node: RuleNode = {
    family: name.family,
    table: name.table,
    tableAt: name.tableAt,
    chain: name.name,
    chainAt: name.nameAt,
    handle: where.handle,
    handleAt: where.handleAt,
    index: where.index,
    expr: body.expr,
    comment: body.comment,
    at: body.at,
  };
  return [{ op, object: { rule: node }, at: p.since(start) }];
}

function set(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  const kind = p.next().text as 'set' | 'map';
  const name = named(p, `the name of a ${kind}`, op === 'delete' || op === 'destroy');
  if (op === 'add' || op === 'create') {
    const body = setBlock(p, name.name, kind === 'map');
    return setCommands(op, kind, { ...name, ...body }, p.since(start));
  }
  return [{ op, object: kind === 'set' ? { set: name } : { map: name }, at: p.since(start) }];
}

function element(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  p.expect('element');
  const name = named(p, 'the name of a set');
  const begin = p.at;
  const value = p.is('$') ? variable(p) : setExpr(p);
  if (!('set' in value)) {
    p.fail('this variable is no set', p.since(begin), 'its value stands in braces: { … }');
  }
  const node: ElementNode = { ...name, elem: value.set };
  return [{ op, object: { element: node }, at: p.since(start) }];
}

/** A stateful object or a flowtable. */
function object(p: Cursor, op: CommandOp): Command[] | null {
  const start = p.at;
  const kind = objectKind(p);
  if (kind === null) {
    return null;
  }
  if (op === 'list' && (kind === 'ct timeout' || kind === 'ct expectation') && p.is('table')) {
    return allOf(p, op, kind, start);
  }
  const name = named(p, `the name of a ${kind}`, op === 'delete' || op === 'destroy', kind);
  const made = op === 'add' || op === 'create';
  const inline = made && !p.is('{') ? inlineObject(p, kind, name) : null;
  const node: ObjectNode = inline ?? (made ? objectBlock(p, kind, name) : bareObject(kind, name));
  return [{ op, object: node, at: p.since(start) }];
}

/** Words of what `list` and `reset` take as a whole. */
const PLURALS = [
  ...['tables', 'chains', 'sets', 'maps', 'meters', 'counters', 'quotas', 'limits', 'secmarks'],
  ...['synproxys', 'flowtables', 'hooks'],
];

/** `list …` and `reset …`: what they are about. They change nothing but what `reset` sets to 0. */
function view(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  const { text } = p.token;
  if (text === 'ruleset') {
    p.next();
    return [{ op, object: { ruleset: { family: optionalFamily(p) } }, at: p.since(start) }];
  }
  const words = plural(p);
  if (words === null) {
    return single(p, op);
  }
  return allOf(p, op, words, start);
}

/** `[table ip t]`, `[ip]` behind words for all things of a kind. */
function allOf(p: Cursor, op: CommandOp, words: string, start: At): Command[] {
  const of = p.eat('table') ? family(p) : undefined;
  const name = of === undefined ? undefined : p.name('the name of a table');
  const all = { of: words, family: of ?? optionalFamily(p), table: name?.text, tableAt: name?.at };
  if (words === 'hooks' && p.eat('device')) {
    p.string('the name of a device');
  }
  return [{ op, object: { all }, at: p.since(start) }];
}

function plural(p: Cursor): string | null {
  const { text } = p.token;
  if (text === 'flow') {
    p.next();
    p.expect('tables');
    return 'meters';
  }
  if (text === 'ct' && p.peek().text === 'helpers') {
    p.next();
    p.next();
    if (!p.is('table')) {
      p.unexpected("'table'");
    }
    return 'ct helpers';
  }
  return PLURALS.includes(text) ? p.next().text : null;
}

function single(p: Cursor, op: CommandOp): Command[] {
  const start = p.at;
  if (p.eat('meter')) {
    return [{ op, object: { meter: named(p, 'the name of a meter') }, at: p.since(start) }];
  }
  return thing(p, op) ?? p.unexpected(`something to ${op}`, ['ruleset', 'table', 'chain', 'set', ...PLURALS]);
}

/** What a command is about, from the word that names its kind on; null with nothing taken if none does. */
function thing(p: Cursor, op: CommandOp): Command[] | null {
  switch (p.token.text) {
    case 'table':
      return table(p, op);
    case 'chain':
      return chain(p, op);
    case 'rule':
      p.next();
      return ruleCommand(p, op);
    case 'set':
    case 'map':
      return set(p, op);
    case 'element':
      return element(p, op);
    default:
      return object(p, op);
  }
}

/** For each command the kinds of things that it can be about. */
const ALLOWED: Readonly<Record<CommandOp, string>> = {
  add: 'table chain rule set map element flowtable counter quota limit ct synproxy secmark',
  create: 'table chain set map element flowtable counter quota limit ct synproxy secmark',
  insert: 'rule',
  replace: 'rule',
  delete: 'table chain rule set map element flowtable counter quota limit ct synproxy secmark',
  destroy: 'table chain rule set map element flowtable counter quota limit ct synproxy secmark',
  flush: 'ruleset table chain set map meter flow',
  reset: 'counters quotas counter quota',
  rename: 'chain',
  list: `ruleset table chain set map meter flow ct flowtable counter quota limit synproxy secmark ${PLURALS.join(' ')}`,
  get: 'element',
};

const OPS = Object.keys(ALLOWED) as CommandOp[];
/** Commands of the interactive tool that have no meaning in a ruleset. */
const FOREIGN = ['monitor', 'export', 'import'];

/** `describe …` only prints. */
function describe(p: Cursor): void {
  while (!p.atEnd()) {
    p.next();
  }
}

/** True for a word that may be a table's name, so that a rule without `add rule` begins here. */
function isName(token: Token): boolean {
  return token.kind === T_WORD && (!KEYWORDS.has(token.text) || FAMILIES.includes(token.text));
}

/** Takes one command, whatever it makes: a table's block makes many. */
export function command(p: Cursor): Command[] {
  const word = p.token;
  if (p.is('describe')) {
    describe(p);
    return [];
  }
  const foreign = word.kind === T_WORD && FOREIGN.includes(word.text);
  if (foreign) {
    p.fail(`'${word.text}' is a command of the tool and has no place in a ruleset`, word.at);
  }
  const op = word.kind === T_WORD ? operation(p) : null;
  if (op === null) {
    return implicit(p);
  }
  p.next();
  const { kind, text } = p.token;
  const allowed = ALLOWED[op].split(' ');
  if (kind === T_WORD && allowed.includes(text)) {
    return op === 'list' || op === 'reset' || op === 'flush' ? view(p, op) : checked(p, op);
  }
  if (op === 'add' && isName(p.token)) {
    return orMistyped(p, 'what to add', allowed, () => ruleCommand(p, 'add'));
  }
  p.unexpected(`what to ${op}`, allowed);
}

/** The command's word; `destroy` is one only where a kind of thing follows. */
function operation(p: Cursor): CommandOp | null {
  const { text } = p.token;
  if (text === 'destroy' && !ALLOWED.destroy.split(' ').includes(p.peek().text)) {
    return null;
  }
  return OPS.find((op) => op === text) ?? null;
}

function checked(p: Cursor, op: CommandOp): Command[] {
  return thing(p, op) ?? p.unexpected(`what to ${op}`);
}

/** A command without a word in front: `table …`, or a rule as `ip filter input …`. */
function implicit(p: Cursor): Command[] {
  const { kind, text } = p.token;
  if (kind === T_WORD && ALLOWED.add.split(' ').includes(text)) {
    return checked(p, 'add');
  }
  const words = [...OPS, ...ALLOWED.add.split(' '), 'define', 'include'];
  if (kind !== T_NUMBER && isName(p.token) && mayBeRule(p)) {
    return orMistyped(p, 'a command', words, () => ruleCommand(p, 'add'));
  }
  p.unexpected('a command', words);
}

/**
 * Reads a rule that begins with a table's name. If it is none and the name looks like one of some words, that word
 * was meant.
 */
function orMistyped(p: Cursor, what: string, words: readonly string[], read: () => Command[]): Command[] {
  const { text, at } = p.token;
  const near = FAMILIES.includes(text) ? undefined : suggest(text, words);
  try {
    return read();
  } catch (error) {
    if (near === undefined || !(error instanceof SourceError)) {
      throw error;
    }
    return p.fail(`expected ${what}, found '${text}'`, at, `did you mean '${near}'?`);
  }
}

/** A name where a command should begin is a table's only if another name follows; else it is a mistyped word. */
function mayBeRule(p: Cursor): boolean {
  return FAMILIES.includes(p.token.text) || isName(p.peek());
}
