import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';

interface ConnsecmarkSpec {
  mode: 'save' | 'restore' | null;
}

/** `-j CONNSECMARK`: the security mark of the flow, which nothing here looks at. */
export const TARGET_CONNSECMARK: Extension<ConnsecmarkSpec> = {
  kind: 'target',
  name: 'CONNSECMARK',
  families: XT_BOTH,
  tables: ['mangle', 'security'],
  options: (['save', 'restore'] as const).map((name) => ({
    name,
    args: 0,
    excludes: [name === 'save' ? 'restore' : 'save'],
    parse: (spec) => {
      spec.mode = name;
    },
  })),
  init: () => ({ mode: null }),
  finish: (spec) => {
    if (spec.mode === null) throw new XtError('CONNSECMARK target: parameter required');
  },
  save: (spec) => `--${spec.mode}`,
  lower: () => [new IgnoredExpr('target')],
};
