import { AF_INET } from '../packet/packet.ts';
import { replaceChecksum, writable } from '../packet/rewrite.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XtError, type XtOption } from './extension.ts';
import { uintArg } from './values.ts';
import { XtChange } from './xt-match.ts';

/** What `-j TTL` and `-j HL` do. */
export interface HopChange {
  op: 'set' | 'dec' | 'inc';
  value: number;
}

class HopTarget extends XtChange {
  private readonly change: HopChange;

  constructor(change: HopChange) {
    super();
    this.change = change;
  }

  apply(state: HookState): void {
    const { pkt } = state;
    const isV4 = pkt.family === AF_INET;
    const at = isV4 ? 8 : 7;
    const old = pkt.view.getUint8(pkt.off + at);
    const next = this.next(old);
    if (next === old) return;
    writable(pkt);
    pkt.view.setUint8(pkt.off + at, next);
    if (isV4) replaceChecksum(pkt.view, pkt.off + 10, old << 8, next << 8);
  }

  private next(old: number): number {
    const { op, value } = this.change;
    if (op === 'set') return value;
    return op === 'dec' ? Math.max(0, old - value) : Math.min(255, old + value);
  }
}

/** `-j TTL` and `-j HL`, which differ in their names. */
export function hopTarget(name: string, families: readonly number[]): Extension<HopChange> {
  const ops = ['set', 'dec', 'inc'] as const;
  const prefix = name.toLowerCase();
  const option = (op: HopChange['op']): XtOption<HopChange> => ({
    name: `${prefix}-${op}`,
    excludes: ops.filter((o) => o !== op).map((o) => `${prefix}-${o}`),
    parse: (spec, arg) => {
      spec.op = op;
      spec.value = uintArg(arg, op === 'set' ? 0 : 1, 255);
    },
  });
  return {
    kind: 'target',
    name,
    families,
    tables: ['mangle'],
    options: ops.map(option),
    init: () => ({ op: 'set', value: 0 }),
    finish: (_, seen) => {
      if (seen.size === 0) throw new XtError(`${name}: You must specify an action`);
    },
    save: (spec) => `--${prefix}-${spec.op} ${spec.value}`,
    lower: (spec) => [new HopTarget(spec)],
  };
}
