import type { Family } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type { MatchStmt, NatSpec, RejectStmt, StmtNode } from './ast-stmt.ts';
import { infoOf } from './eval-key.ts';
import { type Item, mergePayloads } from './eval-merge.ts';
import { concatPart, flagBinop, flagList, normalKey, normalMapping, normalMatch } from './eval-normal.ts';
import { learnHeaders } from './eval-proto.ts';
import { assignedBytes, fieldTests, movedValues, rawTarget, retyped } from './eval-raw.ts';
import { constant, type Headers, headersOf, type Info, numberOf } from './eval-scope.ts';
import { placeOf } from './lower-bits.ts';
import { findField, findProtocol } from './proto-table.ts';
import { TRANSPORTS } from './proto-transport.ts';
import { ICMPX_CODE, INTEGER } from './type-datatype.ts';

/** A statement as nft lists it, and from which item of the evaluated rule it comes. */
export interface CanonicalPart {
  readonly stmt: StmtNode;
  readonly item: number;
}

/** The statements of an evaluated rule as nft lists them after the kernel's round trip. */
export function canonicalRule(family: Family, statements: readonly StmtNode[]): StmtNode[] {
  return canonicalParts(family, mergePayloads(statements)).map((part) => part.stmt);
}

/** A test for the types of ping's messages, as nft itself adds it before a test of `icmp id`. */
function isEchoTest(left: ExprNode, right: ExprNode): boolean {
  if (!('set' in right) || !('payload' in left) || !left.payload.protocol.startsWith('icmp')) return false;
  const values = right.set.map((one) => numberOf(one));
  return ECHOES.some((types) => values.every((value) => value !== undefined && types.includes(value)));
}

/** The same with the items that the statements come from. */
export function canonicalParts(family: Family, items: readonly Item[]): CanonicalPart[] {
  const listing = new Listing(family);
  items.forEach((item, index) => {
    listing.add(item, index);
  });
  return listing.parts.filter((part) => part !== null);
}

const ECHOES = [
  [0n, 8n],
  [128n, 129n],
];
const IPPROTO_ICMP = 1n;
const IPPROTO_ICMPV6 = 58n;
/** `meta nfproto`, and the types of `ether type` and `meta protocol`, of IPv4 and IPv6. */
const IPV4 = [2n, 0x0800n];
const IPV6 = [10n, 0x86ddn];

const PLAIN_REJECT: RejectStmt['reject'] = {
  type: 'icmpx',
  expr: { constant: { type: ICMPX_CODE, bits: 8, value: 1n } },
};

/**
 * Leaves out the tests that others imply. nft remembers, for each layer, the last test that said which header stands
 * there, and drops it when a field of that header is tested next; statements other than matches make it forget.
 */
class Listing {
  readonly parts: (CanonicalPart | null)[] = [];
  private readonly headers: Headers;
  /** Where the test stands that says what the network header, the transport header, the ICMP type is. */
  private network = -1;
  private transport = -1;
  private icmp = -1;
  private link = -1;
  private unknown = -1;

  constructor(family: Family) {
    this.headers = headersOf(family);
  }

  add(item: Item, index: number): void {
    if ('merged' in item) {
      const { place, value, parts } = item.merged;
      for (const part of parts) this.use(part.match.left);
      for (const stmt of fieldTests(place, value, this.headers, '==')) this.match(stmt, stmt, index);
    } else if ('match' in item.stmt) {
      this.matchOf(item.stmt, index);
    } else this.statement(item.stmt, index);
  }

  private matchOf(stmt: MatchStmt, index: number): void {
    const { left, op, right } = stmt.match;
    const equal = op === '==' || op === '!=';
    const target = rawTarget(left, this.headers);
    const place = target === null && 'rawPayload' in left ? placeOf(left) : (target?.fields ?? null);
    const moved = target === null ? right : movedValues(right, target);
    const value = numberOf(moved);
    if (place !== null && value !== undefined && equal)
      for (const test of fieldTests(place, value, this.headers, op)) this.match(test, test, index);
    else {
      const test = target === null ? stmt : { match: { op, left: target.key, right: moved }, at: stmt.at };
      this.match(test, normalMatch(test, this.headers), index);
    }
  }

  private match(stmt: MatchStmt, normal: MatchStmt, index: number): void {
    this.use(normal.match.left);
    // Whatever the protocol was that the rule tested for (measured).
    if ('tcp option' in normal.match.left) this.dropTransport();
    this.parts.push({ stmt: normal, item: index });
    const { op, left, right } = stmt.match;
    if (op !== '==' && op !== 'in') return;
    if ('constant' in right || isEchoTest(left, right)) learnHeaders(this.headers, normal.match.left, right);
    this.remember(normal.match.left, right);
  }

