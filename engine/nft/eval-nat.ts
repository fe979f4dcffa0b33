import type { At, ExprNode } from './ast-expr.ts';
import type { DupStmt, FwdStmt, NatSpec, NatStmt, TproxyStmt } from './ast-stmt.ts';
import { shapeOf } from './eval-elements.ts';
import { isInterval } from './eval-interval.ts';
import { evalAssigned, findSet } from './eval-match.ts';
import { concatInfo, type Info, type Scope } from './eval-scope.ts';
import { IFACE_INDEX, INET_SERVICE, IPV4_ADDR, IPV6_ADDR } from './type-datatype.ts';

/** What a port behind a colon is. */
export const PORT: Info = { type: INET_SERVICE, bits: 16, order: 'big' };
/** What dup and fwd send by. */
export const DEVICE: Info = { type: IFACE_INDEX, bits: 32, order: 'host' };

/** The type of addresses of a family. */
export function addressInfo(family: 'ip' | 'ip6'): Info {
  return family === 'ip'
    ? { type: IPV4_ADDR, bits: 32, order: 'big' }
    : { type: IPV6_ADDR, bits: 128, order: 'big' };
}

function inetOnly(scope: Scope, message: string, at: At | undefined): void {
  const { family } = scope;
  if (family !== 'ip' && family !== 'ip6' && family !== 'inet') scope.refuse(message, at);
}

/** The family of the addresses in a statement: written, the table's, or that of the packets that came so far. */
function addressFamily(scope: Scope, written: 'ip' | 'ip6' | undefined, at: At | undefined): 'ip' | 'ip6' {
  const known = scope.nh === 'ip' || scope.nh === 'ip6' ? scope.nh : undefined;
  if (written !== undefined && known !== undefined && written !== known)
    scope.refuse(`conflicting protocols specified: ${known} vs. ${written}`, at);
  return (
    written ??
    known ??
    scope.refuse('ip or ip6 must be specified with address for inet tables', at, 'for example: dnat ip to …')
  );
}

function requireTransport(scope: Scope, at: At | undefined): void {
  if (scope.th === null || scope.th === 'unknown')
    scope.refuse('transport protocol mapping is only valid after transport protocol match', at);
}

/** Evaluates snat, dnat, masquerade and redirect. */
export function evalNat(scope: Scope, stmt: NatStmt): void {
  inetOnly(scope, 'NAT is only supported for IPv4/IPv6', stmt.at);
  if ('snat' in stmt) scope.out.push({ snat: natSpec(scope, stmt.snat, stmt.at), at: stmt.at });
  else if ('dnat' in stmt) scope.out.push({ dnat: natSpec(scope, stmt.dnat, stmt.at), at: stmt.at });
  else if ('masquerade' in stmt)
    scope.out.push({ masquerade: natSpec(scope, stmt.masquerade, stmt.at), at: stmt.at });
  else scope.out.push({ redirect: natSpec(scope, stmt.redirect, stmt.at), at: stmt.at });
}

function natSpec(scope: Scope, spec: NatSpec, at: At | undefined): NatSpec {
  const { addr, port } = spec;
  if (port !== undefined) requireTransport(scope, port.at ?? at);
  const family = addr === undefined ? spec.family : addressFamily(scope, spec.family, addr.at ?? at);
  const concat = addr !== undefined && isConcatMap(scope, addr, spec);
  const info = family === undefined ? null : addressInfo(family);
  const wanted = info === null || !concat ? info : concatInfo([info, PORT]);
  const to = addr === undefined || wanted === null ? undefined : evalAssigned(scope, addr, wanted);
  if (concat) requireTransport(scope, at);
  const ranged = to !== undefined && isRangedMap(scope, to);
  const shown = scope.family === 'inet' || concat || ranged;
  return {
    family: shown ? family : undefined,
    addr: to,
    port: port === undefined ? undefined : evalAssigned(scope, port, PORT),
    flags: spec.flags,
    type_flags: spec.type_flags.filter((flag) => flag === 'prefix'),
  };
}

