/** Which features of a language a ruleset uses: one name for each match, target, statement and expression. */

import type { Command } from '../../engine/nft/ast.ts';
import type { ExprNode } from '../../engine/nft/ast-expr.ts';
import { parseNft } from '../../engine/nft/parse.ts';

/** `iptables match tcp`, `nft statement counter`, `nft expression meta mark`. */
export type Feature = string;

/** Keys of nodes that say nothing of their own. */
const PLAIN = new Set([
  'at',
  'symbol',
  'number',
  'string',
  'list',
  'boolean',
  'wildcard',
  'setref',
  'pair',
  'val',
]);
/** Expressions that are named with what they ask for. */
const WITH_KEY: Readonly<Record<string, string>> = {
  meta: 'key',
  ct: 'key',
  rt: 'key',
  socket: 'key',
  osf: 'key',
};
const NAMED = new Set([
  'fib',
  'numgen',
  'jhash',
  'symhash',
  'ipsec',
  'tunnel',
  'prefix',
  'range',
  'concat',
  'set',
  'map',
  'elem',
  'binop',
]);

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null;
}

function expression(node: Node, out: Set<Feature>): void {
  for (const [name, body] of Object.entries(node)) {
    const fields = isNode(body) ? body : {};
    if (name === 'payload') out.add(`nft expression ${String(fields.protocol)} ${String(fields.field)}`);
    else if (name === 'rawPayload') out.add(`nft expression @${String(fields.base)},…`);
    else if (name in WITH_KEY) out.add(`nft expression ${name} ${String(fields[WITH_KEY[name]!])}`);
    else if (/^(exthdr|tcp option|ip option|sctp chunk)$/.test(name)) {
      const field = fields.field === undefined ? '' : ` ${String(fields.field)}`;
      out.add(`nft expression ${name} ${String(fields.name)}${field}`);
    } else if (NAMED.has(name)) out.add(`nft expression ${name}`);
    walk(body, out);
  }
}

function walk(value: unknown, out: Set<Feature>): void {
  if (Array.isArray(value)) for (const one of value) walk(one, out);
  else if (isNode(value)) expression(value, out);
}

/** The features of nft commands. */
function ofCommands(commands: readonly Command[]): Set<Feature> {
  const out = new Set<Feature>();
  for (const command of commands) {
    for (const [kind, object] of Object.entries(command.object)) {
      out.add(`nft object ${kind}`);
      const stmts = (object as { expr?: readonly ExprNode[] }).expr;
      if (kind !== 'rule' || stmts === undefined) walk(object, out);
      else
        for (const stmt of stmts) {
          const [name, body] = Object.entries(stmt).find(([key]) => !PLAIN.has(key)) ?? ['', null];
          out.add(`nft statement ${name}`);
          walk(body, out);
        }
    }
  }
  return out;
}

/** The features of a text in one of the languages. @param kind as `check --kind` takes it */
export function featuresOf(kind: string, text: string): Set<Feature> {
  if (kind.startsWith('nft')) return ofCommands(parseNft({ name: 'rules', text }, () => null, {}).commands);
  const out = new Set<Feature>();
  if (kind.includes('ipset')) {
    for (const [, type] of text.matchAll(/^create \S+ (\S+)/gm)) out.add(`ipset type ${type}`);
    return out;
  }
  const chains = new Set([...text.matchAll(/^:(\S+)/gm)].map(([, name]) => name!));
  for (const [, , name] of text.matchAll(/(^|\s)-m (\S+)/g)) out.add(`iptables match ${name}`);
  for (const [, , name] of text.matchAll(/(^|\s)-j (\S+)/g))
    if (!chains.has(name!)) out.add(`iptables target ${name}`);
  return out;
}
