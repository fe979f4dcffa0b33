import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH } from './extension.ts';

interface SecmarkSpec {
  context: string;
}

/** `-j SECMARK`: a security context for SELinux, which nothing here looks at. */
export const TARGET_SECMARK: Extension<SecmarkSpec> = {
  kind: 'target',
  name: 'SECMARK',
  families: XT_BOTH,
  tables: ['mangle', 'security'],
  options: [
    {
      name: 'selctx',
      required: true,
      parse: (spec, arg) => {
        spec.context = arg.text;
      },
    },
  ],
  init: () => ({ context: '' }),
  save: (spec) => `--selctx ${spec.context}`,
  lower: () => [new IgnoredExpr('target')],
};
