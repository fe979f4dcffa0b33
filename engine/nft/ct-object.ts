import type { Helper } from '../conntrack/helper.ts';
import { AF_INET, AF_INET6 } from '../packet/packet.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../packet/protocols.ts';
import type { CtExpectationNode, CtHelperNode } from './ast.ts';
import type { ObjectKind } from './ast-stmt.ts';
import type { ObjectBody } from './ruleset-state.ts';

/** Transport protocols that ct objects may name. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['tcp', IPPROTO_TCP],
  ['udp', IPPROTO_UDP],
]);

/** The number of a transport protocol that a ct object names, 0 if it names none that it may. */
export function ctProtocol(name: string | undefined): number {
  return PROTOCOLS.get(name ?? '') ?? 0;
}

/** AF_* of the flows that an object of a family is for. */
export function addressFamilies(family: string): readonly number[] {
  if (family === 'ip') return [AF_INET];
  return family === 'ip6' ? [AF_INET6] : [AF_INET, AF_INET6];
}

/** Whether an object is for IPv4 in a table of IPv6, or the other way round. */
function isOfOther({
  family,
  l3proto,
}: {
  readonly family: string;
  readonly l3proto?: string | undefined;
}): boolean {
  return (family === 'ip' && l3proto === 'ip6') || (family === 'ip6' && l3proto === 'ip');
}

function helperTrouble(node: CtHelperNode, helpers: readonly Helper[]): string | null {
  const { type, protocol, family, l3proto } = node;
  if (type === undefined) return 'a ct helper needs a type';
  if (isOfOther(node)) return `l3proto ${l3proto} does not fit a table of family ${family}`;
  const proto = ctProtocol(protocol);
  const families = addressFamilies(l3proto ?? family);
  const names = helpers.filter(
    (one) => one.proto === proto && one.families.some((f) => families.includes(f)),
  );
  if (names.some(({ name }) => name === type)) return null;
  const known = [...new Set(names.map(({ name }) => name))].join(', ');
  return `No such file or directory: no helper '${type}' for ${protocol}; there are ${known}`;
}

function expectationTrouble(node: CtExpectationNode): string | null {
  const { family, l3proto } = node;
  const own = l3proto ?? family;
  if (own !== 'ip' && own !== 'ip6')
    return 'Address family not supported by protocol: say l3proto ip or ip6, or put it into a table of one of them';
  return isOfOther(node) ? `l3proto ${l3proto} does not fit a table of family ${family}` : null;
}

/**
 * What the kernel refuses of a ct object (measured).
 * @param helpers all there are
 * @returns null if nothing; what it says and why with a colon between, or why alone of what is an invalid argument
 */
export function ctObjectTrouble(
  kind: ObjectKind,
  node: ObjectBody,
  helpers: readonly Helper[],
): string | null {
  if (kind === 'ct helper') return helperTrouble(node as CtHelperNode, helpers);
  return kind === 'ct expectation' ? expectationTrouble(node as CtExpectationNode) : null;
}
