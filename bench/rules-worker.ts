/**
 * One measurement of bench/rules.ts, in a process of its own: `chain KIND RULES BACKEND` or `set KIND SIZE`. Prints
 * CPU nanoseconds a packet as JSON.
 */
import { tuneCompiler } from '../cli/compiler.ts';
import { Random } from '../engine/base/random.ts';
import { Conntrack } from '../engine/conntrack/conntrack.ts';
import { Settings } from '../engine/conntrack/settings.ts';
import { HostModel } from '../engine/host/model.ts';
import { dissect } from '../engine/packet/dissect.ts';
import { Packet, resetPacket } from '../engine/packet/packet.ts';
import { makeTrackers } from '../engine/proto/registry.ts';
import { Chain, Rule, type RuleTable } from '../engine/rules/chain.ts';
import type { Expr } from '../engine/rules/expr.ts';
import { LookupExpr } from '../engine/rules/expr-lookup.ts';
import { PayloadExpr } from '../engine/rules/expr-payload.ts';
import { VerdictExpr } from '../engine/rules/expr-verdict.ts';
import { NF_INET_FORWARD, NFPROTO_IPV4 } from '../engine/rules/family.ts';
import { HookState } from '../engine/rules/hook-state.ts';
import { runChain } from '../engine/rules/run.ts';
import { RuleSet } from '../engine/rules/set.ts';
import type { NewElement } from '../engine/rules/set-element.ts';
import { traceChain } from '../engine/rules/trace-run.ts';
import { NF_ACCEPT, NF_DROP, NFT_CONTINUE } from '../engine/rules/verdict.ts';
import { generated } from './rules-generated.ts';
import { chainRules, testsOf } from './rules-kinds.ts';
import { RULE_PACKETS, ruleFrames } from './rules-packets.ts';

const table: RuleTable = { family: NFPROTO_IPV4, name: 'bench', backend: 'nft', chains: new Map() };
const SILENT = { enter() {}, matched() {}, unmatched() {}, unknown() {}, returned() {}, policy() {} };

function baseChain(rules: readonly (readonly Expr[])[]): Chain {
  const base = {
    type: 'filter',
    hook: NF_INET_FORWARD,
    priority: 0,
    policy: NF_ACCEPT,
    devices: [],
  } as const;
  const chain = new Chain(table, 'forward', base);
  chain.rules = rules.map((exprs) => new Rule(exprs, null, []));
  return chain;
}

/** Packets dissected already. */
function packets(): Packet[] {
  return ruleFrames().map((bytes) => {
    const pkt = new Packet();
    resetPacket(pkt, bytes, new DataView(bytes.buffer), 0, bytes.length);
    pkt.time = 1000;
    dissect(pkt);
    pkt.ifin = 2;
    pkt.ifout = 3;
    return pkt;
  });
}

function newState(pkt: Packet): HookState {
  const settings = new Settings();
  const conntrack = new Conntrack(settings, makeTrackers(settings.profile), 1);
  const state = new HookState(pkt, conntrack, new HostModel(), new Random(1), {
    log() {},
    answer() {},
    send() {},
  });
  state.hook = NF_INET_FORWARD;
  return state;
}

/** CPU nanoseconds of one call, the best of several rounds of at least 100 ms. */
function time(state: HookState, all: readonly Packet[], once: (state: HookState) => number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const start = process.cpuUsage();
    let calls = 0;
    let elapsed = 0;
    do {
      for (let i = 0; i < all.length; i++) {
        state.pkt = all[i]!;
        once(state);
      }
      calls += all.length;
      const { user, system } = process.cpuUsage(start);
      elapsed = (user + system) * 1000;
    } while (elapsed < 1e8);
    best = Math.min(best, elapsed / calls);
  }
  return best;
}

function chainTime(kind: string, count: number, backend: string): number {
  const all = packets();
  const state = newState(all[0]!);
  const tests = testsOf(kind, count);
  if (backend === 'generated') {
    const run = generated(tests);
    return time(state, all, ({ pkt }) => run(pkt));
  }
  const chain = baseChain(chainRules(tests));
  if (backend === 'compiled') return time(state, all, (s) => runChain(chain, s));
  return time(state, all, (s) => traceChain(chain, s, SILENT));
}

/** Keys that half of the packets have, and random ones up to the size. */
function elementsOf(kind: string, size: number, all: readonly Packet[]): NewElement[] {
  const random = new Random(7);
  const key = (word: number): Uint8Array => Uint8Array.of(word >>> 24, word >>> 16, word >>> 8, word);
  return Array.from({ length: size }, (_, i) => {
    const word =
      i < size / 2
        ? all[(2 * i) % RULE_PACKETS]!.view.getInt32(12) + (i >= RULE_PACKETS / 2 ? i * 977 : 0)
        : random.word();
    if (kind === 'interval') return { key: key(word & ~15), keyEnd: key(word | 15) };
    if (kind === 'concat') {
      const port = Uint8Array.of(0, 0, 0, 0);
      const from = new Uint8Array([...key(word & ~255), ...port]);
      return { key: from, keyEnd: new Uint8Array([...key(word | 255), 0xff, 0xff, 0, 0]) };
    }
    return { key: key(word), verdict: kind === 'vmap' ? new VerdictExpr(NFT_CONTINUE) : null };
  });
}

function setTime(kind: string, size: number): { lookup: number; load: number; elements: number } {
  const all = packets();
  const state = newState(all[0]!);
  const concat = kind === 'concat';
  const set = new RuleSet({
    name: 's',
    keyLen: concat ? 8 : 4,
    interval: concat || kind === 'interval',
    ...(concat ? { fields: [4, 2] } : {}),
    ...(kind === 'vmap' ? { map: 'verdict' as const } : {}),
  });
  const elements = elementsOf(kind, size, all);
  const start = process.cpuUsage();
  set.addAll(elements, 0);
  const loads: Expr[] = [new PayloadExpr(concat ? 8 : 1, 1, 12, 4)];
  if (concat) loads.push(new PayloadExpr(9, 2, 2, 2));
  const lookup = new LookupExpr(set, concat ? 8 : 1, kind === 'vmap' ? 0 : null);
  const end = kind === 'vmap' ? [] : [new VerdictExpr(NF_DROP)];
  const chain = baseChain([[...loads, lookup, ...end]]);
  runChain(chain, state);
  const { user, system } = process.cpuUsage(start);
  const load = (user + system) / 1000;
  return { lookup: time(state, all, (s) => runChain(chain, s)), load, elements: set.size };
}

tuneCompiler();
const [what, kind, size, backend] = process.argv.slice(2);
const result = what === 'set' ? setTime(kind!, Number(size)) : chainTime(kind!, Number(size), backend!);
process.stdout.write(JSON.stringify(result));
