import { didYouMean } from '../base/suggest.ts';
import type { ChainNode, NamedNode, PriorityNode, RuleBody } from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { T_EOF, T_NUMBER, T_STRING, T_WORD } from './lex.ts';
import { block, itemEnd } from './parse-block.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import { commonItem } from './parse-define.ts';
import { variable } from './parse-expr.ts';
import { commentText } from './parse-set.ts';

const TYPES = ['filter', 'nat', 'route'];
const HOOKS = ['prerouting', 'input', 'forward', 'output', 'postrouting', 'ingress', 'egress'];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What stands in a chain's block besides rules. */
export type ChainParts = Pick<
  Mutable<ChainNode>,
  'type' | 'typeAt' | 'hook' | 'hookAt' | 'prio' | 'policy' | 'devices' | 'flags' | 'comment'
>;

/** One of some words, with a suggestion. */
export function known(p: Cursor, what: string, words: readonly string[]): string {
  const { kind, text, at } = p.token;
  if (kind !== T_WORD || !words.includes(text)) {
    const hint = didYouMean(text, words) ?? `known are ${words.join(', ')}`;
    p.fail(`unknown ${what} ${describeToken(p.token)}`, at, hint);
  }
  return p.next().text;
}

/** A text from a value: of a word, a string, a number. */
function textOf(value: ExprNode): string | null {
  if ('symbol' in value) {
    return value.symbol;
  }
  return 'number' in value ? String(value.number) : null;
}

/** A number, or a name and perhaps a space, a sign and a number (measured). */
const PRIORITIES = [
  /^(?<sign>-?)(?<offset>0x[\da-f]+|\d+)$/i,
  /^(?<name>[a-z]\w*)(\s+(?<sign>[+-])\s*(?<offset>0x[\da-f]+|\d+)\s*)?$/i,
];

/** The priority that a variable holds: a number, a name, or `"filter - 10"` in quotes. */
function variablePriority(p: Cursor): PriorityNode {
  const start = p.at;
  const value = variable(p);
  if ('range' in value) {
    p.fail(
      'this variable is a range, no priority',
      value.at ?? p.since(start),
      'put it in quotes: "filter - 10"',
    );
  }
  const text = textOf(value) ?? '';
  const parts = PRIORITIES.map((one) => one.exec(text)?.groups).find((one) => one !== undefined);
  if (parts === undefined) {
    p.fail('this variable is no priority', p.since(start));
  }
  const { name, sign, offset = '0' } = parts;
  return { name, offset: sign === '-' ? -Number(offset) : Number(offset), at: p.since(start) };
}

/** `priority filter - 10`. */
export function priority(p: Cursor): PriorityNode {
  p.expect('priority');
  const start = p.at;
  if (p.is('$')) {
    return variablePriority(p);
  }
  if (p.eat('-')) {
    return { offset: -p.number('the priority'), at: p.since(start) };
  }
  if (p.token.kind === T_NUMBER) {
    return { offset: p.number('the priority', Number.MAX_SAFE_INTEGER), at: p.since(start) };
  }
  if (p.token.kind === T_STRING) {
    p.fail("a priority's name stands without quotes", p.at);
  }
  const name = p.name('a priority').text;
  let offset = 0;
  if (p.is('+') || p.is('-')) {
    const sign = p.next().text === '-' ? -1 : 1;
    offset = sign * p.number('the offset');
  }
  return { name, offset, at: p.since(start) };
}

/** The name of a device: a word, a string or a variable with one. */
function device(p: Cursor, into: string[]): void {
  const { kind } = p.token;
  if (!p.is('$')) {
    into.push(kind === T_STRING ? p.next().text : p.string('the name of a device').text);
    return;
  }
  const start = p.at;
  const value = variable(p);
  const members = 'set' in value ? value.set : [value];
  for (const member of members) {
    const text = textOf(member);
    if (text === null) {
      p.fail('this variable is not the name of a device', p.since(start));
    }
    into.push(text);
  }
}

