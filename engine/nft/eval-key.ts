import type { At, ExprNode, RawPayloadExpr } from './ast-expr.ts';
import { unsupported } from './eval-family.ts';
import { fieldInfo, requireHeader, requireIcmpType } from './eval-proto.ts';
import { concatInfo, constant, describeInfo, type Info, partsOf, type Scope } from './eval-scope.ts';
import { evalValue, shiftWidth } from './eval-value.ts';
import { ctKey } from './key-ct.ts';
import { exthdr, ipOption, sctpChunk, tcpOption } from './key-exthdr.ts';
import { metaKey } from './key-meta.ts';
import { fibResult, GENERATED, ipsecKey, osfKey, rtKey, socketKey } from './key-other.ts';
import type { HeaderField } from './proto-header.ts';
import { findField, findProtocol, vlanOffset } from './proto-table.ts';
import {
  BOOLEAN,
  type Datatype,
  INET_SERVICE,
  INTEGER,
  IPV4_ADDR,
  IPV6_ADDR,
  RAW_INTEGER,
} from './type-datatype.ts';

/** An expression that is read from the packet, and what it yields. */
export interface Key {
  readonly expr: ExprNode;
  readonly info: Info;
}

/** `exists`, `missing`. */
export const EXISTENCE: Info = { type: BOOLEAN, bits: 8, order: 'host' };
/** The type of how far a shift goes. */
export const SHIFT: Info = { type: INTEGER, bits: 32, order: 'host' };
/** The longest key: all registers. */
const MOST_BITS = 512;

/**
 * Evaluates what stands on a match's left side, a map's or set's key: adds the tests that it implies and finds its
 * type.
 */
export function evalKey(scope: Scope, node: ExprNode): Key {
  const wrong = unsupported(node, scope.family);
  if (wrong !== null && !scope.typesOnly) scope.refuse(wrong, node.at);
  if ('payload' in node) return payloadKey(scope, node);
  if ('rawPayload' in node) return rawPayloadKey(scope, node);
  if ('meta' in node) return metaExpr(scope, node);
  if ('ct' in node) return ctExpr(scope, node);
  if ('concat' in node) return concatKey(scope, node.concat, node.at);
  if ('binop' in node) return binopKey(scope, node);
  if ('map' in node) return mapHook(scope, node);
  return otherKey(scope, node);
}

let mapHook: (scope: Scope, node: ExprNode & { map: { key: ExprNode; data: ExprNode } }) => Key = (
  scope,
  node,
) => scope.refuse('a map cannot stand here', node.at);

/** Tells {@link evalKey} how maps are evaluated: a map's key is a key again, so the two need each other. */
export function setMapEvaluation(evaluate: typeof mapHook): void {
  mapHook = evaluate;
}

function payloadKey(scope: Scope, node: ExprNode & { payload: { protocol: string; field: string } }): Key {
  const { protocol, field } = node.payload;
  const found = findField(protocol, field);
  if (found === null) {
    const known = findProtocol(protocol) !== null;
    return scope.refuse(
      known ? `${protocol} has no field ${field}` : `unknown protocol ${protocol}`,
      node.at,
    );
  }
  requireHeader(scope, protocol, node.at);
  requireIcmpType(scope, protocol, found, node.at);
  const info = fieldInfo(found);
  if (protocol !== 'vlan' || scope.vlans === 0) return { expr: node, info };
  // Behind `vlan type 8021q` the next header is meant.
  const offset = vlanOffset(scope.vlans) + found.offset;
  return { expr: { rawPayload: { base: 'll', offset, len: found.bits }, at: node.at }, info };
}

/** The longest value that a register holds. */
const MOST_RAW_BITS = 128;
/** The last byte of a header that the kernel has a number for. */
const LAST_RAW_BYTE = 0xffff;
/** The longest header of TCP. */
const MOST_TCP_BITS = 320;

function rawPayloadKey(scope: Scope, node: RawPayloadExpr): Key {
  const { offset, len } = node.rawPayload;
  if (Math.floor(offset / 8) > LAST_RAW_BYTE || len === 0)
    scope.refuse('Numerical result out of range', node.at);
  if (len > MOST_RAW_BITS) scope.refuse('Value too large for defined data type', node.at);
  return { expr: node, info: infoOf(node) };
}

function metaExpr(scope: Scope, node: ExprNode & { meta: { key: string } }): Key {
  const key = metaKey(node.meta.key);
  if (key === null) return scope.refuse(`unknown meta key ${node.meta.key}`, node.at);
  if (key.name === 'nfproto' && scope.family !== 'inet')
    return scope.refuse('meta nfproto is only useful in the inet family', node.at);
  const expr = key.name === node.meta.key ? node : { meta: { key: key.name }, at: node.at };
  return { expr, info: key };
}

