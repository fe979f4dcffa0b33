import { F_EVENTS, FLAG_ACCT, ROW_WORDS } from '../conntrack/flow-table.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { readUint64, UINT64_MAX } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface ConnbytesSpec {
  from: bigint;
  to: bigint;
  inverted: boolean;
  mode: string;
  dir: string;
}

const MODES: readonly string[] = ['packets', 'bytes', 'avgpkt'];
const DIRS: readonly string[] = ['original', 'reply', 'both'];

/** How much of the packet's flow has passed. In Linux a rule of it switches accounting on (nf_conntrack_acct). */
class ConnbytesMatch extends XtMatch {
  /** Whoever runs it is to set nf_conntrack_acct. */
  readonly needsAccounting = true;
  private readonly from: number;
  private readonly to: number;
  private readonly inverted: boolean;
  private readonly mode: number;
  private readonly dir: number;

  constructor(spec: ConnbytesSpec) {
    super();
    this.from = Number(spec.from);
    this.to = Number(spec.to);
    this.inverted = spec.inverted;
    this.mode = MODES.indexOf(spec.mode);
    this.dir = DIRS.indexOf(spec.dir);
  }

  matches(state: HookState): boolean {
    const { flow } = state.pkt;
    const { counters, words } = state.conntrack.table;
    // A flow without counters matches nothing, negated or not.
    if (flow === 0 || counters === null || (words[flow * ROW_WORDS + F_EVENTS]! & FLAG_ACCT) === 0)
      return false;
    const amount = this.mode === 2 ? this.average(counters, flow) : this.sum(counters, flow, this.mode);
    return (amount >= this.from && amount <= this.to) !== this.inverted;
  }

  private average(counters: Float64Array, flow: number): number {
    const packets = this.sum(counters, flow, 0);
    return packets === 0 ? 0 : Math.floor(this.sum(counters, flow, 1) / packets);
  }

  /** @param what 0 packets, 1 bytes */
  private sum(counters: Float64Array, flow: number, what: number): number {
    const at = flow * 4 + what;
    if (this.dir === 2) return counters[at]! + counters[at + 2]!;
    return counters[at + 2 * this.dir]!;
  }
}

function number(text: string, missing: bigint): bigint {
  if (text === '') return missing;
  const value = readUint64(text);
  if (value === undefined)
    throw new XtError(
      `connbytes: bad value for option "--connbytes" near "${text}", or out of range (0-${UINT64_MAX})`,
      undefined,
      0,
    );
  return value;
}

/** `-m connbytes`: packets or bytes of the packet's flow so far. */
export const MATCH_CONNBYTES: Extension<ConnbytesSpec> = {
  kind: 'match',
  name: 'connbytes',
  families: XT_BOTH,
  options: [
    {
      name: 'connbytes',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        const [low, high] = arg.text.split(/:(.*)/s) as [string, string | undefined];
        spec.from = number(low, 0n);
        spec.to = high === undefined ? UINT64_MAX : number(high, UINT64_MAX);
        if (spec.from > spec.to)
          throw new XtError(`${spec.from} should be less than ${spec.to}`, undefined, 0);
        // The kernel is told by the ends changing places, so that a single number cannot be inverted (measured).
        spec.inverted = arg.inverted && spec.from !== spec.to;
      },
    },
    {
      name: 'connbytes-dir',
      required: true,
      parse: (spec, arg) => {
        if (!DIRS.includes(arg.text))
          throw new XtError(`Unknown --connbytes-dir \`${arg.text}'`, DIRS.join(', '), 0);
        spec.dir = arg.text;
      },
    },
    {
      name: 'connbytes-mode',
      required: true,
      parse: (spec, arg) => {
        if (!MODES.includes(arg.text))
          throw new XtError(`Unknown --connbytes-mode \`${arg.text}'`, MODES.join(', '), 0);
        spec.mode = arg.text;
      },
    },
  ],
  init: () => ({ from: 0n, to: UINT64_MAX, inverted: false, mode: '', dir: '' }),
  save: (spec) => {
    const range = spec.to === UINT64_MAX || spec.to === 0n ? `${spec.from}` : `${spec.from}:${spec.to}`;
    return `${spec.inverted ? '! ' : ''}--connbytes ${range} --connbytes-mode ${spec.mode} --connbytes-dir ${spec.dir}`;
  },
  lower: (spec) => [new ConnbytesMatch(spec)],
};
