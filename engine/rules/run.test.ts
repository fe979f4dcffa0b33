import { describe, expect, test } from 'vitest';
import { tcpPacket, udpPacket } from '../packet/build.ts';
import { Rule } from './chain.ts';
import { type Expr, UnknownExpr } from './expr.ts';
import { CmpExpr } from './expr-cmp.ts';
import { CounterExpr } from './expr-counter.ts';
import { ImmediateExpr } from './expr-immediate.ts';
import { LogExpr } from './expr-log.ts';
import { MetaExpr } from './expr-meta.ts';
import { MetaSetExpr } from './expr-meta-set.ts';
import { PayloadExpr } from './expr-payload.ts';
import { RangeExpr } from './expr-range.ts';
import { VerdictExpr } from './expr-verdict.ts';
import { NFT_META_L4PROTO, NFT_META_MARK } from './meta-keys.ts';
import { runChain } from './run.ts';
import { accepting, be, le, stateWith, TestTable } from './testing.mts';
import { type RuleTrace, traceChain } from './trace-run.ts';
import { NF_ACCEPT, NF_DROP, NF_UNKNOWN, NFT_CONTINUE, NFT_GOTO, NFT_JUMP, NFT_RETURN } from './verdict.ts';

const SYN = tcpPacket({ src: '10.0.0.2', dst: '10.1.0.2', sport: 1000, dport: 80, flags: 2 });
const DROP = new VerdictExpr(NF_DROP);
const ACCEPT = new VerdictExpr(NF_ACCEPT);
const RETURN = new VerdictExpr(NFT_RETURN);

function dport(port: number): Expr[] {
  return [
    new MetaExpr(1, NFT_META_L4PROTO),
    new CmpExpr(1, 0, be(6, 1)),
    new PayloadExpr(1, 2, 2, 2),
    new CmpExpr(1, 0, be(port, 2)),
  ];
}

describe('a base chain', () => {
  test('gives its policy where no rule decides, and the rule’s verdict where one does', () => {
    const table = new TestTable();
    const chain = table.base(NF_DROP, [...dport(22), ACCEPT]);
    const state = stateWith(SYN);
    expect(runChain(chain, state)).toBe(NF_DROP);
    expect([state.chain, state.rule]).toEqual([chain, null]);
    chain.rules = [new Rule([...dport(80), ACCEPT], null, [])];
    expect(runChain(chain, state)).toBe(NF_ACCEPT);
    expect(state.rule).toBe(chain.rules[0]);
  });

  test('gives its policy when a rule returns', () => {
    expect(runChain(accepting([RETURN], [DROP]), stateWith(SYN))).toBe(NF_ACCEPT);
  });

  test('asks rules of a chain first met by a jump, in its first packet already', () => {
    const table = new TestTable();
    // Offsets that no other test uses, so that their sources are new.
    const odd = [41, 43, 45, 47].flatMap((at) => [new PayloadExpr(1, 1, at, 1), new CmpExpr(1, 0, be(7, 1))]);
    const inner = table.chain('inner', [...odd, DROP]);
    const chain = table.base(NF_ACCEPT, [new VerdictExpr(NFT_JUMP, inner)]);
    const packet = udpPacket({
      src: '10.0.0.2',
      dst: '10.1.0.2',
      sport: 1,
      dport: 2,
      payload: new Uint8Array(40).fill(7),
    });
    expect(runChain(chain, stateWith(packet))).toBe(NF_DROP);
  });
});

describe('jumps', () => {
  test('come back behind the rule; goto comes back where its own chain would have', () => {
    const table = new TestTable();
    const counters = [1, 2, 3, 4].map(() => new CounterExpr());
    const last = table.chain('last', [counters[0]!]);
    const middle = table.chain('middle', [new VerdictExpr(NFT_GOTO, last)], [counters[1]!]);
    const chain = table.base(NF_ACCEPT, [new VerdictExpr(NFT_JUMP, middle)], [counters[2]!]);
    expect(runChain(chain, stateWith(SYN))).toBe(NF_ACCEPT);
    expect(counters.map(({ packets }) => packets)).toEqual([1, 0, 1, 0]);
  });

  test('go sixteen deep in nf_tables and no deeper, and as deep as they like in legacy tables', () => {
    const depth = (backend: 'nft' | 'legacy', length: number): number => {
      const table = new TestTable(backend);
      let inner = table.chain('c0', [ACCEPT]);
      for (let i = 1; i < length; i++) inner = table.chain(`c${i}`, [new VerdictExpr(NFT_JUMP, inner)]);
      const chain = table.base(NF_DROP, [new VerdictExpr(NFT_JUMP, inner)]);
      const verdict = runChain(chain, stateWith(SYN));
      expect(traceChain(chain, stateWith(SYN), trace([]))).toBe(verdict);
      return verdict;
    };
    expect([depth('nft', 16), depth('nft', 17), depth('legacy', 100)]).toEqual([
      NF_ACCEPT,
      NF_DROP,
      NF_ACCEPT,
    ]);
  });
});

