import type { At, ExprNode, Located, U64 } from './ast-expr.ts';
import type { LimitSpec, QuotaSpec, StmtNode, SynproxySpec } from './ast-stmt.ts';

/** The families of tables. */
export type Family = 'ip' | 'ip6' | 'inet' | 'arp' | 'bridge' | 'netdev';

/** What a command does. `destroy` is newer than nft 1.0.6. */
export type CommandOp =
  | 'add'
  | 'create'
  | 'insert'
  | 'replace'
  | 'delete'
  | 'destroy'
  | 'flush'
  | 'reset'
  | 'rename'
  | 'list'
  | 'get';

/**
 * One command. The nested form (`table x { chain y { … } }`) is spelt out in the order in which nft sends it: the
 * table, its chains, objects, sets and flowtables, then the rules and the elements.
 */
export interface Command extends Located {
  readonly op: CommandOp;
  readonly object: ObjectNode;
}

/** What a command is about; exactly one key. */
export type ObjectNode =
  | { readonly table: TableNode }
  | { readonly chain: ChainNode }
  | { readonly rule: RuleNode }
  | { readonly set: SetNode }
  | { readonly map: SetNode }
  | { readonly element: ElementNode }
  | { readonly flowtable: FlowtableNode }
  | { readonly counter: CounterNode }
  | { readonly quota: QuotaNode }
  | { readonly limit: LimitNode }
  | { readonly 'ct helper': CtHelperNode }
  | { readonly 'ct timeout': CtTimeoutNode }
  | { readonly 'ct expectation': CtExpectationNode }
  | { readonly synproxy: SynproxyNode }
  | { readonly secmark: SecmarkNode }
  | { readonly meter: NamedNode }
  | { readonly ruleset: { readonly family?: Family | undefined } }
  /** `list tables`, `reset counters table inet x`, …: the plural's word in `of`. */
  | {
      readonly all: {
        readonly of: string;
        readonly family?: Family | undefined;
        readonly table?: string | undefined;
        readonly tableAt?: At | undefined;
      };
    };

/** A table. */
export interface TableNode {
  readonly family: Family;
  /** Empty where `delete table handle N` names it by handle. */
  readonly name: string;
  readonly nameAt?: At | undefined;
  readonly handle?: number | undefined;
  /** 'dormant'. Undefined: the command says nothing of flags. */
  readonly flags?: readonly string[] | undefined;
  readonly comment?: string | undefined;
}

/** Something that has a name in a table. Empty names: it is named by its handle. */
export interface NamedNode {
  readonly family: Family;
  readonly table: string;
  readonly tableAt?: At | undefined;
  readonly name: string;
  readonly nameAt?: At | undefined;
  readonly handle?: number | undefined;
  readonly comment?: string | undefined;
}

/** A priority: `filter - 10`. JSON: the number that it amounts to (name undefined). */
export interface PriorityNode extends Located {
  readonly name?: string | undefined;
  readonly offset: number;
}

/** A chain. */
export interface ChainNode extends NamedNode {
  readonly newname?: string | undefined;
  /** The four of a base chain; all undefined otherwise. */
  readonly type?: string | undefined;
  readonly typeAt?: At | undefined;
  readonly hook?: string | undefined;
  readonly hookAt?: At | undefined;
  readonly prio?: PriorityNode | undefined;
  readonly policy?: 'accept' | 'drop' | undefined;
  /** JSON: `dev`. */
  readonly devices?: readonly string[] | undefined;
  /** 'offload'. */
  readonly flags?: readonly string[] | undefined;
}

/** What stands in a chain's line: the statements and the comment. */
export interface RuleBody extends Located {
  readonly expr: readonly StmtNode[];
  readonly comment?: string | undefined;
}

