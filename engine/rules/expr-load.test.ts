import { describe, expect, test } from 'vitest';
import { F_STATUS, ROW_WORDS } from '../conntrack/flow-table.ts';
import { Settings } from '../conntrack/settings.ts';
import { IPS_MASK } from '../conntrack/status.ts';
import { icmpPacket, sctpPacket, tcpPacket, udpPacket } from '../packet/build.ts';
import { ipv4 } from '../packet/build-ipv4.ts';
import { ipv6 } from '../packet/build-ipv6.ts';
import { udp } from '../packet/build-udp.ts';
import * as C from './ct-keys.ts';
import type { Expr } from './expr.ts';
import { registerOffset } from './expr.ts';
import { BitwiseExpr, NFT_BITWISE_LSHIFT, NFT_BITWISE_RSHIFT, ShiftExpr } from './expr-bitwise.ts';
import { ByteorderExpr } from './expr-byteorder.ts';
import { CmpExpr } from './expr-cmp.ts';
import { CtExpr } from './expr-ct.ts';
import * as X from './expr-exthdr.ts';
import * as B from './expr-fib.ts';
import { ImmediateExpr } from './expr-immediate.ts';
import { MetaExpr } from './expr-meta.ts';
import { PayloadExpr } from './expr-payload.ts';
import { RangeExpr } from './expr-range.ts';
import { NFT_RT_TCPMSS, RtExpr } from './expr-rt.ts';
import { NF_INET_LOCAL_OUT, NF_INET_PRE_ROUTING } from './family.ts';
import type { HookState } from './hook-state.ts';
import * as M from './meta-keys.ts';
import { arrive, be, le, newState, stateWith } from './testing.mts';
import { NF_UNKNOWN, NFT_BREAK, NFT_CONTINUE } from './verdict.ts';

const V4 = { src: '10.0.0.2', dst: '10.1.0.2', sport: 1000, dport: 80 };
const V6 = { src: 'fd00::1', dst: 'fd00::2', sport: 1000, dport: 80 };
const SYN = tcpPacket({ ...V4, flags: 2 });

