import type { Packet } from '../packet/packet.ts';
import { type Extension, XT_IPV6, type XtOption } from './extension.ts';
import { HeaderMatch } from './ipv6-find.ts';
import { allSpis, type SpiRange, spiHolds, spiOption, spiText } from './spi-range.ts';
import { uintArg } from './values.ts';

interface FragSpec extends SpiRange {
  length: { readonly value: number; readonly inverted: boolean } | null;
  res: boolean;
  first: boolean;
  more: boolean;
  last: boolean;
}

const FRAGMENT = 44;

/** IPv6's fragment header (RFC 8200, section 4.5). Its length is always 8, and Linux does not look at it. */
class FragMatch extends HeaderMatch {
  private readonly spec: FragSpec;

  constructor(spec: FragSpec) {
    super(FRAGMENT, 8);
    this.spec = spec;
  }

  matchesAt(pkt: Packet, at: number): boolean {
    if (!spiHolds(this.spec, pkt.view.getUint32(at + 4))) return false;
    const offset = pkt.view.getUint16(at + 2);
    const { res, first, more, last } = this.spec;
    if (res && (pkt.view.getUint8(at + 1) !== 0 || (offset & 6) !== 0)) return false;
    if (first && (offset & 0xfff8) !== 0) return false;
    return !(more && (offset & 1) === 0) && !(last && (offset & 1) !== 0);
  }
}

function flag(
  name: string,
  key: 'res' | 'first' | 'more' | 'last',
  excludes: readonly string[] = [],
): XtOption<FragSpec> {
  return {
    name,
    args: 0,
    excludes,
    parse: (spec) => {
      spec[key] = true;
    },
  };
}

/** `-m frag`: fragments of IPv6. */
export const MATCH_FRAG: Extension<FragSpec> = {
  kind: 'match',
  name: 'frag',
  families: XT_IPV6,
  options: [
    spiOption<FragSpec>('fragid'),
    {
      name: 'fraglen',
      invert: true,
      parse: (spec, arg) => {
        spec.length = { value: uintArg(arg), inverted: arg.inverted };
      },
    },
    flag('fragres', 'res'),
    flag('fragfirst', 'first'),
    flag('fragmore', 'more', ['fraglast']),
    flag('fraglast', 'last', ['fragmore']),
  ],
  init: () => ({ ...allSpis(), length: null, res: false, first: false, more: false, last: false }),
  save: (spec) =>
    [
      spiText('fragid', spec),
      spec.length === null ? '' : `${spec.length.inverted ? '! ' : ''}--fraglen ${spec.length.value}`,
      spec.res ? '--fragres' : '',
      spec.first ? '--fragfirst' : '',
      spec.more ? '--fragmore' : '',
      spec.last ? '--fraglast' : '',
    ]
      .filter((w) => w !== '')
      .join(' '),
  lower: (spec) => [new FragMatch(spec)],
};
