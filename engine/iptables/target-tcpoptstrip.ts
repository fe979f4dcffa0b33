import { replaceChecksum, writable } from '../packet/rewrite.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { readUint } from './values.ts';

interface TcpoptstripSpec {
  options: Set<number>;
}

const TCP_HEADER = 20;
const NOP = 1;
const NAMES: ReadonlyMap<string, number> = new Map([
  ['wscale', 3],
  ['mss', 2],
  ['sack-permitted', 4],
  ['sack', 5],
  ['timestamp', 8],
  ['md5', 19],
]);

/** Overwrites TCP options with padding. Cut headers are dropped. */
class TcpoptstripTarget implements Expr {
  readonly name = 'target';
  /** 1 for each option to take out. */
  private readonly stripped: Uint8Array = new Uint8Array(256);

  constructor(spec: TcpoptstripSpec) {
    for (const option of spec.options) this.stripped[option] = 1;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    if ((pkt.frag & ~1) !== 0) return NFT_CONTINUE;
    if (pkt.l4 < 0 || pkt.l4 + TCP_HEADER > pkt.end) return NF_DROP;
    const length = (pkt.view.getUint8(pkt.l4 + 12) >> 4) << 2;
    if (length < TCP_HEADER || pkt.l4 + length > pkt.end) return NF_DROP;
    for (let i = TCP_HEADER; i < length - 1; ) {
      const kind = pkt.view.getUint8(pkt.l4 + i);
      const size = kind <= NOP ? 1 : pkt.view.getUint8(pkt.l4 + i + 1) || 1;
      if (i + size > length) break;
      if (this.stripped[kind] === 1) strip(state, i, size);
      i += size;
    }
    return NFT_CONTINUE;
  }
}

function strip(state: HookState, from: number, size: number): void {
  const { pkt } = state;
  writable(pkt);
  const { view, l4 } = pkt;
  for (let i = from; i < from + size; i++) {
    const shift = i % 2 === 0 ? 8 : 0;
    replaceChecksum(view, l4 + 16, view.getUint8(l4 + i) << shift, NOP << shift);
    view.setUint8(l4 + i, NOP);
  }
}

/** `-j TCPOPTSTRIP`: takes options out of TCP headers. */
export const TARGET_TCPOPTSTRIP: Extension<TcpoptstripSpec> = {
  kind: 'target',
  name: 'TCPOPTSTRIP',
  families: XT_BOTH,
  tables: ['mangle'],
  protocols: [6],
  options: [
    {
      name: 'strip-options',
      parse: (spec, arg) => {
        for (const word of arg.text.split(',')) {
          const option = NAMES.get(word) ?? readUint(word, 0, 255);
          if (option === undefined) throw new XtError(`Bad TCP option value "${word}"`, undefined, 0);
          if (option <= 1) throw new XtError('Option value may not be 0 or 1', undefined, 0);
          if (spec.options.has(option)) throw new XtError(`Option "${word}" already specified`, undefined, 0);
          spec.options.add(option);
        }
      },
    },
  ],
  init: () => ({ options: new Set() }),
  save: ({ options }) =>
    options.size === 0 ? '' : `--strip-options ${[...options].sort((a, b) => a - b).join(',')}`,
  lower: (spec) => [new TcpoptstripTarget(spec)],
};
