import type { U64 } from './ast-expr.ts';
import type {
  CounterStmt,
  CtCountStmt,
  LastStmt,
  LimitSpec,
  LimitStmt,
  QuotaSpec,
  QuotaStmt,
} from './ast-stmt.ts';
import { T_WORD } from './lex.ts';
import { cutLimit } from './limit-range.ts';
import type { Cursor } from './parse-cursor.ts';

const BYTE_UNITS = ['bytes', 'kbytes', 'mbytes'] as const;
const TIME_UNITS = ['second', 'minute', 'hour', 'day', 'week'] as const;

type ByteUnit = (typeof BYTE_UNITS)[number];

/** `packets 1 bytes 2`, in either order, either left out. */
export function counterValues(p: Cursor): { packets: U64; bytes: U64 } {
  let packets: U64 = 0;
  let bytes: U64 = 0;
  for (;;) {
    if (p.eat('packets')) {
      packets = p.u64('the number of packets');
    } else if (p.eat('bytes')) {
      bytes = p.u64('the number of bytes');
    } else {
      return { packets, bytes };
    }
  }
}

/** `counter`, `counter packets 1 bytes 2`. */
export function counterStmt(p: Cursor): CounterStmt {
  const start = p.at;
  p.expect('counter');
  if (!p.is('packets') && !p.is('bytes')) {
    return { counter: null, at: p.since(start) };
  }
  const counter = counterValues(p);
  return { counter, at: p.since(start) };
}

/** `over` (true) or `until` (false). */
function inverted(p: Cursor): boolean {
  if (p.eat('over')) {
    return true;
  }
  p.eat('until');
  return false;
}

/** `/second`, `bytes/second` (one word), `bytes / second`. */
function limitUnits(p: Cursor): Pick<LimitSpec, 'rate_unit' | 'per'> {
  const { kind, text, at } = p.token;
  const [unit, per, ...rest] = kind === T_WORD ? text.split('/') : [];
  if (per !== undefined) {
    const byteUnit = BYTE_UNITS.find((one) => one === unit);
    const timeUnit = TIME_UNITS.find((one) => one === per);
    if (byteUnit === undefined || timeUnit === undefined || rest.length > 0) {
      p.fail(`'${text}' is no unit of a rate`, at, 'for example kbytes/second; packets have none: 5/second');
    }
    p.next();
    return { rate_unit: byteUnit, per: timeUnit };
  }
  const rate_unit: LimitSpec['rate_unit'] = p.is('/')
    ? 'packets'
    : p.oneOf<LimitSpec['rate_unit']>(BYTE_UNITS, "'/' or a unit of bytes");
  p.expect('/');
  return { rate_unit, per: p.oneOf(TIME_UNITS, 'second, minute, hour, day or week') };
}

/** The rest of a limit, from `rate` on. */
export function limitSpec(p: Cursor): LimitSpec {
  p.expect('rate');
  const inv = p.is('until') ? p.unexpected('the rate') : inverted(p);
  const rate = p.u64('the rate');
  const { rate_unit, per } = limitUnits(p);
  if (!p.eat('burst')) {
    return cutLimit({ rate, rate_unit, per, inv });
  }
  const burst = p.u64('the burst');
  const packets = rate_unit === 'packets';
  const burst_unit = packets ? p.oneOf(['packets'], "'packets'") : p.oneOf(BYTE_UNITS, 'a unit of bytes');
  return cutLimit({ rate, rate_unit, per, burst, burst_unit, inv });
}

/** `limit rate 5/second`. */
export function limitStmt(p: Cursor): LimitStmt {
  const start = p.at;
  p.expect('limit');
  const limit = limitSpec(p);
  return { limit, at: p.since(start) };
}

function byteUnit(p: Cursor): ByteUnit {
  return p.oneOf(BYTE_UNITS, 'bytes, kbytes or mbytes');
}

/** The rest of a quota, behind the word. */
export function quotaSpec(p: Cursor): QuotaSpec {
  const inv = inverted(p);
  const val = p.u64("the quota's size");
  const val_unit = byteUnit(p);
  if (!p.eat('used')) {
    return { val, val_unit, inv };
  }
  const used = p.u64('what is used');
  return { val, val_unit, used, used_unit: byteUnit(p), inv };
}

/** `quota over 5 mbytes used 1 kbytes`. */
export function quotaStmt(p: Cursor): QuotaStmt {
  const start = p.at;
  p.expect('quota');
  const quota = quotaSpec(p);
  return { quota, at: p.since(start) };
}

/** `ct count over 5`. */
export function ctCountStmt(p: Cursor): CtCountStmt {
  const start = p.at;
  p.expect('ct');
  p.expect('count');
  const inv = p.eat('over');
  const val = p.number('the number of connections');
  return { 'ct count': { val, inv }, at: p.since(start) };
}

/** `last`, `last used never`, `last used 5s` (newer than nft 1.0.6, in which it is an error). */
export function lastStmt(p: Cursor): LastStmt {
  const start = p.at;
  p.expect('last');
  if (p.eat('used') && p.token.kind === T_WORD) {
    p.next();
  }
  return { last: null, at: p.since(start) };
}
