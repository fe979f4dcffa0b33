import { UnknownExpr } from '../rules/expr.ts';
import {
  ExthdrExpr,
  NFT_EXTHDR_F_PRESENT,
  NFT_EXTHDR_OP_IPV4,
  NFT_EXTHDR_OP_IPV6,
  NFT_EXTHDR_OP_SCTP,
  NFT_EXTHDR_OP_TCPOPT,
} from '../rules/expr-exthdr.ts';
import {
  FibExpr,
  NFTA_FIB_F_DADDR,
  NFTA_FIB_F_IIF,
  NFTA_FIB_F_MARK,
  NFTA_FIB_F_OIF,
  NFTA_FIB_F_PRESENT,
  NFTA_FIB_F_SADDR,
} from '../rules/expr-fib.ts';
import { RtExpr } from '../rules/expr-rt.ts';
import { OsfExpr, SocketExpr, XfrmExpr } from '../rules/expr-unknowable.ts';
import type { ExprNode } from './ast-expr.ts';
import { exthdr, ipOption, sctpChunk, tcpOption } from './key-exthdr.ts';
import { fibResult, ipsecKey, osfKey, rtKey, socketKey } from './key-other.ts';
import { type Loaded, maskBits } from './lower-bits.ts';
import type { Out } from './lower-table.ts';
import type { HeaderField } from './proto-header.ts';

const FIB_FLAGS: Readonly<Record<string, number>> = {
  saddr: NFTA_FIB_F_SADDR,
  daddr: NFTA_FIB_F_DADDR,
  mark: NFTA_FIB_F_MARK,
  iif: NFTA_FIB_F_IIF,
  oif: NFTA_FIB_F_OIF,
};
const OSF_TTL: Readonly<Record<string, number>> = { loose: 1, skip: 2 };
const OSF_VERSION = 1;

/**
 * Loads what is searched for in the packet's options or asked of the host.
 * @param field the field of an option or extension header, null for its presence, undefined for anything else
 * @returns how a field smaller than bytes stands in the register; null where the value fills its bytes
 */
export function loadHost(
  out: Out,
  expr: ExprNode,
  field: HeaderField | null | undefined,
  reg: number,
): Loaded | null {
  if (field !== undefined) return loadSought(out, expr, field, reg);
  if ('fib' in expr) pushFib(out, expr, reg, false);
  else if ('rt' in expr) out.exprs.push(new RtExpr(reg, rtKey(expr.rt.key, expr.rt.family)!.id));
  else if ('socket' in expr) {
    const { key, level } = expr.socket;
    out.exprs.push(new SocketExpr(reg, socketKey(key)!.id, level ?? 0));
  } else if ('osf' in expr) {
    const { key, ttl } = expr.osf;
    const flags = osfKey(key)!.name === 'version' ? OSF_VERSION : 0;
    out.exprs.push(new OsfExpr(reg, ttl === undefined ? 0 : OSF_TTL[ttl]!, flags));
  } else if ('ipsec' in expr) {
    const { key, dir, family, spnum } = expr.ipsec;
    out.exprs.push(new XfrmExpr(reg, ipsecKey(key, family)!.id, dir === 'in' ? 0 : 1, spnum ?? 0));
  } else out.exprs.push(new UnknownExpr('this expression is not supported'));
  return null;
}

/** Loads what `fib` finds; `present` only whether it finds something. */
export function pushFib(
  out: Out,
  expr: ExprNode & { fib: { result: string; flags: readonly string[] } },
  reg: number,
  present: boolean,
): void {
  let flags = present ? NFTA_FIB_F_PRESENT : 0;
  for (const flag of expr.fib.flags) flags |= FIB_FLAGS[flag]!;
  out.exprs.push(new FibExpr(reg, fibResult(expr.fib.result)!.id, flags));
}

function loadSought(out: Out, expr: ExprNode, field: HeaderField | null, reg: number): Loaded | null {
  const [id, op] = soughtIn(expr);
  if (field === null) {
    out.exprs.push(new ExthdrExpr(reg, id, 0, 1, op, NFT_EXTHDR_F_PRESENT));
    return null;
  }
  const first = field.offset >> 3;
  const len = ((field.offset + field.bits + 7) >> 3) - first;
  out.exprs.push(new ExthdrExpr(reg, id, first, len, op, 0));
  return maskBits(out, field.offset, field.bits, len, reg);
}

/** What is searched for, and in which kind of headers. */
export function soughtIn(expr: ExprNode): readonly [id: number, op: number] {
  if ('exthdr' in expr) return [exthdr(expr.exthdr.name)!.id, NFT_EXTHDR_OP_IPV6];
  if ('tcp option' in expr) return [tcpOption(expr['tcp option'].name)!.id, NFT_EXTHDR_OP_TCPOPT];
  if ('ip option' in expr) return [ipOption(expr['ip option'].name)!.id, NFT_EXTHDR_OP_IPV4];
  if ('sctp chunk' in expr) return [sctpChunk(expr['sctp chunk'].name)!.id, NFT_EXTHDR_OP_SCTP];
  return 'rawTcpOption' in expr ? [expr.rawTcpOption.base, NFT_EXTHDR_OP_TCPOPT] : [0, 0];
}
