import type { At } from './ast-expr.ts';
import type { RejectStmt } from './ast-stmt.ts';
import { requireHeader } from './eval-proto.ts';
import { constant, type Info, numberOf, type Scope } from './eval-scope.ts';
import { evalValue } from './eval-value.ts';
import { ICMP_CODE, ICMPV6_CODE, ICMPX_CODE } from './type-datatype.ts';

const CODES: Readonly<Record<string, Info>> = {
  icmp: { type: ICMP_CODE, bits: 8, order: 'big' },
  icmpv6: { type: ICMPV6_CODE, bits: 8, order: 'big' },
  icmpx: { type: ICMPX_CODE, bits: 8, order: 'big' },
};
/** Port unreachable: ICMP, ICMPv6, and nft's own number for both. */
const PORT_UNREACHABLE: Readonly<Record<string, bigint>> = { icmp: 3n, icmpv6: 4n, icmpx: 1n };
/** NFT_REJECT_ICMPX_MAX. */
const MOST_ICMPX = 3n;
const NETWORK: Readonly<Record<string, string>> = { icmp: 'ip', icmpv6: 'ip6' };

/**
 * Evaluates `reject`: finds which answer the plain form means, adds what the written one implies. What comes out
 * always has its type and code.
 */
export function evalReject(scope: Scope, stmt: RejectStmt): void {
  const { type, expr } = stmt.reject;
  if (scope.family === 'arp') scope.refuse('cannot use reject with arp', stmt.at);
  if (type === 'tcp reset') {
    if (scope.th !== null && scope.th !== 'tcp')
      scope.refuse('you cannot use tcp reset with this protocol', stmt.at);
    requireInFront(scope, 'tcp', stmt.at);
    scope.out.push({ reject: { type }, at: stmt.at });
    return;
  }
  const kind = type ?? defaultKind(scope, stmt.at);
  if (kind === 'icmpx' && (scope.family === 'ip' || scope.family === 'ip6'))
    scope.refuse(
      'abstracted ICMP unreachable not supported',
      stmt.at,
      `write icmp or icmpv6 instead of icmpx`,
    );
  const network = NETWORK[kind];
  if (network !== undefined && scope.nh !== network) {
    if (scope.nh !== null)
      scope.refuse(`conflicting protocols specified: ${network} vs ${scope.nh}`, stmt.at);
    requireInFront(scope, network, stmt.at);
  }
  const info = CODES[kind]!;
  const code = expr === undefined ? constant(info, PORT_UNREACHABLE[kind]!) : evalValue(scope, expr, info);
  const number = numberOf(code) ?? 0n;
  if (number === 255n || (kind === 'icmpx' && number > MOST_ICMPX)) scope.refuse('Invalid argument', stmt.at);
  scope.out.push({ reject: { type: kind, expr: code }, at: stmt.at });
}

/** What `reject` implies is tested before all else in the rule (measured). */
function requireInFront(scope: Scope, header: string, at: At | undefined): void {
  const before = scope.out.length;
  requireHeader(scope, header, at, false);
  scope.out.unshift(...scope.out.splice(before));
}

function defaultKind(scope: Scope, at: At | undefined): 'icmp' | 'icmpv6' | 'icmpx' {
  const isLink = scope.family === 'bridge' || scope.family === 'netdev';
  if (isLink && scope.nh !== null && scope.nh !== 'ip' && scope.nh !== 'ip6')
    scope.refuse('cannot reject this network family', at);
  if (isLink && scope.ll === 'unknown') scope.refuse('cannot reject from this link layer protocol', at);
  return scope.nh === 'ip' ? 'icmp' : scope.nh === 'ip6' ? 'icmpv6' : 'icmpx';
}
