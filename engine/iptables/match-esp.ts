import { type Extension, XT_BOTH } from './extension.ts';
import { allSpis, SpiMatch, type SpiRange, spiOption, spiText } from './spi-range.ts';

/** `-m esp`: the index of encrypted packets (RFC 4303). */
export const MATCH_ESP: Extension<SpiRange> = {
  kind: 'match',
  name: 'esp',
  families: XT_BOTH,
  protocols: [50],
  options: [spiOption('espspi')],
  init: allSpis,
  save: (spec) => spiText('espspi', spec),
  lower: (spec) => [new SpiMatch(spec, 0, 4, 8)],
};
