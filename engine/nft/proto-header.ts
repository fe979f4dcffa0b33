import type { ByteOrder, Datatype } from './type-datatype.ts';

/** A field of a header. */
export interface HeaderField {
  readonly name: string;
  /** Bits from the header's begin to the field's first; within a byte the highest bit comes first, as RFCs draw it. */
  readonly offset: number;
  /** Its length in bits. */
  readonly bits: number;
  readonly type: Datatype;
  readonly order: ByteOrder;
  /** Of ICMP: the types that have this field; nft adds a test for them where the rule has none. */
  readonly types?: readonly number[] | undefined;
}

/** Fields by name, in the header's order. */
export type HeaderFields = ReadonlyMap<string, HeaderField>;

/** A protocol's header. */
export interface ProtocolDesc {
  readonly name: string;
  /** Where the kernel counts from. vlan's header stands behind ether's, that of a second vlan behind the first. */
  readonly base: 'll' | 'nh' | 'th';
  /** The header's length in bits, without options. */
  readonly bits: number;
  readonly fields: HeaderFields;
  /** The field that says what follows, and the protocols that it may say; null where nothing follows. */
  readonly upper: UpperProtocols | null;
}

/** What follows a header. */
export interface UpperProtocols {
  readonly field: string;
  /** The protocol's name by the field's value. */
  readonly protocols: ReadonlyMap<number, string>;
}

/**
 * A field in network byte order.
 * @param offset bits
 * @param bits defaults to the type's length
 */
export function field(name: string, offset: number, type: Datatype, bits: number = type.bits): HeaderField {
  return { name, offset, bits, type, order: type.order === 'host' ? 'host' : 'big' };
}

/** The same, of ICMP messages of certain types. */
export function fieldOf(types: readonly number[], base: HeaderField): HeaderField {
  return { ...base, types };
}

/** A map of fields by name. */
export function fields(...list: readonly HeaderField[]): HeaderFields {
  return new Map(list.map((one) => [one.name, one]));
}
