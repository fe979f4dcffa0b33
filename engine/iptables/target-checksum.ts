import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH } from './extension.ts';

/** `-j CHECKSUM`: fills in a checksum that was left to the network card. A captured packet has it. */
export const TARGET_CHECKSUM: Extension<null> = {
  kind: 'target',
  name: 'CHECKSUM',
  families: XT_BOTH,
  tables: ['mangle'],
  options: [{ name: 'checksum-fill', args: 0, required: true, parse: () => {} }],
  init: () => null,
  save: () => '--checksum-fill',
  lower: () => [new IgnoredExpr('target')],
};