type CtNode = ExprNode & {
  ct: { key: string; family?: 'ip' | 'ip6' | undefined; dir?: 'original' | 'reply' | undefined };
};

function ctExpr(scope: Scope, node: CtNode): Key {
  const { key, family, dir } = node.ct;
  const known = ctKey(key, family);
  if (known === null) return scope.refuse(`unknown ct key ${key}`, node.at);
  if (dir === undefined && known.direction === 'must')
    return scope.refuse(`ct ${key} needs a direction`, node.at, 'write ct original or ct reply');
  if (dir !== undefined && known.direction === 'never')
    return scope.refuse(`ct ${key} has no direction`, node.at);
  if (family !== undefined && (scope.nh === 'ip' || scope.nh === 'ip6') && family !== scope.nh)
    return scope.refuse(`conflicting protocols specified: ${scope.nh} vs. ${family}`, node.at);
  if (family !== undefined || (key !== 'saddr' && key !== 'daddr')) {
    if ((key === 'proto-src' || key === 'proto-dst') && scope.th === null)
      return scope.refuse(`ct ${key} is only known after a test of the transport protocol`, node.at);
    return { expr: node, info: known };
  }
  const network = scope.nh;
  if (network !== 'ip' && network !== 'ip6') {
    const hint = `write ct ${dir} ip ${key} or ct ${dir} ip6 ${key}`;
    return scope.refuse('cannot determine ip protocol version', node.at, hint);
  }
  const type = network === 'ip' ? IPV4_ADDR : IPV6_ADDR;
  // The listing names the family even where the rule did not (measured).
  const expr: ExprNode = { ct: { key, family: network, dir, isImplied: true }, at: node.at };
  return { expr, info: { type, bits: type.bits, order: 'big' } };
}

function concatKey(scope: Scope, nodes: readonly ExprNode[], at: At | undefined): Key {
  const keys = nodes.map((node) => evalKey(scope, node));
  const infos = keys.map((key) => key.info);
  if (infos.some((info) => info.parts !== undefined)) scope.refuse('a concatenation cannot hold another', at);
  if (keys.some(({ expr }) => 'osf' in expr))
    scope.refuse('can not use variable sized data types (string) in concat expressions', at);
  return { expr: { concat: keys.map((key) => key.expr), at }, info: evalConcatInfo(scope, infos, at) };
}

/** The type of a concatenation; refuses one that is longer than the kernel's. */
export function evalConcatInfo(scope: Scope, parts: readonly Info[], at: At | undefined): Info {
  const info = concatInfo(parts);
  if (info.bits > MOST_BITS) scope.refuse(`concatenation exceeds ${MOST_BITS / 8} bytes`, at);
  return info;
}

type BinopNode = ExprNode & { binop: { op: '&' | '|' | '^' | '<<' | '>>'; left: ExprNode; right: ExprNode } };

function binopKey(scope: Scope, node: BinopNode): Key {
  const { op } = node.binop;
  const left = evalKey(scope, node.binop.left);
  const { info } = left;
  if (info.parts !== undefined || info.type.base === 'string')
    return scope.refuse(`binary operation (${op}) is undefined for ${describeInfo(info)}`, node.at);
  if (op === '<<' || op === '>>') {
    const width = shiftWidth(node.binop.right);
    if (width === undefined || width >= BigInt(info.bits))
      return scope.refuse(`undefined shift, at most ${info.bits - 1} bits`, node.binop.right.at);
    return { expr: { binop: { op, left: left.expr, right: constant(SHIFT, width) }, at: node.at }, info };
  }
  const right = evalValue(scope, node.binop.right, info);
  return { expr: { binop: { op, left: left.expr, right }, at: node.at }, info };
}

function otherKey(scope: Scope, node: ExprNode): Key {
  if ('exthdr' in node) {
    if (scope.nh === 'arp') return scope.refuse('cannot use exthdr with arp', node.at);
    requireHeader(scope, 'ip6', node.at, false);
    // Measured: the field is without a type in nft 1.0.6.
    if (node.exthdr.name === 'rt2' && node.exthdr.field !== undefined)
      return scope.refuse('rt2 addr cannot be compared with anything', node.at);
    return sought(scope, node, exthdr(node.exthdr.name)?.fields, exthdrField(node.exthdr));
  }
  if ('tcp option' in node) {
    const { name, field } = node['tcp option'];
    return sought(scope, node, tcpOption(name)?.fields, field);
  }
  if ('rawTcpOption' in node) {
    const { offset, len } = node.rawTcpOption;
    if (offset + len > MOST_TCP_BITS)
      scope.refuse(`offset and size ${offset + len} exceeds max tcp headerlen (${MOST_TCP_BITS})`, node.at);
    if (len > MOST_RAW_BITS || len === 0) scope.refuse('Value too large for defined data type', node.at);
    const existence = offset === 0 && len === 8;
    return { expr: node, info: existence ? EXISTENCE : { type: INTEGER, bits: len, order: 'big' } };
  }
  if ('ip option' in node) {
    requireHeader(scope, 'ip', node.at, false);
    const { name, field } = node['ip option'];
    return sought(scope, node, ipOption(name)?.fields, field);
  }
  if ('sctp chunk' in node) {
    const { name, field } = node['sctp chunk'];
    return sought(scope, node, sctpChunk(name)?.fields, field);
  }
  return keyOfHost(scope, node);
}

