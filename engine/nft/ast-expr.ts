/**
 * Where a node was written: the offset in all text read so far times 128 plus the length (127 at most). One number
 * instead of an object, since a set may have a million elements. `Sources.span` (source.ts) makes a Span of it.
 */
export type At = number;

/** What every node may have besides its one naming key. Nodes are never changed once made, and may be shared. */
export interface Located {
  readonly at?: At | undefined;
}

/** An unsigned number of up to 64 bits: a bigint only where a number could not hold it exactly. */
export type U64 = number | bigint;

/**
 * An expression. The objects of libnftables-json(5), but for what JSON writes as a bare string, number, boolean or
 * array: those are objects here as well, so that every node has exactly one naming key (its first) and room for `at`.
 * What is JSON's otherwise is marked "not JSON's".
 */
export type ExprNode =
  | SymbolExpr
  | NumberExpr
  | BooleanExpr
  | WildcardExpr
  | SetRefExpr
  | ListExpr
  | ConcatExpr
  | SetExpr
  | PairExpr
  | ElemExpr
  | MapExpr
  | PrefixExpr
  | RangeExpr
  | BinopExpr
  | PayloadExpr
  | RawPayloadExpr
  | ExthdrExpr
  | TcpOptionExpr
  | RawTcpOptionExpr
  | IpOptionExpr
  | SctpChunkExpr
  | MetaExpr
  | RtExpr
  | CtExpr
  | NumgenExpr
  | JhashExpr
  | SymhashExpr
  | FibExpr
  | SocketExpr
  | OsfExpr
  | import('./type-value.ts').ConstantExpr
  | IpsecExpr
  | VerdictNode;

/**
 * A word, an address, a quoted string: what it means depends on the type that is expected. JSON: a string. A string
 * that ends in `*` is a wildcard for types that have one (interface names).
 */
export interface SymbolExpr extends Located {
  readonly symbol: string;
  /** It stood in quotes; for the listing and for messages only, the meaning is the same. */
  readonly quoted?: boolean | undefined;
}

/** A number, decimal, octal (leading 0) or hexadecimal. Where a name is expected it is its decimal digits. */
export interface NumberExpr extends Located {
  readonly number: U64;
}

/** `exists` and `missing`. JSON: true and false. */
export interface BooleanExpr extends Located {
  readonly boolean: boolean;
}

/** `*` as a set's element: everything else. JSON: "*". */
export interface WildcardExpr extends Located {
  readonly wildcard: true;
}

/** `@name`: a named set or map. JSON: "@name". */
export interface SetRefExpr extends Located {
  readonly setref: string;
}

/** `a, b`: flags of which any may be set. JSON: an array. */
export interface ListExpr extends Located {
  readonly list: readonly ExprNode[];
}

/** `a . b`. */
export interface ConcatExpr extends Located {
  readonly concat: readonly ExprNode[];
}

/** `{ a, b }`: an anonymous set, or with pairs an anonymous map; also the elements of a named one. */
export interface SetExpr extends Located {
  readonly set: readonly ExprNode[];
}

/** `key : value`, an element of a map; the key may be an `elem`. JSON: an array of two. */
export interface PairExpr extends Located {
  readonly pair: readonly [key: ExprNode, value: ExprNode];
}

/** A set's element with more than its value. JSON: stateful statements stand beside `val` under their names. */
export interface ElemExpr extends Located {
  readonly elem: {
    readonly val: ExprNode;
    /** ms; JSON: seconds. */
    readonly timeout?: U64 | undefined;
    /** ms; JSON: seconds. */
    readonly expires?: U64 | undefined;
    readonly comment?: string | undefined;
    /** counter, limit, quota, ct count, in the order written. */
    readonly stmts?: readonly import('./ast-stmt.ts').StmtNode[] | undefined;
  };
}

/** `key map data`: data is a set of pairs or a setref. */
export interface MapExpr extends Located {
  readonly map: { readonly key: ExprNode; readonly data: ExprNode };
}

/** `addr/len`. */
export interface PrefixExpr extends Located {
  readonly prefix: { readonly addr: ExprNode; readonly len: number };
}

/** `a-b`, both included. */
export interface RangeExpr extends Located {
  readonly range: readonly [low: ExprNode, high: ExprNode];
}

/** `a & b`. JSON: { "&": [a, b] }. */
export interface BinopExpr extends Located {
  readonly binop: {
    readonly op: '&' | '|' | '^' | '<<' | '>>';
    readonly left: ExprNode;
    readonly right: ExprNode;
  };
}

/** `tcp dport`. The protocols: ether vlan arp ip ip6 icmp icmpv6 igmp ah esp comp udp udplite tcp dccp sctp th. */
export interface PayloadExpr extends Located {
  readonly payload: { readonly protocol: string; readonly field: string };
}

/** `@th,0,16`. JSON: payload with base, offset, len, too. */
export interface RawPayloadExpr extends Located {
  readonly rawPayload: {
    readonly base: 'll' | 'nh' | 'th' | 'ih';
    /** Bits from the base. */
    readonly offset: number;
    /** Bits. */
    readonly len: number;
  };
}

