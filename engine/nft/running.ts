import type { Expr } from '../rules/expr.ts';
import { ConnlimitExpr, NFT_CONNLIMIT_F_INV } from '../rules/expr-connlimit.ts';
import { CounterExpr } from '../rules/expr-counter.ts';
import { LimitExpr, NFT_LIMIT_F_INV, NFT_LIMIT_PKTS } from '../rules/expr-limit.ts';
import { NFT_QUOTA_F_INV, QuotaExpr } from '../rules/expr-quota.ts';
import { RuleObject } from '../rules/rule-object.ts';
import type { StatefulExpr } from '../rules/stateful.ts';
import type { CounterNode, QuotaNode } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type { QuotaSpec, StmtNode } from './ast-stmt.ts';
import { stateful } from './lower-stateful.ts';
import type { LoweredSet } from './lower-table.ts';
import type { NftObject, NftSet } from './ruleset-state.ts';
import { elementsNow, type RunningSet, settleSet } from './running-set.ts';
import { SECONDS } from './units.ts';

/**
 * What was made of the parts of a ruleset's tree to run: kept while a part stays as it is, so that its counters go on
 * when other parts change, and asked by the listings for what packets have made of it.
 */
export class Running {
  private readonly exprs: WeakMap<StmtNode, StatefulExpr> = new WeakMap();
  private readonly objects: WeakMap<NftObject, RuleObject> = new WeakMap();
  private readonly sets: WeakMap<NftSet, RunningSet> = new WeakMap();
  private readonly meters: WeakMap<object, LoweredSet> = new WeakMap();

  /** The expression that a statement which remembers something runs as; null for any other statement. */
  expr(stmt: StmtNode): StatefulExpr | null {
    const made = stateful(stmt);
    if (made === null) return null;
    const known = this.exprs.get(stmt);
    if (known !== undefined) return known;
    this.exprs.set(stmt, made);
    return made;
  }

  /** A named object as it runs, made if it does not run yet. */
  object(source: NftObject, make: () => Expr): RuleObject {
    let object = this.objects.get(source);
    if (object === undefined) {
      object = new RuleObject(source.name, make());
      this.objects.set(source, object);
    }
    return object;
  }

  /** The set of a rule's meter. */
  meter(node: object, make: () => LoweredSet): LoweredSet {
    let set = this.meters.get(node);
    if (set === undefined) {
      set = make();
      this.meters.set(node, set);
    }
    return set;
  }

  /** A named set as it runs, undefined if it does not yet. */
  set(source: NftSet): RunningSet | undefined {
    return this.sets.get(source);
  }

  /** Takes note of a named set that was made, with the elements that the tree has now. */
  keepSet(source: NftSet, lowered: LoweredSet): void {
    this.sets.set(source, {
      lowered,
      given: new Set(source.elements.values()),
      version: lowered.set.version,
    });
  }

  /** Has the tree hold the elements that packets added, and none that they deleted: commands come that may name them. */
  settle(source: NftSet): void {
    const running = this.sets.get(source);
    if (running !== undefined) settleSet(source, running);
  }

  /** A statement with what it has counted so far. */
  statementNow(stmt: StmtNode): StmtNode {
    if ('counter' in stmt) {
      const expr = this.exprs.get(stmt);
      return expr instanceof CounterExpr ? { counter: countedNow(expr, stmt.counter) } : stmt;
    }
    if (!('quota' in stmt)) return stmt;
    const expr = this.exprs.get(stmt);
    return expr instanceof QuotaExpr ? { quota: usedNow(expr, stmt.quota) } : stmt;
  }

  /** A named object with what it has counted so far. */
  objectNow(source: NftObject): NftObject {
    const expr = this.objects.get(source)?.expr;
    if (expr instanceof CounterExpr) {
      const node = source.node as CounterNode;
      return { ...source, node: { ...node, ...countedNow(expr, node) } };
    }
    const { quota } = source.node as QuotaNode;
    if (!(expr instanceof QuotaExpr) || quota === undefined) return source;
    return { ...source, node: { ...source.node, quota: usedNow(expr, quota) } };
  }

  /**
   * A named set's elements with what they have counted and the time they have left.
   * @param now virtual time (ms); undefined: when a packet last changed the set
   */
  elementsNow(source: NftSet, now: number | undefined): Iterable<ExprNode> {
    const running = this.sets.get(source);
    return running === undefined ? source.elements.values() : elementsNow(source, running, now, statementOf);
  }
}

type Counted = NonNullable<Extract<StmtNode, { readonly counter: unknown }>['counter']>;

/** What was written stays as long as it is true: numbers beyond 2^53 are not exact here. */
function countedNow({ packets, bytes }: CounterExpr, written: Counted | null): Counted {
  const before = written ?? { packets: 0, bytes: 0 };
  const same = Number(before.packets) === packets && Number(before.bytes) === bytes;
  return same ? { packets: before.packets, bytes: before.bytes } : { packets, bytes };
}

/** The kernel never lists more as used than the quota is (measured). */
function usedNow(expr: QuotaExpr, written: QuotaSpec): QuotaSpec {
  return { ...written, used: Math.min(expr.consumed, expr.quota), used_unit: 'bytes' };
}

/** A statement of an element that packets added, as it stands now. */
function statementOf(expr: StatefulExpr): StmtNode {
  if (expr instanceof CounterExpr) return { counter: { packets: expr.packets, bytes: expr.bytes } };
  if (expr instanceof QuotaExpr) {
    const inv = (expr.flags & NFT_QUOTA_F_INV) !== 0;
    return { quota: usedNow(expr, { val: expr.quota, val_unit: 'bytes', inv }) };
  }
  if (expr instanceof LimitExpr) {
    const unit = expr.type === NFT_LIMIT_PKTS ? 'packets' : 'bytes';
    const per = (Object.keys(SECONDS) as (keyof typeof SECONDS)[]).find((one) => SECONDS[one] === expr.unit)!;
    const inv = (expr.flags & NFT_LIMIT_F_INV) !== 0;
    return { limit: { rate: expr.rate, rate_unit: unit, per, burst: expr.burst, burst_unit: unit, inv } };
  }
  if (expr instanceof ConnlimitExpr)
    return { 'ct count': { val: expr.count, inv: (expr.flags & NFT_CONNLIMIT_F_INV) !== 0 } };
  return { last: null };
}
