import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import type { XtArg, XtOption } from './extension.ts';
import { transportAt } from './transport.ts';
import { rangeArg } from './values.ts';

/** A range of security parameter indexes. */
export interface SpiRange {
  low: number;
  high: number;
  inverted: boolean;
}

/** All of them. */
export function allSpis(): SpiRange {
  return { low: 0, high: 0xffffffff, inverted: false };
}

/** `--NAMEspi spi[:spi]`. */
export function spiOption<S extends SpiRange>(name: string): XtOption<S> {
  return {
    name,
    invert: true,
    parse: (spec: S, arg: XtArg) => {
      [spec.low, spec.high] = rangeArg(arg, ':', 0, 0xffffffff);
      spec.inverted = arg.inverted;
    },
  };
}

/** As it is saved: '' for all indexes, even where they are inverted and nothing matches (measured). */
export function spiText(name: string, { low, high, inverted }: SpiRange): string {
  if (low === 0 && high === 0xffffffff) return '';
  return `${inverted ? '! ' : ''}--${name} ${low === high ? low : `${low}:${high}`}`;
}

/** Whether an index is in the range, or just not. */
export function spiHolds(range: SpiRange, spi: number): boolean {
  return (spi >= range.low && spi <= range.high) !== range.inverted;
}

/** The index of a transport header; a cut one drops the packet, a later fragment has none. */
export class SpiMatch implements Expr {
  readonly name = 'match';
  private readonly range: SpiRange;
  private readonly at: number;
  private readonly size: number;
  private readonly length: number;

  /** @param at where the index stands, `size` 2 or 4 bytes, `length` of the header that has to be there */
  constructor(range: SpiRange, at: number, size: number, length: number) {
    this.range = range;
    this.at = at;
    this.size = size;
    this.length = length;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if ((pkt.frag & ~1) !== 0) return NFT_BREAK;
    const l4 = transportAt(pkt);
    if (l4 < 0 || l4 + this.length > pkt.end) return NF_DROP;
    const spi = this.size === 4 ? pkt.view.getUint32(l4 + this.at) : pkt.view.getUint16(l4 + this.at);
    return spiHolds(this.range, spi) ? NFT_CONTINUE : NFT_BREAK;
  }
}
