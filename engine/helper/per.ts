/**
 * The types of ASN.1 as tables, for aligned PER (ITU-T X.691). Only what H.225.0 and H.245 use. A table is written as
 * the Recommendation's ASN.1 reads; per-decode.ts reads values by it.
 */

/** A type; made with the functions below. */
export type PerType =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'objectIdentifier' }
  | { readonly kind: 'open' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'integer'; readonly low: number; readonly high: number; readonly isDoubled?: boolean }
  | { readonly kind: 'string'; readonly low: number; readonly high: number; readonly bits: number }
  | { readonly kind: 'contained'; readonly type: PerType }
  | { readonly kind: 'sequenceOf'; readonly low: number; readonly high: number; readonly item: PerType }
  | PerSequence
  | PerChoice;

/** A component of a SEQUENCE or an alternative of a CHOICE. */
export interface PerField {
  readonly name: string;
  readonly type: PerType;
  readonly isOptional: boolean;
}

/** SEQUENCE. */
export interface PerSequence {
  readonly kind: 'sequence';
  readonly root: readonly PerField[];
  /** How many components of the root are OPTIONAL. */
  readonly optionals: number;
  /** Behind the `...`, in order, as far as they are known; null without one. */
  readonly additions: readonly PerField[] | null;
}

/** CHOICE. */
export interface PerChoice {
  readonly kind: 'choice';
  readonly root: readonly PerField[];
  readonly additions: readonly PerField[] | null;
}

/** How components are written: a type, or {@link optional} around it. */
export type PerFields = Readonly<Record<string, PerType | PerOptional>>;

/** OPTIONAL. */
export interface PerOptional {
  readonly kind: 'optional';
  readonly type: PerType;
}

/** NULL: no bits. */
export const NULL: PerType = { kind: 'null' };
/** BOOLEAN: one bit. */
export const BOOLEAN: PerType = { kind: 'boolean' };
/** OBJECT IDENTIFIER: a length and that many octets. */
export const OBJECT_IDENTIFIER: PerType = { kind: 'objectIdentifier' };
/** Behind a `...`: its octets are skipped by their length, whatever is in them. */
export const OPEN: PerType = { kind: 'open' };

/** The rest of the SEQUENCE is not read; what comes behind it is read from here on. */
export const STOP: PerType = { kind: 'stop' };

/** INTEGER (low..high). */
export function integer(low: number, high: number): PerType {
  return { kind: 'integer', low, high };
}

/**
 * INTEGER of more than two octets whose value is wanted. Linux reads one only if the message goes on for as many
 * octets again (measured with timeToLive at the end of a message; other messages have something behind it).
 */
export function doubledInteger(low: number, high: number): PerType {
  return { kind: 'integer', low, high, isDoubled: true };
}

/** OCTET STRING (SIZE (low..high)); without a size of any length. */
export function octets(low = 0, high: number = Number.POSITIVE_INFINITY): PerType {
  return { kind: 'string', low, high, bits: 8 };
}

/**
 * A string of characters with `bits` bits each: 16 for BMPString, 8 for IA5String, fewer where the ASN.1 says
 * FROM (X.691 30.5: 13 letters take 4 bits).
 */
export function characters(bits: number, low = 0, high: number = Number.POSITIVE_INFINITY): PerType {
  return { kind: 'string', low, high, bits };
}

/** OCTET STRING that holds a value of another type. */
export function contained(type: PerType): PerType {
  return { kind: 'contained', type };
}

/** SEQUENCE OF and SET OF. */
export function sequenceOf(item: PerType, low = 0, high: number = Number.POSITIVE_INFINITY): PerType {
  return { kind: 'sequenceOf', low, high, item };
}

/** Marks a component as OPTIONAL. */
export function optional(type: PerType): PerOptional {
  return { kind: 'optional', type };
}

/** SEQUENCE; `additions` are the components behind `...`, `{}` if none matters. */
export function sequence(root: PerFields, additions: PerFields | null = null): PerSequence {
  const fields = fieldsOf(root);
  const optionals = fields.filter(({ isOptional }) => isOptional).length;
  return { kind: 'sequence', root: fields, optionals, additions: additions && fieldsOf(additions) };
}

/** CHOICE; `additions` are the alternatives behind `...`. */
export function choice(root: PerFields, additions: PerFields | null = null): PerChoice {
  return { kind: 'choice', root: fieldsOf(root), additions: additions && fieldsOf(additions) };
}

/** CHOICE of NULLs, by their names. */
export function choiceOf(names: string, isExtensible = true): PerChoice {
  const root = Object.fromEntries(names.split(' ').map((name) => [name, NULL]));
  return choice(root, isExtensible ? {} : null);
}

/** Components that are all skipped, by their names. */
export function openFields(names: string): PerFields {
  return Object.fromEntries(names.split(' ').map((name) => [name, OPEN]));
}

function fieldsOf(fields: PerFields): PerField[] {
  return Object.entries(fields).map(([name, type]) =>
    type.kind === 'optional'
      ? { name, type: type.type, isOptional: true }
      : { name, type, isOptional: false },
  );
}
