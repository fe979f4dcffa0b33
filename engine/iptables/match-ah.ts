import type { Packet } from '../packet/packet.ts';
import { type Extension, XT_IPV4, XT_IPV6 } from './extension.ts';
import { HeaderMatch } from './ipv6-find.ts';
import { allSpis, SpiMatch, type SpiRange, spiHolds, spiOption, spiText } from './spi-range.ts';
import { uintArg } from './values.ts';

const AH = 51;
const AH_HEADER = 12;

interface Ah6Spec extends SpiRange {
  length: { readonly value: number; readonly inverted: boolean } | null;
  reserved: boolean;
}

/** An authentication header among IPv6's extension headers. */
class Ah6Match extends HeaderMatch {
  private readonly spec: Ah6Spec;

  constructor(spec: Ah6Spec) {
    super(AH, AH_HEADER);
    this.spec = spec;
  }

  override bytesAt(pkt: Packet, at: number): number {
    return (pkt.view.getUint8(at + 1) + 2) << 2;
  }

  matchesAt(pkt: Packet, at: number): boolean {
    const { length, reserved } = this.spec;
    const bytes = this.bytesAt(pkt, at);
    if (!spiHolds(this.spec, pkt.view.getUint32(at + 4))) return false;
    // A length of 0 asks for none.
    if (length !== null && length.value !== 0 && (bytes === length.value) === length.inverted) return false;
    return !reserved || pkt.view.getUint16(at + 2) === 0;
  }
}

/** `-m ah` of IPv4: the index of authenticated packets (RFC 4302). */
export const MATCH_AH: Extension<SpiRange> = {
  kind: 'match',
  name: 'ah',
  families: XT_IPV4,
  protocols: [AH],
  options: [spiOption('ahspi')],
  init: allSpis,
  save: (spec) => spiText('ahspi', spec),
  lower: (spec) => [new SpiMatch(spec, 4, 4, AH_HEADER)],
};

/** `-m ah` of IPv6: the authentication header. */
export const MATCH_AH6: Extension<Ah6Spec> = {
  kind: 'match',
  name: 'ah',
  families: XT_IPV6,
  options: [
    spiOption<Ah6Spec>('ahspi'),
    {
      name: 'ahlen',
      invert: true,
      parse: (spec, arg) => {
        spec.length = { value: uintArg(arg), inverted: arg.inverted };
      },
    },
    {
      name: 'ahres',
      args: 0,
      parse: (spec) => {
        spec.reserved = true;
      },
    },
  ],
  init: () => ({ ...allSpis(), length: null, reserved: false }),
  save: (spec) =>
    [
      spiText('ahspi', spec),
      spec.length === null || (spec.length.value === 0 && !spec.length.inverted)
        ? ''
        : `${spec.length.inverted ? '! ' : ''}--ahlen ${spec.length.value}`,
      spec.reserved ? '--ahres' : '',
    ]
      .filter((w) => w !== '')
      .join(' '),
  lower: (spec) => [new Ah6Match(spec)],
};