describe('many rules', () => {
  const many = (decisive: readonly Expr[]): Expr[][] => [
    ...Array.from({ length: 600 }, (_, i) => [...dport(1000 + i), DROP]),
    [...decisive],
  ];

  test('are asked in their order: of several that match the first decides', () => {
    const rules = many([...dport(80), ACCEPT]);
    rules.splice(300, 0, [...dport(80), DROP]);
    const chain = accepting(...rules);
    const state = stateWith(SYN);
    expect(runChain(chain, state)).toBe(NF_DROP);
    expect(state.rule).toBe(chain.rules[300]);
  });

  test('are found at both ends of their ranges, and not beside them', () => {
    const ranges = Array.from({ length: 40 }, (_, i) => [1000 + 10 * i, 1004 + 10 * i] as const);
    const chain = accepting(
      ...ranges.map(([low, high]) => [
        new PayloadExpr(1, 2, 2, 2),
        new RangeExpr(1, 0, be(low, 2), be(high, 2)),
        DROP,
      ]),
    );
    for (const [i, [low, high]] of ranges.entries())
      for (const port of [low - 1, low, high, high + 1]) {
        const state = stateWith(
          tcpPacket({ src: '10.0.0.2', dst: '10.1.0.2', sport: 1, dport: port, flags: 2 }),
        );
        runChain(chain, state);
        expect(state.rule, `port ${port}`).toBe(port < low || port > high ? null : chain.rules[i]);
      }
  });

  test('see what a rule before them changed in the packet', () => {
    const marked = [new MetaExpr(1, NFT_META_MARK), new CmpExpr(1, 0, le(7, 4))];
    const rules = Array.from(
      { length: 40 },
      (_, i) => [new MetaExpr(1, NFT_META_MARK), new CmpExpr(1, 0, le(100 + i, 4)), ACCEPT] as Expr[],
    );
    rules.splice(20, 0, [new ImmediateExpr(1, le(7, 4)), new MetaSetExpr(1, NFT_META_MARK)]);
    rules.splice(30, 0, [...marked, DROP]);
    expect(runChain(accepting(...rules), stateWith(SYN))).toBe(NF_DROP);
  });
});

describe('what is not known', () => {
  const unknown = new UnknownExpr('no socket');

  test('makes the verdict unknown where it would have decided', () => {
    const chain = accepting([unknown, DROP]);
    const state = stateWith(SYN);
    expect(runChain(chain, state)).toBe(NF_UNKNOWN);
    expect([state.unknown, state.rule]).toEqual(['no socket', chain.rules[0]]);
  });

  test('does not matter where the rest leads to the same verdict, or where nothing hangs on it', () => {
    expect(runChain(accepting([unknown, ACCEPT]), stateWith(SYN))).toBe(NF_ACCEPT);
    expect(runChain(accepting([unknown, DROP], [...dport(80), DROP]), stateWith(SYN))).toBe(NF_DROP);
    expect(runChain(accepting([unknown, new CounterExpr()]), stateWith(SYN))).toBe(NF_ACCEPT);
  });

  test('does not matter where a test before it fails', () => {
    expect(runChain(accepting([...dport(22), unknown, DROP]), stateWith(SYN))).toBe(NF_ACCEPT);
  });
});

test('iptables counts a rule when its matches held, whatever its target says, and the policy', () => {
  const table = new TestTable('legacy');
  const chain = table.base(NF_ACCEPT, [...dport(80), new LogExpr({ prefix: 'x' })], [...dport(22), DROP], []);
  for (const rule of chain.rules) rule.counters = { packets: 0, bytes: 0 };
  chain.policyCounters = { packets: 0, bytes: 0 };
  const state = stateWith(SYN);
  runChain(chain, state);
  expect(chain.rules.map(({ counters }) => counters!.packets)).toEqual([1, 0, 1]);
  expect(chain.policyCounters).toEqual({ packets: 1, bytes: 40 });
  expect(state.effects.logs).toEqual(['x 4 0 -1']);
});

/** Notes every step as a line. */
function trace(lines: string[]): RuleTrace {
  return {
    enter: (chain, how) => lines.push(`${how} ${chain.name}`),
    matched: (chain, _rule, index, verdict, target) =>
      lines.push(`${chain.name} ${index} matched ${verdict}${target === null ? '' : ` ${target.name}`}`),
    unmatched: (chain, _rule, index, expr, part) =>
      lines.push(`${chain.name} ${index} failed at ${expr} (part ${part})`),
    unknown: (chain, _rule, index, _expr, _part, why) => lines.push(`${chain.name} ${index} unknown: ${why}`),
    returned: (chain) => lines.push(`returned from ${chain.name}`),
    policy: (chain, verdict) => lines.push(`policy of ${chain.name}: ${verdict}`),
  };
}

test('a traced run tells every step, and of a rule that failed which part of its text', () => {
  const table = new TestTable();
  const inner = table.chain('inner', [...dport(443), DROP]);
  const chain = table.base(NF_ACCEPT, [new VerdictExpr(NFT_JUMP, inner)], [new CounterExpr()]);
  const [rule] = inner.rules;
  inner.rules = [
    new Rule(rule!.exprs, null, [
      { first: 0, text: 'meta l4proto tcp' },
      { first: 2, text: 'tcp dport 443' },
      { first: 4, text: 'drop' },
    ]),
  ];
  const lines: string[] = [];
  expect(traceChain(chain, stateWith(SYN), trace(lines))).toBe(NF_ACCEPT);
  expect(lines).toEqual([
    'hook base',
    `base 0 matched ${NFT_JUMP} inner`,
    'jump inner',
    'inner 0 failed at 3 (part 1)',
    'returned from inner',
    `base 1 matched ${NFT_CONTINUE}`,
    `policy of base: ${NF_ACCEPT}`,
  ]);
});
