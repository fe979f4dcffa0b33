import { type Expr, UnknownExpr } from '../rules/expr.ts';
import { DupExpr } from '../rules/expr-dup.ts';
import { ExthdrExpr, NFT_EXTHDR_F_PRESENT } from '../rules/expr-exthdr.ts';
import { ExthdrResetExpr } from '../rules/expr-exthdr-reset.ts';
import { ExthdrSetExpr } from '../rules/expr-exthdr-set.ts';
import { FibExpr, NFTA_FIB_F_PRESENT } from '../rules/expr-fib.ts';
import { FwdExpr } from '../rules/expr-fwd.ts';
import { JhashExpr, SymhashExpr } from '../rules/expr-hash.ts';
import { MasqExpr, RedirExpr } from '../rules/expr-masq.ts';
import { NatExpr, NFT_NAT_SNAT } from '../rules/expr-nat.ts';
import { NFT_NG_INCREMENTAL, NumgenExpr } from '../rules/expr-numgen.ts';
import { RtExpr } from '../rules/expr-rt.ts';
import { SynproxyExpr } from '../rules/expr-synproxy.ts';
import { TproxyExpr } from '../rules/expr-tproxy.ts';
import { OsfExpr, SocketExpr, XfrmExpr } from '../rules/expr-unknowable.ts';

const FAMILIES: Readonly<Record<number, string>> = { 1: 'inet', 2: 'ip', 10: 'ip6' };
const RT = ['classid', 'nexthop4', 'nexthop6', 'tcpmss', 'ipsec'];
const FIB_FLAGS = ['saddr', 'daddr', 'mark', 'iif', 'oif'];
const FIB_RESULTS = ['unspec', 'oif', 'oifname', 'type'];
const SOCKET = ['transparent', 'mark', 'wildcard', 'cgroupv2'];
const XFRM = ['unspec', 'daddr4', 'daddr6', 'saddr4', 'saddr6', 'reqid', 'spi'];
// Of SCTP chunks the tool prints no kind.
const EXTHDR_OPS = ['ipv6 ', 'tcpopt ', 'ipv4 ', ''];

/** The text of the rarer expressions. */
export function otherText(expr: Expr): string {
  return soughtText(expr) ?? generatedText(expr) ?? hostText(expr) ?? natText(expr) ?? unknownText(expr);
}

function unknownText(expr: Expr): string {
  return expr instanceof UnknownExpr ? `unknown: ${expr.unknowable}` : expr.name;
}

function soughtText(expr: Expr): string | null {
  if (expr instanceof ExthdrExpr) {
    const present = (expr.flags & NFT_EXTHDR_F_PRESENT) !== 0 ? ' present' : '';
    const at = `${expr.len}b @ ${expr.type} + ${expr.offset}`;
    return `exthdr load ${EXTHDR_OPS[expr.op]}${at}${present} => reg ${expr.dreg}`;
  }
  if (expr instanceof ExthdrSetExpr)
    return `exthdr write tcpopt reg ${expr.sreg} => ${expr.len}b @ ${expr.type} + ${expr.offset}`;
  return expr instanceof ExthdrResetExpr ? `exthdr reset tcpopt ${expr.type}` : null;
}

function offsetText(offset: number): string {
  return offset === 0 ? '' : ` offset ${offset}`;
}

function generatedText(expr: Expr): string | null {
  if (expr instanceof NumgenExpr) {
    const mode = expr.type === NFT_NG_INCREMENTAL ? 'inc' : 'random';
    return `numgen reg ${expr.dreg} = ${mode} mod ${expr.modulus}${offsetText(expr.offset)}`;
  }
  if (expr instanceof JhashExpr) {
    // The seed is the expression's own affair.
    const hash = `jhash(reg ${expr.sreg}, ${expr.len})`;
    return `hash reg ${expr.dreg} = ${hash} % mod ${expr.modulus}${offsetText(expr.offset)}`;
  }
  if (expr instanceof SymhashExpr)
    return `hash reg ${expr.dreg} = symhash() % mod ${expr.modulus}${offsetText(expr.offset)}`;
  return null;
}

function hostText(expr: Expr): string | null {
  if (expr instanceof RtExpr) return `rt load ${RT[expr.key]} => reg ${expr.dreg}`;
  if (expr instanceof FibExpr) {
    const flags = FIB_FLAGS.filter((_, i) => (expr.flags & (1 << i)) !== 0).join(' . ');
    const present = (expr.flags & NFTA_FIB_F_PRESENT) !== 0 ? ' present' : '';
    return `fib ${flags} ${FIB_RESULTS[expr.result]}${present} => reg ${expr.dreg}`;
  }
  if (expr instanceof SocketExpr) return `socket load ${SOCKET[expr.key]} => reg ${expr.dreg}`;
  if (expr instanceof OsfExpr) return `osf dreg ${expr.dreg}`;
  if (!(expr instanceof XfrmExpr)) return null;
  return `xfrm load ${expr.dir === 0 ? 'in' : 'out'} ${expr.spnum} ${XFRM[expr.key]} => reg ${expr.dreg}`;
}

function reg(name: string, value: number | null): string {
  return value === null ? '' : ` ${name} reg ${value}`;
}

function flagsText(flags: number): string {
  return flags === 0 ? '' : ` flags 0x${flags.toString(16)}`;
}

function natText(expr: Expr): string | null {
  if (expr instanceof MasqExpr || expr instanceof RedirExpr) {
    const name = expr instanceof MasqExpr ? 'masq' : 'redir';
    const ports = reg('proto_min', expr.sregProtoMin) + reg('proto_max', expr.sregProtoMax);
    return `${name}${ports}${flagsText(expr.flags)}`;
  }
  if (expr instanceof NatExpr) {
    const type = expr.type === NFT_NAT_SNAT ? 'snat' : 'dnat';
    const addresses = reg('addr_min', expr.sregAddrMin) + reg('addr_max', expr.sregAddrMax);
    const ports = reg('proto_min', expr.sregProtoMin) + reg('proto_max', expr.sregProtoMax);
    return `nat ${type} ${FAMILIES[expr.family]}${addresses}${ports}${flagsText(expr.flags)}`;
  }
  if (expr instanceof TproxyExpr) {
    const family = expr.family === 0 ? '' : ` ${FAMILIES[expr.family]}`;
    return `tproxy${family}${reg('addr', expr.sregAddr)}${reg('port', expr.sregPort)}`;
  }
  if (expr instanceof DupExpr) {
    const dev = expr.sregDev === null ? '' : ` sreg_dev ${expr.sregDev}`;
    return `dup${expr.sregAddr === null ? '' : ` sreg_addr ${expr.sregAddr}`}${dev}`;
  }
  if (expr instanceof FwdExpr) {
    const to = expr.sregAddr === null ? '' : ` sreg_addr ${expr.sregAddr} nfproto ${expr.family}`;
    return `fwd sreg_dev ${expr.sregDev}${to}`;
  }
  return expr instanceof SynproxyExpr ? `synproxy mss ${expr.mss} wscale ${expr.wscale}` : null;
}
