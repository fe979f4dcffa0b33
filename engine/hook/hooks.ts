import { AF_INET } from '../packet/packet.ts';
import type { BaseChain, Chain, RuleTable } from '../rules/chain.ts';
import {
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
  NF_INET_PRE_ROUTING,
  NF_INGRESS,
  NFPROTO_INET,
  NFPROTO_IPV4,
  NFPROTO_IPV6,
  NFPROTO_NETDEV,
} from '../rules/family.ts';

/** NF_IP_PRI_CONNTRACK_DEFRAG: fragments are put together. */
export const PRIORITY_DEFRAG = -400;
/** NF_IP_PRI_CONNTRACK. */
export const PRIORITY_CONNTRACK = -200;
/** NF_IP_PRI_NAT_DST: where all chains of type nat of PREROUTING and OUTPUT are called. */
export const PRIORITY_NAT_DST = -100;
/** NF_IP_PRI_NAT_SRC: the same of POSTROUTING and INPUT. */
export const PRIORITY_NAT_SRC = 100;

/** Of {@link HookEntry.kind}: a base chain. */
export const STEP_CHAIN = 0;
/** All chains of type nat, for the first packet of a flow. */
export const STEP_NAT = 1;
/** Fragments are held here until their datagram is whole. */
export const STEP_DEFRAG = 2;
/** The packet is tracked. */
export const STEP_TRACK = 3;

/** What is called at a hook, one after the other. */
export interface HookEntry {
  /** STEP_*. */
  readonly kind: number;
  readonly priority: number;
  /** One base chain; all of them, in their order, for STEP_NAT; none for the kernel's own. */
  readonly chains: Chain[];
  /** The chain of STEP_CHAIN, so that it is at hand. */
  readonly chain: Chain | null;
  /** Whether the chain is bound to devices. */
  readonly isBound: boolean;
  /** How much its accepting counts when it is said who decided: see {@link Outcome.pass}. */
  readonly weight: number;
}

/** Where NAT is done. */
const NAT_HOOKS: readonly number[] = [
  NF_INET_PRE_ROUTING,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
];
/** Number of hooks, NF_EGRESS included. */
const HOOKS = 7;

/**
 * Puts an entry into its place. Of several with the same priority the one registered last is called first
 * (measured: legacy and nft chains alike, and also within one nft file).
 */
function insert<T extends { readonly priority: number }>(list: T[], entry: T): void {
  const at = list.findIndex((other) => other.priority >= entry.priority);
  list.splice(at < 0 ? list.length : at, 0, entry);
}

/** Of {@link HookEntry.weight}: a chain where filters stand by convention. */
const FILTER_WEIGHT = 2;

