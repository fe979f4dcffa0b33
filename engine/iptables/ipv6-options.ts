import type { Packet } from '../packet/packet.ts';
import { type Extension, XT_IPV6, type XtArg, XtError } from './extension.ts';
import { HeaderMatch } from './ipv6-find.ts';
import { readUint, scanUint, uintArg } from './values.ts';

/** What `-m hbh` and `-m dst` ask. */
export interface Ipv6Options {
  length: { readonly value: number; readonly inverted: boolean } | null;
  /** Type and length of options, in the order in which they must stand; length -1 is any. */
  options: readonly (readonly [number, number])[] | null;
}

/** Most options of a rule. */
const MAX_OPTIONS = 16;

/** The options of a hop-by-hop or destination header (RFC 8200, section 4.2). */
class OptionsMatch extends HeaderMatch {
  private readonly spec: Ipv6Options;

  constructor(spec: Ipv6Options, header: number) {
    super(header, 2);
    this.spec = spec;
  }

  override bytesAt(pkt: Packet, at: number): number {
    return (pkt.view.getUint8(at + 1) + 1) << 3;
  }

  matchesAt(pkt: Packet, at: number): boolean {
    const bytes = this.bytesAt(pkt, at);
    const { length, options } = this.spec;
    if (length !== null && (bytes === length.value) === length.inverted) return false;
    return options === null || optionsMatch(pkt.view, at + 2, at + bytes, pkt.end, options);
  }
}

/** Whether options stand there one after another, beginning with the first (kernel: hbh_mt6). */
function optionsMatch(
  view: DataView,
  from: number,
  end: number,
  packetEnd: number,
  options: readonly (readonly [number, number])[],
): boolean {
  let at = from;
  for (let i = 0; i < options.length; i++) {
    const [type, length] = options[i]!;
    if (at >= end || view.getUint8(at) !== type) return false;
    let bytes = 1;
    if (type !== 0) {
      if (at + 2 > end) return false;
      const own = view.getUint8(at + 1);
      if (length >= 0 && length !== own) return false;
      bytes = own + 2;
    }
    at += bytes;
    // What is left must hold as much again, unless this was the last one (measured on the kernel's code path).
    if (i < options.length - 1 && (at > packetEnd - bytes || end - at < bytes)) return false;
  }
  return true;
}

function parseOptions(arg: XtArg): [number, number][] {
  const words = arg.text.split(',');
  if (words.length > MAX_OPTIONS)
    throw new XtError('too many addresses specified', `at most ${MAX_OPTIONS} options`, 0);
  return words.map((word) => {
    const [type, length] = word.split(':') as [string, string | undefined];
    const number = scanUint(type);
    if (number === null || number.end !== type.length)
      throw new XtError(`${arg.owner}: no valid digits in opt \`${word}'`, undefined, 0);
    const size = length === undefined ? -1 : readUint(length);
    if (size === undefined)
      throw new XtError(`${arg.owner}: no valid digits in opt \`${word}'`, undefined, 0);
    if ((number.value & 255) === 0 && length !== undefined)
      throw new XtError("PAD0 hasn't got length", undefined, 0);
    // What does not fit into a byte is cut off; a length of 255 is any (measured).
    return [number.value & 255, size < 0 || (size & 255) === 255 ? -1 : size & 255];
  });
}

/** `-m hbh` and `-m dst`, which differ in their names. @param header number of the extension header */
export function optionsExtension(name: string, header: number): Extension<Ipv6Options> {
  return {
    kind: 'match',
    name,
    families: XT_IPV6,
    options: [
      {
        name: `${name}-len`,
        invert: true,
        parse: (spec, arg) => {
          spec.length = { value: uintArg(arg), inverted: arg.inverted };
        },
      },
      {
        name: `${name}-opts`,
        parse: (spec, arg) => {
          spec.options = parseOptions(arg);
        },
      },
    ],
    init: () => ({ length: null, options: null }),
    save: ({ length, options }) =>
      [
        length === null ? '' : `${length.inverted ? '! ' : ''}--${name}-len ${length.value}`,
        options === null
          ? ''
          : `--${name}-opts ${options.map(([t, l]) => (l < 0 ? t : `${t}:${l}`)).join(',')}`,
      ]
        .filter((w) => w !== '')
        .join(' '),
    lower: (spec) => [new OptionsMatch(spec, header)],
  };
}