  /** Notes a test that says which header comes. */
  private remember(left: ExprNode, right: ExprNode): void {
    const value = numberOf(right);
    if (value === undefined) return;
    const here = this.parts.length - 1;
    if ('meta' in left) {
      const { key } = left.meta;
      if (key === 'nfproto' || key === 'protocol') this.network = here;
      else if (key === 'iiftype') this.link = here;
      else if (key === 'l4proto' && !TRANSPORTS.has(Number(value))) {
        // A protocol without a known header counts as one of the lowest layer (measured).
        if (this.headers.transports.size === 1) this.unknown = here;
      } else if (key === 'l4proto') {
        this.dropImplied(value);
        this.transport = here;
      }
    }
    if ('ct' in left) this.rememberTracked(left.ct.key, value, here);
    if (!('payload' in left)) return;
    const { protocol, field } = left.payload;
    if ((protocol === 'ether' || protocol === 'vlan') && field === 'type') this.network = here;
    else if ((protocol === 'icmp' || protocol === 'icmpv6') && field === 'type') this.icmp = here;
    else if (findProtocol(protocol)?.upper?.field === field) {
      this.dropImplied(value);
      this.transport = here;
    }
  }

  /** Notes what tracking says of the packet, where it counts as a test of it (learnHeaders). */
  private rememberTracked(key: string, value: bigint, here: number): void {
    if (key === 'l3proto' && this.headers.family === 'inet') this.network = here;
    else if (key === 'protocol' && this.headers.th === TRANSPORTS.get(Number(value))) this.transport = here;
  }

  /** ICMP says that the packet is IPv4, ICMPv6 that it is IPv6. */
  private dropImplied(transport: bigint): void {
    const { family } = this.headers;
    if (family === 'ip' || family === 'ip6') return;
    const value = this.testedValue(this.network);
    const implied =
      value !== undefined &&
      ((transport === IPPROTO_ICMP && IPV4.includes(value)) ||
        (transport === IPPROTO_ICMPV6 && IPV6.includes(value)));
    if (implied) this.network = this.drop(this.network);
  }

  private testedValue(at: number): bigint | undefined {
    const stmt = at < 0 ? undefined : this.parts[at]?.stmt;
    return stmt !== undefined && 'match' in stmt ? numberOf(stmt.match.right) : undefined;
  }

  private drop(at: number): -1 {
    if (at >= 0) this.parts[at] = null;
    return -1;
  }

  /** Drops the tests that the fields of an expression imply. */
  private use(expr: ExprNode): void {
    if ('concat' in expr) for (const part of expr.concat) this.use(part);
    else if ('binop' in expr) this.use(expr.binop.left);
    else if ('map' in expr) this.use(expr.map.key);
    else if ('elem' in expr) this.use(expr.elem.val);
    else if ('jhash' in expr) this.use(expr.jhash.expr);
    else if ('exthdr' in expr || 'ip option' in expr) this.network = this.drop(this.network);
    else if ('payload' in expr) this.useField(expr.payload.protocol, expr.payload.field);
  }

  private useField(protocol: string, field: string): void {
    const base = findProtocol(protocol)?.base;
    if (base === 'll') this.useLink(protocol, field);
    else if (base === 'nh') this.network = this.drop(this.network);
    else {
      const types = findField(protocol, field)?.types;
      if (this.isOwnNetwork()) this.network = this.drop(this.network);
      if (types?.length === 1) this.icmp = this.drop(this.icmp);
      this.unknown = this.drop(this.unknown);
      if (this.mayDropTransport()) this.transport = this.drop(this.transport);
    }
  }

  private useLink(protocol: string, field: string): void {
    this.link = this.drop(this.link);
    this.unknown = this.drop(this.unknown);
    const { family } = this.headers;
    const own = family === 'ip' || family === 'ip6' || family === 'arp';
    const tagged = field !== 'type' && this.testedValue(this.network) === 0x8100n && this.headers.vlans === 0;
    if (protocol === 'vlan' && (own || tagged)) this.network = this.drop(this.network);
  }

  private dropTransport(): void {
    const stmt = this.icmp > this.transport ? this.parts[this.icmp]?.stmt : undefined;
    const left = stmt !== undefined && 'match' in stmt ? stmt.match.left : undefined;
    if (left !== undefined && 'payload' in left) {
      // A test of the ICMP type stays, but for ICMPv6 where the packet is known to be IPv4 (measured).
      const { family, nh } = this.headers;
      const odd = left.payload.protocol === 'icmpv6' && nh === 'ip' && family !== 'ip';
      if (odd) this.icmp = this.drop(this.icmp);
    } else this.transport = this.drop(this.transport);
  }

  /** Whether the last test of the network header says no more than the table's family. */
  private isOwnNetwork(): boolean {
    const { family } = this.headers;
    if (family === 'arp') return this.testedValue(this.network) !== undefined;
    const own = family === 'ip' ? IPV4 : family === 'ip6' ? IPV6 : [];
    const value = this.testedValue(this.network);
    return value !== undefined && own.includes(value);
  }

  /** `ip protocol tcp` says more than `tcp` where the table has other packets too. */
  private mayDropTransport(): boolean {
    const stmt = this.transport < 0 ? undefined : this.parts[this.transport]?.stmt;
    if (stmt === undefined || stmt === null || !('match' in stmt)) return false;
    const { family } = this.headers;
    return 'meta' in stmt.match.left || family === 'ip' || family === 'ip6';
  }

