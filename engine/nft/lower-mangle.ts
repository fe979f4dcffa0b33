import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import { CtSetExpr } from '../rules/expr-ct-set.ts';
import { ExthdrSetExpr } from '../rules/expr-exthdr-set.ts';
import { MetaSetExpr } from '../rules/expr-meta-set.ts';
import { PayloadExpr } from '../rules/expr-payload.ts';
import { PayloadSetExpr } from '../rules/expr-payload-set.ts';
import type { ExprNode } from './ast-expr.ts';
import type { MangleStmt } from './ast-stmt.ts';
import { infoOf, soughtField } from './eval-key.ts';
import { type Info, numberOf } from './eval-scope.ts';
import { ctKey } from './key-ct.ts';
import { metaKey } from './key-meta.ts';
import { type Place, placeOf } from './lower-bits.ts';
import { checksumOf, widened } from './lower-checksum.ts';
import { soughtIn } from './lower-host.ts';
import { load, orderOf, turnNumbers } from './lower-key.ts';
import { immediate, isConstant } from './lower-set.ts';
import { type Out, registerAt } from './lower-table.ts';
import { toBytes } from './type-value.ts';

const REG = 1;

/** Lowers `key set value`. */
export function lowerMangle(out: Out, stmt: MangleStmt): void {
  const { key, value } = stmt.mangle;
  const place = placeOf(key);
  if (place !== null) {
    setPayload(out, key, value, place);
    return;
  }
  assign(out, value, infoOf(key), 0);
  if ('meta' in key) out.exprs.push(new MetaSetExpr(REG, metaKey(key.meta.key)!.id));
  else if ('ct' in key) {
    const dir = key.ct.dir === undefined ? -1 : key.ct.dir === 'original' ? 0 : 1;
    out.exprs.push(new CtSetExpr(REG, ctKey(key.ct.key, key.ct.family)!.id, dir));
  } else {
    const field = soughtField(key);
    const [id] = soughtIn(key);
    if (field) out.exprs.push(new ExthdrSetExpr(REG, id, field.offset >> 3, (field.bits + 7) >> 3));
  }
}

/**
 * Puts a value into a register. nft turns it to the byte order that is wanted there only where it is written into the
 * packet, or comes from `rt` (measured: `dnat to numgen …` and `meta mark set tcp sequence` take it as it is).
 */
export function assign(out: Out, value: ExprNode, info: Info, byte: number, toPacket: boolean = false): void {
  const reg = registerAt(byte);
  if (isConstant(value)) {
    out.exprs.push(immediate(value, info, reg));
    return;
  }
  const { len } = load(out, value, byte, false, true);
  const order = orderOf(value);
  if ('map' in value || len < 2 || order === info.order || infoOf(value).type.base === 'string') return;
  const toBig = info.order === 'big';
  if ('rt' in value || (toPacket && toBig)) turnNumbers(out, reg, toBig, len);
}

function setPayload(out: Out, key: ExprNode, value: ExprNode, place: Place): void {
  const checksum = checksumOf(key);
  const wide = widened(place, checksum);
  if (wide === null) {
    assign(out, value, infoOf(key), 0, true);
    const at = place.offset >> 3;
    out.exprs.push(
      new PayloadSetExpr(
        REG,
        place.base,
        at,
        place.bits >> 3,
        checksum.type,
        checksum.offset,
        checksum.flags,
      ),
    );
    return;
  }
  const { first, len } = wide;
  const shift = BigInt((first + len) * 8 - place.offset - place.bits);
  const field = ((1n << BigInt(place.bits)) - 1n) << shift;
  const all = (1n << BigInt(len * 8)) - 1n;
  const xor = (numberOf(value) ?? 0n) << shift;
  out.exprs.push(new PayloadExpr(REG, place.base, first, len));
  out.exprs.push(
    new BitwiseExpr(REG, REG, len, toBytes(all ^ field, len * 8, 'big'), toBytes(xor, len * 8, 'big')),
  );
  out.exprs.push(
    new PayloadSetExpr(REG, place.base, first, len, checksum.type, checksum.offset, checksum.flags),
  );
}
