import { type Extension, XT_BOTH } from './extension.ts';
import { SpiMatch, type SpiRange, spiOption, spiText } from './spi-range.ts';

interface IpcompSpec extends SpiRange {
  compres: boolean;
}

/** `-m ipcomp`: the index of compressed packets (RFC 3173). */
export const MATCH_IPCOMP: Extension<IpcompSpec> = {
  kind: 'match',
  name: 'ipcomp',
  families: XT_BOTH,
  protocols: [108],
  options: [
    spiOption<IpcompSpec>('ipcompspi'),
    {
      name: 'compres',
      args: 0,
      parse: (spec) => {
        spec.compres = true;
      },
    },
  ],
  // Without a range it is the index 0 (measured).
  init: () => ({ low: 0, high: 0, inverted: false, compres: false }),
  save: (spec) =>
    [spiText('ipcompspi', spec), spec.compres ? '--compres' : ''].filter((word) => word !== '').join(' '),
  lower: (spec) => [new SpiMatch(spec, 2, 2, 4)],
};
