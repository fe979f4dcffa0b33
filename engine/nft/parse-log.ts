import { didYouMean } from '../base/suggest.ts';
import type { ExprNode } from './ast-expr.ts';
import type { LogStmt, StmtNode, SynproxySpec } from './ast-stmt.ts';
import { T_NUMBER, T_STRING, T_WORD } from './lex.ts';
import type { Cursor } from './parse-cursor.ts';
import { variable } from './parse-expr.ts';
import { KEYWORDS } from './parse-keywords.ts';

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug', 'audit'];

type LogOptions = { -readonly [K in keyof LogStmt['log']]: LogStmt['log'][K] };

/** A prefix with the values of the variables in it (`"$name: "`). */
function prefixText(p: Cursor): string {
  const token = p.string('the prefix');
  return token.text.replace(/\$([A-Za-z_.][A-Za-z0-9_./-]*)/g, (_, name: string) => {
    const value = p.scope.get(name)?.value;
    if (value === undefined || !('symbol' in value || 'number' in value)) {
      p.fail(`unknown variable '${name}'`, token.at);
    }
    return 'symbol' in value ? value.symbol : String(value.number);
  });
}

function level(p: Cursor): string {
  const token = p.string('a level');
  if (!LEVELS.includes(token.text)) {
    const hint = didYouMean(token.text, LEVELS) ?? `known are ${LEVELS.join(', ')}`;
    p.fail(`unknown log level '${token.text}'`, token.at, hint);
  }
  return token.text;
}

/** `flags tcp sequence,options`, `flags skuid`, …. */
function logFlags(p: Cursor): string[] {
  const word = p.oneOf(['tcp', 'ip', 'skuid', 'ether', 'all'], 'tcp, ip, skuid, ether or all');
  if (word === 'ip') {
    p.expect('options');
    return ['ip options'];
  }
  if (word !== 'tcp') {
    return [word];
  }
  const flags: string[] = [];
  do {
    const which = p.oneOf(['sequence', 'seq', 'options'], "'sequence' or 'options'");
    flags.push(which === 'options' ? 'tcp options' : 'tcp sequence');
  } while (p.eat(','));
  return flags;
}

function logOption(p: Cursor, options: LogOptions): boolean {
  if (p.eat('prefix')) {
    options.prefix = prefixText(p);
  } else if (p.eat('group')) {
    options.group = p.number('the group');
  } else if (p.eat('snaplen')) {
    options.snaplen = p.number('the length');
  } else if (p.eat('queue-threshold')) {
    options['queue-threshold'] = p.number('the threshold');
  } else if (p.eat('level')) {
    options.level = level(p);
  } else if (p.eat('flags')) {
    options.flags = [...(options.flags ?? []), ...logFlags(p)];
  } else {
    return false;
  }
  return true;
}

/** `log prefix "x" level warn flags all`. */
export function logStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('log');
  const log: LogOptions = {};
  while (logOption(p, log)) {
    // One option after the other, in any order.
  }
  return { log, at: p.since(start) };
}

/** The code behind `with icmp`. */
function rejectCode(p: Cursor): ExprNode {
  p.eat('type');
  const { kind, text, value, at } = p.token;
  if (kind === T_NUMBER) {
    p.next();
    return { number: value, at };
  }
  if (kind === T_STRING || (kind === T_WORD && !KEYWORDS.has(text))) {
    p.next();
    return { symbol: text, quoted: kind === T_STRING || undefined, at };
  }
  return p.is('$') ? variable(p) : p.unexpected('a code');
}

/** `reject`, `reject with tcp reset`, `reject with icmpx admin-prohibited`. */
export function rejectStmt(p: Cursor): StmtNode {
  const start = p.at;
  p.expect('reject');
  if (!p.eat('with')) {
    return { reject: {}, at: p.since(start) };
  }
  const type = p.oneOf(['tcp', 'icmp', 'icmpv6', 'icmpx'], 'tcp, icmp, icmpv6 or icmpx');
  if (type === 'tcp') {
    p.expect('reset');
    return { reject: { type: 'tcp reset' }, at: p.since(start) };
  }
  return { reject: { type, expr: rejectCode(p) }, at: p.since(start) };
}

/** The options of synproxy, in any order. */
export function synproxySpec(p: Cursor): SynproxySpec {
  let mss: number | undefined;
  let wscale: number | undefined;
  const flags = new Set<'timestamp' | 'sack-perm'>();
  for (;;) {
    if (p.eat('mss')) {
      mss = p.number('the mss', 65_535);
    } else if (p.eat('wscale')) {
      wscale = p.number('the scale', 255);
    } else if (p.is('timestamp') || p.is('sack-perm')) {
      flags.add(p.next().text as 'timestamp' | 'sack-perm');
    } else {
      const order = ['timestamp', 'sack-perm'] as const;
      return { mss, wscale, flags: order.filter((flag) => flags.has(flag)) };
    }
  }
}
