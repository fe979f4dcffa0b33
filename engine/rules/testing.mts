/** A packet at a hook, made by hand: for tests of this folder. */
import { Random } from '../base/random.ts';
import { Conntrack } from '../conntrack/conntrack.ts';
import { Settings } from '../conntrack/settings.ts';
import { HostModel } from '../host/model.ts';
import { parsePrefix } from '../host/prefix.ts';
import { viewOf } from '../packet/build-bytes.ts';
import { dissect } from '../packet/dissect.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { makeTrackers } from '../proto/registry.ts';
import { type BaseChain, Chain, Rule, type RuleTable } from './chain.ts';
import type { Expr } from './expr.ts';
import { NF_INET_FORWARD, NFPROTO_INET } from './family.ts';
import { HookState, type RuleEffects } from './hook-state.ts';
import { NF_ACCEPT } from './verdict.ts';

/** What a test heard of log lines and answers. */
export class Heard implements RuleEffects {
  readonly logs: string[] = [];
  readonly answers: string[] = [];

  log(_state: HookState, prefix: string, level: number, flags: number, group: number): void {
    this.logs.push(`${prefix} ${level} ${flags} ${group}`);
  }

  answer(_state: HookState, bytes: Uint8Array, why: string): void {
    this.answers.push(`${why} ${bytes.length}`);
  }

  send(_state: HookState, bytes: Uint8Array, why: string, device: number): void {
    this.answers.push(`${why} ${bytes.length} by ${device}`);
  }
}

/** eth0 (2) 10.0.0.1/24, eth1 (3) 192.0.2.1/24 with the default route. */
export function testHost(): HostModel {
  const host = new HostModel();
  host.addDevice('eth0', { index: 2 });
  host.addDevice('eth1', { index: 3 });
  host.addAddress('eth0', parsePrefix('10.0.0.1/24')!);
  host.addAddress('eth1', parsePrefix('192.0.2.1/24')!);
  return host;
}

/** A state at FORWARD whose packet is still empty. */
export function newState(seed = 1, settings: Settings = new Settings()): HookState & { effects: Heard } {
  const conntrack = new Conntrack(settings, makeTrackers(settings.profile), seed);
  const state = new HookState(new Packet(), conntrack, testHost(), new Random(seed), new Heard());
  state.hook = NF_INET_FORWARD;
  return state as HookState & { effects: Heard };
}

/** Puts a packet in front of the rules: dissected, from eth0 to eth1, tracked or not. */
export function arrive(state: HookState, bytes: Uint8Array, time = 1000, tracked = true): void {
  const { pkt } = state;
  const own = bytes.slice();
  resetPacket(pkt, own, viewOf(own), 0, own.length);
  pkt.time = time;
  if (!dissect(pkt)) throw new Error('not a sound packet');
  pkt.ifin = 2;
  pkt.ifout = 3;
  if (tracked) state.conntrack.track(pkt);
  else state.conntrack.begin(pkt);
}

/** A state with a packet. */
export function stateWith(bytes: Uint8Array, time = 1000, tracked = true): HookState & { effects: Heard } {
  const state = newState();
  arrive(state, bytes, time, tracked);
  return state;
}

/** A table and ways to put chains into it. */
export class TestTable implements RuleTable {
  readonly family = NFPROTO_INET;
  readonly name = 't';
  readonly backend: 'nft' | 'legacy';
  readonly chains: Map<string, Chain> = new Map();

  constructor(backend: 'nft' | 'legacy' = 'nft') {
    this.backend = backend;
  }

  chain(name: string, ...rules: readonly (readonly Expr[])[]): Chain {
    return this.add(name, null, rules);
  }

  base(policy: number, ...rules: readonly (readonly Expr[])[]): Chain {
    return this.add(
      'base',
      { type: 'filter', hook: NF_INET_FORWARD, priority: 0, policy, devices: [] },
      rules,
    );
  }

  private add(name: string, base: BaseChain | null, rules: readonly (readonly Expr[])[]): Chain {
    const chain = new Chain(this, name, base);
    chain.rules = rules.map((exprs) => new Rule(exprs, null, []));
    this.chains.set(name, chain);
    return chain;
  }
}

/** A base chain of rules with policy accept. */
export function accepting(...rules: readonly (readonly Expr[])[]): Chain {
  return new TestTable().base(NF_ACCEPT, ...rules);
}

/** Bytes of a number, network order. */
export function be(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) & 255);
}

/** Bytes of a number, this machine's order. */
export function le(value: number, length: number): Uint8Array {
  return be(value, length).reverse();
}
