import { NF_INET_FORWARD, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { hexDigits } from './values.ts';
import { XtChange } from './xt-match.ts';

interface ClassifySpec {
  priority: number;
}

class ClassifyTarget extends XtChange {
  private readonly priority: number;

  constructor(priority: number) {
    super();
    this.priority = priority;
  }

  apply(state: HookState): void {
    state.pkt.priority = this.priority;
  }
}

/** `-j CLASSIFY`: the packet's traffic class. */
export const TARGET_CLASSIFY: Extension<ClassifySpec> = {
  kind: 'target',
  name: 'CLASSIFY',
  families: XT_BOTH,
  hooks: (1 << NF_INET_FORWARD) | (1 << NF_INET_LOCAL_OUT) | (1 << NF_INET_POST_ROUTING),
  options: [
    {
      name: 'set-class',
      required: true,
      parse: (spec, arg) => {
        const m = /^\s*(?:0[xX])?([0-9a-fA-F]+):(?:0[xX])?([0-9a-fA-F]+)/.exec(arg.text);
        if (m === null)
          throw new XtError(`Bad class value "${arg.text}"`, 'MAJOR:MINOR, both hexadecimal', 0);
        // What does not fit is cut off (measured).
        const [major, minor] = [Number.parseInt(m[1]!, 16), Number.parseInt(m[2]!, 16)];
        spec.priority = ((major & 0xffff) << 16) | (minor & 0xffff) | 0;
      },
    },
  ],
  init: () => ({ priority: 0 }),
  save: (spec) => `--set-class ${hexDigits(spec.priority >>> 16, 4)}:${hexDigits(spec.priority & 0xffff, 4)}`,
  lower: (spec) => [new ClassifyTarget(spec.priority)],
};
