import { ipv4Text, ipv6Text } from '../packet/address.ts';
import type { ListOptions } from './ruleset-state.ts';
import type { Datatype } from './type-datatype.ts';
import { protocolName } from './type-protocols.ts';
import { serviceName } from './type-services.ts';
import { type ConstantValue, fromBytes, toBytes } from './type-value.ts';

/** What a constant is in JSON; bigint: a number too large for JavaScript's. */
export type JsonValue = string | number | boolean | bigint;

/** The name of a number, if its type has one for it. */
function symbolName(type: Datatype, value: bigint): string | undefined {
  if (type.symbols === null || value > 0xffff_ffffn) return undefined;
  const number = Number(value);
  return type.symbols.find(([, known]) => known === number)?.[0];
}

/** `1d2h3m4s500ms`; of 0 nothing at all, as nft prints it. */
export function durationText(ms: bigint): string {
  const parts: readonly (readonly [bigint, string])[] = [
    [ms / 86_400_000n, 'd'],
    [(ms / 3_600_000n) % 24n, 'h'],
    [(ms / 60_000n) % 60n, 'm'],
    [(ms / 1000n) % 60n, 's'],
    [ms % 1000n, 'ms'],
  ];
  return parts.map(([count, unit]) => (count === 0n ? '' : `${count}${unit}`)).join('');
}

function two(n: bigint | number): string {
  return String(n).padStart(2, '0');
}

/** `07:00`, with seconds where there are any. */
function hourText(seconds: bigint): string {
  const text = `${two(seconds / 3600n)}:${two((seconds / 60n) % 60n)}`;
  return seconds % 60n === 0n ? text : `${text}:${two(seconds % 60n)}`;
}

/** `2022-07-01 10:00:00`, in UTC. */
function dateText(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  if (Number.isNaN(date.getTime())) return String(ns);
  const iso = date.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

function classidText(value: bigint): string {
  if (value === 0n) return 'none';
  if (value === 0xffff_ffffn) return 'root';
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
}

function ipv6ValueText(value: bigint): string {
  const word = (shift: bigint): number => Number((value >> shift) & 0xffff_ffffn);
  return ipv6Text(word(96n), word(64n), word(32n), word(0n));
}

/** `00:11:22:33:44:55`. */
function lladdrText(value: bigint, bits: number): string {
  const digits = value.toString(16).padStart(((bits + 7) >> 2) & ~1, '0');
  return (digits.match(/../g) ?? []).join(':');
}

/** The number of the only bit of a label; of none or several the mask in hex. */
function labelText(value: bigint): string {
  let bit = 0;
  for (let rest = value; rest !== 0n && (rest & 1n) === 0n; rest >>= 1n) bit++;
  return value === 1n << BigInt(bit) ? String(bit) : `0x${value.toString(16)}`;
}

/** The value without a name. */
function plainText(type: Datatype, value: bigint, bits: number): string {
  switch (type.notation) {
    case 'hex':
      return `0x${value.toString(16)}`;
    case 'padded':
      return `0x${value.toString(16).padStart((bits + 3) >> 2, '0')}`;
    case 'lladdr':
      return lladdrText(value, bits);
    case 'ipv4':
      return ipv4Text(Number(value));
    case 'ipv6':
      return ipv6ValueText(value);
    case 'classid':
      return classidText(value);
    case 'date':
      return `"${dateText(value)}"`;
    case 'hour':
      return `"${hourText(value)}"`;
    case 'label':
      return labelText(value);
    default:
      return String(value);
  }
}

/** The names that some types have outside their symbol tables, and only with certain options. */
function optionalName(type: Datatype, value: bigint, options: ListOptions): string | undefined {
  switch (type.notation) {
    case 'service': {
      const name = options.services === true ? serviceName(Number(value)) : undefined;
      return name === undefined ? undefined : `"${name}"`;
    }
    case 'protocol':
      return options.numeric === true || options.numericProtocol === true
        ? undefined
        : protocolName(Number(value));
    case 'user':
    case 'group': {
      const name = options.guid === true ? symbolName(type, value) : undefined;
      return name === undefined ? undefined : `"${name}"`;
    }
    case 'relative':
      return options.numeric === true || options.numericTime === true
        ? `${value / 1000n}s`
        : durationText(value);
    default:
      return undefined;
  }
}

/**
 * A constant as `nft list ruleset` writes it.
 * @param constant its value fits its length
 * @param options which names to use
 */
export function printConstant(constant: ConstantValue, options: ListOptions): string {
  const { type, value, bits } = constant;
  if (typeof value === 'string') return `"${value}"`;
  const optional = optionalName(type, value, options);
  if (optional !== undefined) return optional;
  if (type.notation !== 'user' && type.notation !== 'group' && options.numeric !== true) {
    const name = symbolName(type, value);
    if (name !== undefined) return type.notation === 'named' ? `"${name}"` : name;
  }
  return plainText(type, value, bits);
}

function jsonNumber(value: bigint): JsonValue {
  // jansson's integers are signed 64-bit ones: nft wraps what is larger (measured: 2^64-1 is -1).
  const signed = BigInt.asIntN(64, value);
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

/** The name that some types have outside their symbol tables, or with certain options. */
function optionalJsonName(type: Datatype, value: bigint, options: ListOptions): string | undefined {
  switch (type.notation) {
    case 'protocol':
      return options.numeric === true || options.numericProtocol === true
        ? undefined
        : protocolName(Number(value));
    case 'service':
      return options.services === true ? serviceName(Number(value)) : undefined;
    case 'user':
    case 'group':
      return options.guid === true ? symbolName(type, value) : undefined;
    default:
      return options.numeric === true ? undefined : symbolName(type, value);
  }
}

/**
 * A constant as `nft -j list ruleset` writes it: by its name, else as a number; addresses and the like as text.
 * @param options which names to use
 */
export function jsonConstant(constant: ConstantValue, options: ListOptions = {}): JsonValue {
  const { type, value, bits } = constant;
  if (typeof value === 'string') return value;
  switch (type.notation) {
    case 'boolean':
      return value !== 0n;
    case 'relative':
      return jsonNumber(value / 1000n);
    case 'label': {
      const text = labelText(value);
      return /^\d+$/.test(text) ? Number(text) : jsonNumber(value);
    }
    case 'date':
      return dateText(value);
    case 'hour':
      return hourText(value);
    case 'lladdr':
    case 'ipv4':
    case 'ipv6':
    case 'classid':
      return plainText(type, value, bits);
    case 'interface':
      return String(value);
    default: {
      const name = optionalJsonName(type, value, options);
      if (name !== undefined) return name;
      if (type.name === 'realm') return String(value);
      return jsonNumber(symbolName(type, value) === undefined ? value : registerNumber(constant, value));
    }
  }
}

/** What nft 1.0.6 prints for a value that has a name when it is to print numbers: its bytes as this machine reads them. */
function registerNumber({ type, bits }: ConstantValue, value: bigint): bigint {
  return fromBytes(toBytes(value, bits, type.order ?? 'host'), 'host');
}
