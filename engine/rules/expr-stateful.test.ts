/** Limits, quotas, counts: what was measured on Linux 6.18, packet by packet. */
import { describe, expect, test } from 'vitest';
import { jhash } from '../base/jhash.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import type { Expr } from './expr.ts';
import { ConnlimitExpr, NFT_CONNLIMIT_F_INV } from './expr-connlimit.ts';
import { CounterExpr } from './expr-counter.ts';
import { JhashExpr, SymhashExpr } from './expr-hash.ts';
import { LastExpr } from './expr-last.ts';
import { LimitExpr, NFT_LIMIT_F_INV, NFT_LIMIT_PKT_BYTES, NFT_LIMIT_PKTS } from './expr-limit.ts';
import { NFT_NG_INCREMENTAL, NFT_NG_RANDOM, NumgenExpr } from './expr-numgen.ts';
import { ObjrefExpr } from './expr-objref.ts';
import { NFT_QUOTA_F_INV, QuotaExpr } from './expr-quota.ts';
import type { HookState } from './hook-state.ts';
import { RuleObject } from './rule-object.ts';
import { arrive, be, newState } from './testing.mts';
import { NF_DROP, NFT_CONTINUE } from './verdict.ts';

/** 100 bytes, as in the measurements. */
const PACKET = udpPacket({ src: '10.0.0.2', dst: '10.1.0.1', sport: 1000, dport: 53, payload: 72 });

/** How many of so many packets at once match. */
function atOnce(expr: Expr, count: number): number {
  const state = newState();
  let matched = 0;
  for (let i = 0; i < count; i++) {
    arrive(state, PACKET, 1000, false);
    if (expr.eval(state) === NFT_CONTINUE) matched++;
  }
  return matched;
}

const limit = (rate: number, unit: number, burst: number, over = false): Expr =>
  new LimitExpr(rate, unit, burst, NFT_LIMIT_PKTS, over ? NFT_LIMIT_F_INV : 0);
const bytes = (rate: number, burst: number, over = false): Expr =>
  new LimitExpr(rate, 1, burst, NFT_LIMIT_PKT_BYTES, over ? NFT_LIMIT_F_INV : 0);

describe('limit', () => {
  test('lets as many packets at once through as its burst', () => {
    expect([atOnce(limit(10, 1, 5), 20), atOnce(limit(10, 1, 0), 20), atOnce(limit(10, 1, 1), 20)]).toEqual([
      5, 5, 1,
    ]);
    expect(atOnce(limit(1, 604800, 100), 120)).toBe(100);
    expect(atOnce(limit(10, 1, 3, true), 20)).toBe(17);
  });

  test('of bytes holds a second’s bytes and its burst', () => {
    expect([atOnce(bytes(1000, 0), 20), atOnce(bytes(1000, 500), 30)]).toEqual([10, 15]);
    expect(atOnce(bytes(10, 250, true), 30)).toBe(28);
  });

  test('fills again as time passes', () => {
    // Milliseconds and matches of `limit rate 10/second burst 2 packets` as the kernel gave them.
    const measured = [
      [4.9, 1],
      [14.7, 1],
      [125.7, 1],
      [148.2, 0],
      [260.4, 1],
      [324.7, 1],
      [394.6, 0],
      [709.7, 1],
      [721.8, 1],
      [731.8, 0],
      [740.7, 0],
    ] as const;
    const expr = limit(10, 1, 2);
    const state = newState();
    for (const [ms, matches] of measured) {
      arrive(state, PACKET, 1000 + ms, false);
      expect(expr.eval(state) === NFT_CONTINUE ? 1 : 0, `at ${ms} ms`).toBe(matches);
    }
  });
});

describe('quota', () => {
  test('matches up to its bytes, and over it from the packet on that exceeds them', () => {
    expect(atOnce(new QuotaExpr(300, 0), 10)).toBe(3);
    expect(atOnce(new QuotaExpr(299, 0), 10)).toBe(2);
    expect(atOnce(new QuotaExpr(300, NFT_QUOTA_F_INV), 10)).toBe(7);
    expect(atOnce(new QuotaExpr(300, 0, 200), 10)).toBe(1);
  });

  test('as a named object is one for all rules that refer to it', () => {
    const object = new RuleObject('q', new QuotaExpr(300, 0));
    expect(atOnce(new ObjrefExpr(object), 2) + atOnce(new ObjrefExpr(object), 2)).toBe(3);
  });
});