/** `{ lo, eth0 }` or a variable. As in the real tool a newline behind a comma ends the list. */
export function deviceList(p: Cursor): string[] {
  const devices: string[] = [];
  if (p.is('$')) {
    device(p, devices);
    return devices;
  }
  p.expect('{');
  p.eatNewline();
  device(p, devices);
  p.eatNewline();
  while (p.eat(',')) {
    const line = p.atEnd();
    p.eatNewline();
    if (!line && !p.is('}') && !p.is(',')) {
      device(p, devices);
      p.eatNewline();
    }
  }
  p.expect('}');
  return devices;
}

/** `type filter hook input [device eth0] priority filter`. */
function hookSpec(p: Cursor, into: ChainParts): void {
  p.expect('type');
  into.typeAt = p.at;
  into.type = known(p, 'chain type', TYPES);
  p.expect('hook');
  into.hookAt = p.at;
  into.hook = known(p, 'hook', HOOKS);
  if (p.eat('device')) {
    into.devices = [];
    device(p, into.devices as string[]);
  } else if (p.eat('devices')) {
    p.expect('=');
    into.devices = deviceList(p);
  }
  into.prio = priority(p);
}

function policy(p: Cursor): 'accept' | 'drop' {
  p.expect('policy');
  if (!p.is('$')) {
    return p.oneOf(['accept', 'drop'], "'accept' or 'drop'");
  }
  const start = p.at;
  const text = textOf(variable(p));
  if (text !== 'accept' && text !== 'drop') {
    p.fail('this variable is no policy', p.since(start));
  }
  return text;
}

/** A list of flags. */
export function flagList(p: Cursor, what: string, words: readonly string[]): string[] {
  p.expect('flags');
  const flags: string[] = [];
  do {
    flags.push(known(p, what, words));
  } while (p.eat(','));
  return flags;
}

/** One item of a chain that is no rule; false, with nothing taken, if it is a rule. */
function chainItem(p: Cursor, into: ChainParts): boolean {
  if (p.is('type')) {
    hookSpec(p, into);
  } else if (p.is('policy')) {
    if (into.policy !== undefined) {
      p.fail('the policy is set already', p.at, 'a chain has one');
    }
    into.policy = policy(p);
  } else if (p.is('flags')) {
    into.flags = flagList(p, 'chain flag', ['offload']);
  } else if (p.is('comment')) {
    into.comment = commentText(p, into.comment);
  } else {
    return false;
  }
  return true;
}

/** The statements of a rule and its comment, up to the line's end. */
export function rule(p: Cursor): RuleBody {
  const start: At = p.at;
  const expr: StmtNode[] = [];
  let comment: string | undefined;
  do {
    expr.push(p.grammar.statement(p));
    if (p.is('comment')) {
      comment = commentText(p);
      break;
    }
  } while (!p.atEnd() && !p.is('}'));
  // A copy: an array that was pushed to has room for many more.
  return { expr: expr.slice(), comment, at: p.since(start) };
}

/** A chain's block: its properties and its rules. */
export function chainBlock(p: Cursor, name: string): { parts: ChainParts; rules: RuleBody[] } {
  const parts: ChainParts = {};
  const rules: RuleBody[] = [];
  block(p, `chain '${name}'`, () => {
    if (!chainItem(p, parts)) {
      rules.push(rule(p));
    }
  });
  return { parts, rules };
}

/** The chain of a name and what its block says. */
export function chainNode({ family, table, tableAt, name, nameAt }: NamedNode, parts: ChainParts): ChainNode {
  // Not spread: V8 makes a class of its own for each object that is.
  const { type, typeAt, hook, hookAt, prio, policy, devices, flags, comment } = parts;
  return {
    family,
    table,
    tableAt,
    name,
    nameAt,
    type,
    typeAt,
    hook,
    hookAt,
    prio,
    policy,
    devices,
    flags,
    comment,
  };
}

/** The rules of `jump { … }`, without the braces. */
export function braceRules(p: Cursor): RuleBody[] {
  const rules: RuleBody[] = [];
  p.skipSeparators();
  while (!p.is('}') && p.token.kind !== T_EOF) {
    if (!commonItem(p)) {
      rules.push(rule(p));
      itemEnd(p);
    }
    p.skipSeparators();
  }
  return rules;
}
