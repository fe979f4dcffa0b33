import type { Expr } from '../engine/rules/expr.ts';
import { BitwiseExpr } from '../engine/rules/expr-bitwise.ts';
import { CmpExpr } from '../engine/rules/expr-cmp.ts';
import { MetaExpr } from '../engine/rules/expr-meta.ts';
import { PayloadExpr } from '../engine/rules/expr-payload.ts';
import { RangeExpr } from '../engine/rules/expr-range.ts';
import { VerdictExpr } from '../engine/rules/expr-verdict.ts';
import { NFT_META_L4PROTO } from '../engine/rules/meta-keys.ts';
import { NF_DROP } from '../engine/rules/verdict.ts';

/** What a rule asks of an IPv4 packet, TCP always. */
export interface BenchTest {
  readonly src?: readonly [address: number, bits: number];
  readonly dst?: readonly [address: number, bits: number];
  readonly dport?: readonly [low: number, high: number];
}

/** Kinds of rules, as performance.md describes them. */
export const KINDS: readonly string[] = ['shallow', 'deep', 'mix'];

const BENCHMARK_NET = 0xc6120000;

/** So many rules that match none of the packets. */
export function testsOf(kind: string, count: number): BenchTest[] {
  return Array.from({ length: count }, (_, i): BenchTest => {
    const port = 2000 + i;
    if (kind === 'shallow')
      return { src: [0xac100000 + i * 7, 32], dst: [BENCHMARK_NET, 15], dport: [port, port] };
    if (kind === 'deep') return { src: [0, 1], dport: [port % 400, port % 400] };
    switch (i % 4) {
      case 0:
        return { src: [0xac100000 + i * 256, 24] };
      case 1:
        return { dst: [BENCHMARK_NET + i * 256, 24], dport: [port, port + 10] };
      case 2:
        return { src: [0, 1], dport: [i % 400, (i % 400) + 2] };
      default:
        return { src: [0x0a000000 + ((i % 256) << 16), 16], dport: [(i % 400) + 1, (i % 400) + 1] };
    }
  });
}

function bytes(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (value >>> (8 * (length - 1 - i))) & 255);
}

/** 32 bits of which so many in front are set. */
export function maskOf(bits: number): number {
  return bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
}

function address(offset: number, [word, bits]: readonly [number, number]): Expr[] {
  const mask = maskOf(bits);
  const masked = (word & mask) >>> 0;
  const load = new PayloadExpr(1, 1, offset, 4);
  if (bits === 32) return [load, new CmpExpr(1, 0, bytes(word, 4))];
  return [
    load,
    new BitwiseExpr(1, 1, 4, bytes(mask, 4), new Uint8Array(4)),
    new CmpExpr(1, 0, bytes(masked, 4)),
  ];
}

/** The rules as nft would make them. */
export function chainRules(tests: readonly BenchTest[]): Expr[][] {
  return tests.map(({ src, dst, dport }) => {
    const out: Expr[] = [];
    if (src !== undefined) out.push(...address(12, src));
    if (dst !== undefined) out.push(...address(16, dst));
    if (dport !== undefined) {
      out.push(new MetaExpr(1, NFT_META_L4PROTO), new CmpExpr(1, 0, Uint8Array.of(6)));
      const load = new PayloadExpr(1, 2, 2, 2);
      if (dport[0] === dport[1]) out.push(load, new CmpExpr(1, 0, bytes(dport[0], 2)));
      else out.push(load, new RangeExpr(1, 0, bytes(dport[0], 2), bytes(dport[1], 2)));
    }
    out.push(new VerdictExpr(NF_DROP));
    return out;
  });
}
