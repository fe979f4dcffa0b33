import { UnknownExpr } from '../rules/expr.ts';
import { CmpExpr, NFT_CMP_EQ } from '../rules/expr-cmp.ts';
import {
  DynsetExpr,
  NFT_DYNSET_OP_ADD,
  NFT_DYNSET_OP_DELETE,
  NFT_DYNSET_OP_UPDATE,
} from '../rules/expr-dynset.ts';
import { ExthdrResetExpr } from '../rules/expr-exthdr-reset.ts';
import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { LogExpr } from '../rules/expr-log.ts';
import { LookupExpr, NFT_REG_VERDICT } from '../rules/expr-lookup.ts';
import { NotrackExpr } from '../rules/expr-notrack.ts';
import { ObjrefExpr, ObjrefMapExpr } from '../rules/expr-objref.ts';
import { PayloadExpr } from '../rules/expr-payload.ts';
import {
  NFT_QUEUE_FLAG_BYPASS,
  NFT_QUEUE_FLAG_CPU_FANOUT,
  QueueExpr,
  QueueRegExpr,
} from '../rules/expr-queue.ts';
import {
  NFT_REJECT_ICMP_UNREACH,
  NFT_REJECT_ICMPX_UNREACH,
  NFT_REJECT_TCP_RST,
  RejectExpr,
} from '../rules/expr-reject.ts';
import { SynproxyExpr } from '../rules/expr-synproxy.ts';
import { NFPROTO_IPV6, NFPROTO_NETDEV } from '../rules/family.ts';
import type { ExprNode } from './ast-expr.ts';
import type { LogStmt, ObjectKind, StmtNode, SynproxySpec } from './ast-stmt.ts';
import { anonymousShape, objectName } from './eval-elements.ts';
import { infoOf } from './eval-key.ts';
import type { Merged } from './eval-merge.ts';
import { numberOf } from './eval-scope.ts';
import { isVerdict } from './eval-verdict.ts';
import { soughtIn } from './lower-host.ts';
import { load, loadKeyOf, loadSetKey } from './lower-key.ts';
import { assign, lowerMangle } from './lower-mangle.ts';
import { lowerMatch } from './lower-match.ts';
import { lowerDup, lowerFwd, lowerNat, lowerTproxy } from './lower-nat.ts';
import { buildSet, keyLength } from './lower-set.ts';
import { stateful } from './lower-stateful.ts';
import { type LoweredSet, type Out, registerAt } from './lower-table.ts';
import { verdictExpr } from './lower-verdict.ts';
import { toBytes } from './type-value.ts';

const REG = 1;
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'];
const LOG_FLAGS: Readonly<Record<string, number>> = {
  'tcp sequence': 1,
  'tcp options': 2,
  'ip options': 4,
  skuid: 8,
  ether: 32,
  all: 47,
};
const OPS: Readonly<Record<string, number>> = {
  add: NFT_DYNSET_OP_ADD,
  update: NFT_DYNSET_OP_UPDATE,
  delete: NFT_DYNSET_OP_DELETE,
};
const REJECTS: Readonly<Record<string, number>> = {
  icmp: NFT_REJECT_ICMP_UNREACH,
  icmpv6: NFT_REJECT_ICMP_UNREACH,
  icmpx: NFT_REJECT_ICMPX_UNREACH,
  'tcp reset': NFT_REJECT_TCP_RST,
};

/** Lowers tests of neighbouring fields as one. */
export function lowerMerged(out: Out, merged: Merged): void {
  const { base, offset, bits } = merged.place;
  out.exprs.push(new PayloadExpr(REG, base, offset >> 3, bits >> 3));
  out.exprs.push(new CmpExpr(REG, NFT_CMP_EQ, toBytes(merged.value, bits, 'big')));
}

/**
 * Lowers one statement.
 * @param network 'ip' or 'ip6': of the packets that come so far, for addresses without a family
 */
export function lowerStatement(out: Out, stmt: StmtNode, network: 'ip' | 'ip6'): void {
  const { family } = out.about.table;
  const net = family === NFPROTO_IPV6 ? 'ip6' : network;
  const remembers = out.about.running.expr(stmt);
  if (remembers !== null) out.exprs.push(remembers);
  else if ('match' in stmt) lowerMatch(out, stmt);
  else if (isVerdict(stmt)) out.exprs.push(verdictExpr(out.about, stmt));
  else if ('vmap' in stmt) lowerVmap(out, stmt.vmap.key, stmt.vmap.data);
  else if ('mangle' in stmt) lowerMangle(out, stmt);
  else if ('log' in stmt) out.exprs.push(logExpr(stmt.log));
  else if ('reject' in stmt) {
    const code = Number(stmt.reject.expr === undefined ? 0n : (numberOf(stmt.reject.expr) ?? 0n));
    out.exprs.push(new RejectExpr(REJECTS[stmt.reject.type ?? 'icmpx']!, code));
  } else if ('notrack' in stmt) out.exprs.push(new NotrackExpr());
  else if ('set' in stmt) lowerDynamic(out, stmt.set.elem, null, stmt.set.op, stmt.set.set, stmt.set.stmt);
  else if ('map' in stmt)
    lowerDynamic(out, stmt.map.elem, stmt.map.data, stmt.map.op, stmt.map.map, stmt.map.stmt);
  else if ('meter' in stmt) lowerMeter(out, stmt.meter);
  else if ('objref' in stmt) lowerObjref(out, stmt.objref.type, stmt.objref.name);
  else if ('snat' in stmt || 'dnat' in stmt || 'masquerade' in stmt || 'redirect' in stmt)
    lowerNat(out, stmt, family, net);
  else if ('tproxy' in stmt) lowerTproxy(out, stmt, family, net);
  else if ('queue' in stmt) lowerQueue(out, stmt.queue.num, stmt.queue.flags);
  else if ('dup' in stmt) lowerDup(out, stmt, family === NFPROTO_NETDEV, net);
  else if ('fwd' in stmt) lowerFwd(out, stmt);
  else if ('synproxy' in stmt) out.exprs.push(synproxyExpr(stmt.synproxy));
  else if ('reset' in stmt) out.exprs.push(new ExthdrResetExpr(soughtIn(stmt.reset)[0]));
  else if ('flow' in stmt) out.exprs.push(new IgnoredExpr('flow_offload'));
  else out.exprs.push(new UnknownExpr('this statement is not supported'));
}

