import { AF_INET } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import { addressText, readAddress } from './address.ts';
import { type Extension, XT_BOTH, type XtArg, XtError } from './extension.ts';
import { XtMatch } from './xt-match.ts';

interface Range {
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly inverted: boolean;
}

interface IprangeSpec {
  src: Range | null;
  dst: Range | null;
}

/** Whether the address at an offset is not below (sign 1) or not above (sign -1) another. */
function bounds(view: DataView, at: number, words: readonly number[], sign: number): boolean {
  for (let i = 0; i < words.length; i++) {
    const difference = view.getUint32(at + 4 * i) - (words[i]! >>> 0);
    if (difference !== 0) return difference * sign > 0;
  }
  return true;
}

class IprangeMatch extends XtMatch {
  private readonly spec: IprangeSpec;

  constructor(spec: IprangeSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { pkt } = state;
    const isV4 = pkt.family === AF_INET;
    return (
      inside(pkt.view, pkt.off + (isV4 ? 12 : 8), this.spec.src) &&
      inside(pkt.view, pkt.off + (isV4 ? 16 : 24), this.spec.dst)
    );
  }
}

function inside(view: DataView, at: number, range: Range | null): boolean {
  if (range === null) return true;
  return (bounds(view, at, range.from, 1) && bounds(view, at, range.to, -1)) !== range.inverted;
}

function one(text: string, arg: XtArg): readonly number[] {
  // Measured: names are not looked up here, not even localhost.
  const words = /^[a-z]/i.test(text) && !text.includes(':') ? undefined : readAddress(text, arg.ctx.family);
  if (words === undefined)
    throw new XtError(`iprange match: Bad IP address '${text}' for option "--${arg.name}"`, undefined, 0);
  return words;
}

function range(arg: XtArg): Range {
  const [first, second] = arg.text.split(/-(.*)/s) as [string, string | undefined];
  const from = one(first, arg);
  const to = second === undefined ? from : one(second, arg);
  // A range whose end comes before its beginning is taken, though it matches nothing (measured).
  return { from, to, inverted: arg.inverted };
}

function text(name: string, r: Range | null): string[] {
  if (r === null) return [];
  return [`${r.inverted ? '! ' : ''}--${name} ${addressText(r.from)}-${addressText(r.to)}`];
}

/** `-m iprange`: addresses from one to another. */
export const MATCH_IPRANGE: Extension<IprangeSpec> = {
  kind: 'match',
  name: 'iprange',
  families: XT_BOTH,
  options: [
    {
      name: 'src-range',
      invert: true,
      parse: (spec, arg) => {
        spec.src = range(arg);
      },
    },
    {
      name: 'dst-range',
      invert: true,
      parse: (spec, arg) => {
        spec.dst = range(arg);
      },
    },
  ],
  init: () => ({ src: null, dst: null }),
  finish: (_, seen) => {
    if (seen.size === 0) throw new XtError("iprange match: You must specify `--src-range' or `--dst-range'");
  },
  save: (spec) => [...text('src-range', spec.src), ...text('dst-range', spec.dst)].join(' '),
  lower: (spec) => [new IprangeMatch(spec)],
};
