/** What the oracle takes and gives. Shared by the caller's side (oracle.ts) and the child (worker.ts). */

/** One raw packet, beginning at its IPv4 or IPv6 header, as it is written to the first TUN device. */
export interface KernelPacket {
  readonly bytes: Uint8Array;
  /** Real pause in milliseconds before the packet is written. */
  readonly waitMs?: number;
}

/** ct state as nft names it; UNTRACKED is what a notrack rule or neighbour discovery gives. */
export type KernelState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED';

/**
 * How far a packet came (only with `stages: true`), each name the part that kept it:
 * `ip` never reached PREROUTING, `defrag` was held or dropped as a fragment, `conntrack` was dropped by
 * conntrack itself, `forward` got its verdict but did not leave (routing, hop limit, a rule, failed confirm),
 * `out` left by the second TUN device.
 */
export type KernelStage = 'ip' | 'defrag' | 'conntrack' | 'forward' | 'out';

/** What conntrack had decided when the rule right behind it (PREROUTING, priority -199) saw the packet. */
export interface KernelVerdict {
  /** null: the packet never reached that rule. */
  readonly state: KernelState | null;
  readonly dir: 'original' | 'reply' | null;
  /** IPS_ bits of the entry at that moment, hence before confirm; 0 where there is no entry. */
  readonly status: number;
  /** Texts of nf_conntrack_log_invalid, exactly as logged (prefix and trailing space included). */
  readonly log: readonly string[];
  /** null unless the kernel was opened with `stages: true`. */
  readonly stage: KernelStage | null;
}

/** One direction of an entry. What a protocol does not have is null; GRE keys stand in the port fields. */
export interface KernelTuple {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly sport: number | null;
  readonly dport: number | null;
  readonly icmpType: number | null;
  readonly icmpCode: number | null;
  readonly icmpId: number | null;
  /** Zone of this direction only (`ct original zone`), null if the zone covers both. */
  readonly zone: number | null;
}

/** Counters of one direction, present with nf_conntrack_acct=1. */
export interface KernelCounters {
  readonly packets: number;
  readonly bytes: number;
}

/** TCP part of an entry; states are numbered as in the kernel: 1 SYN_SENT ... 8 CLOSE, 9 SYN_SENT2. */
export interface KernelTcp {
  readonly state: number;
  /** Window scale per direction [original, reply]; only in dumps and NEW/UPDATE events. */
  readonly scale: readonly [number, number] | null;
  /** IP_CT_TCP_FLAG_ bits per direction [original, reply]; null as for scale. */
  readonly flags: readonly [number, number] | null;
}

/** SCTP part of an entry; states are numbered as in the kernel: 1 CLOSED, 2 COOKIE_WAIT, 3 COOKIE_ECHOED ... */
export interface KernelSctp {
  readonly state: number;
  /** Verification tags [original, reply]; null in DESTROY events. */
  readonly vtag: readonly [number, number] | null;
}

/** Sequence adjustment of one direction (NAT of helpers). */
export interface KernelSeqAdj {
  readonly correctionPos: number;
  readonly offsetBefore: number;
  readonly offsetAfter: number;
}

/** One conntrack entry as ctnetlink gives it, from a dump or an event. */
export interface KernelEntry {
  readonly family: 'ipv4' | 'ipv6';
  readonly protocol: number;
  readonly original: KernelTuple;
  readonly reply: KernelTuple;
  /** Seconds left, rounded down; null in a DESTROY event of an expired entry. */
  readonly timeout: number | null;
  /** IPS_ bits. */
  readonly status: number;
  readonly mark: number;
  /** Zone of both directions; 0 is the default zone. */
  readonly zone: number;
  readonly id: number;
  /** Reference count; null in events. */
  readonly use: number | null;
  readonly tcp: KernelTcp | null;
  readonly sctp: KernelSctp | null;
  /** [original, reply], null without nf_conntrack_acct. */
  readonly counters: readonly [KernelCounters, KernelCounters] | null;
  readonly helper: string | null;
  /** Original tuple of the flow that expected this one. */
  readonly master: KernelTuple | null;
  /** [original, reply], null where no helper changed lengths. */
  readonly seqAdj: readonly [KernelSeqAdj, KernelSeqAdj] | null;
}

/** One ctnetlink event. */
export interface KernelEvent {
  readonly type: 'NEW' | 'UPDATE' | 'DESTROY';
  readonly entry: KernelEntry;
  /** true: it came before the packet was written (a timer ran out), false: while it was being handled. */
  readonly before: boolean;
}

/** What one replay gave; every array but `table` has one element per packet. */
export interface KernelRun {
  readonly verdicts: readonly KernelVerdict[];
  /** The table (IPv4 and IPv6) after the last packet, in the kernel's own, random order; empty with `table: false`. */
  readonly table: readonly KernelEntry[];
  /** The table after each packet, with `dumpEvery`. */
  readonly tables?: readonly (readonly KernelEntry[])[];
  /** ctnetlink events, if the kernel was opened with `events: true`. */
  readonly events?: readonly (readonly KernelEvent[])[];
  /** Packets that left by the second TUN device, with `output`. */
  readonly out?: readonly (readonly Uint8Array[])[];
  /** When each packet was written, in milliseconds since the replay began. */
  readonly times: Float64Array;
  /** From before the first write to after the last verdict, in milliseconds. */
  readonly elapsedMs: number;
}

/** Options of one replay. */
export interface ReplayOptions {
  /** The table after every packet; costs a few microseconds for each entry of the table. */
  readonly dumpEvery?: boolean;
  /** Collect the packets that leave. */
  readonly output?: boolean;
  /** Dump the table at the end (5 to 11 ms, however small it is). Default true. */
  readonly table?: boolean;
}

/** Options of a namespace. */
export interface KernelOptions {
  /** Full names (`net.ipv4.ip_default_ttl`) or, without the `net.netfilter.`, `nf_conntrack_...`. */
  readonly sysctls?: Readonly<Record<string, string | number>>;
  /** nft script loaded before the oracle's own table (NAT, zones, helpers, notrack). */
  readonly ruleset?: string;
  /** Subscribe to ctnetlink events. */
  readonly events?: boolean;
  /** Tell how far each packet came: two more log messages a packet. */
  readonly stages?: boolean;
  /** Collect conntrack's reasons (nf_conntrack_log_invalid=255). Default true. */
  readonly log?: boolean;
}

/** What a command run inside the namespace gave. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}