/** Whether a map gives ranges. */
function isRangedMap(scope: Scope, to: ExprNode): boolean {
  if (!('map' in to)) return false;
  const { data } = to.map;
  if ('setref' in data) return findSet(scope, data.setref, data.at).node.mapInterval === true;
  return 'set' in data && data.set.some((node) => 'pair' in node && isInterval(node.pair[1]));
}

/** Whether a map gives addresses with ports. */
function isConcatMap(scope: Scope, addr: ExprNode, spec: NatSpec): boolean {
  if (spec.type_flags.includes('concat')) return true;
  if (!('map' in addr)) return false;
  const { data } = addr.map;
  if ('setref' in data) {
    const values = shapeOf(findSet(scope, data.setref, data.at)).data;
    return values !== null && typeof values === 'object' && 'parts' in values && values.parts !== undefined;
  }
  const first = 'set' in data ? data.set[0] : undefined;
  return first !== undefined && 'pair' in first && 'concat' in first.pair[1];
}

/** Where the network is known, tproxy of an inet table must name it, and no table's may name another (measured). */
function refuseTproxyFamily(scope: Scope, written: 'ip' | 'ip6' | undefined, at: At | undefined): void {
  const { family, nh } = scope;
  const named = written ?? (family === 'inet' ? undefined : family);
  if ((nh === 'ip' || nh === 'ip6') && named !== nh)
    scope.refuse(
      `conflicting protocols specified: ${nh} vs. ${named ?? 'unknown'}. You must specify ip or ip6 family in tproxy statement`,
      at,
    );
}

/** Evaluates tproxy. */
export function evalTproxy(scope: Scope, stmt: TproxyStmt): void {
  inetOnly(scope, 'tproxy is only supported for IPv4/IPv6/INET', stmt.at);
  const { addr, port, family: written } = stmt.tproxy;
  if (scope.th === null)
    scope.refuse(
      'transparent proxy support requires transport protocol match',
      stmt.at,
      'for example: meta l4proto tcp',
    );
  refuseTproxyFamily(scope, written, stmt.at);
  const family = addr === undefined ? written : addressFamily(scope, written, stmt.at);
  if (addr !== undefined && 'range' in addr)
    scope.refuse('Address ranges are not supported for tproxy.', stmt.at);
  if (port !== undefined && 'range' in port)
    scope.refuse('Port ranges are not supported for tproxy.', stmt.at);
  scope.out.push({
    tproxy: {
      family: scope.family === 'inet' ? family : undefined,
      addr: addr === undefined ? undefined : evalAssigned(scope, addr, addressInfo(family ?? 'ip')),
      port: port === undefined ? undefined : evalAssigned(scope, port, PORT),
    },
    at: stmt.at,
  });
}

/** Evaluates dup. */
export function evalDup(scope: Scope, stmt: DupStmt): void {
  const { addr, dev } = stmt.dup;
  if (scope.family === 'netdev') {
    if (dev !== undefined) scope.refuse('cannot specify device', stmt.at);
    scope.out.push({ dup: { addr: evalAssigned(scope, addr, DEVICE) }, at: stmt.at });
    return;
  }
  const { family } = scope;
  if (family !== 'ip' && family !== 'ip6') scope.refuse('unsupported family', stmt.at);
  const to = evalAssigned(scope, addr, addressInfo(family));
  const device = dev === undefined ? undefined : evalAssigned(scope, dev, DEVICE);
  scope.out.push({ dup: { addr: to, dev: device }, at: stmt.at });
}

/** Evaluates fwd. */
export function evalFwd(scope: Scope, stmt: FwdStmt): void {
  const { dev, family, addr } = stmt.fwd;
  if (scope.family !== 'netdev') scope.refuse('unsupported family', stmt.at, 'fwd is for netdev tables');
  const device = evalAssigned(scope, dev, DEVICE);
  const to =
    addr === undefined || family === undefined ? undefined : evalAssigned(scope, addr, addressInfo(family));
  scope.out.push({ fwd: { dev: device, family, addr: to }, at: stmt.at });
}
