import type { ExprNode, Located, U64, VerdictNode } from './ast-expr.ts';

/** A statement: the objects of libnftables-json(5); "not JSON's" marks what is added or told apart. */
export type StmtNode =
  | VerdictNode
  | MatchStmt
  | VmapStmt
  | CounterStmt
  | LimitStmt
  | QuotaStmt
  | CtCountStmt
  | LastStmt
  | ObjrefStmt
  | LogStmt
  | RejectStmt
  | MangleStmt
  | NotrackStmt
  | NatStmt
  | TproxyStmt
  | QueueStmt
  | DupStmt
  | FwdStmt
  | SynproxyStmt
  | FlowStmt
  | SetStmt
  | MapStmt
  | MeterStmt
  | ResetStmt
  | XtStmt;

/**
 * How a match compares. Not JSON's: 'implicit', none written: `in` for flags, `==` for the rest, by type; '!', of
 * `tcp flags ! syn`: none of these bits.
 */
export type MatchOp = '==' | '!=' | '<' | '>' | '<=' | '>=' | 'in' | 'implicit' | '!';

/** `tcp dport 22`. `tcp flags syn / syn,ack` is read as `tcp flags & syn,ack == syn` (binop with a list). */
export interface MatchStmt extends Located {
  readonly match: { readonly op: MatchOp; readonly left: ExprNode; readonly right: ExprNode };
}

/** `ct state vmap { … }`, `… vmap @map`. */
export interface VmapStmt extends Located {
  readonly vmap: { readonly key: ExprNode; readonly data: ExprNode };
}

/** `counter`, `counter packets 1 bytes 2`. */
export interface CounterStmt extends Located {
  readonly counter: { readonly packets: U64; readonly bytes: U64 } | null;
}

/** `limit rate over 10/second burst 5 packets`. */
export interface LimitStmt extends Located {
  readonly limit: LimitSpec;
}

/** What a limit says, as a statement or as an object. */
export interface LimitSpec {
  readonly rate: U64;
  /** Default: packets. */
  readonly rate_unit: 'packets' | 'bytes' | 'kbytes' | 'mbytes';
  readonly per: 'second' | 'minute' | 'hour' | 'day' | 'week';
  /** Undefined: none written. */
  readonly burst?: U64 | undefined;
  readonly burst_unit?: 'packets' | 'bytes' | 'kbytes' | 'mbytes' | undefined;
  readonly inv: boolean;
}

/** `quota over 10 mbytes used 5 kbytes`. */
export interface QuotaStmt extends Located {
  readonly quota: QuotaSpec;
}

/** What a quota says, as a statement or as an object. */
export interface QuotaSpec {
  readonly val: U64;
  readonly val_unit: 'bytes' | 'kbytes' | 'mbytes';
  readonly used?: U64 | undefined;
  readonly used_unit?: 'bytes' | 'kbytes' | 'mbytes' | undefined;
  readonly inv: boolean;
}

/** `ct count over 10`. */
export interface CtCountStmt extends Located {
  readonly 'ct count': { readonly val: number; readonly inv: boolean };
}

/** `last`, `last used never`, `last used 5s` (newer than nft 1.0.6; not JSON's). */
export interface LastStmt extends Located {
  readonly last: { readonly used: U64 } | null;
}

/** The kinds of stateful objects that the values of a named map may be. */
export const MAPPED_KINDS = ['counter', 'quota', 'limit', 'secmark', 'synproxy'] as const;

/** The kinds of stateful objects. */
export type ObjectKind = (typeof MAPPED_KINDS)[number] | 'ct helper' | 'ct timeout' | 'ct expectation';

/**
 * `counter name "x"`, `ct helper set "x"`, `meta secmark set "x"`: a named object, or a map to names. JSON:
 * { "counter": "x" }, { "ct helper": "x" }, ….
 */
export interface ObjrefStmt extends Located {
  readonly objref: { readonly type: ObjectKind; readonly name: ExprNode };
}

/** `log prefix "x" level warn flags all`. */
export interface LogStmt extends Located {
  readonly log: {
    readonly prefix?: string | undefined;
    readonly group?: number | undefined;
    readonly snaplen?: number | undefined;
    readonly 'queue-threshold'?: number | undefined;
    readonly level?: string | undefined;
    /** 'tcp sequence', 'tcp options', 'ip options', 'skuid', 'ether', 'all'. */
    readonly flags?: readonly string[] | undefined;
  };
}