  private statement(stmt: StmtNode, index: number): void {
    if ('vmap' in stmt) {
      const vmap = normalMapping(stmt.vmap.key, stmt.vmap.data, this.headers);
      this.use(vmap.key);
      this.parts.push({ stmt: { vmap, at: stmt.at }, item: index });
      return;
    }
    const normal = this.normalStatement(stmt);
    this.parts.push({ stmt: normal, item: index });
    this.network = -1;
    this.transport = -1;
    this.icmp = -1;
    this.link = -1;
    this.unknown = -1;
  }

  private key(expr: ExprNode): ExprNode {
    const out = normalKey(expr, this.headers);
    this.use(out);
    return out;
  }

  private assigned(expr: ExprNode): ExprNode {
    return this.key(assignedBytes(expr));
  }

  private normalStatement(stmt: StmtNode): StmtNode {
    if ('mangle' in stmt) {
      const key = this.key(stmt.mangle.key);
      const bits = icmpBits(stmt.mangle.key, stmt.mangle.value);
      if (bits !== null) return { mangle: bits, at: stmt.at };
      const typed = retyped(this.assigned(stmt.mangle.value), stmt.mangle.key, key);
      // Events are listed with commas, labels are not (measured).
      const isEvent = 'ct' in key && key.ct.key === 'event';
      const value = isEvent ? flagList(typed) : flagBinop(typed, infoOf(key));
      return { mangle: { key, value }, at: stmt.at };
    }
    if ('set' in stmt)
      return { set: { ...stmt.set, elem: dynamicKey(this.key(stmt.set.elem)) }, at: stmt.at };
    if ('map' in stmt)
      return {
        map: { ...stmt.map, elem: dynamicKey(this.key(stmt.map.elem)), data: this.assigned(stmt.map.data) },
        at: stmt.at,
      };
    if ('meter' in stmt) return { meter: { ...stmt.meter, key: this.key(stmt.meter.key) }, at: stmt.at };
    if ('objref' in stmt)
      return { objref: { ...stmt.objref, name: this.key(stmt.objref.name) }, at: stmt.at };
    if ('reject' in stmt) return this.normalReject(stmt);
    if ('dnat' in stmt) return { dnat: this.natSpec(stmt.dnat), at: stmt.at };
    if ('snat' in stmt) return { snat: this.natSpec(stmt.snat), at: stmt.at };
    if ('redirect' in stmt) return { redirect: this.natSpec(stmt.redirect), at: stmt.at };
    return stmt;
  }

  private natSpec({ family, addr, port, flags, type_flags }: NatSpec): NatSpec {
    return {
      family,
      addr: addr === undefined ? undefined : this.assigned(addr),
      // What a map for the port reads makes no test needless (measured).
      port: port === undefined ? undefined : normalKey(assignedBytes(port), this.headers),
      flags,
      type_flags,
    };
  }

  private normalReject(stmt: RejectStmt): StmtNode {
    const { family, nh } = this.headers;
    const { type } = stmt.reject;
    if (family === 'ip' || family === 'ip6') {
      if (type === 'tcp reset') this.transport = this.drop(this.transport);
      return stmt;
    }
    if (type !== 'icmpx') this.network = this.drop(this.network);
    // Where nft cannot tell which of the two ICMPs is meant it writes no code at all.
    return (type === 'icmp' || type === 'icmpv6') && nh === null
      ? { reject: PLAIN_REJECT, at: stmt.at }
      : stmt;
  }
}

/** What is added to a set: a field smaller than a byte is shifted to its place, as in a concatenation. */
function dynamicKey(elem: ExprNode): ExprNode {
  if ('elem' in elem) return { elem: { ...elem.elem, val: dynamicKey(elem.elem.val) }, at: elem.at };
  return concatPart(elem);
}

const WORD: Info = { type: INTEGER, bits: 16, order: 'big' };
/** Protocols whose messages begin with a type, a byte about it, and the checksum. */
const ICMP: ReadonlySet<string> = new Set(['icmp', 'icmpv6', 'igmp']);

/**
 * The first two bytes of a message are written together where one of them is set, and nft lists those as the source
 * port that other protocols have there (measured).
 */
function icmpBits(key: ExprNode, value: ExprNode): { key: ExprNode; value: ExprNode } | null {
  const field = 'payload' in key && ICMP.has(key.payload.protocol) ? placeOf(key) : null;
  const byte = numberOf(value);
  if (field === null || field.bits !== 8 || field.offset > 8 || byte === undefined) return null;
  const set = field.offset === 0 ? byte << 8n : byte;
  const kept = field.offset === 0 ? 0xffn : 0xff00n;
  const port: ExprNode = { payload: { protocol: 'th', field: 'sport' } };
  const masked: ExprNode = { binop: { op: '&', left: port, right: constant(WORD, kept | set) } };
  const written: ExprNode =
    set === 0n ? masked : { binop: { op: '|', left: masked, right: constant(WORD, set) } };
  return { key: port, value: written };
}
