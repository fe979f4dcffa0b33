import type { Expr } from '../rules/expr.ts';
import { ImmediateExpr } from '../rules/expr-immediate.ts';
import { MasqExpr, RedirExpr } from '../rules/expr-masq.ts';
import { NatExpr } from '../rules/expr-nat.ts';
import { wordBytes } from './address.ts';
import type { NatRange } from './nat-range.ts';

/** Registers of the first and last address and port, as iptables-nft and nft use them. */
const ADDRESS_MIN = 1;
const ADDRESS_MAX = 2;
const PORT_MIN = 3;
const PORT_MAX = 4;

/** NF_NAT_RANGE_*: addresses, ports, and how one of them is chosen. */
export const NF_NAT_RANGE_MAP_IPS = 1;
/** NF_NAT_RANGE_PROTO_SPECIFIED. */
export const NF_NAT_RANGE_PROTO_SPECIFIED = 2;
const NF_NAT_RANGE_PROTO_RANDOM = 4;
const NF_NAT_RANGE_PERSISTENT = 8;
const NF_NAT_RANGE_PROTO_RANDOM_FULLY = 16;
const NF_NAT_RANGE_PROTO_OFFSET = 32;
/** NF_NAT_RANGE_NETMAP. */
export const NF_NAT_RANGE_NETMAP = 64;

/** NF_NAT_RANGE_* of what a range says. */
function natRangeFlags(range: NatRange): number {
  return (
    (range.min === null ? 0 : NF_NAT_RANGE_MAP_IPS) |
    (range.ports === null ? 0 : NF_NAT_RANGE_PROTO_SPECIFIED) |
    (range.random ? NF_NAT_RANGE_PROTO_RANDOM : 0) |
    (range.persistent ? NF_NAT_RANGE_PERSISTENT : 0) |
    (range.randomFully ? NF_NAT_RANGE_PROTO_RANDOM_FULLY : 0) |
    (range.base === null ? 0 : NF_NAT_RANGE_PROTO_OFFSET)
  );
}

function port(reg: number, value: number): ImmediateExpr {
  return new ImmediateExpr(reg, Uint8Array.of(value >> 8, value & 255));
}

function portExprs(range: NatRange): Expr[] {
  return range.ports === null ? [] : [port(PORT_MIN, range.ports[0]), port(PORT_MAX, range.ports[1])];
}

/** SNAT, DNAT and NETMAP as nf_tables' `nat`. */
export function lowerNat(range: NatRange, type: number, family: number, more = 0): Expr[] {
  const exprs = portExprs(range);
  const hasAddress = range.min !== null;
  if (hasAddress)
    exprs.unshift(
      new ImmediateExpr(ADDRESS_MIN, wordBytes(range.min!)),
      new ImmediateExpr(ADDRESS_MAX, wordBytes(range.max!)),
    );
  const hasPort = range.ports !== null;
  exprs.push(
    new NatExpr(
      type,
      family,
      hasAddress ? ADDRESS_MIN : null,
      hasAddress ? ADDRESS_MAX : null,
      hasPort ? PORT_MIN : null,
      hasPort ? PORT_MAX : null,
      natRangeFlags(range) | more,
      range.base ?? 0,
    ),
  );
  return exprs;
}

/** MASQUERADE as `masq`. */
export function lowerMasquerade(range: NatRange): Expr[] {
  const has = range.ports !== null;
  return [
    ...portExprs(range),
    new MasqExpr(has ? PORT_MIN : null, has ? PORT_MAX : null, natRangeFlags(range)),
  ];
}

/** REDIRECT as `redir`. */
export function lowerRedirect(range: NatRange): Expr[] {
  const has = range.ports !== null;
  return [
    ...portExprs(range),
    new RedirExpr(has ? PORT_MIN : null, has ? PORT_MAX : null, natRangeFlags(range)),
  ];
}
