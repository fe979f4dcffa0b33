import type { SetNode } from './ast.ts';
import type { ExprNode, U64 } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { shapeOf, sortedElements } from './eval-elements.ts';
import { namedPayload } from './eval-raw.ts';
import { headersOf, type Info, partsOf } from './eval-scope.ts';
import { exprText, type ListContext } from './list-expr.ts';
import { templateText } from './list-stmt.ts';
import type { NftSet } from './ruleset-state.ts';
import { durationText } from './type-print.ts';

// How many elements nft puts on one line, by the key's type; of the types not named here, and of concatenations, one.
const FIVE = 5;
const TWO = 2;
const PER_LINE: ReadonlyMap<string, number> = new Map([
  ['nf_proto', FIVE],
  ['integer', FIVE],
  ['arp_op', FIVE],
  ['inet_proto', FIVE],
  ['inet_service', FIVE],
  ['tcp_flag', FIVE],
  ['dccp_pkttype', FIVE],
  ['mark', FIVE],
  ['iface_index', FIVE],
  ['classid', FIVE],
  ['uid', FIVE],
  ['gid', FIVE],
  ['ct_dir', FIVE],
  ['ipv4_addr', TWO],
  ['ct_state', TWO],
  ['ct_status', TWO],
  ['pkt_type', TWO],
]);

const NEW_LINE = ',\n\t\t\t     ';

/** `elements = { 1.2.3.4, 1.2.3.5 }`, a few on a line. */
function elementsText(elements: readonly ExprNode[], key: Info, context: ListContext): string {
  const perLine = key.parts === undefined ? (PER_LINE.get(key.type.name) ?? 1) : 1;
  let text = '';
  for (const [i, element] of elements.entries()) {
    if (i > 0) text += i % perLine === 0 ? NEW_LINE : ', ';
    text += exprText(element, context);
  }
  return `\t\telements = { ${text} }\n`;
}

/** The flags in the order of listings; `timeout` also where only the timeout itself was given. */
export function setFlags(node: SetNode): readonly string[] {
  const flags = ['constant', 'dynamic', 'interval', 'timeout'];
  return flags.filter((flag) => hasFlag(node, flag));
}

function hasFlag(node: SetNode, flag: string): boolean {
  return node.flags?.includes(flag) === true || (flag === 'timeout' && node.timeout !== undefined);
}

// The flag is left out where it is the only one and the line with the timeout says as much.
function flagsText(node: SetNode): string {
  const flags = setFlags(node);
  if (flags.length === 0) return '';
  if (flags.length === 1 && flags[0] === 'timeout' && node.timeout !== undefined) return '';
  return `\t\tflags ${flags.join(',')}\n`;
}

/** A selector behind typeof as nft reads it back: ports by their name, of a header its first field (measured). */
function typeofPart(node: ExprNode): ExprNode {
  if ('rawPayload' in node) return namedPayload(node, headersOf('inet'));
  if ('exthdr' in node && node.exthdr.field === undefined)
    return { exthdr: { ...node.exthdr, field: 'nexthdr' } };
  return node;
}

function typeofText(node: ExprNode, context: ListContext): string {
  const parts = 'concat' in node ? node.concat : [node];
  return parts.map((part) => exprText(typeofPart(part), context)).join(' . ');
}

function typeText(set: NftSet, map: boolean, context: ListContext): string {
  const { node } = set;
  const interval = node.mapInterval === true ? 'interval ' : '';
  const names = (list: readonly { readonly type: string }[] | undefined): string =>
    (list ?? []).map((one) => one.type).join(' . ');
  if (node.typeof === undefined) {
    return `\t\ttype ${names(node.type)}${map ? ` : ${interval}${names(node.map)}` : ''}\n`;
  }
  if (node.mapTypeof !== undefined && node.mapInterval === true) return intervalTypes(set);
  const value = node.mapTypeof === undefined ? names(node.map) : typeofText(node.mapTypeof, context);
  return `\t\ttypeof ${typeofText(node.typeof, context)}${map ? ` : ${value}` : ''}\n`;
}

