import { SourceError, type Span } from '../base/error.ts';
import type { Extension, XtRuleFacts, XtUse } from './extension.ts';
import { XtError } from './extension.ts';
import { protocolText } from './protocols.ts';
import type { XtRule } from './rule.ts';
import type { SaveScope } from './save.ts';
import type { XtChain, XtTable } from './table.ts';

const HOOK_CHAINS = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'];
/** So that following jumps cannot run out of stack; no table that anyone wrote comes near. */
const NESTING_MAX = 2000;
const NOWHERE: Span = { file: '', line: 0, col: 0, len: 0 };

/** The uses of a rule: matches, then the target if it is an extension. */
function usesOf(rule: XtRule): readonly XtUse[] {
  const { matches, target } = rule.spec;
  return target.kind === 'extension' ? [...matches, target.use] : matches;
}

/**
 * From which hooks each chain can be reached, as bits 1 << NF_INET_*.
 * @throws SourceError at a rule that jumps in a circle that a hook leads to
 */
function reachableHooks(table: XtTable): ReadonlyMap<string, number> {
  const masks = new Map<string, number>();
  const open = new Set<string>();
  const visit = (chain: XtChain, bit: number): void => {
    const mask = masks.get(chain.name) ?? 0;
    if ((mask & bit) !== 0) return;
    masks.set(chain.name, mask | bit);
    open.add(chain.name);
    if (open.size > NESTING_MAX) throw new SourceError('jumps lead too deep', chain.at ?? NOWHERE);
    for (const rule of chain.rules) {
      const { target } = rule.spec;
      if (target.kind !== 'chain') continue;
      if (open.has(target.name))
        throw new SourceError(`chain ${target.name} is jumped to from itself: a loop`, rule.at ?? NOWHERE);
      const next = table.chains.get(target.name);
      if (next !== undefined) visit(next, bit);
    }
    open.delete(chain.name);
  };
  for (const chain of table.chains.values())
    if (chain.builtin !== null) visit(chain, 1 << chain.builtin.hook);
  return masks;
}

/** Jumps that nf_tables lets a packet be deep in (measured: fifteen are taken, sixteen are not). */
const JUMPS_MAX = 15;

/**
 * How deep jumps may lead from a hook, for the kernel's nf_tables.
 * @param table without loops that a hook leads to
 * @throws SourceError at the rule of a built-in chain that leads too deep
 */
function checkDepth(table: XtTable): void {
  const known = new Map<string, number>();
  const depth = (chain: XtChain): number => {
    let deepest = known.get(chain.name);
    if (deepest !== undefined) return deepest;
    deepest = 0;
    for (const { spec } of chain.rules) {
      const next = spec.target.kind === 'chain' ? table.chains.get(spec.target.name) : undefined;
      if (next !== undefined) deepest = Math.max(deepest, 1 + depth(next));
    }
    known.set(chain.name, deepest);
    return deepest;
  };
  for (const chain of table.chains.values()) {
    if (chain.builtin === null || depth(chain) <= JUMPS_MAX) continue;
    const rule = chain.rules.find(({ spec }) => {
      const next = spec.target.kind === 'chain' ? table.chains.get(spec.target.name) : undefined;
      return next !== undefined && depth(next) >= JUMPS_MAX;
    });
    throw new SourceError(
      `more than ${JUMPS_MAX} jumps one behind the other: Too many links`,
      rule?.at ?? NOWHERE,
    );
  }
}

/**
 * What jumps say of a table: {@link reachableHooks}, and that none lead too deep.
 * @param backend only nf_tables minds how deep
 * @throws SourceError
 */
export function checkJumps(table: XtTable, backend: 'nft' | 'legacy'): ReadonlyMap<string, number> {
  const masks = reachableHooks(table);
  if (backend === 'nft') checkDepth(table);
  return masks;
}

function checkUse(use: XtUse, facts: XtRuleFacts, reachable: number): void {
  const { ext } = use;
  checkPlace(ext, facts.table, reachable);
  if (ext.protocols !== undefined && (facts.protoInverted || !ext.protocols.includes(facts.proto))) {
    const names = ext.protocols.map((proto) => `-p ${protocolText(proto)}`).join(' or ');
    throw new XtError(`${ext.name} ${ext.kind} requires '${names}'`);
  }
  ext.check?.(use.spec, facts);
}

function checkPlace(ext: Extension, table: string, reachable: number): void {
  if (ext.tables !== undefined && !ext.tables.includes(table))
    throw new XtError(
      `${ext.name} ${ext.kind}: only valid in ${ext.tables.join(' or ')} table, not ${table}`,
    );
  const wrong = ext.hooks === undefined ? 0 : reachable & ~ext.hooks;
  if (wrong !== 0) {
    const name = (mask: number): string => HOOK_CHAINS.filter((_, i) => mask & (1 << i)).join(', ');
    throw new XtError(
      `${ext.name} ${ext.kind}: used from hook ${name(wrong)}, but only usable from ${name(ext.hooks!)}`,
    );
  }
}

/**
 * The kernel's own checks of a rule, which the tool leaves to it.
 * @param chain where it stands
 * @param reachable the chain's hooks, of {@link reachableHooks}
 * @throws SourceError
 */
export function checkRule(
  rule: XtRule,
  { table, chain }: { readonly table: string; readonly chain: XtChain },
  scope: SaveScope,
  reachable: number,
): void {
  const uses = usesOf(rule);
  if (!uses.some(({ ext }) => ext.tables ?? ext.hooks ?? ext.protocols ?? ext.check)) return;
  const { proto, matches } = rule.spec;
  const facts: XtRuleFacts = {
    family: scope.family,
    table,
    world: scope.world,
    backend: scope.backend,
    proto: proto?.value ?? 0,
    protoInverted: proto?.inverted ?? false,
    hasProto: proto !== null,
    matches: matches.map((use) => use.ext.name),
    uses: matches,
    hooks: scope.backend === 'legacy' ? reachable : chain.builtin === null ? 0 : 1 << chain.builtin.hook,
  };
  for (const use of uses) {
    try {
      checkUse(use, facts, reachable);
    } catch (error) {
      if (error instanceof XtError) throw new SourceError(error.message, rule.at ?? NOWHERE, error.hint);
      throw error;
    }
  }
}

/** Whether a rule is one that only some hooks may lead to, or leads to others itself. */
export function dependsOnHooks(rule: XtRule): boolean {
  return (
    rule.spec.target.kind === 'chain' ||
    usesOf(rule).some((use) => use.ext.hooks !== undefined || use.ext.check !== undefined)
  );
}

/** All the kernel's checks of a table, in order. @returns what is wrong, empty if nothing is */
export function checkTable(table: XtTable, scope: SaveScope): SourceError[] {
  const errors: SourceError[] = [];
  let masks: ReadonlyMap<string, number>;
  try {
    masks = checkJumps(table, scope.backend);
  } catch (error) {
    if (error instanceof SourceError) return [error];
    throw error;
  }
  for (const chain of table.chains.values()) {
    for (const rule of chain.rules) {
      try {
        checkRule(rule, { table: table.name, chain }, scope, masks.get(chain.name) ?? 0);
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        errors.push(error);
      }
    }
  }
  return errors;
}
