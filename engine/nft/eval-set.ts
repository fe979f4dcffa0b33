import { didYouMean } from '../base/suggest.ts';
import type { SetNode, TypeName } from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import { MAPPED_KINDS } from './ast-stmt.ts';
import type { SetShape } from './eval-elements.ts';
import { evalConcatInfo, evalKey } from './eval-key.ts';
import type { Info, Scope } from './eval-scope.ts';
import { MOST_STATEMENTS, statefulTrouble } from './limit-range.ts';
import { findType, typeNames } from './type-datatype.ts';

/** The types of a named set or map from its declaration. */
export function setShape(scope: Scope, set: SetNode, kind: 'set' | 'map'): SetShape {
  const key = keyInfo(scope, set.type, set.typeof, set);
  const flags = set.flags ?? [];
  const interval = flags.includes('interval');
  const data = kind === 'set' ? null : mapData(scope, set);
  if (set['auto-merge'] === true && !interval)
    scope.refuse('auto-merge is only for sets with intervals', set.nameAt, "add 'flags interval'");
  if ((set.stmt ?? []).length > MOST_STATEMENTS)
    scope.refuse('Argument list too long', set.nameAt, `elements have ${MOST_STATEMENTS} statements at most`);
  for (const stmt of set.stmt ?? []) {
    const trouble = statefulTrouble(stmt);
    if (trouble !== null) scope.refuse(trouble, stmt.at);
  }
  return {
    key,
    data,
    interval,
    merge: set['auto-merge'] === true && kind === 'set',
    dataInterval: set.mapInterval === true,
    named: true,
    expires: flags.includes('timeout') || set.timeout !== undefined,
    stmts: set.stmt === undefined && flags.includes('dynamic') ? null : (set.stmt ?? []),
    timeout: set.timeout,
  };
}

function mapData(scope: Scope, set: SetNode): SetShape['data'] {
  const { map } = set;
  const first = map?.[0]?.type;
  if (map?.length === 1 && first === 'verdict') return 'verdict';
  const object = MAPPED_KINDS.find((kind) => kind === first);
  if (map?.length === 1 && object !== undefined) return { object };
  return keyInfo(scope, map, set.mapTypeof, set);
}

function keyInfo(
  scope: Scope,
  types: readonly TypeName[] | undefined,
  typeOf: ExprNode | undefined,
  set: SetNode,
): Info {
  if (typeOf !== undefined) {
    scope.typesOnly = true;
    for (const part of 'concat' in typeOf ? typeOf.concat : [typeOf]) refuseUntyped(scope, part, set);
    return evalKey(scope, typeOf).info;
  }
  if (types === undefined || types.length === 0)
    return scope.refuse(`set ${set.name} has no type`, set.nameAt, 'for example: type ipv4_addr');
  const parts = types.map((type) => typeInfo(scope, type, set.nameAt));
  if (parts.length === 1) return parts[0]!;
  return evalConcatInfo(scope, parts, set.nameAt);
}

/** Selectors that take their family from a rule have no type here, in tables of a family neither (measured). */
function refuseUntyped(scope: Scope, node: ExprNode, set: SetNode): void {
  const hop = 'rt' in node && node.rt.key === 'nexthop' && node.rt.family === undefined;
  const address = 'ct' in node && /^[sd]addr$/.test(node.ct.key) && node.ct.family === undefined;
  if (hop || address)
    scope.refuse("unqualified type invalid in a set's definition", set.nameAt, 'name the family: ip or ip6');
}

/** @param at of the set's name, where nft shows what is no type of a set */
function typeInfo(scope: Scope, node: TypeName, at: At | undefined): Info {
  const type = findType(node.type);
  if (type === null) {
    return scope.refuse(`unknown datatype ${node.type}`, node.at, didYouMean(node.type, typeNames()));
  }
  if (type.bits === 0)
    return scope.refuse(
      `unqualified type ${type.name} in a set's definition`,
      at,
      "write 'typeof' with an expression",
    );
  return { type, bits: type.bits, order: type.order ?? 'host' };
}