/** Of a map whose values are ranges nft forgets the expressions and lists their types (measured). */
function intervalTypes(set: NftSet): string {
  const { key, data } = shapeOf(set);
  const names = (info: Info): string =>
    partsOf(info)
      .map(({ type }) => type.name)
      .join(' . ');
  return `\t\ttype ${names(key)} : interval ${names(data as Info)}\n`;
}

function spanText(ms: number | bigint, { options }: ListContext): string {
  const numeric = options.numeric === true || options.numericTime === true;
  return numeric ? `${BigInt(ms) / 1000n}s` : durationText(BigInt(ms));
}

/** Statements that every element gets, on one line. */
function statementsText(statements: readonly StmtNode[] | undefined, context: ListContext): string {
  const text = templateText(statements, context).trimStart();
  return text === '' ? '' : `\t\t${text}\n`;
}

/** An element as the kernel has it: with the set's statements, and the time it has left where time is kept. */
function listedElement(element: ExprNode, set: SetNode): ExprNode {
  if ('pair' in element) return { pair: [listedElement(element.pair[0], set), element.pair[1]] };
  const parts = 'elem' in element ? element.elem : { val: element };
  const asked = isSome(parts.timeout) ? parts.timeout : undefined;
  // The set's own is not repeated.
  const timeout = asked === undefined || same(asked, set.timeout) ? undefined : asked;
  const left = parts.expires ?? asked ?? set.timeout;
  const expires = isSome(left) ? left : undefined;
  const stmts = parts.stmts ?? set.stmt;
  const plain = timeout === undefined && expires === undefined && parts.comment === undefined;
  if (plain && (stmts ?? []).length === 0) return parts.val;
  return { elem: { ...parts, timeout, expires, stmts } };
}

/** Whether a span is given and not zero, which the kernel takes for none. */
function isSome(ms: U64 | undefined): boolean {
  return ms !== undefined && BigInt(ms) !== 0n;
}

function same(a: U64, b: U64 | undefined): boolean {
  return b !== undefined && BigInt(a) === BigInt(b);
}

/** The size as nft lists it: not that of what is constant (measured). */
export function listedSize(node: SetNode): number | undefined {
  return node.flags?.includes('constant') === true ? undefined : node.size;
}

/** A set's elements, sorted and with all that the kernel has of them. */
export function listedElements(set: NftSet, { running, options }: ListContext): readonly ExprNode[] {
  const { node } = set;
  const sorted = sortedElements(set, running?.elementsNow(set, options.now));
  if (node.stmt === undefined && !setFlags(node).includes('timeout')) return sorted;
  return sorted.map((element) => listedElement(element, node));
}

/**
 * A named set or map as `nft list ruleset` writes it.
 * @param word 'set', 'map' or 'meter'
 */
export function setText(set: NftSet, context: ListContext, word: string = set.kind): string {
  const { node } = set;
  const { options } = context;
  let text = `\t${word} ${set.name} {${options.handles === true ? ` # handle ${set.handle}` : ''}\n`;
  text += typeText(set, set.kind === 'map', context);
  if (node.policy === 'memory' && node.flags?.includes('constant') !== true) text += '\t\tpolicy memory\n';
  const size = listedSize(node);
  if (size !== undefined) text += `\t\tsize ${size}\n`;
  text += flagsText(node) + statementsText(node.stmt, context);
  if (node['auto-merge'] === true) text += '\t\tauto-merge\n';
  if (node.timeout !== undefined) text += `\t\ttimeout ${spanText(node.timeout, context)}\n`;
  if (node['gc-interval'] !== undefined)
    text += `\t\tgc-interval ${spanText(node['gc-interval'], context)}\n`;
  if (node.comment !== undefined) text += `\t\tcomment "${node.comment}"\n`;
  const elements = options.terse === true ? [] : listedElements(set, context);
  if (elements.length > 0) text += elementsText(elements, shapeOf(set).key, context);
  return `${text}\t}\n`;
}
