import { IgnoredExpr } from '../rules/expr-ignored.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';

interface AuditSpec {
  type: string;
}

/** `-j AUDIT`: a record for the audit system. */
export const TARGET_AUDIT: Extension<AuditSpec> = {
  kind: 'target',
  name: 'AUDIT',
  families: XT_BOTH,
  options: [
    {
      name: 'type',
      required: true,
      parse: (spec, arg) => {
        const type = arg.text.toLowerCase();
        if (!['accept', 'drop', 'reject'].includes(type))
          throw new XtError(`Bad action type value "${arg.text}"`, 'accept, drop or reject', 0);
        spec.type = type;
      },
    },
  ],
  init: () => ({ type: '' }),
  save: (spec) => `--type ${spec.type}`,
  lower: () => [new IgnoredExpr('target')],
};
