import type { Family } from './ast.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { ListContext } from './list-expr.ts';
import { flowtableText, objectText } from './list-object.ts';
import { priorityText } from './list-priority.ts';
import { setText } from './list-set.ts';
import { ruleText, stmtText } from './list-stmt.ts';
import type { ListOptions, NftBase, NftChain, NftSet, NftState, NftTable } from './ruleset-state.ts';
import type { Running } from './running.ts';

function contextOf(family: Family, options: ListOptions, running?: Running): ListContext {
  return { family, options, running, statement: stmtText };
}

function handleText(handle: number, options: ListOptions): string {
  return options.handles === true ? ` # handle ${handle}` : '';
}

/** ` device "d0"`, ` devices = { d0, d1 }`. */
function devicesText(devices: readonly string[]): string {
  if (devices.length === 0) return '';
  return devices.length === 1 ? ` device "${devices[0]}"` : ` devices = { ${devices.join(', ')} }`;
}

function baseText(base: NftBase, { family, options }: ListContext): string {
  const numeric = options.numeric === true || options.numericPriority === true;
  const priority = numeric ? String(base.priority) : priorityText(base.priority, family, base.hook);
  const flags = base.flags.length === 0 ? '' : ` flags ${base.flags.join(',')};`;
  return `\t\ttype ${base.type} hook ${base.hook}${devicesText(base.devices)} priority ${priority}; policy ${base.policy};${flags}\n`;
}

function chainText(chain: NftChain, context: ListContext): string {
  const { options } = context;
  let text = `\tchain ${chain.name} {${handleText(chain.handle, options)}\n`;
  if (chain.comment !== undefined) text += `\t\tcomment "${chain.comment}"\n`;
  if (chain.base !== null) text += baseText(chain.base, context);
  for (const { expr, comment, handle } of chain.rules) {
    text += `\t\t${ruleText({ expr, comment }, context)}${handleText(handle, options)}\n`;
  }
  return `${text}\t}\n`;
}

/** A table's parts, in the order of listings. */
function tableParts(table: NftTable, context: ListContext): string[] {
  return [
    ...[...table.objects.values()].map((object) => objectText(object, context)),
    ...[...table.sets.values()].map((set) => setText(set, context)),
    ...[...table.flowtables.values()].map((flowtable) => flowtableText(flowtable, context)),
    ...[...table.chains.values()].map((chain) => chainText(chain, context)),
  ];
}

/** `table inet x {` … `}`. */
export function tableText(table: NftTable, options: ListOptions, running?: Running): string {
  const context = contextOf(table.family, options, running);
  let text = `table ${table.family} ${table.name} {${handleText(table.handle, options)}\n`;
  if (table.flags.length > 0) text += `\tflags ${table.flags.join(',')}\n`;
  if (table.comment !== undefined) text += `\tcomment "${table.comment}"\n`;
  const parts = tableParts(table, context).join('\n');
  // A line is left free behind flags, but not behind a comment alone (measured).
  return `${text}${table.flags.length > 0 && parts !== '' ? '\n' : ''}${parts}}\n`;
}

/**
 * `nft list ruleset`.
 * @param state evaluated: rules hold typed constants in the order in which nft lists them
 * @param family of `list ruleset ip6`; all if undefined
 * @param running what packets have made of it
 */
export function listText(state: NftState, options: ListOptions, family?: Family, running?: Running): string {
  const tables = [...state.tables.values()].filter(
    (table) => family === undefined || table.family === family,
  );
  return tables.map((table) => tableText(table, options, running)).join('');
}

/** What is inside a table's braces and nothing else of it. */
function wrapped(table: NftTable, body: string): string {
  return `table ${table.family} ${table.name} {\n${body}}\n`;
}

/** `nft list chain inet x y`. */
export function listChain(chain: NftChain, options: ListOptions): string {
  return wrapped(chain.table, chainText(chain, contextOf(chain.table.family, options)));
}

/** `nft list set inet x y`, `nft list map inet x y`. */
export function listSet(set: NftSet, options: ListOptions): string {
  return wrapped(set.table, setText(set, contextOf(set.table.family, options)));
}

/** A statement, for the parts of a rule that traces name. */
export function listStatement(node: StmtNode, family: Family, options: ListOptions = {}): string {
  return stmtText(node, contextOf(family, options));
}
