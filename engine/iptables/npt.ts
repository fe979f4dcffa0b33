import { fold } from '../packet/checksum.ts';
import { writable } from '../packet/rewrite.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_CONTINUE } from '../rules/verdict.ts';
import { addressText, hostAddress, prefixMask } from './address.ts';
import { type Extension, XT_IPV6, type XtArg, XtError } from './extension.ts';
import { readUint } from './values.ts';

interface Prefix {
  readonly words: readonly number[];
  readonly length: number;
}

/** What `-j SNPT` and `-j DNPT` map from and to. */
export interface NptSpec {
  src: Prefix | null;
  dst: Prefix | null;
}

const MAX_PREFIX = 64;
/** 0xffff: the other zero of one's complement sums, which an address must not hold (RFC 6296, section 3.6). */
const OTHER_ZERO = 0xffff;

function sumOf(words: readonly number[]): number {
  return fold(words.reduce((total, w) => total + (w >>> 16) + (w & 0xffff), 0));
}

/**
 * Translates a prefix without changing checksums (RFC 6296): the sum's difference goes into a group of the address
 * that is not part of the prefix.
 */
class NptTarget implements Expr {
  readonly name = 'target';
  private readonly at: number;
  private readonly length: number;
  private readonly to: readonly number[];
  private readonly adjustment: number;

  /** @param at where the address stands in the IPv6 header */
  constructor(spec: NptSpec, at: number) {
    this.at = at;
    this.length = Math.max(spec.src!.length, spec.dst!.length);
    this.to = spec.dst!.words;
    this.adjustment = fold(sumOf(spec.src!.words) + (~sumOf(spec.dst!.words) & 0xffff));
  }

  eval(state: HookState): number {
    const { pkt } = state;
    writable(pkt);
    const from = pkt.off + this.at;
    const mask = prefixMask(this.length, 10);
    for (let i = 0; i < 4; i++) {
      const word = pkt.view.getInt32(from + 4 * i);
      pkt.view.setInt32(from + 4 * i, (word & ~mask[i]!) | (this.to[i]! & mask[i]!));
    }
    let group = 3;
    if (this.length > 48) {
      group = 4;
      while (group < 8 && pkt.view.getUint16(from + 2 * group) === OTHER_ZERO) group++;
      if (group === 8) return NF_DROP;
    }
    const sum = fold(pkt.view.getUint16(from + 2 * group) + this.adjustment);
    pkt.view.setUint16(from + 2 * group, sum === OTHER_ZERO ? 0 : sum);
    return NFT_CONTINUE;
  }
}

function prefix(arg: XtArg): Prefix {
  const [host, length] = arg.text.split('/') as [string, string | undefined];
  const words = hostAddress(host, arg.ctx.family);
  const bits = length === undefined ? 128 : readUint(length, 0, 128);
  if (bits === undefined) throw new XtError(`${arg.owner}: bad prefix length "${arg.text}"`, undefined, 0);
  return { words, length: bits };
}

function checkPrefix(name: string, p: Prefix): void {
  if (p.length > MAX_PREFIX) throw new XtError(`${name}: a prefix is at most /${MAX_PREFIX}`);
  const mask = prefixMask(p.length, 10);
  if (p.words.some((w, i) => (w & ~mask[i]!) !== 0))
    throw new XtError(`${name}: ${addressText(p.words)} has bits behind its prefix`);
}

/** `-j SNPT` and `-j DNPT`, which differ in their names. @param at where the address stands in the header */
export function nptTarget(name: string, hooks: number, at: number): Extension<NptSpec> {
  return {
    kind: 'target',
    name,
    families: XT_IPV6,
    tables: ['mangle'],
    hooks,
    options: (['src', 'dst'] as const).map((key) => ({
      name: `${key}-pfx`,
      required: true,
      parse: (spec, arg) => {
        spec[key] = prefix(arg);
      },
    })),
    init: () => ({ src: null, dst: null }),
    check: (spec) => {
      checkPrefix(name, spec.src!);
      checkPrefix(name, spec.dst!);
    },
    save: ({ src, dst }) =>
      `--src-pfx ${addressText(src!.words)}/${src!.length} --dst-pfx ${addressText(dst!.words)}/${dst!.length}`,
    lower: (spec) => [new NptTarget(spec, at)],
  };
}