/** `frag id`; without field `exthdr frag`. Names: hbh rt rt0 rt2 srh frag dst mh; `offset` is the n of `rt0 addr[n]`, `srh sid[n]`. */
export interface ExthdrExpr extends Located {
  readonly exthdr: {
    readonly name: string;
    readonly field?: string | undefined;
    readonly offset?: number | undefined;
  };
}

/** `tcp option maxseg size`; without field `tcp option sack-perm` as a test of existence. */
export interface TcpOptionExpr extends Located {
  readonly 'tcp option': { readonly name: string; readonly field?: string | undefined };
}

/** `tcp option @kind,offset,len`, or `tcp option 42` (offset 0, len 8, as a test of existence). JSON: tcp option. */
export interface RawTcpOptionExpr extends Located {
  readonly rawTcpOption: {
    readonly base: number;
    /** Bits from the option's begin. */
    readonly offset: number;
    /** Bits. */
    readonly len: number;
  };
}

/** `ip option rr ptr`; without field `ip option lsrr` as a test of existence. */
export interface IpOptionExpr extends Located {
  readonly 'ip option': { readonly name: string; readonly field?: string | undefined };
}

/** `sctp chunk init num-outbound-streams`; without field a test of existence. */
export interface SctpChunkExpr extends Located {
  readonly 'sctp chunk': { readonly name: string; readonly field?: string | undefined };
}

/** `meta mark`, `iifname`. Keys by their listed names (`ibrname`, `sdifname`, `time`, …); synonyms are replaced. */
export interface MetaExpr extends Located {
  readonly meta: { readonly key: string };
}

/** `rt nexthop`, `rt ip6 nexthop`. */
export interface RtExpr extends Located {
  readonly rt: { readonly key: string; readonly family?: 'ip' | 'ip6' | undefined };
}

/** `ct state`, `ct original ip saddr` (key 'saddr', family 'ip', dir 'original'). */
export interface CtExpr extends Located {
  readonly ct: {
    readonly key: string;
    readonly family?: 'ip' | 'ip6' | undefined;
    readonly dir?: 'original' | 'reply' | undefined;
    /** The family was not written, but follows from the table's; nft's JSON leaves it out then (measured). */
    readonly isImplied?: boolean | undefined;
  };
}

/** `numgen random mod 10 offset 5`. */
export interface NumgenExpr extends Located {
  readonly numgen: {
    readonly mode: 'inc' | 'random';
    readonly mod: number;
    readonly offset?: number | undefined;
  };
}

/** `jhash ip saddr . tcp dport mod 10 seed 0x1 offset 5`. */
export interface JhashExpr extends Located {
  readonly jhash: {
    readonly expr: ExprNode;
    readonly mod: number;
    /** Undefined: none written, the kernel draws one. */
    readonly seed?: number | undefined;
    readonly offset?: number | undefined;
  };
}

/** `symhash mod 10 offset 5`. */
export interface SymhashExpr extends Located {
  readonly symhash: { readonly mod: number; readonly offset?: number | undefined };
}

/** `fib daddr . iif type`. */
export interface FibExpr extends Located {
  readonly fib: {
    readonly result: 'oif' | 'oifname' | 'type';
    readonly flags: readonly ('saddr' | 'daddr' | 'mark' | 'iif' | 'oif')[];
  };
}

/** `socket transparent`, `socket cgroupv2 level 2` (level: not JSON's). */
export interface SocketExpr extends Located {
  readonly socket: {
    readonly key: 'transparent' | 'mark' | 'wildcard' | 'cgroupv2';
    readonly level?: number | undefined;
  };
}

/** `osf ttl skip name`. */
export interface OsfExpr extends Located {
  readonly osf: {
    readonly key: 'name' | 'version';
    readonly ttl?: 'loose' | 'skip' | undefined;
  };
}

/** `ipsec in spnum 1 ip saddr`. */
export interface IpsecExpr extends Located {
  readonly ipsec: {
    readonly key: 'reqid' | 'spi' | 'saddr' | 'daddr';
    readonly dir: 'in' | 'out';
    readonly family?: 'ip' | 'ip6' | undefined;
    readonly spnum?: number | undefined;
  };
}

/** A verdict, as a statement or as a map's value. */
export type VerdictNode =
  | ({ readonly accept: null } & Located)
  | ({ readonly drop: null } & Located)
  | ({ readonly continue: null } & Located)
  | ({ readonly return: null } & Located)
  | ({ readonly jump: JumpTarget } & Located)
  | ({ readonly goto: JumpTarget } & Located);

/** Where to: a named chain, or (not JSON's) rules in braces, a chain of their own without a name. */
export interface JumpTarget {
  readonly target: string;
  /** Of the target's name. */
  readonly targetAt?: At | undefined;
  readonly rules?: readonly import('./ast.ts').RuleBody[] | undefined;
}
