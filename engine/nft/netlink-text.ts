import type { Expr } from '../rules/expr.ts';
import { BitwiseExpr, NFT_BITWISE_LSHIFT, ShiftExpr } from '../rules/expr-bitwise.ts';
import { ByteorderExpr, NFT_BYTEORDER_HTON } from '../rules/expr-byteorder.ts';
import { CmpExpr } from '../rules/expr-cmp.ts';
import { ConnlimitExpr } from '../rules/expr-connlimit.ts';
import { CounterExpr } from '../rules/expr-counter.ts';
import { CtExpr } from '../rules/expr-ct.ts';
import { CtSetExpr } from '../rules/expr-ct-set.ts';
import { DynsetExpr, NFT_DYNSET_OP_ADD, NFT_DYNSET_OP_UPDATE } from '../rules/expr-dynset.ts';
import { ImmediateExpr } from '../rules/expr-immediate.ts';
import { LimitExpr, NFT_LIMIT_PKTS } from '../rules/expr-limit.ts';
import { LogExpr } from '../rules/expr-log.ts';
import { LookupExpr } from '../rules/expr-lookup.ts';
import { MetaExpr } from '../rules/expr-meta.ts';
import { MetaSetExpr } from '../rules/expr-meta-set.ts';
import { NotrackExpr } from '../rules/expr-notrack.ts';
import { ObjrefExpr, ObjrefMapExpr } from '../rules/expr-objref.ts';
import { PayloadExpr } from '../rules/expr-payload.ts';
import { PayloadSetExpr } from '../rules/expr-payload-set.ts';
import { QuotaExpr } from '../rules/expr-quota.ts';
import { RangeExpr } from '../rules/expr-range.ts';
import { RejectExpr } from '../rules/expr-reject.ts';
import { VerdictExpr } from '../rules/expr-verdict.ts';
import { NF_ACCEPT, NF_DROP, NFT_CONTINUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from '../rules/verdict.ts';
import { ctKey, ctKeyNames } from './key-ct.ts';
import { metaKey, metaKeyNames } from './key-meta.ts';
import { otherText } from './netlink-text-other.ts';

const BASES = ['link header', 'network header', 'transport header', 'inner header'];
const CMP_OPS = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte'];
const UNITS: Readonly<Record<number, string>> = {
  1: 'second',
  60: 'minute',
  3600: 'hour',
  86400: 'day',
  604800: 'week',
};

/** Data as words in this machine's order: `0x00001600 0x00000000`. */
export function wordsText(data: Uint8Array): string {
  const words: string[] = [];
  for (let i = 0; i < data.length; i += 4) {
    let word = 0;
    for (let j = Math.min(3, data.length - 1 - i); j >= 0; j--) word = word * 256 + data[i + j]!;
    words.push(`0x${word.toString(16).padStart(8, '0')}`);
  }
  return words.join(' ');
}

/** Sets without a name are called alike, whatever their number. */
export function setName(name: string): string {
  return name.replace(/^(__(?:set|map|objmap))\d+$/, '$1%d');
}

/** An expression as `nft --debug=netlink` prints it, without the brackets. For tests against the real tool. */
export function netlinkText(expr: Expr): string {
  return loadText(expr) ?? dataText(expr) ?? statefulText(expr) ?? setText(expr) ?? otherText(expr);
}

function metaName(id: number): string {
  for (const name of metaKeyNames()) if (metaKey(name)!.id === id) return metaKey(name)!.kernelName;
  return String(id);
}

function ctName(id: number): string {
  for (const name of ctKeyNames()) {
    for (const family of [undefined, 'ip', 'ip6'] as const) {
      const key = ctKey(name, family);
      if (key?.id === id) return key.kernelName;
    }
  }
  return String(id);
}

function dirText(dir: number): string {
  return dir < 0 ? '' : ` , dir ${dir === 0 ? 'original' : 'reply'}`;
}

function loadText(expr: Expr): string | null {
  if (expr instanceof MetaExpr) return `meta load ${metaName(expr.key)} => reg ${expr.dreg}`;
  if (expr instanceof MetaSetExpr) return `meta set ${metaName(expr.key)} with reg ${expr.sreg}`;
  if (expr instanceof CtExpr) return `ct load ${ctName(expr.key)} => reg ${expr.dreg}${dirText(expr.dir)}`;
  if (expr instanceof CtSetExpr)
    return `ct set ${ctName(expr.key)} with reg ${expr.sreg}${dirText(expr.dir)}`;
  if (expr instanceof PayloadExpr)
    return `payload load ${expr.len}b @ ${BASES[expr.base]} + ${expr.offset} => reg ${expr.dreg}`;
  if (!(expr instanceof PayloadSetExpr)) return null;
  const checksum = `csum_type ${expr.csumType} csum_off ${expr.csumOffset} csum_flags 0x${expr.csumFlags}`;
  return `payload write reg ${expr.sreg} => ${expr.len}b @ ${BASES[expr.base]} + ${expr.offset} ${checksum}`;
}

function dataText(expr: Expr): string | null {
  if (expr instanceof CmpExpr) return `cmp ${CMP_OPS[expr.op]} reg ${expr.sreg} ${wordsText(expr.data)}`;
  if (expr instanceof RangeExpr)
    return `range ${CMP_OPS[expr.op]} reg ${expr.sreg} ${wordsText(expr.from)} ${wordsText(expr.to)}`;
  if (expr instanceof BitwiseExpr) {
    const operation = `( reg ${expr.sreg} & ${wordsText(expr.mask)} ) ^ ${wordsText(expr.xor)}`;
    return `bitwise reg ${expr.dreg} = ${operation}`;
  }
  if (expr instanceof ShiftExpr) {
    const sign = expr.op === NFT_BITWISE_LSHIFT ? '<<' : '>>';
    return `bitwise reg ${expr.dreg} = ( reg ${expr.sreg} ${sign} 0x${expr.bits.toString(16).padStart(8, '0')} )`;
  }
  if (expr instanceof ByteorderExpr) {
    const name = expr.op === NFT_BYTEORDER_HTON ? 'hton' : 'ntoh';
    return `byteorder reg ${expr.dreg} = ${name}(reg ${expr.sreg}, ${expr.len}, ${expr.size})`;
  }
  if (expr instanceof ImmediateExpr) return `immediate reg ${expr.dreg} ${wordsText(expr.data)}`;
  return expr instanceof VerdictExpr ? `immediate reg 0 ${verdictText(expr)}` : null;
}

/** A verdict: `accept`, `jump -> chain`. */
function verdictText(expr: VerdictExpr): string {
  switch (expr.code) {
    case NF_ACCEPT:
      return 'accept';
    case NF_DROP:
      return 'drop';
    case NFT_CONTINUE:
      return 'continue';
    case NFT_RETURN:
      return 'return';
    case NFT_JUMP:
      return `jump -> ${expr.chain?.name}`;
    default:
      return expr.code === NFT_GOTO ? `goto -> ${expr.chain?.name}` : String(expr.code);
  }
}

function statefulText(expr: Expr): string | null {
  if (expr instanceof CounterExpr) return `counter pkts ${expr.packets} bytes ${expr.bytes}`;
  if (expr instanceof LimitExpr) {
    const type = expr.type === NFT_LIMIT_PKTS ? 'packets' : 'bytes';
    return `limit rate ${expr.rate}/${UNITS[expr.unit]} burst ${expr.burst} type ${type} flags 0x${expr.flags}`;
  }
  if (expr instanceof QuotaExpr)
    return `quota bytes ${expr.quota} consumed ${expr.consumed} flags ${expr.flags}`;
  if (expr instanceof ConnlimitExpr) return `connlimit count ${expr.count} flags ${expr.flags}`;
  if (expr instanceof NotrackExpr) return 'notrack';
  if (expr instanceof RejectExpr) return `reject type ${expr.type} code ${expr.code}`;
  return expr instanceof LogExpr ? logText(expr) : null;
}

function logText(expr: LogExpr): string {
  let text = 'log';
  if (expr.prefix !== '') text += ` prefix ${expr.prefix}`;
  if (expr.group >= 0) text += ` group ${expr.group} snaplen ${expr.snaplen} qthreshold ${expr.qthreshold}`;
  else {
    if (expr.level !== 4) text += ` level ${expr.level}`;
    const flags = [
      [1, 'tcpseq'],
      [2, 'tcpopt'],
      [4, 'ipopt'],
      [8, 'uid'],
      [32, 'macdecode'],
    ] as const;
    for (const [bit, name] of flags) if ((expr.flags & bit) !== 0) text += ` ${name}`;
  }
  return text;
}

function setText(expr: Expr): string | null {
  if (expr instanceof LookupExpr) {
    const dreg = expr.dreg === null ? '' : ` dreg ${expr.dreg}`;
    return `lookup reg ${expr.sreg} set ${setName(expr.set.name)}${dreg}${expr.invert ? ' 0x1' : ''}`;
  }
  if (expr instanceof DynsetExpr) {
    const op = expr.op === NFT_DYNSET_OP_ADD ? 'add' : expr.op === NFT_DYNSET_OP_UPDATE ? 'update' : 'delete';
    const data = expr.sregData === null ? '' : ` sreg_data ${expr.sregData}`;
    const timeout = expr.timeout === 0 ? '' : ` timeout ${expr.timeout}ms`;
    const inner = expr.exprs.map((one) => ` expr [ ${netlinkText(one)} ]`).join('');
    return `dynset ${op} reg_key ${expr.sregKey} set ${expr.set.name}${data}${timeout}${inner}`;
  }
  if (expr instanceof ObjrefMapExpr) return `objref sreg ${expr.sreg} set ${setName(expr.set.name)}`;
  return expr instanceof ObjrefExpr ? `objref name ${expr.object.name}` : null;
}
