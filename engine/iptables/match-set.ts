import type { CounterTest, SetQuery } from '../ipset/set-base.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { plainQuery, readSetRef, type SetRef, setRefText } from './ipset-world.ts';
import { readUint } from './values.ts';
import { XtMatch } from './xt-match.ts';

interface SetSpec {
  ref: SetRef | null;
  inverted: boolean;
  returnNomatch: boolean;
  keepsCounters: boolean;
  keepsSubcounters: boolean;
  packets: CounterTest | null;
  bytes: CounterTest | null;
}

class SetMatch extends XtMatch {
  private readonly ref: SetRef;
  private readonly query: SetQuery;
  private readonly inverted: boolean;

  constructor(spec: SetSpec) {
    super();
    this.ref = spec.ref!;
    this.inverted = spec.inverted;
    this.query = {
      ...plainQuery(this.ref),
      keepsCounters: spec.keepsCounters,
      keepsSubcounters: spec.keepsSubcounters,
      wantsNomatch: spec.returnNomatch,
      packets: spec.packets,
      bytes: spec.bytes,
    };
  }

  matches(state: HookState): boolean {
    return this.ref.slot.set.match(state, this.query) !== this.inverted;
  }
}

function counter(arg: XtArg): number {
  const value = readUint(arg.text, 0, 2 ** 64);
  if (value === undefined) throw new XtError(`can't parse number for --${arg.name}`, undefined, 0);
  return value;
}

function counterOption(what: 'packets' | 'bytes', word: 'eq' | 'lt' | 'gt'): XtOption<SetSpec> {
  const words = ['eq', 'lt', 'gt'].filter((w) => w !== word);
  return {
    name: `${what}-${word}`,
    invert: word === 'eq',
    excludes: words.map((w) => `${what}-${w}`),
    parse: (spec, arg) => {
      const op = word === 'eq' ? (arg.inverted ? '!' : '=') : word === 'lt' ? '<' : '>';
      spec[what] = { op, value: counter(arg) };
    },
  };
}

function counterText(what: string, test: CounterTest | null): string[] {
  if (test === null) return [];
  const word = test.op === '<' ? 'lt' : test.op === '>' ? 'gt' : 'eq';
  return [`${test.op === '!' ? '! ' : ''}--${what}-${word} ${test.value}`];
}

const OPTIONS: readonly XtOption<SetSpec>[] = [
  {
    name: 'match-set',
    aliases: ['set'],
    args: 2,
    invert: true,
    parse: (spec, arg) => {
      spec.ref = readSetRef(arg.words[0]!, arg.words[1]!, arg.ctx);
      spec.inverted = arg.inverted;
    },
  },
  {
    name: 'return-nomatch',
    args: 0,
    parse: (spec) => {
      spec.returnNomatch = true;
    },
  },
  {
    name: 'update-counters',
    args: 0,
    invert: true,
    parse: (spec, arg) => {
      spec.keepsCounters = arg.inverted;
    },
  },
  {
    name: 'update-subcounters',
    args: 0,
    invert: true,
    parse: (spec, arg) => {
      spec.keepsSubcounters = arg.inverted;
    },
  },
  ...(['packets', 'bytes'] as const).flatMap((what) =>
    (['eq', 'lt', 'gt'] as const).map((word) => counterOption(what, word)),
  ),
];

/** `-m set`: whether the packet's addresses and ports are in an IP set. */
export const MATCH_SET: Extension<SetSpec> = {
  kind: 'match',
  name: 'set',
  families: XT_BOTH,
  options: OPTIONS,
  init: () => ({
    ref: null,
    inverted: false,
    returnNomatch: false,
    keepsCounters: false,
    keepsSubcounters: false,
    packets: null,
    bytes: null,
  }),
  finish: (spec) => {
    if (spec.ref === null) throw new XtError("You must specify `--match-set' with proper arguments");
  },
  save: (spec) =>
    [
      `${spec.inverted ? '! ' : ''}--match-set ${setRefText(spec.ref!)}`,
      ...(spec.returnNomatch ? ['--return-nomatch'] : []),
      ...(spec.keepsCounters ? ['! --update-counters'] : []),
      ...(spec.keepsSubcounters ? ['! --update-subcounters'] : []),
      ...counterText('packets', spec.packets),
      ...counterText('bytes', spec.bytes),
    ].join(' '),
  lower: (spec) => [new SetMatch(spec)],
};
