import { didYouMean } from '../base/suggest.ts';
import type { ExprNode } from './ast-expr.ts';
import {
  exthdr,
  ipOption,
  ipOptionNames,
  type SoughtHeader,
  sctpChunk,
  sctpChunkNames,
  tcpOption,
  tcpOptions,
} from './key-exthdr.ts';
import { T_NUMBER, T_WORD } from './lex.ts';
import { type Cursor, describeToken } from './parse-cursor.ts';
import type { HeaderFields } from './proto-header.ts';
import { findProtocol, protocolHeaderNames } from './proto-table.ts';

/** Older words for the same fields, by protocol. */
const FIELD_SYNONYMS: ReadonlyMap<string, string> = new Map([
  ['vlan cfi', 'dei'],
  ['tcp option sack-permitted', 'sack-perm'],
  ['tcp option mss', 'maxseg'],
  ['tcp option noop', 'nop'],
]);

/** Takes a field's name; `saddr ip` and `addr[1]` count as one. */
function fieldName(p: Cursor, header: string, fields: HeaderFields): string {
  const token = p.token;
  let name = FIELD_SYNONYMS.get(`${header} ${token.text}`) ?? token.text;
  const start = p.at;
  if (token.kind === T_WORD && (fields.has(name) || fields.has(`${name} ip`) || fields.has(`${name}[1]`))) {
    p.next();
    if (!fields.has(name) && fields.has(`${name}[1]`)) {
      p.expect('[');
      name = `${name}[${p.number('the index')}]`;
      p.expect(']');
    } else if (!fields.has(name)) {
      name = `${name} ${p.oneOf(['ip', 'ether'], "'ip' or 'ether'")}`;
    }
    if (fields.has(name)) {
      return name;
    }
    p.fail(`${header} has no field '${name}'`, p.since(start));
  }
  const known = [...fields.keys()].filter((one) => !one.includes('['));
  const hint = token.kind === T_WORD ? didYouMean(token.text, known) : undefined;
  p.fail(
    `expected a field of ${header}, found ${describeToken(token)}`,
    token.at,
    hint ?? `it has ${known.join(', ')}`,
  );
}

/** `tcp dport`, and for some protocols `tcp option …`, `ip option …`, `sctp chunk …`. */
function payload(p: Cursor): ExprNode {
  const start = p.at;
  const protocol = p.next().text;
  if (protocol === 'tcp' && p.is('option')) {
    return tcpOptionExpr(p, start);
  }
  if (protocol === 'ip' && p.is('option')) {
    return ipOptionExpr(p, start);
  }
  if (protocol === 'sctp' && p.is('chunk')) {
    return sctpChunkExpr(p, start);
  }
  // `ip protocol & icmp == icmp`, as nft lists it: a protocol's number by its name.
  if (p.is('==') || p.is('!=')) {
    return { symbol: protocol, at: p.since(start) };
  }
  const field = fieldName(p, protocol, findProtocol(protocol)!.fields);
  return { payload: { protocol, field }, at: p.since(start) };
}

/** Takes the name of something that is searched for. */
function soughtName(
  p: Cursor,
  what: string,
  find: (name: string) => SoughtHeader | null,
  known: readonly string[],
): SoughtHeader {
  const token = p.token;
  const name = FIELD_SYNONYMS.get(`${what} ${token.text}`) ?? token.text;
  const header = token.kind === T_WORD ? find(name) : null;
  if (header === null) {
    p.fail(`unknown ${what} ${describeToken(token)}`, token.at, didYouMean(token.text, known));
  }
  p.next();
  return header;
}

/** The field behind an option or chunk, if one stands there. */
function optionalField(p: Cursor, what: string, header: SoughtHeader): string | undefined {
  const { kind, text } = p.token;
  return kind === T_WORD && header.fields.has(text) ? fieldName(p, what, header.fields) : undefined;
}

/** Behind `tcp`: `option maxseg size`, `option 5`, `option @5,8,8`. */
function tcpOptionExpr(p: Cursor, start: number): ExprNode {
  p.expect('option');
  if (p.eat('@')) {
    const base = p.number("the option's number", 255);
    p.expect(',');
    const offset = p.number('the offset');
    p.expect(',');
    const len = p.number('the length');
    return { rawTcpOption: { base, offset, len }, at: p.since(start) };
  }
  if (p.token.kind === T_NUMBER) {
    const base = p.number("the option's number", 255);
    const known = tcpOptions().find(({ id }) => id === base);
    const length = p.eat('length');
    if (known !== undefined && !length) return { 'tcp option': { name: known.name }, at: p.since(start) };
    return { rawTcpOption: { base, offset: length ? 8 : 0, len: 8 }, at: p.since(start) };
  }
  const names = tcpOptions().map((one) => one.name);
  const header = soughtName(p, 'tcp option', tcpOption, names);
  const field = optionalField(p, `tcp option ${header.name}`, header);
  return { 'tcp option': { name: header.name, field }, at: p.since(start) };
}

function ipOptionExpr(p: Cursor, start: number): ExprNode {
  p.expect('option');
  const header = soughtName(p, 'ip option', ipOption, ipOptionNames());
  const field = optionalField(p, `ip option ${header.name}`, header);
  return { 'ip option': { name: header.name, field }, at: p.since(start) };
}

function sctpChunkExpr(p: Cursor, start: number): ExprNode {
  p.expect('chunk');
  const header = soughtName(p, 'sctp chunk', sctpChunk, sctpChunkNames());
  const field = optionalField(p, `sctp chunk ${header.name}`, header);
  return { 'sctp chunk': { name: header.name, field }, at: p.since(start) };
}

/** `frag id`. */
function exthdrField(p: Cursor): ExprNode {
  const start = p.at;
  const name = p.next().text;
  const field = fieldName(p, name, exthdr(name)!.fields);
  return { exthdr: { name, field }, at: p.since(start) };
}

/** `exthdr frag`. */
function exthdrExists(p: Cursor): ExprNode {
  const start = p.at;
  p.expect('exthdr');
  const name = p.oneOf(['hbh', 'frag', 'rt', 'dst', 'mh'], 'hbh, frag, rt, dst or mh');
  return { exthdr: { name }, at: p.since(start) };
}

/** What begins with the name of a header. `rt` means the route, unless a field of the header follows. */
export const HEADER_SELECTORS: ReadonlyMap<string, (p: Cursor) => ExprNode> = new Map([
  ...protocolHeaderNames().map((name): [string, (p: Cursor) => ExprNode] => [name, payload]),
  ...['hbh', 'frag', 'rt0', 'rt2', 'srh', 'dst', 'mh'].map((name): [string, (p: Cursor) => ExprNode] => [
    name,
    exthdrField,
  ]),
  ['exthdr', exthdrExists],
  ['exthdr rt', exthdrField],
]);

/** True if a word that is a protocol's name is followed by one of its fields, so that both are a selector. */
export function isFieldOf(protocol: string, field: string): boolean {
  const fields = findProtocol(protocol)?.fields;
  return (
    fields !== undefined &&
    (fields.has(field) || fields.has(`${field} ip`) || field === 'option' || field === 'chunk')
  );
}
