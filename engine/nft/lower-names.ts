/**
 * Interfaces by number where rules name them: `iif "eth0"` compares the name instead, since which number an interface
 * has is only known where the packets are. `lo` is number 1 everywhere.
 */
import type { ExprNode } from './ast-expr.ts';
import { infoOf } from './eval-key.ts';
import { concatInfo, constant, constantOf, type Info, partsOf } from './eval-scope.ts';
import { haveNames, namesInterfaces } from './lower-bytes.ts';
import { IFNAME } from './type-datatype.ts';

const NAME_KEYS: Readonly<Record<string, string>> = { iif: 'iifname', oif: 'oifname', sdif: 'sdifname' };
const NAME: Info = { type: IFNAME, bits: 128, order: 'host' };

/** A comparison of an interface with one whose number is not known, as one of names. */
export function byName(left: ExprNode, right: ExprNode): { left: ExprNode; right: ExprNode } {
  const named = namesInterfaces(right) ? nameKey(left) : null;
  return named === null ? { left, right } : { left: named, right: nameValue(right) };
}

/**
 * What a set's key is where the set runs: names in place of numbers, if any element has one. A set with a name that
 * holds nothing yet may be given some later.
 * @param isNamed whether the set has a name
 */
export function keyByName(key: Info, elements: readonly ExprNode[], isNamed: boolean): Info {
  const changes = (isNamed && elements.length === 0) || haveNames(elements, key);
  if (!changes) return key;
  const parts = partsOf(key).map((part) => (isInterface(part) ? NAME : part));
  return key.parts === undefined ? parts[0]! : concatInfo(parts);
}

function isInterface({ type }: Info): boolean {
  return type.notation === 'interface';
}

/** What is looked up in a set with such a key; null if there is no asking for a name. */
export function lookedUp(expr: ExprNode, key: Info): ExprNode | null {
  const parts = partsOf(key);
  const nodes = 'concat' in expr ? expr.concat : [expr];
  const made: ExprNode[] = [];
  for (const [i, node] of nodes.entries()) {
    const changes = parts[i]!.type === IFNAME && isInterface(infoOf(node));
    const one = changes ? nameKey(node) : node;
    if (one === null) return null;
    made.push(one);
  }
  return 'concat' in expr ? { concat: made } : made[0]!;
}

/** An element's value as a set with such a key holds it. */
export function elementByName(value: ExprNode, declared: Info, key: Info): ExprNode {
  if (declared === key || 'wildcard' in value) return value;
  const from = partsOf(declared);
  const change = (node: ExprNode, i: number): ExprNode => (isInterface(from[i]!) ? nameValue(node) : node);
  return 'concat' in value ? { concat: value.concat.map(change) } : change(value, 0);
}

function nameKey(left: ExprNode): ExprNode | null {
  if ('meta' in left) {
    const name = NAME_KEYS[left.meta.key];
    return name === undefined ? null : { meta: { key: name } };
  }
  return 'fib' in left && left.fib.result === 'oif' ? { fib: { ...left.fib, result: 'oifname' } } : null;
}

function nameValue(node: ExprNode): ExprNode {
  const value = constantOf(node);
  if (value === 1n) return constant(NAME, 'lo');
  // A number of another interface has no name here; no interface is called so.
  return constant(NAME, typeof value === 'string' ? value.replaceAll('*', '\\*') : `#${value}`);
}
