import type { Family } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { unsupportedInBase } from './eval-family.ts';
import type { NftBase } from './ruleset-state.ts';

/** Where something works: hooks, and the one type of chain if it needs one. */
interface Place {
  readonly what: string;
  readonly hooks: readonly string[];
  readonly type?: 'nat';
}

// Measured on Linux 6.18 for every statement, chain type and hook of ip and ip6 (what is not here works everywhere).
const INCOMING = ['prerouting', 'input', 'forward', 'ingress'];
const OUTGOING = ['output', 'postrouting', 'forward', 'egress'];
const REJECT: Place = { what: 'reject', hooks: ['prerouting', 'input', 'forward', 'output', 'ingress'] };
const MASQUERADE: Place = { what: 'masquerade', hooks: ['postrouting'], type: 'nat' };
const SNAT: Place = { what: 'snat', hooks: ['input', 'postrouting'], type: 'nat' };
const DNAT: Place = { what: 'dnat', hooks: ['prerouting', 'output'], type: 'nat' };
const REDIRECT: Place = { what: 'redirect', hooks: ['prerouting', 'output'], type: 'nat' };
const TPROXY: Place = { what: 'tproxy', hooks: ['prerouting'] };
const SYNPROXY: Place = { what: 'synproxy', hooks: ['input', 'forward'] };
const SET_PKTTYPE: Place = { what: 'meta pkttype set', hooks: ['prerouting', 'ingress'] };
const FIB_OIF: Place = { what: 'fib oif', hooks: INCOMING };
const FIB_IIF: Place = { what: 'fib with iif', hooks: INCOMING };
const FIB_OUT: Place = { what: 'fib with oif', hooks: OUTGOING };
const FIB_TYPE: Place = { what: 'fib', hooks: [...INCOMING, 'output', 'postrouting', 'egress'] };
const RT_MTU: Place = { what: 'rt mtu', hooks: ['forward', 'output', 'postrouting'] };
const SOCKET: Place = { what: 'socket', hooks: ['prerouting', 'input', 'output'] };
const OSF: Place = { what: 'osf', hooks: INCOMING };
const IPSEC_IN: Place = { what: 'ipsec in', hooks: INCOMING };
const IPSEC_OUT: Place = { what: 'ipsec out', hooks: OUTGOING };
const SECPATH: Place = { what: 'meta ipsec', hooks: INCOMING };
const SDIF: Place = { what: 'meta sdif', hooks: ['input', 'forward'] };

const NONE: readonly ExprNode[] = [];

/**
 * Whether a statement cannot work in a base chain.
 * @returns what is wrong in words, or null
 */
export function misplaced(stmt: StmtNode, base: NftBase, family: Family): string | null {
  const expressions = expressionsOf(stmt);
  if (family === 'ip6' && expressions.some((node) => 'osf' in node)) return 'osf is for IPv4 only';
  const own = statementPlace(stmt);
  const wrong = own === null ? null : trouble(own, base, family);
  if (wrong !== null) return wrong;
  for (const node of expressions) {
    const none = unsupportedInBase(node, family);
    if (none !== null) return none;
    const place = expressionPlace(node);
    const other = place === null ? null : trouble(place, base, family);
    if (other !== null) return other;
  }
  return null;
}

/** What is wrong with something in a base chain, or null. */
function trouble(place: Place, base: NftBase, family: Family): string | null {
  // The kernel's hooks of inet are those of IP; only reject knows its ingress (measured).
  if (base.hook === 'ingress' && family === 'inet' && place !== REJECT)
    return `${place.what} does not work in the ingress hook of inet`;
  if (place.type !== undefined && base.type !== place.type)
    return `${place.what} works in chains of type ${place.type} only, not of type ${base.type}`;
  if (!place.hooks.includes(base.hook))
    return `${place.what} does not work in the ${base.hook} hook, only in ${place.hooks.join(', ')}`;
  return null;
}

function statementPlace(stmt: StmtNode): Place | null {
  if ('reject' in stmt) return REJECT;
  if ('masquerade' in stmt) return MASQUERADE;
  if ('snat' in stmt) return SNAT;
  if ('dnat' in stmt) return DNAT;
  if ('redirect' in stmt) return REDIRECT;
  if ('tproxy' in stmt) return TPROXY;
  if ('synproxy' in stmt) return SYNPROXY;
  if (!('mangle' in stmt)) return null;
  const { key } = stmt.mangle;
  return 'meta' in key && key.meta.key === 'pkttype' ? SET_PKTTYPE : null;
}

/** The expressions of a statement that are read from the packet. */
function expressionsOf(stmt: StmtNode): readonly ExprNode[] {
  if ('match' in stmt) return flatten(stmt.match.left);
  if ('vmap' in stmt) return flatten(stmt.vmap.key);
  if ('mangle' in stmt) return flatten(stmt.mangle.value);
  if ('set' in stmt) return flatten(stmt.set.elem);
  if ('meter' in stmt) return flatten(stmt.meter.key);
  return NONE;
}

function flatten(node: ExprNode): ExprNode[] {
  if ('concat' in node) return node.concat.flatMap(flatten);
  if ('binop' in node) return flatten(node.binop.left);
  if ('map' in node) return flatten(node.map.key);
  if ('elem' in node) return flatten(node.elem.val);
  if ('jhash' in node) return flatten(node.jhash.expr);
  return [node];
}

function expressionPlace(node: ExprNode): Place | null {
  if ('fib' in node) {
    const { result, flags } = node.fib;
    if (result !== 'type') return FIB_OIF;
    return flags.includes('iif') ? FIB_IIF : flags.includes('oif') ? FIB_OUT : FIB_TYPE;
  }
  if ('rt' in node) return node.rt.key === 'mtu' ? RT_MTU : null;
  if ('socket' in node) return SOCKET;
  if ('osf' in node) return OSF;
  if ('ipsec' in node) return node.ipsec.dir === 'in' ? IPSEC_IN : IPSEC_OUT;
  if (!('meta' in node)) return null;
  const { key } = node.meta;
  return key === 'ipsec' || key === 'secpath' ? SECPATH : key === 'sdif' || key === 'sdifname' ? SDIF : null;
}
