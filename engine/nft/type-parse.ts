import { parseAddress } from '../packet/address.ts';
import { inetAton } from '../packet/inet-aton.ts';
import type { Datatype } from './type-datatype.ts';
import { protocolNumber } from './type-protocols.ts';
import { servicePort } from './type-services.ts';
import type { Value } from './type-value.ts';

const IPPROTO_COMP = 108;
const MS_PER_SECOND = 1000n;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * The value of a word, an address, a quoted text or a number.
 * @param text as written, without quotes
 * @returns null if it is none of the type. Whether it fits the length is the caller's to check
 */
export function parseSymbol(type: Datatype, text: string): Value | null {
  if (type.base === 'string') return text;
  const named = type.symbols?.find(([name]) => name === text);
  if (named !== undefined) return BigInt(named[1]);
  return PARSERS[type.notation]?.(text) ?? parseNumber(type, text);
}

/**
 * The value of a number written where a constant of this type stands: that number, but seconds where the type counts
 * smaller units, and the bit of that number for labels.
 * @returns null if it is none of the type
 */
export function numberValue(type: Datatype, number: number | bigint): Value | null {
  const value = BigInt(number);
  switch (type.notation) {
    // nft reads the digits once more: those of Ethernet are hexadecimal, and none are IPv6 (measured).
    case 'lladdr':
      return parseLladdr(String(number));
    case 'ipv6':
      return null;
    case 'relative':
      return value * MS_PER_SECOND;
    case 'date':
      return value * NS_PER_SECOND;
    case 'hour':
      return value % 86400n;
    case 'label':
      return 1n << value;
    case 'string':
      return String(number);
    default:
      return value;
  }
}

/** Numbers as the lexer reads them: decimal, octal with a leading 0, hexadecimal. */
export function parseInteger(text: string): bigint | null {
  if (/^0[xX][0-9a-fA-F]+$/.test(text)) return BigInt(text);
  if (/^0[0-7]+$/.test(text)) return BigInt(`0o${text.slice(1)}`);
  return /^(0|[1-9][0-9]*)$/.test(text) ? BigInt(text) : null;
}

/** Types for which what begins with 0 and is no octal number is decimal: `tcp dport 08`, not `meta mark 08` (measured). */
const LENIENT: ReadonlySet<string> = new Set(['service', 'user', 'group', 'date', 'hour']);

function parseNumber(type: Datatype, text: string): Value | null {
  const decimal = LENIENT.has(type.notation) && /^[0-9]+$/.test(text) ? BigInt(text) : null;
  const number = parseInteger(text) ?? decimal;
  return number === null ? null : numberValue(type, number);
}

/** `1d2h3m4s5ms`, any part optional. Returns ms, or null. */
function parseDuration(text: string): bigint | null {
  const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(text);
  if (match === null || text === '') return null;
  const [days, hours, minutes, seconds, ms] = match.slice(1).map((part) => BigInt(part ?? 0));
  return (((days! * 24n + hours!) * 60n + minutes!) * 60n + seconds!) * MS_PER_SECOND + ms!;
}

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
function daysSince1970(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, day) / 86_400_000;
}

// UTC: the engine has no time zone. What follows a date and is no time of day is ignored, as nft does (measured).
function parseDate(text: string): bigint | null {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?: (\d{1,2}):(\d{1,2})(?::(\d{1,2}))?)?/.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  if (month! < 1 || month! > 12 || day! < 1 || day! > 31 || minute! > 59) return null;
  // A time that there is not is ignored; dates before 1970 are numbers of 64 bits without a sign (measured).
  const time = hour! > 23 ? 0 : hour! * 3600 + minute! * 60 + second!;
  const seconds = daysSince1970(year!, month!, day!) * 86400 + time;
  return BigInt.asUintN(64, BigInt(seconds) * NS_PER_SECOND);
}

function parseHour(text: string): bigint | null {
  const match = /^(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?$/.exec(text);
  if (match === null) return null;
  const [hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  // strptime(3) knows leap seconds.
  if (hour! > 23 || minute! > 59 || second! > 61) return null;
  return BigInt(hour! * 3600 + minute! * 60 + second!);
}

function ipv6Value(text: string): bigint | null {
  const parsed = parseAddress(text);
  if (parsed === undefined || parsed.length !== 4) return null;
  return parsed.reduce((value, word) => (value << 32n) | BigInt(word >>> 0), 0n);
}

/** nft leaves it to the C library (measured). */
function parseIpv4(text: string): bigint | null {
  if (text === 'localhost') return 0x7f000001n;
  const word = inetAton(text);
  return word === undefined ? null : BigInt(word);
}

function parseIpv6(text: string): bigint | null {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  return bare === 'localhost' || bare === 'ip6-localhost' ? 1n : ipv6Value(bare);
}

function parseLladdr(text: string): bigint | null {
  if (!/^[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2})*$/.test(text)) return null;
  return text.split(':').reduce((value, group) => (value << 8n) | BigInt(Number.parseInt(group, 16)), 0n);
}

function parseClassid(text: string): bigint | null {
  if (text === 'none') return 0n;
  if (text === 'root') return 0xffff_ffffn;
  const match = /^([0-9a-fA-F]{0,4}):([0-9a-fA-F]{0,4})$/.exec(text);
  if (match === null) return null;
  return (BigInt(`0x${match[1] || 0}`) << 16n) | BigInt(`0x${match[2] || 0}`);
}

function known(number: number | undefined, mask: bigint = 0xffffn): bigint | null {
  return number === undefined ? null : BigInt(number) & mask;
}

const PARSERS: { readonly [notation: string]: (text: string) => Value | null } = {
  ipv4: parseIpv4,
  ipv6: parseIpv6,
  lladdr: parseLladdr,
  service: (text) => known(servicePort(text)),
  // nft's own word for ipcomp. Eight bits count: /etc/protocols' mptcp (262) is 6 (measured).
  protocol: (text) => known(text === 'comp' ? IPPROTO_COMP : protocolNumber(text), 0xffn),
  classid: parseClassid,
  relative: parseDuration,
  date: parseDate,
  hour: parseHour,
  // Whether such an interface or cgroup exists is the host's to say.
  interface: (text) => (/^[0-9]+$/.test(text) ? BigInt(text) : text),
  path: (text) => text,
};
