import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import type { At, ExprNode } from './ast-expr.ts';
import { constant, type Headers, type Info, numberOf, type Scope } from './eval-scope.ts';
import { metaKey } from './key-meta.ts';
import type { HeaderField } from './proto-header.ts';
import { NETWORKS } from './proto-network.ts';
import { findField, findProtocol } from './proto-table.ts';
import { TRANSPORTS } from './proto-transport.ts';

const NFPROTO_OF: Readonly<Record<string, bigint>> = { ip: BigInt(NFPROTO_IPV4), ip6: BigInt(NFPROTO_IPV6) };
const ARPHRD_ETHER = 1n;
/** What a layer is where the rule has asked for something that nft has no header of. */
const UNKNOWN = 'unknown';
/** Networks that have transports. */
const CARRIERS: ReadonlySet<string> = new Set(['ip', 'ip6']);
/** The network that a transport is only defined in. */
const HOME: Readonly<Record<string, string>> = { icmp: 'ip', igmp: 'ip', icmpv6: 'ip6' };

/**
 * Makes sure that a packet has a header before a field of it is read: adds the tests that nft adds, or refuses where
 * another header of the same layer is known to be there.
 * @param direct whether a field of this very header is wanted (a bridge then tests `meta protocol`)
 */
export function requireHeader(scope: Scope, name: string, at: At | undefined, direct = true): void {
  const base = findProtocol(name)?.base;
  if (name === 'th' || base === undefined || scope.typesOnly) return;
  if (base === 'll') requireLink(scope, name, at);
  else if (base === 'nh') requireNetwork(scope, name, at, direct);
  else requireTransport(scope, name, at);
}

function conflict(scope: Scope, known: string, wanted: string, at: At | undefined): never {
  return scope.refuse(`conflicting protocols specified: ${known} vs. ${wanted}`, at);
}

function requireLink(scope: Scope, name: string, at: At | undefined): void {
  if (scope.ll === UNKNOWN) conflict(scope, UNKNOWN, name, at);
  const { family, ll } = scope;
  if (ll === null) {
    test(scope, { meta: { key: 'iiftype' } }, ARPHRD_ETHER);
    scope.ll = 'ether';
  }
  if (name === 'vlan' && scope.ll !== 'vlan') {
    // Families of one network know it only where the rule has asked for Ethernet already (measured).
    const isWide = family === 'inet' || family === 'bridge' || family === 'netdev';
    const known = isWide || ll === 'ether' ? scope.nh : null;
    if (known !== null) conflict(scope, 'ether', 'vlan', at);
    testField(scope, 'ether', 'type', 0x8100n);
    scope.ll = 'vlan';
  }
}

function requireNetwork(scope: Scope, name: string, at: At | undefined, direct: boolean): void {
  if (scope.nh === name) return;
  if (scope.nh !== null) conflict(scope, scope.nh, name, at);
  if (scope.ll === UNKNOWN) conflict(scope, UNKNOWN, name, at);
  const type = ethernetType(name);
  if (scope.ll === 'vlan') testField(scope, 'vlan', 'type', type);
  else if (scope.family === 'bridge' && direct && name !== 'arp')
    test(scope, { meta: { key: 'protocol' } }, type);
  else if (scope.ll === 'ether') testField(scope, 'ether', 'type', type);
  else if (scope.family === 'netdev') test(scope, { meta: { key: 'protocol' } }, type);
  else if (NFPROTO_OF[name] === undefined) conflict(scope, scope.family, name, at);
  else test(scope, { meta: { key: 'nfproto' } }, NFPROTO_OF[name]);
  scope.nh = name;
}

function requireTransport(scope: Scope, name: string, at: At | undefined): void {
  for (const other of scope.transports) if (other !== name) conflict(scope, other, name, at);
  if (scope.th === name) return;
  if (scope.nh !== null && !CARRIERS.has(scope.nh)) conflict(scope, scope.nh, name, at);
  const home = HOME[name];
  if (home !== undefined && scope.nh === null) requireNetwork(scope, home, at, false);
  test(scope, { meta: { key: 'l4proto' } }, transportNumber(name));
  learnTransport(scope, name);
}

function ethernetType(name: string): bigint {
  for (const [type, network] of NETWORKS) if (network === name) return BigInt(type);
  return 0n;
}