function lowerVmap(out: Out, key: ExprNode, data: ExprNode): void {
  const { set } = loadSetKey(out, key, data, 0);
  out.exprs.push(new LookupExpr(set, REG, NFT_REG_VERDICT));
}

function logExpr(log: LogStmt['log']): LogExpr {
  let flags = 0;
  for (const flag of log.flags ?? []) flags |= LOG_FLAGS[flag] ?? 0;
  const level = log.group === undefined ? LEVELS.indexOf(log.level ?? 'warn') : -1;
  return new LogExpr({
    prefix: log.prefix ?? '',
    level,
    flags,
    group: log.group ?? -1,
    snaplen: log.snaplen ?? 0,
    qthreshold: log['queue-threshold'] ?? 0,
  });
}

/** `synproxy`, as a statement or an object. */
export function synproxyExpr(spec: SynproxySpec): SynproxyExpr {
  let flags = (spec.mss === undefined ? 0 : 1) | (spec.wscale === undefined ? 0 : 2);
  if (spec.flags.includes('sack-perm')) flags |= 4;
  if (spec.flags.includes('timestamp')) flags |= 8;
  return new SynproxyExpr(spec.mss ?? 0, spec.wscale ?? 0, flags);
}

function timeoutOf(elem: ExprNode): number {
  return 'elem' in elem && elem.elem.timeout !== undefined ? Number(elem.elem.timeout) : 0;
}

function pushDynset(
  out: Out,
  lowered: LoweredSet,
  elem: ExprNode,
  op: number,
  data: ExprNode | null,
  inner: readonly StmtNode[] | undefined,
): void {
  const key = 'elem' in elem ? elem.elem.val : elem;
  loadKeyOf(out, lowered, key, 0, true);
  const at = Math.max(16, (keyLength(lowered.key) + 15) & ~15);
  if (data !== null) assign(out, data, infoOf(data), at);
  const exprs = (inner ?? []).map(stateful).filter((expr) => expr !== null);
  const sregData = data === null ? null : registerAt(at);
  out.exprs.push(new DynsetExpr(lowered.set, op, REG, sregData, timeoutOf(elem), exprs, false));
}

function lowerDynamic(
  out: Out,
  elem: ExprNode,
  data: ExprNode | null,
  op: string,
  name: string,
  inner: readonly StmtNode[] | undefined,
): void {
  const lowered = out.about.sets.get(name)!;
  pushDynset(out, lowered, elem, OPS[op]!, data, inner);
}

function lowerMeter(
  out: Out,
  meter: { name: string; key: ExprNode; stmt: StmtNode; size?: number | undefined },
): void {
  const key = 'elem' in meter.key ? meter.key.elem.val : meter.key;
  const shape = anonymousShape(infoOf(key), null, false);
  const lowered = out.about.running.meter(meter, () =>
    buildSet(out.about, meter.name, shape, [], undefined, { size: meter.size ?? 0 }),
  );
  const op = timeoutOf(meter.key) > 0 ? NFT_DYNSET_OP_UPDATE : NFT_DYNSET_OP_ADD;
  pushDynset(out, lowered, meter.key, op, null, [meter.stmt]);
}

function lowerObjref(out: Out, type: ObjectKind, name: ExprNode): void {
  if ('map' in name) {
    const { set } = loadSetKey(out, name.map.key, name.map.data, 0, type);
    out.exprs.push(new ObjrefMapExpr(set, REG));
    return;
  }
  const object = out.about.objects.get(`${type} ${objectName(name)}`);
  out.exprs.push(
    object === undefined ? new UnknownExpr(`there is no ${type} of this name`) : new ObjrefExpr(object),
  );
}

function lowerQueue(out: Out, num: ExprNode | undefined, words: readonly string[]): void {
  const flags =
    (words.includes('bypass') ? NFT_QUEUE_FLAG_BYPASS : 0) |
    (words.includes('fanout') ? NFT_QUEUE_FLAG_CPU_FANOUT : 0);
  if (num === undefined || 'constant' in num || 'range' in num) {
    const [low, high] = num === undefined ? [0n, 0n] : queueRange(num);
    out.exprs.push(new QueueExpr(Number(low), Number(high - low) + 1, flags));
    return;
  }
  load(out, num, 0);
  out.exprs.push(new QueueRegExpr(REG, flags));
}

function queueRange(num: ExprNode): readonly [bigint, bigint] {
  if ('range' in num) return [numberOf(num.range[0]) ?? 0n, numberOf(num.range[1]) ?? 0n];
  const value = numberOf(num) ?? 0n;
  return [value, value];
}