/** What a load puts into register 1, as hex; 'break' or 'unknown' if it does not. Other bytes of it are ff before. */
function load(expr: Expr, state: HookState, length = 4): string {
  state.regs.fill(0xff);
  const result = expr.eval(state);
  if (result === NFT_BREAK) return 'break';
  if (result === NF_UNKNOWN) return 'unknown';
  expect(result).toBe(NFT_CONTINUE);
  return Array.from(state.regs.subarray(0, length), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

describe('payload', () => {
  const read = (base: number, offset: number, len: number, packet = SYN): string =>
    load(new PayloadExpr(1, base, offset, len), stateWith(packet), Math.max(4, len));

  test('reads from the network and the transport header, and fills the last word with zeros', () => {
    expect(read(1, 12, 4)).toBe('0a000002');
    expect(read(2, 2, 2)).toBe('00500000');
    expect(read(1, 9, 1)).toBe('06000000');
    expect(read(1, 12, 6)).toBe('0a0000020a01');
  });

  test('does not match where the packet is shorter', () => {
    expect(read(2, 18, 2)).toBe('00000000');
    expect([read(2, 19, 2), read(2, 17, 4), read(1, 40, 1)]).toEqual(['break', 'break', 'break']);
  });

  test('knows no link header of a packet that came without one', () => {
    expect(read(0, 0, 6)).toBe('break');
  });

  test('finds what stands behind the transport header of TCP and UDP', () => {
    const payload = Uint8Array.of(1, 2, 3, 4);
    expect(read(3, 0, 4, udpPacket({ ...V4, payload }))).toBe('01020304');
    expect(read(3, 1, 2, tcpPacket({ ...V4, flags: 16, payload }))).toBe('02030000');
    expect(read(3, 0, 1, icmpPacket({ src: V4.src, dst: V4.dst, type: 8 }))).toBe('break');
  });

  test('finds what stands behind GRE of version 0, and of no other', () => {
    const gre = (version: number): Uint8Array => {
      const payload = Uint8Array.of(0x30, version, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 2, 0x77);
      return ipv4({ src: V4.src, dst: V4.dst, proto: 47, payload });
    };
    expect(read(3, 0, 1, gre(0)).slice(0, 2)).toBe('77');
    expect(read(3, 0, 1, gre(1))).toBe('break');
  });

  test('has no transport header in a later fragment', () => {
    const state = newState();
    arrive(state, ipv4({ ...V4, proto: 17, payload: udp({ ...V4, payload: 20 }), offset: 8 }), 1000, false);
    expect(load(new PayloadExpr(1, 2, 0, 2), state)).toBe('break');
    expect(load(new MetaExpr(1, M.NFT_META_L4PROTO), state)).toBe('11000000');
  });
});

describe('registers', () => {
  test('1 to 4 hold sixteen bytes each, 8 to 23 four bytes of the same', () => {
    expect([1, 2, 4, 8, 9, 12, 23].map(registerOffset)).toEqual([0, 16, 48, 0, 4, 16, 60]);
  });

  test('immediate data fill their last word with zeros', () => {
    expect(load(new ImmediateExpr(1, Uint8Array.of(1, 2, 3, 4, 5)), stateWith(SYN), 12)).toBe(
      '0102030405000000ffffffff',
    );
  });

  test.each([
    [0, [false, true, false]],
    [1, [true, false, true]],
    [2, [true, false, false]],
    [3, [true, true, false]],
    [4, [false, false, true]],
    [5, [false, true, true]],
  ] as const)('cmp %i compares byte by byte', (op, wanted) => {
    const state = stateWith(SYN);
    const matches = [0x01ff, 0x0200, 0x0201].map((value) => {
      state.regs.set(be(value, 2));
      return new CmpExpr(1, op, be(0x0200, 2)).eval(state) === NFT_CONTINUE;
    });
    expect(matches).toEqual(wanted);
  });

  test('range holds both its ends', () => {
    const state = stateWith(SYN);
    const inside = (op: number): boolean[] =>
      [9, 10, 15, 20, 21].map((value) => {
        state.regs.set(be(value, 2));
        return new RangeExpr(1, op, be(10, 2), be(20, 2)).eval(state) === NFT_CONTINUE;
      });
    expect(inside(0)).toEqual([false, true, true, true, false]);
    expect(inside(1)).toEqual([true, false, false, false, true]);
  });

  test('bitwise masks and flips; shifts carry from word to word, in this machine’s byte order', () => {
    const state = stateWith(SYN);
    const after = (expr: Expr, bytes: Uint8Array): number[] => {
      state.regs.fill(0);
      state.regs.set(bytes);
      expr.eval(state);
      return [...state.regs.subarray(16, 24)];
    };
    const mask = Uint8Array.of(0xf0, 0, 0xff, 0, 0xff);
    const flip = Uint8Array.of(1, 2, 0, 0, 4);
    expect(after(new BitwiseExpr(1, 2, 5, mask, flip), Uint8Array.of(0xab, 9, 7, 9, 3))).toEqual([
      0xa1, 2, 7, 0, 7, 0, 0, 0,
    ]);
    const both = Uint8Array.of(...le(0x01020304, 4), ...le(0x80000001, 4));
    expect(after(new ShiftExpr(1, 2, 8, NFT_BITWISE_LSHIFT, 8), both)).toEqual([
      ...le(0x02030480, 4),
      ...le(0x00000100, 4),
    ]);
    expect(after(new ShiftExpr(1, 2, 8, NFT_BITWISE_RSHIFT, 8), both)).toEqual([
      ...le(0x00010203, 4),
      ...le(0x04800000, 4),
    ]);
  });

  test.each([2, 4, 8])('byteorder turns each number of %i bytes', (size) => {
    const state = stateWith(SYN);
    state.regs.set(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    new ByteorderExpr(1, 2, 1, 8, size).eval(state);
    const wanted = { 2: [2, 1, 4, 3, 6, 5, 8, 7], 4: [4, 3, 2, 1, 8, 7, 6, 5], 8: [8, 7, 6, 5, 4, 3, 2, 1] };
    expect([...state.regs.subarray(16, 24)]).toEqual(wanted[size as 2 | 4 | 8]);
  });
});

describe('meta', () => {
  const read = (key: number, state = stateWith(SYN), length = 4): string =>
    load(new MetaExpr(1, key), state, length);
  const name = (text: string): string => Buffer.from(text.padEnd(16, '\0')).toString('hex');

  test('holds numbers of the kernel in its own byte order, the ethertype in the network’s', () => {
    const state = stateWith(SYN);
    state.pkt.mark = 0x01020304;
    expect(read(M.NFT_META_LEN, state)).toBe('28000000');
    expect(read(M.NFT_META_MARK, state)).toBe('04030201');
    expect(read(M.NFT_META_PROTOCOL, state)).toBe('08000000');
    expect(read(M.NFT_META_NFPROTO, state)).toBe('02000000');
    expect(read(M.NFT_META_L4PROTO, state)).toBe('06000000');
    expect(read(M.NFT_META_IIF, state)).toBe('02000000');
    expect(read(M.NFT_META_OIF, state)).toBe('03000000');
    expect(read(M.NFT_META_IFTYPE, state)).toBe('01000000');
    expect(read(M.NFT_META_IIFNAME, state, 16)).toBe(name('eth0'));
  });

  test('where there is no device its number is 0, its name empty, and its type and group do not match', () => {
    const state = stateWith(SYN);
    state.pkt.ifout = 0;
    expect(read(M.NFT_META_OIF, state)).toBe('00000000');
    expect(read(M.NFT_META_OIFNAME, state, 16)).toBe(name(''));
    expect([read(M.NFT_META_OIFTYPE, state), read(M.NFT_META_OIFGROUP, state)]).toEqual(['break', 'break']);
  });

  test('tells the time in UTC: nanoseconds, weekday, second of the day', () => {
    // Thursday 8 January 2026, 15:04:05.250.
    const state = stateWith(SYN, Date.UTC(2026, 0, 8, 15, 4, 5, 250));
    const nanos = BigInt(Date.UTC(2026, 0, 8, 15, 4, 5, 250)) * 1_000_000n;
    load(new MetaExpr(1, M.NFT_META_TIME_NS), state);
    expect(state.regView.getBigUint64(0, true)).toBe(nanos);
    expect(read(M.NFT_META_TIME_DAY, state)).toBe('04000000');
    expect(read(M.NFT_META_TIME_HOUR, state)).toBe(
      Buffer.from(le(15 * 3600 + 4 * 60 + 5, 4)).toString('hex'),
    );
  });

  test('the process is not known of a packet made here, and none belongs to a forwarded one', () => {
    const state = stateWith(SYN);
    expect(read(M.NFT_META_SKUID, state)).toBe('break');
    state.hook = NF_INET_LOCAL_OUT;
    state.pkt.ifin = 0;
    expect(read(M.NFT_META_SKUID, state)).toBe('unknown');
    expect(state.unknown).toContain('process');
  });

  test('IPv6: an AH header that the packet ends before is no transport protocol', () => {
    const cut = ipv6({ src: V6.src, dst: V6.dst, proto: 51, payload: new Uint8Array(0) });
    expect(load(new MetaExpr(1, M.NFT_META_L4PROTO), stateWith(cut))).toBe('break');
  });

  test('IPv6: AH is the transport protocol for rules, though tracking looks behind it', () => {
    const ah = Uint8Array.of(6, 4, ...new Array<number>(22).fill(0));
    const inner = tcpPacket({ ...V6, flags: 2 }).slice(40);
    const packet = ipv6({ src: V6.src, dst: V6.dst, proto: 51, payload: Uint8Array.of(...ah, ...inner) });
    const state = stateWith(packet);
    expect(state.pkt.proto).toBe(6);
    expect(read(M.NFT_META_L4PROTO, state)).toBe('33000000');
    expect(load(new PayloadExpr(1, 2, 0, 2), state)).toBe('06040000');
  });
});

describe('ct', () => {
  const tracked = (): HookState => {
    const settings = new Settings();
    settings.set('nf_conntrack_acct', 1);
    const state = newState(1, settings);
    arrive(state, SYN);
    state.conntrack.confirm(state.pkt);
    return state;
  };
  const read = (key: number, dir = -1, state = tracked(), length = 4): string =>
    load(new CtExpr(1, key, dir), state, length);

  test('state is a bit each: new, then established and related, untracked, and invalid for what has no flow', () => {
    const state = tracked();
    const states = [0, 1, 2, 3, 4, 7, 8, 9].map((ctinfo) => {
      state.pkt.ctinfo = ctinfo;
      return read(C.NFT_CT_STATE, -1, state);
    });
    expect(states).toEqual(['02', '04', '08', '02', '04', '40', '01', '01'].map((bit) => `${bit}000000`));
  });

  test('addresses and ports of a direction stand in network order', () => {
    expect([read(C.NFT_CT_SRC_IP, 0), read(C.NFT_CT_DST_IP, 0)]).toEqual(['0a000002', '0a010002']);
    expect([read(C.NFT_CT_SRC_IP, 1), read(C.NFT_CT_SRC_IP6, 0)]).toEqual(['0a010002', 'break']);
    expect([read(C.NFT_CT_PROTO_SRC, 0), read(C.NFT_CT_PROTO_DST, 0)]).toEqual(['03e80000', '00500000']);
    expect([read(C.NFT_CT_PROTOCOL, 0), read(C.NFT_CT_L3PROTOCOL, 0)]).toEqual(['06000000', '02000000']);
  });

  test('counts packets and bytes of one direction or both', () => {
    const state = tracked();
    expect(read(C.NFT_CT_PKTS, 0, state, 8)).toBe('0100000000000000');
    expect(read(C.NFT_CT_BYTES, -1, state, 8)).toBe('2800000000000000');
    expect(read(C.NFT_CT_PKTS, 1, state, 8)).toBe('0000000000000000');
    expect(read(C.NFT_CT_AVGPKT, -1, state, 8)).toBe('2800000000000000');
  });

  test('expiration is what is left, and 0 of a flow that is not confirmed', () => {
    expect(read(C.NFT_CT_EXPIRATION)).toBe(Buffer.from(le(120_000, 4)).toString('hex'));
    // Measured: the first packet of a flow sees 0.
    expect(read(C.NFT_CT_EXPIRATION, -1, stateWith(SYN))).toBe('00000000');
  });

  test('nothing but the state matches of a packet without flow', () => {
    const state = stateWith(tcpPacket({ ...V4, flags: 0 }));
    for (const key of [C.NFT_CT_MARK, C.NFT_CT_STATUS, C.NFT_CT_DIRECTION, C.NFT_CT_SRC_IP, C.NFT_CT_ZONE])
      expect(read(key, 0, state)).toBe('break');
    expect(read(C.NFT_CT_STATE, -1, state)).toBe('01000000');
  });

  test('the helper is that of the flow that expected this one; labels are zero until they are set', () => {
    const state = tracked();
    expect(read(C.NFT_CT_HELPER, -1, state)).toBe('break');
    expect(read(C.NFT_CT_LABELS, -1, state, 16)).toBe('00'.repeat(16));
    state.conntrack.labels(state.pkt.flow)[1] = 8;
    expect(read(C.NFT_CT_LABELS, -1, state, 16)).toBe(`${'00'.repeat(4)}08${'00'.repeat(11)}`);
    expect(state.conntrack.table.words[state.pkt.flow * ROW_WORDS + F_STATUS]! & IPS_MASK).toBe(8);
    expect(read(C.NFT_CT_STATUS, -1, state)).toBe('08000000');
  });
});

describe('exthdr', () => {
  const tcp = (type: number, offset: number, len: number, flags = 0, packet = SYN): string =>
    load(new X.ExthdrExpr(1, type, offset, len, X.NFT_EXTHDR_OP_TCPOPT, flags), stateWith(packet));
  const options = Uint8Array.of(1, 1, 2, 4, 5, 0xb4, 1, 3, 3, 7, 0, 0);
  const withOptions = tcpPacket({ ...V4, flags: 2, options });

  test('finds a TCP option behind padding, or tells whether it is there', () => {
    expect(tcp(2, 2, 2, 0, withOptions)).toBe('05b40000');
    expect(tcp(3, 2, 1, 0, withOptions)).toBe('07000000');
    expect([tcp(8, 2, 4, 0, withOptions), tcp(2, 2, 4, 0, withOptions)]).toEqual(['break', 'break']);
    expect([tcp(2, 0, 1, 1, withOptions), tcp(8, 0, 1, 1, withOptions)]).toEqual(['01000000', '00000000']);
    expect(tcp(2, 0, 1, 1, udpPacket(V4))).toBe('00000000');
  });

  test('finds an IPv6 extension header, and does not look behind a later fragment', () => {
    const hop = Uint8Array.of(60, 0, 5, 2, 0, 0, 1, 0);
    const dest = Uint8Array.of(17, 0, 1, 4, 0, 0, 0, 0);
    const payload = Uint8Array.of(...hop, ...dest, ...udp({ ...V6, payload: 4 }));
    const state = stateWith(ipv6({ src: V6.src, dst: V6.dst, proto: 0, payload }));
    const find = (type: number, offset: number, len: number, flags = 0): string =>
      load(new X.ExthdrExpr(1, type, offset, len, X.NFT_EXTHDR_OP_IPV6, flags), state);
    expect([find(0, 0, 2), find(60, 0, 2), find(43, 0, 2)]).toEqual(['3c000000', '11000000', 'break']);
    expect([find(60, 0, 1, 1), find(44, 0, 1, 1)]).toEqual(['01000000', '00000000']);
  });

  test('finds an SCTP chunk and keeps within it', () => {
    const init = Uint8Array.of(0, 0, 0, 1, 0, 0, 0x20, 0, 0, 1, 0, 1, 0, 0, 0, 9);
    const packet = sctpPacket({ ...V4, vtag: 0, chunks: [{ type: 1, value: init }] });
    const find = (type: number, offset: number, len: number, flags = 0): string =>
      load(new X.ExthdrExpr(1, type, offset, len, X.NFT_EXTHDR_OP_SCTP, flags), stateWith(packet));
    expect([find(1, 4, 4), find(1, 20, 4), find(3, 0, 1)]).toEqual(['00000001', 'break', 'break']);
    expect([find(1, 0, 1, 1), find(3, 0, 1, 1)]).toEqual(['01000000', '00000000']);
  });
});

describe('routes', () => {
  const fib = (result: number, flags: number, state: HookState, length = 4): string =>
    load(new B.FibExpr(1, result, flags), state, length);

  test('fib tells the type of an address, and the device that its route leaves by', () => {
    const state = stateWith(tcpPacket({ ...V4, src: '10.0.0.7', dst: '192.0.2.1', flags: 2 }));
    expect(fib(B.NFT_FIB_RESULT_ADDRTYPE, B.NFTA_FIB_F_DADDR, state)).toBe('02000000');
    expect(fib(B.NFT_FIB_RESULT_ADDRTYPE, B.NFTA_FIB_F_SADDR, state)).toBe('01000000');
    expect(fib(B.NFT_FIB_RESULT_OIF, B.NFTA_FIB_F_SADDR, state)).toBe('02000000');
    expect(fib(B.NFT_FIB_RESULT_OIF, B.NFTA_FIB_F_SADDR | B.NFTA_FIB_F_IIF, state)).toBe('02000000');
    expect(fib(B.NFT_FIB_RESULT_OIF, B.NFTA_FIB_F_SADDR | B.NFTA_FIB_F_OIF, state)).toBe('00000000');
  });

  test('fib can say only whether there is a route', () => {
    const flags = B.NFTA_FIB_F_SADDR | B.NFTA_FIB_F_IIF | B.NFTA_FIB_F_PRESENT;
    const state = stateWith(tcpPacket({ ...V4, src: '10.0.0.7', flags: 2 }));
    expect(fib(B.NFT_FIB_RESULT_OIF, flags, state)).toBe('01000000');
    state.pkt.ifin = 3;
    expect(fib(B.NFT_FIB_RESULT_OIF, flags, state)).toBe('00000000');
  });

  test('rt mtu is what fits both ways, and does not match before routing', () => {
    const state = stateWith(SYN);
    expect(load(new RtExpr(1, NFT_RT_TCPMSS), state)).toBe(Buffer.from(le(1460, 4)).toString('hex'));
    state.hook = NF_INET_PRE_ROUTING;
    expect(load(new RtExpr(1, NFT_RT_TCPMSS), state)).toBe('break');
  });
});
