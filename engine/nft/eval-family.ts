import type { Family } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';

const IP_FAMILIES: ReadonlySet<Family> = new Set(['ip', 'ip6', 'inet']);
/** Families that the kernel cannot track, whatever it was built with. */
export const UNTRACKED: ReadonlySet<Family> = new Set(['arp', 'netdev']);
const BRIDGE_KEYS: ReadonlySet<string> = new Set([
  'ibrname',
  'obrname',
  'ibriport',
  'obriport',
  'ibrpvid',
  'ibrvproto',
]);
/** XFRM_MAX_DEPTH. */
const POLICIES = 6;

const NOT_SUPPORTED = 'Operation not supported';
const NO_TRACKING = 'Protocol error';

/**
 * Whether the kernel has no such expression in a family, in no chain of it, even if nothing leads there.
 * @returns what it says, or null. All measured on Linux 6.18
 */
export function unsupported(node: ExprNode, family: Family): string | null {
  if ('ct' in node) return UNTRACKED.has(family) ? NO_TRACKING : null;
  if ('meta' in node) return BRIDGE_KEYS.has(node.meta.key) && family !== 'bridge' ? NOT_SUPPORTED : null;
  if ('fib' in node) return unsupportedFib(node.fib, family);
  if ('ipsec' in node) return (node.ipsec.spnum ?? 0) >= POLICIES ? 'Numerical result out of range' : null;
  return 'socket' in node && !IP_FAMILIES.has(family) ? NOT_SUPPORTED : null;
}

/** The same of what the kernel looks at only in chains that a hook's packets come to. */
export function unsupportedInBase(node: ExprNode, family: Family): string | null {
  if ('rt' in node || 'osf' in node) return IP_FAMILIES.has(family) ? null : NOT_SUPPORTED;
  if (!('meta' in node)) return null;
  const { key } = node.meta;
  if (key === 'sdif' || key === 'sdifname') return IP_FAMILIES.has(family) ? null : NOT_SUPPORTED;
  const isPath = key === 'ipsec' || key === 'secpath';
  return isPath && (family === 'arp' || family === 'bridge') ? NOT_SUPPORTED : null;
}

type Fib = Extract<ExprNode, { readonly fib: unknown }>['fib'];

function unsupportedFib({ result, flags }: Fib, family: Family): string | null {
  if (family === 'arp' || family === 'bridge') return 'No such file or directory';
  return result !== 'type' && flags.includes('oif') ? 'Invalid argument' : null;
}

/** The same of counting connections and of synproxy, which needs tracking: of a bridge too. */
export function unsupportedStatement(kind: 'ct count' | 'synproxy', family: Family): string | null {
  const here = UNTRACKED.has(family) || (kind === 'synproxy' && family === 'bridge');
  return here ? NO_TRACKING : null;
}