function transportNumber(name: string): bigint {
  for (const [number, transport] of TRANSPORTS) if (transport === name) return BigInt(number);
  return 0n;
}

function test(scope: Scope, left: ExprNode & { meta: { key: string } }, value: bigint): void {
  const key = metaKey(left.meta.key)!;
  scope.out.push({ match: { op: '==', left, right: constant(key, value) } });
}

function testField(scope: Scope, protocol: string, name: string, value: bigint): void {
  const left = { payload: { protocol, field: name } };
  scope.out.push({
    match: { op: '==', left, right: constant(fieldInfo(findField(protocol, name)!), value) },
  });
}

/** What a field yields. */
export function fieldInfo(found: HeaderField): Info {
  return { type: found.type, bits: found.bits, order: found.order };
}

/** Adds the test of the ICMP type that a field is part of, unless the rule has it. */
export function requireIcmpType(
  scope: Scope,
  protocol: string,
  found: HeaderField,
  at: At | undefined,
): void {
  const { types } = found;
  if (types === undefined || scope.typesOnly) return;
  if (scope.icmpType !== null) {
    if (types.includes(scope.icmpType)) return;
    scope.refuse(`incompatible icmp match: rule has ${scope.icmpType}, need ${types.join(' or ')}`, at);
  }
  const left = { payload: { protocol, field: 'type' } };
  const info = fieldInfo(findField(protocol, 'type')!);
  const values = [...types].sort((a, b) => a - b).map((type) => constant(info, BigInt(type)));
  const right: ExprNode = values.length === 1 ? values[0]! : { set: values };
  scope.out.push({ match: { op: '==', left, right } });
  scope.icmpType = types[0]!;
}

/** Notes what a match for equality says of the headers. */
export function learnHeaders(scope: Headers, left: ExprNode, right: ExprNode): void {
  const values = 'set' in right ? right.set : [right];
  for (const one of values) {
    const value = numberOf('elem' in one ? one.elem.val : one);
    if (value !== undefined) learn(scope, left, Number(value));
  }
}

function learn(scope: Headers, left: ExprNode, value: number): void {
  if ('meta' in left) learnMeta(scope, left.meta.key, value);
  if ('ct' in left) learnTracked(scope, left.ct.key, value);
  if (!('payload' in left)) return;
  const { protocol, field } = left.payload;
  if (field === 'type' && (protocol === 'ether' || protocol === 'vlan'))
    learnEther(scope, value, protocol === 'vlan');
  else if ((protocol === 'ip' && field === 'protocol') || (protocol === 'ip6' && field === 'nexthdr'))
    learnTransport(scope, TRANSPORTS.get(value));
  else if (field === 'type' && (protocol === 'icmp' || protocol === 'icmpv6')) scope.icmpType = value;
}

/** What tracking says of the protocol is taken as if the packet said it, where the network header is known (measured). */
function learnTracked(scope: Headers, key: string, value: number): void {
  if (key === 'l3proto') learnMeta(scope, 'nfproto', value);
  else if (key === 'protocol' && (scope.nh === 'ip' || scope.nh === 'ip6'))
    learnTransport(scope, TRANSPORTS.get(value));
}

function learnTransport(scope: Headers, name: string | undefined): void {
  if (name === undefined) return;
  scope.th = name;
  scope.transports.add(name);
}

function learnEther(scope: Headers, value: number, behindVlan: boolean): void {
  const name = NETWORKS.get(value);
  if (name === 'vlan') {
    scope.ll = 'vlan';
    if (behindVlan) scope.vlans++;
  } else if (name !== undefined) scope.nh = name;
}

function learnMeta(scope: Headers, key: string, value: number): void {
  if (key === 'nfproto') scope.nh = value === NFPROTO_IPV4 ? 'ip' : value === NFPROTO_IPV6 ? 'ip6' : scope.nh;
  else if (key === 'l4proto') learnTransport(scope, TRANSPORTS.get(value) ?? 'unknown');
  else if (key === 'iiftype' && scope.family !== 'bridge') scope.ll = value === 1 ? 'ether' : UNKNOWN;
  else if (key === 'protocol' && (scope.family === 'bridge' || scope.family === 'netdev'))
    scope.nh = NETWORKS.get(value) ?? UNKNOWN;
}
