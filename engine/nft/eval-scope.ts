import type { Family } from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import type { EvalContext, NftChain, NftTable } from './ruleset-state.ts';
import type { ByteOrder, Datatype } from './type-datatype.ts';
import type { ConstantExpr, Value } from './type-value.ts';

/** What was refused and where. Thrown inside the evaluation and caught at its entrance: one error for one rule. */
export class Refusal {
  readonly message: string;
  readonly at: At | undefined;
  readonly hint: string | undefined;
  /** Whether something that could not be read may be the cause: then it is not said. */
  readonly isAfterEffect: boolean;

  constructor(message: string, at: At | undefined, hint?: string, isAfterEffect: boolean = false) {
    this.message = message;
    this.at = at;
    this.hint = hint;
    this.isAfterEffect = isAfterEffect;
  }
}

/** What an expression yields: the type that its other side must have. */
export interface Info {
  readonly type: Datatype;
  readonly bits: number;
  readonly order: ByteOrder;
  /** The highest value, where not all bits are used. */
  readonly max?: bigint | undefined;
  /** Of a concatenation: what its parts yield; `type` and `order` are then the first part's, `bits` those of all words. */
  readonly parts?: readonly Info[] | undefined;
}

/** The parts of a concatenation, or the one value. */
export function partsOf(info: Info): readonly Info[] {
  return info.parts ?? [info];
}

/** Bytes that a value of so many bits takes in registers: whole words. */
export function registerBytes(bits: number): number {
  return ((bits + 31) >> 5) << 2;
}

/** What a concatenation of such values yields. */
export function concatInfo(parts: readonly Info[]): Info {
  const { type, order } = parts[0]!;
  const bits = parts.reduce((sum, part) => sum + 8 * registerBytes(part.bits), 0);
  return { type, bits, order, parts };
}

/** The name of a type as messages give it. */
export function describeInfo(info: Info): string {
  const names = partsOf(info).map((part) => part.type.desc);
  return names.length === 1 ? names[0]! : `concatenation of (${names.join(', ')})`;
}

const NETWORK_OF: Partial<Record<Family, string>> = { ip: 'ip', ip6: 'ip6', arp: 'arp' };

/** The headers that a rule's statements so far have made sure of. */
export interface Headers {
  readonly family: Family;
  /** Link layer: 'ether', 'vlan' or null. */
  ll: string | null;
  /** Network layer: 'ip', 'ip6', 'arp' or null. */
  nh: string | null;
  /** Transport: 'tcp', … or null. */
  th: string | null;
  /** All transports that tests so far allow; 'unknown' for those without a known header. */
  readonly transports: Set<string>;
  /** The ICMP type that was tested for; null if none. */
  icmpType: number | null;
  /** How many VLAN headers stand before the one that `vlan` means now. */
  vlans: number;
}

/** What is known of packets of a table's family before any test. */
export function headersOf(family: Family): Headers {
  const ll = family === 'bridge' ? 'ether' : null;
  return {
    family,
    ll,
    nh: NETWORK_OF[family] ?? null,
    th: null,
    transports: new Set(),
    icmpType: null,
    vlans: 0,
  };
}

/** The evaluation of a rule: what is known of its packets, and the statements so far. */
export class Scope implements Headers {
  readonly family: Family;
  readonly table: NftTable;
  /** Null for elements of sets. */
  readonly chain: NftChain | null;
  readonly context: EvalContext;
  /** The evaluated statements, with those that nft inserts. */
  readonly out: StmtNode[] = [];
  ll: string | null;
  nh: string | null;
  th: string | null = null;
  readonly transports: Set<string> = new Set();
  icmpType: number | null = null;
  vlans = 0;
  /** The statement is the rule's last. */
  last = false;
  /** Only the types of expressions are wanted (`typeof`): no header is needed for them. */
  typesOnly = false;

  constructor(table: NftTable, chain: NftChain | null, context: EvalContext) {
    this.family = table.family;
    this.table = table;
    this.chain = chain;
    this.context = context;
    this.ll = table.family === 'bridge' ? 'ether' : null;
    this.nh = NETWORK_OF[table.family] ?? null;
  }

  /** Ends the evaluation of the rule. */
  refuse(message: string, at: At | undefined, hint?: string): never {
    throw new Refusal(message, at, hint);
  }

  /**
   * The same for something that is not there, perhaps because its own line could not be read.
   * @param hint looks for what was meant, which takes long: not asked where nothing is said
   */
  lacks(message: string, at: At | undefined, hint?: () => string | undefined): never {
    throw new Refusal(message, at, this.context.isWhole ? hint?.() : undefined, true);
  }
}

/** A constant of a type. */
export function constant(info: Info, value: Value, at?: At): ConstantExpr {
  const inner = { type: info.type, bits: info.bits, value };
  // Not spread: V8 makes a class of its own for each object that is.
  return at === undefined ? { constant: inner } : { constant: inner, at };
}

/** The value of a constant, or undefined for any other expression. */
export function constantOf(node: ExprNode): Value | undefined {
  return 'constant' in node ? node.constant.value : undefined;
}

/** The number of a constant, or undefined for any other expression and for text. */
export function numberOf(node: ExprNode): bigint | undefined {
  const value = constantOf(node);
  return typeof value === 'bigint' ? value : undefined;
}