describe('ct count', () => {
  const syn = (sport: number): Uint8Array =>
    tcpPacket({ src: '10.0.0.2', dst: '10.1.0.1', sport, dport: 80, flags: 2 });

  /** Sends packets, some ms apart; what is dropped enters no flow. */
  function send(
    state: HookState,
    expr: Expr,
    packets: readonly Uint8Array[],
    gap = 20,
    dropped: 'none' | 'matching' | 'all' = 'none',
  ): number {
    let matched = 0;
    for (const packet of packets) {
      arrive(state, packet, state.now + gap);
      const matches = expr.eval(state) === NFT_CONTINUE;
      if (matches) matched++;
      if (dropped === 'all' || (matches && dropped === 'matching')) state.conntrack.abandon(state.pkt);
      else state.conntrack.confirm(state.pkt);
    }
    return matched;
  }
  const SIX = [1, 2, 3, 4, 5, 6].map(syn);

  test('matches while there are no more, over from then on', () => {
    expect(send(newState(), new ConnlimitExpr(2, 0), SIX)).toBe(2);
    expect(send(newState(), new ConnlimitExpr(2, NFT_CONNLIMIT_F_INV), SIX)).toBe(4);
  });

  test('counts a connection once, however many packets it sends', () => {
    expect(send(newState(), new ConnlimitExpr(2, 0), new Array<Uint8Array>(16).fill(syn(7)))).toBe(16);
  });

  test('makes room when connections are gone, and for those that were dropped', () => {
    const state = newState();
    const expr = new ConnlimitExpr(2, NFT_CONNLIMIT_F_INV);
    expect(send(state, expr, SIX, 20, 'matching')).toBe(4);
    state.conntrack.flush();
    expect(send(state, expr, SIX, 20, 'matching')).toBe(4);
  });

  test('counts dropped connections too until the clock ticks', () => {
    const state = newState();
    expect(
      send(state, new ConnlimitExpr(3, NFT_CONNLIMIT_F_INV), new Array<Uint8Array>(6).fill(syn(7)), 0, 'all'),
    ).toBe(3);
  });

  test('counts a packet that was dropped as long as another flow has its tuple', () => {
    const ends = { src: '10.0.0.2', dst: '10.1.0.1', sport: 7, dport: 80 };
    // It begins a flow, is dropped, and then a flow begins whose answer it would be.
    const early = tcpPacket({ src: ends.dst, dst: ends.src, sport: 80, dport: 7, flags: 0x10 });
    const matched = (between: readonly Uint8Array[]): number => {
      const state = newState();
      const expr = new ConnlimitExpr(1, NFT_CONNLIMIT_F_INV);
      send(state, expr, [early], 20, 'all');
      send(state, new CounterExpr(), between);
      return send(state, expr, [syn(101)]);
    };
    expect([matched([]), matched([tcpPacket({ ...ends, flags: 2 })])]).toEqual([0, 1]);
  });

  test('drops a packet that has no tuple to count', () => {
    const state = newState();
    arrive(state, udpPacket({ src: '10.0.0.2', dst: '10.1.0.1', sport: 1, dport: 2 }).slice(), 1000, false);
    state.pkt.l4 = -1;
    expect(new ConnlimitExpr(3, 0).eval(state)).toBe(NF_DROP);
  });
});

describe('numbers', () => {
  const draw = (expr: Expr, count: number): number[] => {
    const state = newState();
    return Array.from({ length: count }, () => {
      arrive(state, PACKET);
      expr.eval(state);
      return state.regView.getUint32(0, true);
    });
  };

  test('numgen inc counts from its offset and starts again; random stays within', () => {
    expect(draw(new NumgenExpr(1, NFT_NG_INCREMENTAL, 3, 10), 5)).toEqual([10, 11, 12, 10, 11]);
    const random = draw(new NumgenExpr(1, NFT_NG_RANDOM, 4, 100), 200);
    expect([...new Set(random)].sort()).toEqual([100, 101, 102, 103]);
  });

  test('jhash is lookup3, for which its author gives values', () => {
    const text = Uint8Array.from('Four score and seven years ago', (c) => c.charCodeAt(0));
    // http://burtleburtle.net/bob/c/lookup3.c, driver5: hashlittle of 30 bytes with 0 and 1.
    expect(jhash(text, 0, 30, 0) >>> 0).toBe(0x17770551);
    expect(jhash(text, 0, 30, 1) >>> 0).toBe(0xcd628161);
  });

  test('jhash and symhash give the same flow the same number; symhash both directions', () => {
    const state = newState();
    arrive(state, PACKET);
    state.regs.set(be(0x0a000002, 4), 16);
    const hash = new JhashExpr(2, 1, 4, 16, 0x1234, 100);
    hash.eval(state);
    const first = state.regView.getUint32(0, true);
    hash.eval(state);
    expect(state.regView.getUint32(0, true)).toBe(first);
    expect(first).toBeGreaterThanOrEqual(100);
    expect(first).toBeLessThan(116);
    const sym = new SymhashExpr(1, 1 << 16, 0);
    sym.eval(state);
    const there = state.regView.getUint32(0, true);
    arrive(state, udpPacket({ src: '10.1.0.1', dst: '10.0.0.2', sport: 53, dport: 1000 }));
    sym.eval(state);
    expect(state.regView.getUint32(0, true)).toBe(there);
  });
});

test('counter and last note what came by', () => {
  const state = newState();
  const [counter, last] = [new CounterExpr(1, 2), new LastExpr()];
  arrive(state, PACKET, 5000);
  counter.eval(state);
  last.eval(state);
  expect([counter.packets, counter.bytes, last.used]).toEqual([2, 102, 5000]);
  expect([counter.clone().packets, last.clone().used]).toEqual([0, Number.NaN]);
});