/** `reject with icmp type port-unreachable`. Neither key: the plain `reject`. */
export interface RejectStmt extends Located {
  readonly reject: {
    readonly type?: 'tcp reset' | 'icmpx' | 'icmp' | 'icmpv6' | undefined;
    readonly expr?: ExprNode | undefined;
  };
}

/** `meta mark set 1`, `ct mark set meta mark`, `ip dscp set cs1`, `tcp option maxseg size set rt mtu`. */
export interface MangleStmt extends Located {
  readonly mangle: { readonly key: ExprNode; readonly value: ExprNode };
}

/** `notrack`. */
export interface NotrackStmt extends Located {
  readonly notrack: null;
}

/** What a NAT statement says. */
export interface NatSpec {
  /** Of `snat ip to`, `dnat ip6 to`. */
  readonly family?: 'ip' | 'ip6' | undefined;
  /** An address, a range, a prefix, a map; with type_flags 'concat' a map to concatenations. */
  readonly addr?: ExprNode | undefined;
  readonly port?: ExprNode | undefined;
  readonly flags: readonly ('random' | 'fully-random' | 'persistent')[];
  /** `snat ip prefix to`, `dnat ip addr . port to`, `… interval to`. */
  readonly type_flags: readonly ('prefix' | 'concat' | 'interval')[];
}

/** `snat to …`, `masquerade`, …. */
export type NatStmt =
  | ({ readonly snat: NatSpec } & Located)
  | ({ readonly dnat: NatSpec } & Located)
  | ({ readonly masquerade: NatSpec } & Located)
  | ({ readonly redirect: NatSpec } & Located);

/** `tproxy ip to 127.0.0.1:8080`. */
export interface TproxyStmt extends Located {
  readonly tproxy: {
    readonly family?: 'ip' | 'ip6' | undefined;
    readonly addr?: ExprNode | undefined;
    readonly port?: ExprNode | undefined;
  };
}

/** `queue flags bypass to 1-3`, `queue to numgen inc mod 4`. */
export interface QueueStmt extends Located {
  readonly queue: {
    readonly num?: ExprNode | undefined;
    readonly flags: readonly ('bypass' | 'fanout')[];
  };
}

/** `dup to 10.0.0.1 device eth0`; of netdev `dup to eth0` (the device is `addr` in the text, `dev` in the tree). */
export interface DupStmt extends Located {
  readonly dup: { readonly addr: ExprNode; readonly dev?: ExprNode | undefined };
}

/** `fwd to eth0`, `fwd ip to 10.0.0.1 device eth0`. */
export interface FwdStmt extends Located {
  readonly fwd: {
    readonly dev: ExprNode;
    readonly family?: 'ip' | 'ip6' | undefined;
    readonly addr?: ExprNode | undefined;
  };
}

/** `synproxy mss 1460 wscale 7 timestamp sack-perm`. */
export interface SynproxyStmt extends Located {
  readonly synproxy: SynproxySpec;
}

/** What synproxy says, as a statement or as an object. */
export interface SynproxySpec {
  readonly mss?: number | undefined;
  readonly wscale?: number | undefined;
  readonly flags: readonly ('timestamp' | 'sack-perm')[];
}

/** `flow add @f`. */
export interface FlowStmt extends Located {
  readonly flow: { readonly op: 'add'; readonly flowtable: string };
}

/** `add @s { ip saddr timeout 1m limit rate 10/second }`. */
export interface SetStmt extends Located {
  readonly set: {
    readonly op: 'add' | 'update' | 'delete';
    /** An `elem` where it has a timeout or a comment. */
    readonly elem: ExprNode;
    readonly set: string;
    /** counter, limit, quota, ct count (JSON: `stmt`). */
    readonly stmt?: readonly StmtNode[] | undefined;
  };
}

/** `add @m { ip saddr : tcp dport }` (not in JSON's manual, but listed). */
export interface MapStmt extends Located {
  readonly map: {
    readonly op: 'add' | 'update' | 'delete';
    readonly elem: ExprNode;
    readonly data: ExprNode;
    readonly map: string;
    readonly stmt?: readonly StmtNode[] | undefined;
  };
}

/** `meter m size 65535 { ip saddr limit rate 10/second }`. */
export interface MeterStmt extends Located {
  readonly meter: {
    readonly name: string;
    readonly key: ExprNode;
    readonly stmt: StmtNode;
    readonly size?: number | undefined;
  };
}

/** `reset tcp option timestamp`. */
export interface ResetStmt extends Located {
  readonly reset: ExprNode;
}

/** What iptables-nft left and nft cannot read: a comment in the listing. */
export interface XtStmt extends Located {
  readonly xt: { readonly type: 'match' | 'target' | 'watcher'; readonly name: string };
}