/** A rule. */
export interface RuleNode extends RuleBody {
  readonly family: Family;
  readonly table: string;
  readonly tableAt?: At | undefined;
  readonly chain: string;
  readonly chainAt?: At | undefined;
  /** The rule to replace or delete, or to add behind (`handle`, `position`) or insert before. */
  readonly handle?: number | undefined;
  readonly handleAt?: At | undefined;
  /** The same as a place in the chain, from 0. */
  readonly index?: number | undefined;
}

/** The name of a type, in `type ipv4_addr . inet_service`. */
export interface TypeName extends Located {
  readonly type: string;
}

/** A named set or map. */
export interface SetNode extends NamedNode {
  /** Of `type a . b`; one name where it is no concatenation. Undefined with `typeof` (and in commands without body). */
  readonly type?: readonly TypeName[] | undefined;
  /** Of `typeof ip saddr . tcp dport`. */
  readonly typeof?: ExprNode | undefined;
  /** A map's values: type names, 'verdict', or the kind of objects. */
  readonly map?: readonly TypeName[] | undefined;
  /** A map's values, of `typeof … : meta mark`. */
  readonly mapTypeof?: ExprNode | undefined;
  /** `: interval ipv4_addr`: the values are intervals. */
  readonly mapInterval?: boolean | undefined;
  readonly policy?: 'performance' | 'memory' | undefined;
  /** 'constant', 'interval', 'timeout', 'dynamic'. */
  readonly flags?: readonly string[] | undefined;
  readonly elem?: readonly ExprNode[] | undefined;
  /** ms; JSON: seconds. */
  readonly timeout?: U64 | undefined;
  /** ms; JSON: seconds. */
  readonly 'gc-interval'?: U64 | undefined;
  readonly size?: number | undefined;
  /** How many elements its declaration has; not JSON's. */
  readonly declared?: number | undefined;
  readonly 'auto-merge'?: boolean | undefined;
  /** Statements that every element has. */
  readonly stmt?: readonly StmtNode[] | undefined;
  /** Something in its block could not be read. */
  readonly broken?: boolean | undefined;
}

/** `add element ip x y { 1, 2 }`: elements are values, `elem` or `pair`. */
export interface ElementNode extends NamedNode {
  readonly elem: readonly ExprNode[];
}

/** A flowtable. */
export interface FlowtableNode extends NamedNode {
  readonly hook?: string | undefined;
  readonly prio?: PriorityNode | undefined;
  /** JSON: `dev`. */
  readonly devices?: readonly string[] | undefined;
  /** 'offload', 'counter' (JSON 1.0.6 has neither). */
  readonly flags?: readonly string[] | undefined;
}

/** A named counter. */
export interface CounterNode extends NamedNode {
  readonly packets: U64;
  readonly bytes: U64;
}

/** A named quota. JSON: bytes, used. */
export interface QuotaNode extends NamedNode {
  readonly quota?: QuotaSpec | undefined;
}

/** A named limit. */
export interface LimitNode extends NamedNode {
  readonly limit?: LimitSpec | undefined;
}

/** A named conntrack helper. */
export interface CtHelperNode extends NamedNode {
  /** 'ftp'. */
  readonly type?: string | undefined;
  readonly protocol?: string | undefined;
  readonly l3proto?: string | undefined;
}

/** A named timeout policy. */
export interface CtTimeoutNode extends NamedNode {
  readonly protocol?: string | undefined;
  readonly l3proto?: string | undefined;
  /** `established: 120` (seconds). */
  readonly policy?: readonly ({ readonly state: string; readonly value: number } & Located)[] | undefined;
}

/** A named expectation. */
export interface CtExpectationNode extends NamedNode {
  readonly protocol?: string | undefined;
  readonly dport?: number | undefined;
  /** ms. */
  readonly timeout?: U64 | undefined;
  readonly size?: number | undefined;
  readonly l3proto?: string | undefined;
}

/** A named synproxy. */
export interface SynproxyNode extends NamedNode {
  readonly synproxy?: SynproxySpec | undefined;
}

/** A named secmark. */
export interface SecmarkNode extends NamedNode {
  readonly context?: string | undefined;
}
