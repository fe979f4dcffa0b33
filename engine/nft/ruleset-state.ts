import type { Span } from '../base/error.ts';
import type { Helper } from '../conntrack/helper.ts';
import type {
  CounterNode,
  CtExpectationNode,
  CtHelperNode,
  CtTimeoutNode,
  Family,
  FlowtableNode,
  LimitNode,
  PriorityNode,
  QuotaNode,
  RuleNode,
  SecmarkNode,
  SetNode,
  SynproxyNode,
} from './ast.ts';
import type { At, ExprNode } from './ast-expr.ts';
import type { ObjectKind, StmtNode } from './ast-stmt.ts';

/** A table as the kernel would hold it after the transactions so far. */
export interface NftTable {
  readonly family: Family;
  readonly name: string;
  readonly handle: number;
  /** 'dormant', 'owner'. */
  flags: readonly string[];
  readonly comment: string | undefined;
  /** By name, in the order in which they were made. */
  readonly chains: Map<string, NftChain>;
  /** Sets and maps. */
  readonly sets: Map<string, NftSet>;
  /** By `kind name`, for example `ct helper ftp`. */
  readonly objects: Map<string, NftObject>;
  readonly flowtables: Map<string, NftFlowtable>;
  /** The last handle given to something in this table. */
  lastHandle: number;
}

/** What makes a chain a base chain. */
export interface NftBase {
  readonly type: string;
  readonly hook: string;
  readonly prio: PriorityNode;
  /** The number that `prio` amounts to in this family and hook. */
  readonly priority: number;
  policy: 'accept' | 'drop';
  readonly devices: readonly string[];
  readonly flags: readonly string[];
}

/** A chain. */
export interface NftChain {
  readonly table: NftTable;
  name: string;
  readonly handle: number;
  readonly base: NftBase | null;
  readonly comment: string | undefined;
  /** Where it was declared. */
  readonly at: Span | null;
  /** Replaced as a whole by each change. */
  rules: readonly NftRule[];
}

/** A rule. */
export interface NftRule {
  readonly handle: number;
  /** As it was written (or read as JSON). */
  readonly node: RuleNode;
  /** Evaluated: what the listings print. The same as `node.expr` while there is no evaluation. */
  readonly expr: readonly StmtNode[];
  readonly comment: string | undefined;
  /** Where it was written. */
  readonly at: Span | null;
  /** What the evaluation keeps for the lowering; nobody else looks at it. */
  readonly plan: unknown;
}

/** A named set or map. */
export interface NftSet {
  readonly table: NftTable;
  readonly name: string;
  readonly handle: number;
  readonly kind: 'set' | 'map';
  /** Where it was declared. */
  readonly at: Span | null;
  /** Its declaration; `elem` is not kept here. */
  node: SetNode;
  /** Evaluated elements (values, `elem`, `pair`) by what tells them apart (elementKey of eval-elements.ts). */
  readonly elements: Map<string, ExprNode>;
  /** What the evaluation keeps: types, lengths. */
  plan: unknown;
}

/** A stateful object. */
export interface NftObject {
  readonly table: NftTable;
  readonly kind: ObjectKind;
  readonly name: string;
  readonly handle: number;
  /** CounterNode, QuotaNode, … by kind. */
  readonly node: ObjectBody;
}

/** The declaration of any object. */
export type ObjectBody =
  | CounterNode
  | QuotaNode
  | LimitNode
  | CtHelperNode
  | CtTimeoutNode
  | CtExpectationNode
  | SynproxyNode
  | SecmarkNode;

/** A flowtable. */
export interface NftFlowtable {
  readonly table: NftTable;
  readonly name: string;
  readonly handle: number;
  readonly node: FlowtableNode;
}

/** All that a ruleset holds; by `family name`, in the order in which they were made. */
export interface NftState {
  readonly tables: Map<string, NftTable>;
  /** All conntrack helpers there are. */
  readonly helpers: readonly Helper[];
}

/** What the evaluation may ask and say. */
export interface EvalContext {
  readonly state: NftState;
  /** What is wrong with what the person wrote: collected, the command counts as failed. `at` undefined: its begin. */
  error(message: string, at: At | undefined, hint?: string): void;
  /** Of what the text could not be read, nothing is said that may come from it. */
  readonly isWhole: boolean;
  /** Where a node stands. */
  span(at: At | undefined): Span | null;
  /** Whether anything in a table refers to something: `chain x`, `set x`, `meter x`, …. */
  isUsed(table: NftTable, what: string): boolean;
}

/** How `list` prints. */
export interface ListOptions {
  /** -a */
  readonly handles?: boolean;
  /** -n (all of -y -p -T, flags as numbers) */
  readonly numeric?: boolean;
  /** -y */
  readonly numericPriority?: boolean;
  /** -p */
  readonly numericProtocol?: boolean;
  /** -T */
  readonly numericTime?: boolean;
  /** -s */
  readonly stateless?: boolean;
  /** -t */
  readonly terse?: boolean;
  /** -S */
  readonly services?: boolean;
  /** -u */
  readonly guid?: boolean;
  /** Virtual time (ms) for what elements have left; if undefined, of each set that when a packet last changed it. */
  readonly now?: number;
}