/** The field's name with its number: `addr[1]`. */
export function exthdrField(node: {
  readonly field?: string | undefined;
  readonly offset?: number | undefined;
}): string | undefined {
  const { field, offset } = node;
  if (field === undefined || offset === undefined || field.includes('[')) return field;
  return `${field}[${offset}]`;
}

function sought(
  scope: Scope,
  node: ExprNode,
  known: ReadonlyMap<string, HeaderField> | undefined,
  field: string | undefined,
): Key {
  if (known === undefined) return scope.refuse('unknown header or option', node.at);
  if (field === undefined) return { expr: node, info: EXISTENCE };
  const found = known.get(field);
  if (found === undefined) return scope.refuse(`no such field: ${field}`, node.at);
  return { expr: node, info: fieldInfo(found) };
}

function keyOfHost(scope: Scope, node: ExprNode): Key {
  if ('rt' in node) return rtExpr(scope, node);
  if ('fib' in node) {
    const { flags } = node.fib;
    if (!flags.includes('saddr') && !flags.includes('daddr'))
      return scope.refuse('fib: need either saddr or daddr', node.at);
    if (flags.includes('saddr') && flags.includes('daddr'))
      return scope.refuse('fib: saddr and daddr are mutually exclusive', node.at);
    if (flags.includes('iif') && flags.includes('oif'))
      return scope.refuse('fib: iif and oif are mutually exclusive', node.at);
    return { expr: node, info: fibResult(node.fib.result)! };
  }
  if ('socket' in node) return { expr: node, info: socketKey(node.socket.key)! };
  if ('osf' in node) return { expr: node, info: osfKey(node.osf.key)! };
  if ('ipsec' in node) {
    if (scope.family !== 'ip' && scope.family !== 'ip6' && scope.family !== 'inet')
      return scope.refuse('ipsec expression is only valid in ip/ip6/inet tables', node.at);
    return { expr: node, info: ipsecKey(node.ipsec.key, node.ipsec.family)! };
  }
  if ('numgen' in node) return { expr: node, info: generated(scope, node.numgen, node.at) };
  if ('symhash' in node) return { expr: node, info: generated(scope, node.symhash, node.at) };
  if ('jhash' in node) {
    const inner = evalKey(scope, node.jhash.expr);
    const info = generated(scope, node.jhash, node.at);
    return { expr: { jhash: { ...node.jhash, expr: inner.expr }, at: node.at }, info };
  }
  return scope.refuse('this is no expression that a packet can be tested with', node.at);
}

/** Numbers from the offset on, as many as there are; the kernel's have 32 bits. */
function generated(
  scope: Scope,
  { mod, offset = 0 }: { readonly mod: number; readonly offset?: number | undefined },
  at: At | undefined,
): Info {
  const { type, bits, order } = GENERATED;
  const max = mod + offset - 1;
  if (mod === 0 || mod > 0xffffffff) scope.refuse('Numerical result out of range', at);
  if (max > 0xffffffff) scope.refuse('Value too large for defined data type', at);
  // Of a generator that gives 0 only nft does not check the range (measured).
  return { type, bits, order, max: max === 0 ? undefined : BigInt(max) };
}

/**
 * What an evaluated expression yields, without adding anything to a rule.
 * @param expr as {@link evalKey} gave it
 */
