import { ConnlimitExpr, NFT_CONNLIMIT_F_INV } from '../rules/expr-connlimit.ts';
import { CounterExpr } from '../rules/expr-counter.ts';
import { LastExpr } from '../rules/expr-last.ts';
import { LimitExpr, NFT_LIMIT_F_INV, NFT_LIMIT_PKT_BYTES, NFT_LIMIT_PKTS } from '../rules/expr-limit.ts';
import { NFT_QUOTA_F_INV, QuotaExpr } from '../rules/expr-quota.ts';
import type { StatefulExpr } from '../rules/stateful.ts';
import type { LimitSpec, QuotaSpec, StmtNode } from './ast-stmt.ts';
import { SECONDS, toUnits } from './units.ts';

/** What remembers something: counters, limits, quotas; null for any other statement. */
export function stateful(stmt: StmtNode): StatefulExpr | null {
  if ('counter' in stmt)
    return new CounterExpr(Number(stmt.counter?.packets ?? 0), Number(stmt.counter?.bytes ?? 0));
  if ('limit' in stmt) return limitExpr(stmt.limit);
  if ('quota' in stmt) return quotaExpr(stmt.quota);
  if ('ct count' in stmt) {
    const { val, inv } = stmt['ct count'];
    return new ConnlimitExpr(val, inv ? NFT_CONNLIMIT_F_INV : 0);
  }
  return 'last' in stmt ? new LastExpr() : null;
}

/** `limit`. */
export function limitExpr(limit: LimitSpec): LimitExpr {
  const packets = limit.rate_unit === 'packets';
  const rate = packets ? limit.rate : toUnits(limit.rate, limit.rate_unit);
  const burst = packets ? (limit.burst ?? 5) : toUnits(limit.burst ?? 0, limit.burst_unit);
  const type = packets ? NFT_LIMIT_PKTS : NFT_LIMIT_PKT_BYTES;
  return new LimitExpr(
    Number(rate),
    SECONDS[limit.per],
    Number(burst),
    type,
    limit.inv ? NFT_LIMIT_F_INV : 0,
  );
}

/** `quota`. */
export function quotaExpr(quota: QuotaSpec): QuotaExpr {
  const used = Number(toUnits(quota.used ?? 0, quota.used_unit));
  return new QuotaExpr(Number(toUnits(quota.val, quota.val_unit)), quota.inv ? NFT_QUOTA_F_INV : 0, used);
}
