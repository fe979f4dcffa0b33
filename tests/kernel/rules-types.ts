/** What the ruleset oracle takes and gives. Shared by the caller's side (rules-oracle.ts) and the child. */

import type { KernelExpect, KernelExpectEvent } from './expect-table.ts';
import type { KernelEntry } from './types.ts';

/** Where a packet enters: the device `eth1` (inside), `eth0` (outside), or the host itself (OUTPUT). */
export type Entry = 'eth0' | 'eth1' | 'host';

/** One raw packet, from its IP header on. */
export interface RulePacket {
  readonly bytes: Uint8Array;
  readonly from: Entry;
  /** Real pause in milliseconds before it is sent. */
  readonly waitMs?: number;
  /** A command that is run before it is sent: conntrack, sysctl -w, ip addr del (rules-before.ts does the same). */
  readonly before?: readonly string[];
}

/** One step of setting up: a language's text, or a shell script. */
export interface Source {
  readonly kind:
    | 'nft'
    | 'nft-json'
    | 'iptables-legacy'
    | 'iptables-nft'
    | 'ip6tables-legacy'
    | 'ip6tables-nft'
    | 'ipset'
    | 'shell';
  readonly text: string;
}

/** A packet that left by a device. */
export interface Left {
  readonly device: 'eth0' | 'eth1';
  readonly bytes: Uint8Array;
}

/** A packet at the end of a hook (priority 2147483647, behind conntrack's confirmation). */
export interface Passed {
  readonly hook: 'input' | 'forward' | 'output' | 'postrouting';
  readonly mark: number;
  /** As it is there, from the IP header on. */
  readonly bytes: Uint8Array;
}

/** A message of an nfnetlink log group that rules wrote to (`log group 1`, NFLOG). */
export interface GroupLog {
  readonly group: number;
  readonly prefix: string;
}

/** What became of one packet. */
export interface RuleOutcome {
  /** `refused`: the kernel did not take it (EINVAL, EPERM). */
  readonly verdict: 'accept' | 'drop' | 'reject' | 'refused';
  /** Everything that left, in order: the packet itself, answers, copies. */
  readonly left: readonly Left[];
  /** Every end of a hook it, or an answer, came to, in order. */
  readonly passed: readonly Passed[];
  /** Lines of the kernel's log it caused: `<4>prefix IN=… ` with the level in front. */
  readonly log: readonly string[];
  readonly groups: readonly GroupLog[];
  /** When it was sent, in ms of the child's clock. */
  readonly at: number;
  /** Only of a kernel that was opened for dialogues. */
  readonly tracked?: Tracked;
}

/** What conntrack made of one packet. */
export interface Tracked {
  /** What `ct state` and `ct direction` were right behind conntrack, each time a packet came out of it. */
  readonly states: readonly string[];
  /** Expectations that were made or went, in order. */
  readonly events: readonly KernelExpectEvent[];
  /** The tables after it; only if the job asks for them with every packet. */
  readonly tables?: Tables;
}

/** Flows and what is expected, in the kernel's own order. */
export interface Tables {
  readonly flows: readonly KernelEntry[];
  readonly expects: readonly KernelExpect[];
}

/** What to read at the end of a run. */
export interface Collect {
  /** Commands, by a name of the caller's. */
  readonly commands?: Readonly<Record<string, readonly string[]>>;
  /** `nft list ruleset`, without the oracle's own tables, in this process (1 ms instead of 10). */
  readonly nft?: boolean;
  /** The same as `nft -j list ruleset`. */
  readonly nftJson?: boolean;
}

/** One ruleset and the packets to play through it. */
export interface RuleJob {
  readonly sources: readonly Source[];
  readonly packets: readonly RulePacket[];
  readonly collect?: Collect;
  /** Read right after loading, before the packets. */
  readonly listing?: Collect;
  /** Read conntrack's tables after the last packet, or after each (10 ms a time). */
  readonly tables?: 'end' | 'each';
}

/** What a loading step or a command said. */
export interface StepResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Texts that were read: the commands' output by name, `nft` and `nftJson`. */
export type Texts = Readonly<Record<string, string>>;

/** What one ruleset did. */
export interface RuleRun {
  /** One for each source, up to and with the first that failed. */
  readonly loaded: readonly StepResult[];
  /** Whether all loaded; if not, no packet was played. */
  readonly ok: boolean;
  readonly outcomes: readonly RuleOutcome[];
  readonly listing: Texts;
  readonly texts: Texts;
  /** Conntrack's tables after the last packet, if asked for. */
  readonly tables?: Tables;
  /** From before loading to after the last text (ms). */
  readonly elapsedMs: number;
}

/** How the namespace looks. */
export interface RuleKernelOptions {
  /** Names in full (`net.ipv4.ip_default_ttl`). */
  readonly sysctls?: Readonly<Record<string, string | number>>;
  /** Say what conntrack makes of each packet ({@link RuleOutcome.tracked}). */
  readonly dialogue?: boolean;
  /** `ip -batch` lines in place of the default addresses and routes. */
  readonly links?: readonly string[];
}