function isAlso(family: number, table: RuleTable): boolean {
  if (table.family === NFPROTO_INET || table.family === NFPROTO_NETDEV) return true;
  return table.family === (family === AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

/** Whether destination addresses are what chains of type nat change at a hook; at the others it is sources. */
function isNatDst(hook: number): boolean {
  return hook === NF_INET_PRE_ROUTING || hook === NF_INET_LOCAL_OUT;
}

/** One of the kernel's own steps. */
function kernelStep(kind: number, priority: number): HookEntry {
  return { kind, priority, chains: [], chain: null, isBound: false, weight: 0 };
}

function chainEntry(chain: Chain, base: BaseChain): HookEntry {
  const { priority, type, devices } = base;
  const weight = priority === 0 && type === 'filter' ? FILTER_WEIGHT : 0;
  return { kind: STEP_CHAIN, priority, chains: [chain], chain, isBound: devices.length > 0, weight };
}

function natEntry(list: HookEntry[], hook: number): HookEntry {
  const there = list.find((entry) => entry.kind === STEP_NAT);
  if (there !== undefined) return there;
  const made = {
    kind: STEP_NAT,
    priority: isNatDst(hook) ? PRIORITY_NAT_DST : PRIORITY_NAT_SRC,
    chains: [],
    chain: null,
    isBound: false,
    weight: 0,
  };
  insert(list, made);
  return made;
}

/** Chains of type nat are called in the order of their own priorities, but all at the place of NAT (measured). */
function insertNat(entry: HookEntry, chain: Chain): void {
  const priority = chain.base!.priority;
  const at = entry.chains.findIndex((other) => other.base!.priority >= priority);
  entry.chains.splice(at < 0 ? entry.chains.length : at, 0, chain);
}

/** The base chains of all tables by hook, for one family. Made when the rules change. */
export class Hooks {
  /** What is called at each hook (NF_INET_*), in order. */
  readonly entries: readonly HookEntry[][];
  /** Whether anything of the rules is called before a packet is tracked. */
  readonly before: boolean;
  /** Whether that is all between defragmentation and tracking. */
  readonly between: boolean;
  /** First entry of PREROUTING behind tracking. */
  readonly behind: number;
  /** Whether there are chains of type nat, and so translation. */
  readonly translates: boolean;
  /** Bit n is set if something is called at hook n. */
  readonly busy: number;
  /** The same of what comes behind tracking, which is all if that hook does not track. */
  readonly busyLater: number;

  /**
   * @param family AF_INET or AF_INET6
   * @param tables in the order in which they were loaded
   */
  constructor(family: number, tables: readonly RuleTable[]) {
    const entries: HookEntry[][] = Array.from({ length: HOOKS }, () => []);
    for (const table of tables) {
      if (!isAlso(family, table)) continue;
      for (const chain of table.chains.values()) {
        if (chain.base === null) continue;
        const { hook, type } = chain.base;
        const list = entries[hook]!;
        if (type === 'nat') {
          // The first chain of type nat switches NAT on at all of its hooks (measured by what nat chains see later).
          for (const each of NAT_HOOKS) natEntry(entries[each]!, each);
          insertNat(natEntry(list, hook), chain);
        } else insert(list, chainEntry(chain, chain.base));
      }
    }
    // Tracking begins when a rule first asks for it, hence behind the chains: it is called before those at -200.
    for (const hook of [NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT]) {
      insert(entries[hook]!, kernelStep(STEP_TRACK, PRIORITY_CONNTRACK));
      insert(entries[hook]!, kernelStep(STEP_DEFRAG, PRIORITY_DEFRAG));
    }
    this.entries = entries;
    this.translates = entries[NF_INET_POST_ROUTING]!.some(({ kind }) => kind === STEP_NAT);
    this.busy = entries.reduce((bits, list, hook) => bits | (list.length > 0 ? 1 << hook : 0), 0);
    this.busyLater = entries.reduce(
      (bits, list, hook) => bits | (list.length > laterFrom(list) ? 1 << hook : 0),
      0,
    );
    this.behind = laterFrom(entries[NF_INET_PRE_ROUTING]!);
    const first = [NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT].some(
      (hook) => entries[hook]![0]!.kind !== STEP_DEFRAG,
    );
    const second = [NF_INET_PRE_ROUTING, NF_INET_LOCAL_OUT].some(
      (hook) => entries[hook]![1]!.kind !== STEP_TRACK,
    );
    this.before = first || second || entries[NF_INGRESS]!.length > 0;
    const isDefragFirst = entries[NF_INET_PRE_ROUTING]![0]!.kind === STEP_DEFRAG;
    this.between = this.before && isDefragFirst && entries[NF_INGRESS]!.length === 0;
  }
}

/** First entry behind tracking; the first of all if that hook does not track. */
function laterFrom(list: readonly HookEntry[]): number {
  return list.findIndex(({ kind }) => kind === STEP_TRACK) + 1;
}

/** Whether a chain of type nat is called at a hook for sources: NF_NAT_MANIP_SRC. */
export function isSourceNat(hook: number): boolean {
  return hook === NF_INET_POST_ROUTING || hook === NF_INET_LOCAL_IN;
}