export function infoOf(expr: ExprNode): Info {
  if ('payload' in expr) return fieldInfo(findField(expr.payload.protocol, expr.payload.field)!);
  if ('rawPayload' in expr) {
    const { rawPayload: raw } = expr;
    return { type: isPort(raw) ? INET_SERVICE : RAW_INTEGER, bits: raw.len, order: 'big' };
  }
  if ('meta' in expr) return metaKey(expr.meta.key)!;
  if ('ct' in expr) return ctKey(expr.ct.key, expr.ct.family)!;
  if ('binop' in expr) return infoOf(expr.binop.left);
  if ('concat' in expr) return concatInfo(expr.concat.map(infoOf));
  if ('fib' in expr) return fibResult(expr.fib.result)!;
  if ('rt' in expr) return rtKey(expr.rt.key, expr.rt.family)!;
  if ('socket' in expr) return socketKey(expr.socket.key)!;
  if ('osf' in expr) return osfKey(expr.osf.key)!;
  if ('ipsec' in expr) return ipsecKey(expr.ipsec.key, expr.ipsec.family)!;
  if ('constant' in expr) {
    const { type, bits } = expr.constant;
    return { type, bits, order: type.order ?? 'host' };
  }
  if ('range' in expr) return infoOf(expr.range[0]);
  if ('prefix' in expr) return infoOf(expr.prefix.addr);
  const field = soughtField(expr);
  return field === undefined ? GENERATED : field === null ? EXISTENCE : fieldInfo(field);
}

/** Whether raw bytes are where ports are, which are ports to nft (measured: `@th,0,16 ssh`). */
export function isPort({ base, offset, len }: RawPayloadExpr['rawPayload']): boolean {
  return base === 'th' && len === 16 && (offset === 0 || offset === 16);
}

/** The field of an extension header or option; null where only its presence is asked for, undefined for others. */
export function soughtField(expr: ExprNode): HeaderField | null | undefined {
  if ('exthdr' in expr) return exthdr(expr.exthdr.name)?.fields.get(exthdrField(expr.exthdr) ?? '') ?? null;
  if ('tcp option' in expr)
    return tcpOption(expr['tcp option'].name)?.fields.get(expr['tcp option'].field ?? '') ?? null;
  if ('ip option' in expr)
    return ipOption(expr['ip option'].name)?.fields.get(expr['ip option'].field ?? '') ?? null;
  if ('sctp chunk' in expr)
    return sctpChunk(expr['sctp chunk'].name)?.fields.get(expr['sctp chunk'].field ?? '') ?? null;
  if (!('rawTcpOption' in expr)) return undefined;
  const { offset, len } = expr.rawTcpOption;
  if (offset === 0 && len === 8) return null;
  return { name: '', offset, bits: len, type: RAW_INTEGER, order: 'big' };
}

function rtExpr(
  scope: Scope,
  node: ExprNode & { rt: { key: string; family?: 'ip' | 'ip6' | undefined } },
): Key {
  const { key } = node.rt;
  const network = scope.nh === 'ip' || scope.nh === 'ip6' ? scope.nh : undefined;
  const family = key === 'nexthop' ? nexthopFamily(scope, node, network) : node.rt.family;
  const known = rtKey(key, family);
  if (known === null)
    return scope.refuse(
      'cannot determine ip protocol version',
      node.at,
      'write rt ip nexthop or rt ip6 nexthop',
    );
  return { expr: family === node.rt.family ? node : { rt: { key, family }, at: node.at }, info: known };
}

/** IPv6 packets have no other next hop, whatever is written; of IPv4 packets nft refuses the other (measured). */
function nexthopFamily(
  scope: Scope,
  { rt, at }: ExprNode & { rt: { family?: 'ip' | 'ip6' | undefined } },
  network: 'ip' | 'ip6' | undefined,
): 'ip' | 'ip6' | undefined {
  if (scope.family === 'ip' && rt.family === 'ip6') scope.refuse('ip6 nexthop will not match', at);
  return network === 'ip6' ? network : (rt.family ?? network);
}

/** Whether two types may stand on both sides of a comparison: nothing is converted (measured). */
export function sameType(a: Info, b: Info): boolean {
  const left = partsOf(a);
  const right = partsOf(b);
  return left.length === right.length && left.every((part, i) => isSame(part.type, right[i]!.type));
}

function isSame(a: Datatype, b: Datatype): boolean {
  return a.name === b.name && a.base === b.base;
}

/**
 * Whether what a key yields may be assigned to something of a type. Plain integers are taken for any type (measured),
 * but not whole bytes of the packet, which must be a number of the same length.
 * @param expr the key; left out for the values of a map
 */
export function isAssignable(wanted: Info, got: Info, expr?: ExprNode): boolean {
  if (got.parts !== undefined || got.type.name !== INTEGER.name) return sameType(wanted, got);
  if (expr === undefined || !isWholePayload(expr)) return true;
  return wanted.parts === undefined && wanted.type.base === 'integer' && wanted.bits === got.bits;
}

function isWholePayload(expr: ExprNode): boolean {
  if ('rawPayload' in expr) return expr.rawPayload.offset % 8 === 0 && expr.rawPayload.len % 8 === 0;
  if (!('payload' in expr)) return false;
  const field = findField(expr.payload.protocol, expr.payload.field);
  return field !== null && field.offset % 8 === 0 && field.bits % 8 === 0;
}
