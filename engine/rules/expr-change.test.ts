import { describe, expect, test } from 'vitest';
import { IPCT_MARK } from '../conntrack/events.ts';
import { EVENT_BITS, F_DST, F_EVENTS, F_MARK, ROW_WORDS } from '../conntrack/flow-table.ts';
import { HELP_ACCEPT } from '../conntrack/helper.ts';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { fold, sum, transportChecksumOk } from '../packet/checksum.ts';
import { AF_INET, IP_CT_NEW, IP_CT_UNTRACKED } from '../packet/packet.ts';
import { NFT_CT_LABELS, NFT_CT_MARK, NFT_CT_ZONE } from './ct-keys.ts';
import { type Expr, registerOffset } from './expr.ts';
import { CtExpr } from './expr-ct.ts';
import { CtHelperExpr } from './expr-ct-helper.ts';
import { CtSetExpr } from './expr-ct-set.ts';
import { DupExpr } from './expr-dup.ts';
import { ExthdrResetExpr } from './expr-exthdr-reset.ts';
import { ExthdrSetExpr } from './expr-exthdr-set.ts';
import { MetaSetExpr } from './expr-meta-set.ts';
import { NatExpr, NFT_NAT_DNAT, NFT_NAT_SNAT } from './expr-nat.ts';
import { NotrackExpr } from './expr-notrack.ts';
import { PayloadSetExpr } from './expr-payload-set.ts';
import { QueueExpr } from './expr-queue.ts';
import { RejectExpr } from './expr-reject.ts';
import type { HookState } from './hook-state.ts';
import { NFT_META_MARK, NFT_META_PKTTYPE, NFT_META_PRIORITY } from './meta-keys.ts';
import { be, le, stateWith } from './testing.mts';
import { NF_ACCEPT, NF_DROP, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

const V4 = { src: '10.0.0.2', dst: '10.1.0.2', sport: 1000, dport: 80 };
const SYN = tcpPacket({ ...V4, flags: 2, options: { mss: 1460, wscale: 7 } });

/** Evaluates with bytes in register 1. */
function evaluate(expr: Expr, state: HookState, value: Uint8Array = new Uint8Array(4)): number {
  state.regs.set(value);
  return expr.eval(state);
}

/** Whether the IPv4 header's and the transport checksum are right. */
function checksumsOk({ pkt }: HookState): boolean {
  const { view, off, l4, end, family, proto } = pkt;
  return fold(sum(view, off, l4)) === 0xffff && transportChecksumOk(view, off, family, proto, l4, end);
}

describe('payload set', () => {
  test('writes an address and brings both checksums up to date, in bytes of the packet’s own', () => {
    const state = stateWith(SYN);
    const before = state.pkt.bytes;
    const copy = before.slice();
    expect(evaluate(new PayloadSetExpr(1, 1, 16, 4, 1, 10, 1), state, Uint8Array.of(192, 0, 2, 9))).toBe(
      NFT_CONTINUE,
    );
    expect(state.pkt.view.getUint32(state.pkt.off + 16)).toBe(0xc0000209);
    expect(checksumsOk(state)).toBe(true);
    expect(before).toEqual(copy);
  });

  test('writes a port with the checksum of the transport header', () => {
    const state = stateWith(SYN);
    evaluate(new PayloadSetExpr(1, 2, 2, 2, 1, 16, 0), state, be(8080, 2));
    expect(state.pkt.view.getUint16(state.pkt.l4 + 2)).toBe(8080);
    expect(checksumsOk(state)).toBe(true);
  });

  test('leaves a UDP checksum of zero alone when an address changes', () => {
    const state = stateWith(udpPacket({ ...V4, checksum: 0 }));
    evaluate(new PayloadSetExpr(1, 1, 12, 4, 1, 10, 1), state, Uint8Array.of(192, 0, 2, 9));
    expect(state.pkt.view.getUint16(state.pkt.l4 + 6)).toBe(0);
  });

  test('does not match beyond the packet', () => {
    const state = stateWith(udpPacket(V4));
    expect(evaluate(new PayloadSetExpr(1, 2, 8, 2, 0, 0, 0), state)).toBe(NFT_BREAK);
  });
});

describe('TCP options', () => {
  const mss = (state: HookState): number => state.pkt.view.getUint16(state.pkt.l4 + 22);

  test('an MSS is lowered but not raised, with its checksum', () => {
    const state = stateWith(SYN);
    evaluate(new ExthdrSetExpr(1, 2, 2, 2), state, be(1200, 2));
    expect([mss(state), checksumsOk(state)]).toEqual([1200, true]);
    evaluate(new ExthdrSetExpr(1, 2, 2, 2), state, be(1400, 2));
    expect(mss(state)).toBe(1200);
  });

  test('a packet without the option is left as it is, one that is no TCP does not match', () => {
    expect(evaluate(new ExthdrSetExpr(1, 8, 2, 4), stateWith(SYN))).toBe(NFT_CONTINUE);
    expect(evaluate(new ExthdrSetExpr(1, 2, 2, 2), stateWith(udpPacket(V4)))).toBe(NFT_BREAK);
  });

  test('reset overwrites an option with padding, at odd places, too', () => {
    const state = stateWith(SYN);
    const { view, l4 } = state.pkt;
    const at = Array.from({ length: 20 }, (_, i) => i + 20).find((i) => view.getUint8(l4 + i) === 3)!;
    expect(evaluate(new ExthdrResetExpr(3), state)).toBe(NFT_CONTINUE);
    const { pkt } = state;
    expect([0, 1, 2].map((i) => pkt.view.getUint8(pkt.l4 + at + i))).toEqual([1, 1, 1]);
    expect(checksumsOk(state)).toBe(true);
  });
});

describe('marks and flows', () => {
  test('meta set changes mark and priority; a packet type only to one that a frame may have', () => {
    const state = stateWith(SYN);
    evaluate(new MetaSetExpr(1, NFT_META_MARK), state, le(0x80000001, 4));
    evaluate(new MetaSetExpr(1, NFT_META_PRIORITY), state, le(0x10002, 4));
    expect([state.pkt.mark >>> 0, state.pkt.priority]).toEqual([0x80000001, 0x10002]);
    evaluate(new MetaSetExpr(1, NFT_META_PKTTYPE), state, be(3, 1));
    evaluate(new MetaSetExpr(1, NFT_META_PKTTYPE), state, be(5, 1));
    expect(state.pkt.pkttype).toBe(3);
  });

  test('ct mark set marks the flow, and is an event only if the mark changes', () => {
    const state = stateWith(SYN);
    const { words } = state.conntrack.table;
    const row = state.pkt.flow * ROW_WORDS;
    evaluate(new CtSetExpr(1, NFT_CT_MARK), state, le(0, 4));
    expect(words[row + F_EVENTS]! & EVENT_BITS & IPCT_MARK).toBe(0);
    evaluate(new CtSetExpr(1, NFT_CT_MARK), state, le(7, 4));
    expect([words[row + F_MARK], words[row + F_EVENTS]! & IPCT_MARK]).toEqual([7, IPCT_MARK]);
  });

  test('a zone is chosen before tracking only', () => {
    const state = stateWith(SYN, 1000, false);
    evaluate(new CtSetExpr(1, NFT_CT_ZONE), state, le(5, 2));
    expect(state.pkt.zone).toBe(5);
    state.conntrack.track(state.pkt);
    evaluate(new CtSetExpr(1, NFT_CT_ZONE), state, le(6, 2));
    new CtExpr(2, NFT_CT_ZONE).eval(state);
    expect(state.regs[16]).toBe(5);
  });

  test('a zone may be that of one direction; the first rule that says one decides', () => {
    const zones = (...said: readonly (readonly [zone: number, dir: number])[]): readonly number[] => {
      const state = stateWith(SYN, 1000, false);
      for (const [zone, dir] of said) evaluate(new CtSetExpr(1, NFT_CT_ZONE, dir), state, le(zone, 2));
      state.conntrack.track(state.pkt);
      return [0, 1, -1].map((dir) => {
        new CtExpr(2, NFT_CT_ZONE, dir).eval(state);
        return state.regs[16]!;
      });
    };
    expect(zones([5, -1])).toEqual([5, 5, 5]);
    expect(zones([5, 0], [6, -1])).toEqual([5, 0, 5]);
    expect(zones([7, 1])).toEqual([0, 7, 7]);
  });

  test('notrack keeps a packet from tracking, and does nothing to one that has a flow', () => {
    const before = stateWith(SYN, 1000, false);
    new NotrackExpr().eval(before);
    expect(before.pkt.ctinfo).toBe(IP_CT_UNTRACKED);
    const behind = stateWith(SYN);
    new NotrackExpr().eval(behind);
    expect(behind.pkt.ctinfo).toBe(IP_CT_NEW);
  });

  test('labels and a helper’s name stay with the flow, not with the next one in its row', () => {
    const state = stateWith(SYN);
    const { conntrack, pkt } = state;
    evaluate(new CtSetExpr(1, NFT_CT_LABELS), state, be(1, 16));
    const helper = { proto: 6, families: [AF_INET], ports: [], policies: [], help: () => HELP_ACCEPT };
    conntrack.helpers = ['ftp', 'sip'].map((name) => ({ ...helper, name }));
    new CtHelperExpr('ftp', 6, [AF_INET]).eval(state);
    new CtHelperExpr('sip', 6, [AF_INET]).eval(state);
    const ext = conntrack.extension(pkt.flow)!;
    expect([ext.helper!.name, ext.labels![3]]).toEqual(['ftp', 1 << 24]);
    // One that is set leaves the others.
    evaluate(new CtSetExpr(1, NFT_CT_LABELS), state, be(2, 16));
    expect(ext.labels![3]).toBe(3 << 24);
    conntrack.confirm(pkt);
    const { flow } = pkt;
    conntrack.delete(flow);
    conntrack.track(pkt);
    expect(pkt.flow).toBe(flow);
    expect(conntrack.extension(flow)).toBe(null);
  });
});

describe('verdicts', () => {
  test('reject answers and drops', () => {
    const state = stateWith(SYN);
    expect(new RejectExpr(1, 0).eval(state)).toBe(NF_DROP);
    expect(new RejectExpr(2, 1).eval(state)).toBe(NF_DROP);
    expect(state.effects.answers.map((line) => line.split(' ')[0])).toEqual(['reject', 'reject']);
  });

  test('a rule of translation decides an end of the flow once', () => {
    const state = stateWith(SYN);
    state.regs.set([203, 0, 113, 9], registerOffset(1));
    const nat = new NatExpr(NFT_NAT_SNAT, 2, 1, null, null, null, 0);
    expect([nat.eval(state), nat.eval(state)]).toEqual([NF_ACCEPT, NF_DROP]);
    expect(state.conntrack.addressOf(state.pkt.flow, 1, F_DST)).toEqual([0xcb007109 | 0]);
  });

  test('a rule of translation says nothing of the other family', () => {
    expect(new NatExpr(NFT_NAT_DNAT, 10, 1, null, null, null, 0).eval(stateWith(SYN))).toBe(NFT_CONTINUE);
  });

  test('queue names its number and whether it may be left out', () => {
    expect(new QueueExpr(7, 1, 1).eval(stateWith(SYN))).toBe((7 << 16) | 0x8003);
  });

  test('dup sends a copy that may not be fragmented, and goes on', () => {
    const state = stateWith(SYN);
    expect(evaluate(new DupExpr(1, null), state, Uint8Array.of(10, 0, 0, 9))).toBe(NFT_CONTINUE);
    expect(state.effects.answers).toEqual([`dup ${SYN.length}`]);
  });

  test('dup without an address sends it as it is to a device, by number or by name', () => {
    const state = stateWith(SYN);
    evaluate(new DupExpr(null, 1), state, le(3, 4));
    evaluate(new DupExpr(null, 1, 'eth0'), state);
    expect(state.effects.answers).toEqual([`dup ${SYN.length} by 3`, `dup ${SYN.length} by 2`]);
  });
});
