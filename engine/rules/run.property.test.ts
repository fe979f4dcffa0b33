/** The compiled run and the run expression by expression: the same verdicts, marks, counters and decisions. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { icmpPacket, icmpv6Packet, tcpPacket, udpPacket } from '../packet/build.ts';
import { type Chain, Rule } from './chain.ts';
import { NFT_CT_DIRECTION, NFT_CT_MARK, NFT_CT_STATE, NFT_CT_STATUS } from './ct-keys.ts';
import { nameBytes } from './device-name.ts';
import { type Expr, UnknownExpr } from './expr.ts';
import { BitwiseExpr } from './expr-bitwise.ts';
import { ByteorderExpr, NFT_BYTEORDER_HTON } from './expr-byteorder.ts';
import { CmpExpr } from './expr-cmp.ts';
import { CounterExpr } from './expr-counter.ts';
import { CtExpr } from './expr-ct.ts';
import { CtSetExpr } from './expr-ct-set.ts';
import { DynsetExpr, NFT_DYNSET_OP_ADD } from './expr-dynset.ts';
import { ImmediateExpr } from './expr-immediate.ts';
import { LimitExpr } from './expr-limit.ts';
import { LogExpr } from './expr-log.ts';
import { LookupExpr, NFT_REG_VERDICT } from './expr-lookup.ts';
import { MetaExpr } from './expr-meta.ts';
import { MetaSetExpr } from './expr-meta-set.ts';
import { PayloadExpr } from './expr-payload.ts';
import { PayloadSetExpr } from './expr-payload-set.ts';
import { QuotaExpr } from './expr-quota.ts';
import { RangeExpr } from './expr-range.ts';
import { VerdictExpr } from './expr-verdict.ts';
import * as M from './meta-keys.ts';
import { runChain } from './run.ts';
import { RuleSet } from './set.ts';
import { arrive, be, le, newState, TestTable } from './testing.mts';
import { traceChain } from './trace-run.ts';
import { NF_ACCEPT, NF_DROP, NFT_CONTINUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from './verdict.ts';

const SILENT = { enter() {}, matched() {}, unmatched() {}, unknown() {}, returned() {}, policy() {} };

/** One part of a rule, as numbers that a ruleset is made of twice over. */
interface Piece {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** Values near those that packets have. */
const ADDRESSES = [0x0a000001, 0x0a000002, 0x0a000102, 0xc0000201, 0xc0000202];
const PORTS = [22, 53, 80, 443, 1000, 1001];

const pick = (values: readonly number[], i: number): number => values[i % values.length]!;

function addressTest({ a, b, c }: Piece): Expr[] {
  const offset = a & 1 ? 12 : 16;
  const address = pick(ADDRESSES, b);
  const load = new PayloadExpr(1, 1, offset, 4);
  if (c % 4 === 0) return [load, new CmpExpr(1, c & 8 ? 1 : 0, be(address, 4))];
  if (c % 4 === 1) return [load, new RangeExpr(1, (c >> 3) & 1, be(address - 1, 4), be(address + 3, 4))];
  if (c % 4 === 2) return [load, new CmpExpr(1, c % 6, be(address, 4))];
  const mask = c & 8 ? 0xffffff00 : c & 16 ? 0xff0000ff : 0xfffe0000;
  return [
    load,
    new BitwiseExpr(1, 1, 4, be(mask, 4), be(c & 32 ? 0x100 : 0, 4)),
    new CmpExpr(1, (c >> 6) & 1, be((address & mask) >>> 0, 4)),
  ];
}

function portTest({ a, b, c }: Piece): Expr[] {
  const offset = a & 1 ? 0 : 2;
  const load = new PayloadExpr(1, 2, offset, 2);
  const port = pick(PORTS, b);
  if (c % 4 === 0) return [load, new CmpExpr(1, c % 6, be(port, 2))];
  if (c % 4 === 1) return [load, new RangeExpr(1, (c >> 3) & 1, be(port, 2), be(port + 60, 2))];
  if (c % 4 === 2) {
    const set = new RuleSet({ name: '', keyLen: 2, constant: (c & 8) !== 0 });
    for (let i = 0; i <= a % 4; i++) set.add({ key: be(pick(PORTS, b + i), 2) }, 0);
    return [load, new LookupExpr(set, 1, null, (c & 16) !== 0)];
  }
  const set = new RuleSet({ name: '', keyLen: 2, interval: true, constant: (c & 8) !== 0 });
  set.add({ key: be(port, 2), keyEnd: be(port + 10, 2) }, 0);
  set.add({ key: be(port + 100, 2), keyEnd: be(port + 300, 2) }, 0);
  return [load, new LookupExpr(set, 1, null, (c & 16) !== 0)];
}

function wideTest({ a, b, c }: Piece): Expr[] {
  const key = Uint8Array.from([0xfd, ...new Array<number>(14).fill(0), 1 + (b % 3)]);
  const load = new PayloadExpr(1, 1, a & 1 ? 8 : 24, 16);
  if (c & 2) return [load, new CmpExpr(1, c & 1, key)];
  const mask = new Uint8Array(16).fill(0xff, 0, 8);
  const masked = key.map((byte, i) => byte & mask[i]!);
  return [load, new BitwiseExpr(1, 1, 16, mask, new Uint8Array(16)), new CmpExpr(1, c & 1, masked)];
}

function factTest({ a, b, c }: Piece): Expr[] {
  const op = c % 2;
  switch (a % 9) {
    case 0:
      return [new MetaExpr(1, M.NFT_META_L4PROTO), new CmpExpr(1, op, be(pick([6, 17, 1, 58], b), 1))];
    case 1:
      return [new MetaExpr(1, M.NFT_META_NFPROTO), new CmpExpr(1, op, be(pick([2, 10], b), 1))];
    case 2:
      return [new MetaExpr(1, M.NFT_META_IIF), new CmpExpr(1, op, le(2 + (b % 2), 4))];
    case 3:
      return [new MetaExpr(1, M.NFT_META_IIFNAME), new CmpExpr(1, op, nameBytes(b % 2 ? 'eth0' : 'eth1'))];
    case 4:
      return [new MetaExpr(1, M.NFT_META_OIFNAME), new CmpExpr(1, op, nameBytes('eth1').subarray(0, 3))];
    case 5:
      return [new MetaExpr(1, M.NFT_META_MARK), new CmpExpr(1, op, le(b % 3, 4))];
    case 6:
      return [
        new MetaExpr(1, M.NFT_META_MARK),
        new ByteorderExpr(1, 1, NFT_BYTEORDER_HTON, 4, 4),
        new CmpExpr(1, 2 + (c % 4), be(b % 3, 4)),
      ];
    case 7:
      return [
        new CtExpr(1, NFT_CT_STATE),
        new BitwiseExpr(1, 1, 4, le(pick([2, 4, 6, 8, 10], b), 4), new Uint8Array(4)),
        new CmpExpr(1, op, new Uint8Array(4)),
      ];
    default:
      return [
        new CtExpr(1, pick([NFT_CT_MARK, NFT_CT_STATUS], b)),
        new CmpExpr(1, op, le(b % 3, 4)),
        new CtExpr(1, NFT_CT_DIRECTION),
        new CmpExpr(1, 1, be(b & 1, 1)),
      ];
  }
}

function statement({ a, b, c }: Piece, named: RuleSet): Expr[] {
  switch (a % 10) {
    case 0:
      return [new CounterExpr()];
    case 1:
      return [new ImmediateExpr(1, le(b % 3, 4)), new MetaSetExpr(1, M.NFT_META_MARK)];
    case 2:
      return [new ImmediateExpr(1, le(b % 3, 4)), new CtSetExpr(1, NFT_CT_MARK)];
    case 3:
      return [new LimitExpr(1 + (b % 3), 1, 1, 0, c & 1)];
    case 4:
      return [new QuotaExpr(b * 20, c & 1)];
    case 5:
      return [new LogExpr({ prefix: `p${b}` })];
    case 6:
      return [
        new PayloadExpr(1, 1, 12, 4),
        new DynsetExpr(named, NFT_DYNSET_OP_ADD, 1, null, 0, [], (c & 1) === 1),
      ];
    case 7:
      return [new PayloadExpr(1, 1, 12, 4), new LookupExpr(named, 1, null, (c & 1) === 1)];
    case 8:
      return [new ImmediateExpr(1, be(pick(PORTS, b), 2)), new PayloadSetExpr(1, 2, 2, 2, 0, 0, 0)];
    default:
      return c % 4 === 0 ? [new UnknownExpr('x')] : [new CounterExpr(5, 6)];
  }
}

interface RulePlan {
  readonly tests: readonly Piece[];
  readonly end: number;
}

/** A base chain and two that it may jump to. */
function build(plan: readonly (readonly RulePlan[])[], legacy: boolean): Chain[] {
  const table = new TestTable(legacy ? 'legacy' : 'nft');
  const named = new RuleSet({ name: 'n', keyLen: 4, size: 3 });
  const chains = [table.base(NF_DROP), table.chain('a'), table.chain('b')];
  plan.forEach((rules, depth) => {
    const made = rules.map(({ tests, end }) => {
      const exprs = tests.flatMap((piece) => {
        const make = [addressTest, portTest, wideTest, factTest][piece.kind];
        return make === undefined ? statement(piece, named) : make(piece);
      });
      return [...exprs, ...ending(end, chains, depth, exprs.length)];
    });
    const chain = chains[depth]!;
    chain.rules = made.map((exprs) => new Rule(exprs, null, []));
    if (!legacy) return;
    for (const rule of chain.rules) rule.counters = { packets: 0, bytes: 0 };
    if (chain.base !== null) chain.policyCounters = { packets: 0, bytes: 0 };
  });
  return chains;
}

function ending(end: number, chains: readonly Chain[], depth: number, length: number): Expr[] {
  const next = chains[depth + 1];
  switch (end % 10) {
    case 0:
      return length === 0 ? [] : [new VerdictExpr(NF_ACCEPT)];
    case 1:
      return length === 0 ? [] : [new VerdictExpr(NF_DROP)];
    case 2:
      return [new VerdictExpr(NFT_RETURN)];
    case 3:
    case 4:
      return next === undefined ? [] : [new VerdictExpr(NFT_JUMP, next)];
    case 5:
      return next === undefined ? [] : [new VerdictExpr(NFT_GOTO, next)];
    case 6: {
      const map = new RuleSet({ name: '', keyLen: 1, map: 'verdict', constant: true });
      map.add({ key: be(6, 1), verdict: new VerdictExpr(NF_ACCEPT) }, 0);
      map.add(
        { key: be(17, 1), verdict: next ? new VerdictExpr(NFT_JUMP, next) : new VerdictExpr(NF_DROP) },
        0,
      );
      map.add({ key: be(1, 1), verdict: new VerdictExpr(NFT_CONTINUE) }, 0);
      return [new MetaExpr(1, M.NFT_META_L4PROTO), new LookupExpr(map, 1, NFT_REG_VERDICT)];
    }
    default:
      return [];
  }
}

function bytesOf({ a, b, c }: Piece): Uint8Array {
  const v6 = a % 4 === 3;
  const text = (i: number): string => (v6 ? `fd00::${1 + (i % 3)}` : be(pick(ADDRESSES, i), 4).join('.'));
  const ends = { src: text(b), dst: text(c) };
  const ports = { sport: pick(PORTS, c), dport: pick(PORTS, b >> 1) };
  if (a % 5 === 4) return v6 ? icmpv6Packet({ ...ends, type: 128 }) : icmpPacket({ ...ends, type: 8 });
  return a & 8 ? udpPacket({ ...ends, ...ports }) : tcpPacket({ ...ends, ...ports, flags: 2 });
}

/** All that can be seen of rules: what they counted, and what sets hold. */
function counted(chains: readonly Chain[]): unknown {
  return chains.map((chain) => [
    chain.policyCounters,
    chain.rules.map((rule) => [
      rule.counters,
      rule.exprs.map((expr) => (expr instanceof CounterExpr ? [expr.packets, expr.bytes] : 0)),
      rule.exprs.map((expr) => (expr instanceof LookupExpr ? expr.set.elements(0).length : 0)),
    ]),
  ]);
}

const piece = fc.record({
  kind: fc.nat(5),
  a: fc.nat(63),
  b: fc.nat(63),
  c: fc.nat(255),
});
const rule: fc.Arbitrary<RulePlan> = fc.record({
  tests: fc.array(piece, { maxLength: 4 }),
  end: fc.nat(9),
});
const rules = fc.oneof(fc.array(rule, { maxLength: 6 }), fc.array(rule, { minLength: 14, maxLength: 70 }));

test('the compiled run gives what evaluating expression by expression gives', () => {
  fc.assert(
    fc.property(
      fc.tuple(rules, rules, rules),
      fc.array(piece, { minLength: 1, maxLength: 12 }),
      fc.boolean(),
      (plan, packets, legacy) => {
        const fast = build(plan, legacy);
        const slow = build(plan, legacy);
        const [one, other] = [newState(), newState()];
        packets.forEach((p, i) => {
          const bytes = bytesOf(p);
          arrive(one, bytes, 1000 + i * 300);
          arrive(other, bytes, 1000 + i * 300);
          const verdict = runChain(fast[0]!, one);
          expect(verdict).toBe(traceChain(slow[0]!, other, SILENT));
          expect(fast.indexOf(one.chain!)).toBe(slow.indexOf(other.chain!));
          expect(one.rule === null ? -1 : one.chain!.rules.indexOf(one.rule)).toBe(
            other.rule === null ? -1 : other.chain!.rules.indexOf(other.rule),
          );
          expect([one.pkt.mark, one.effects]).toEqual([other.pkt.mark, other.effects]);
          expect(one.pkt.bytes.slice(one.pkt.off, one.pkt.end)).toEqual(
            other.pkt.bytes.slice(other.pkt.off, other.pkt.end),
          );
          one.conntrack.confirm(one.pkt);
          other.conntrack.confirm(other.pkt);
        });
        expect(counted(fast)).toEqual(counted(slow));
      },
    ),
    { numRuns: 250 },
  );
});
