/** Rules, hosts and packets for the tests of this folder. */
import { Settings } from '../conntrack/settings.ts';
import { RTN_UNICAST } from '../host/host.ts';
import { type HostModel, HostModel as Model } from '../host/model.ts';
import { parsePrefix } from '../host/prefix.ts';
import { DLT_RAW } from '../packet/link.ts';
import { Packet, resetPacket } from '../packet/packet.ts';
import { type BaseChain, Chain, Rule, type RuleTable } from '../rules/chain.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_ACCEPT, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { Firewall } from './firewall.ts';

/** A host with eth0 203.0.113.1/24 and 2001:db8::1/64, eth1 10.0.0.1/24 and fd00::1/64, everything else by eth0. */
export function gateway(): HostModel {
  const host = new Model();
  host.addDevice('eth0', { index: 2 });
  host.addDevice('eth1', { index: 3 });
  for (const text of ['203.0.113.1/24', '2001:db8::1/64']) host.addAddress('eth0', parsePrefix(text)!);
  for (const text of ['10.0.0.1/24', 'fd00::1/64']) host.addAddress('eth1', parsePrefix(text)!);
  for (const text of ['0.0.0.0/0', '::/0'])
    host.addRoute({ prefix: parsePrefix(text)!, device: 2, type: RTN_UNICAST, metric: 0, source: null });
  return host;
}

/** An expression that calls a function with the packet's state. */
export function call(act: (state: HookState) => unknown): Expr {
  return {
    name: 'call',
    eval(state) {
      const verdict = act(state);
      return typeof verdict === 'number' ? verdict : NFT_CONTINUE;
    },
  };
}

/** Matches if the function says so. */
export function when(test: (state: HookState) => boolean): Expr {
  return call((state) => (test(state) ? NFT_CONTINUE : NFT_BREAK));
}

/** What a chain of a test is made of. */
export interface ChainSpec extends Partial<BaseChain> {
  readonly hook: number;
  readonly rules?: readonly (readonly Expr[])[];
}

/** A table with one base chain for each spec, named by its place. */
export function table(
  family: number,
  specs: readonly ChainSpec[],
  backend: 'nft' | 'legacy' = 'nft',
): RuleTable {
  const chains = new Map<string, Chain>();
  const made: RuleTable = { family, name: 't', backend, chains };
  specs.forEach(({ rules = [], hook, ...rest }, i) => {
    const base = { type: 'filter' as const, hook, priority: 0, policy: NF_ACCEPT, devices: [], ...rest };
    const chain = new Chain(made, `c${i}`, base);
    chain.rules = rules.map((exprs) => new Rule(exprs, null, []));
    chains.set(chain.name, chain);
  });
  return made;
}

/** A firewall, and a way to give it packets. */
export class Bench {
  readonly firewall: Firewall;
  readonly pkt: Packet = new Packet();
  private now = 1_000_000;

  constructor(rules: readonly RuleTable[], host: HostModel = gateway()) {
    this.firewall = new Firewall({ settings: new Settings(), host, rules });
    this.firewall.wantsBytes = true;
  }

  /** Gives it an IP packet, as from a TUN device; returns the verdict's name. */
  send(bytes: Uint8Array, ifin = 0): string {
    const { pkt, firewall } = this;
    resetPacket(pkt, bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
    pkt.ifin = ifin;
    firewall.receive(pkt, DLT_RAW, this.now++);
    return firewall.outcome.verdict;
  }
}
