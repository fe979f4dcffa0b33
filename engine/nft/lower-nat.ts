import { DupExpr } from '../rules/expr-dup.ts';
import { FwdExpr } from '../rules/expr-fwd.ts';
import { LookupExpr } from '../rules/expr-lookup.ts';
import { MasqExpr, RedirExpr } from '../rules/expr-masq.ts';
import { NatExpr, NFT_NAT_DNAT, NFT_NAT_SNAT } from '../rules/expr-nat.ts';
import { TproxyExpr } from '../rules/expr-tproxy.ts';
import { NFPROTO_IPV4, NFPROTO_IPV6 } from '../rules/family.ts';
import type { ExprNode } from './ast-expr.ts';
import type { DupStmt, FwdStmt, NatSpec, NatStmt, TproxyStmt } from './ast-stmt.ts';
import { intervalOf } from './eval-interval.ts';
import { addressInfo, DEVICE, PORT } from './eval-nat.ts';
import { constant, constantOf, type Info } from './eval-scope.ts';
import { loadSetKey } from './lower-key.ts';
import { assign } from './lower-mangle.ts';
import { type Out, registerAt } from './lower-table.ts';

/** NF_NAT_RANGE_*. */
const PROTO_SPECIFIED = 2;
const NETMAP = 64;
const FLAGS: Readonly<Record<string, number>> = { random: 4, persistent: 8, 'fully-random': 16 };
const NFPROTO: Readonly<Record<'ip' | 'ip6', number>> = { ip: NFPROTO_IPV4, ip6: NFPROTO_IPV6 };
const REG_BYTES = 16;

type Reg = number | null;

/** Hands out registers, sixteen bytes each. */
class Registers {
  private next = 0;

  /** Puts one end of a value, or all of it, into the next register. */
  take(out: Out, value: ExprNode, info: Info): number {
    const byte = this.next;
    this.next += REG_BYTES;
    assign(out, value, info, byte);
    return registerAt(byte);
  }
}

/** Both ends of a range or prefix; the second is null for one value. */
function ends(value: ExprNode, info: Info): readonly [ExprNode, ExprNode | null] {
  if ('range' in value) return value.range;
  if (!('prefix' in value)) return [value, null];
  const interval = intervalOf(value, info.bits)!;
  return [constant(info, interval.low), constant(info, interval.high)];
}

function both(out: Out, regs: Registers, value: ExprNode | undefined, info: Info): readonly [Reg, Reg] {
  if (value === undefined) return [null, null];
  const [low, high] = ends(value, info);
  const first = regs.take(out, low, info);
  return [first, high === null ? null : regs.take(out, high, info)];
}

/** Lowers snat, dnat, masquerade and redirect. */
export function lowerNat(out: Out, stmt: NatStmt, family: number, network: 'ip' | 'ip6'): void {
  const regs = new Registers();
  if ('masquerade' in stmt || 'redirect' in stmt) {
    const spec = 'masquerade' in stmt ? stmt.masquerade : stmt.redirect;
    const [min, max] = both(out, regs, spec.port, PORT);
    const flags = natFlags(spec, min);
    out.exprs.push('masquerade' in stmt ? new MasqExpr(min, max, flags) : new RedirExpr(min, max, flags));
    return;
  }
  const spec = 'snat' in stmt ? stmt.snat : stmt.dnat;
  const type = 'snat' in stmt ? NFT_NAT_SNAT : NFT_NAT_DNAT;
  const address = addressInfo(spec.family ?? network);
  if (spec.addr !== undefined && 'map' in spec.addr && spec.port === undefined) {
    natByMap(out, type, spec, spec.addr, spec.family ?? network);
    return;
  }
  const [addrMin, addrMax] = both(out, regs, spec.addr, address);
  const [portMin, portMax] = both(out, regs, spec.port, PORT);
  const nfproto =
    spec.addr === undefined && spec.family === undefined ? family : NFPROTO[spec.family ?? network];
  out.exprs.push(new NatExpr(type, nfproto, addrMin, addrMax, portMin, portMax, natFlags(spec, portMin)));
}

/** Addresses by a map, whose values may be ranges and may have ports behind the addresses. */
function natByMap(
  out: Out,
  type: number,
  spec: NatSpec,
  addr: ExprNode & { map: { key: ExprNode; data: ExprNode } },
  family: 'ip' | 'ip6',
): void {
  const { key, data } = addr.map;
  const lowered = loadSetKey(out, key, data, 0);
  out.exprs.push(new LookupExpr(lowered.set, 1, 1));
  const info = lowered.shape.data as Info;
  const size = addressInfo(family).bits >> 3;
  const ports = info.parts !== undefined;
  const step = ports ? size + 4 : size;
  const max = (at: number): Reg => (lowered.dataRanged ? registerAt(step + at) : null);
  const [portMin, portMax] = ports ? [registerAt(size), max(size)] : [null, null];
  out.exprs.push(new NatExpr(type, NFPROTO[family], 1, max(0), portMin, portMax, natFlags(spec, null)));
}

function natFlags(spec: NatSpec, port: Reg): number {
  let flags = port === null ? 0 : PROTO_SPECIFIED;
  for (const flag of spec.flags) flags |= FLAGS[flag]!;
  if (spec.type_flags.includes('prefix')) flags |= NETMAP;
  return flags;
}

/** Lowers tproxy. */
export function lowerTproxy(out: Out, stmt: TproxyStmt, family: number, network: 'ip' | 'ip6'): void {
  const { addr, port, family: written } = stmt.tproxy;
  const regs = new Registers();
  const to = addr === undefined ? null : regs.take(out, addr, addressInfo(written ?? network));
  const at = port === undefined ? null : regs.take(out, port, PORT);
  const inet = family !== NFPROTO_IPV4 && family !== NFPROTO_IPV6;
  out.exprs.push(new TproxyExpr(inet && written === undefined ? 0 : NFPROTO[written ?? network], to, at));
}

/** Lowers dup. */
export function lowerDup(out: Out, stmt: DupStmt, netdev: boolean, network: 'ip' | 'ip6'): void {
  const { addr, dev } = stmt.dup;
  const regs = new Registers();
  const to = netdev ? null : regs.take(out, addr, addressInfo(network));
  const by = netdev ? addr : dev;
  if (by === undefined) out.exprs.push(new DupExpr(to, null));
  else out.exprs.push(new DupExpr(to, deviceRegister(out, regs, by), deviceName(by)));
}

/** Lowers fwd. */
export function lowerFwd(out: Out, stmt: FwdStmt): void {
  const { dev, family, addr } = stmt.fwd;
  const regs = new Registers();
  const device = deviceRegister(out, regs, dev);
  const to = addr === undefined || family === undefined ? null : regs.take(out, addr, addressInfo(family));
  const protocol = family === undefined ? 0 : NFPROTO[family];
  out.exprs.push(new FwdExpr(device, to, protocol, deviceName(dev)));
}

/** The number of an interface is only known where the packets are: of one with a name the register says nothing. */
function deviceRegister(out: Out, regs: Registers, node: ExprNode): number {
  return regs.take(out, deviceName(node) === null ? node : constant(DEVICE, 0n), DEVICE);
}

function deviceName(node: ExprNode): string | null {
  const value = constantOf(node);
  return typeof value === 'string' && value !== 'lo' ? value : null;
}
