import { AF_INET } from '../packet/packet.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XtError, type XtOption } from './extension.ts';
import { uintArg } from './values.ts';
import { XtMatch } from './xt-match.ts';

/** What `-m ttl` and `-m hl` ask. */
export interface HopTest {
  op: 'eq' | 'ne' | 'lt' | 'gt';
  value: number;
}

class HopMatch extends XtMatch {
  private readonly test: HopTest;

  constructor(test: HopTest) {
    super();
    this.test = test;
  }

  matches(state: HookState): boolean {
    const { pkt } = state;
    const hops = pkt.view.getUint8(pkt.off + (pkt.family === AF_INET ? 8 : 7));
    const { op, value } = this.test;
    switch (op) {
      case 'eq':
        return hops === value;
      case 'ne':
        return hops !== value;
      case 'lt':
        return hops < value;
      default:
        return hops > value;
    }
  }
}

/** `-m ttl` and `-m hl`, which differ in their names. */
export function hopMatch(name: string, families: readonly number[]): Extension<HopTest> {
  const option = (op: 'eq' | 'lt' | 'gt', aliases: readonly string[] = []): XtOption<HopTest> => ({
    name: `${name}-${op}`,
    aliases,
    invert: op === 'eq',
    excludes: ['eq', 'lt', 'gt'].filter((o) => o !== op).map((o) => `${name}-${o}`),
    parse: (spec, arg) => {
      spec.value = uintArg(arg, 0, 255);
      spec.op = arg.inverted ? 'ne' : op;
    },
  });
  return {
    kind: 'match',
    name,
    families,
    options: [option('eq', [name]), option('lt'), option('gt')],
    init: () => ({ op: 'eq', value: 0 }),
    finish: (_, seen) => requireOne(name, seen),
    save: (spec) =>
      spec.op === 'ne' ? `! --${name}-eq ${spec.value}` : `--${name}-${spec.op} ${spec.value}`,
    lower: (spec) => [new HopMatch(spec)],
  };
}

function requireOne(name: string, seen: ReadonlySet<string>): void {
  if (seen.size !== 1)
    throw new XtError(
      name === 'ttl'
        ? "TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt"
        : "HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'",
    );
}
