import { UnknownExpr } from '../rules/expr.ts';
import { NFPROTO_IPV4 } from '../rules/family.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { uintArg } from './values.ts';

type Key =
  | 'src-prefix'
  | 'dst-prefix'
  | 'sport-mask'
  | 'dport-mask'
  | 'spi-mask'
  | 'sport'
  | 'dport'
  | 'spi'
  | 'proto-mask'
  | 'rnd'
  | 'mod'
  | 'offset';

interface HmarkSpec {
  readonly values: Map<Key, number>;
  ct: boolean;
  /** What --hmark-tuple stood for, which cannot be said again (measured). */
  readonly tuple: Set<Key>;
}

/** What each word of --hmark-tuple stands for. */
const TUPLE: ReadonlyMap<string, readonly [Key, number]> = new Map([
  ['src', ['src-prefix', 128]],
  ['dst', ['dst-prefix', 128]],
  ['sport', ['sport-mask', 0xffff]],
  ['dport', ['dport-mask', 0xffff]],
  ['spi', ['spi-mask', 0xffffffff]],
  ['proto', ['proto-mask', 0xffff]],
]);

/** In the order in which they are saved, with the number of hexadecimal digits, 0 for decimal. */
const SAVED: readonly (readonly [Key, number])[] = [
  ['src-prefix', 0],
  ['dst-prefix', 0],
  ['sport-mask', 4],
  ['dport-mask', 4],
  ['spi-mask', 8],
  ['sport', 4],
  ['dport', 4],
  ['spi', 8],
  ['proto-mask', 2],
  ['rnd', 8],
  ['mod', 0],
  ['offset', 0],
];

function whole(arg: XtArg): number {
  return arg.ctx.family === NFPROTO_IPV4 ? 32 : 128;
}

function tuple(spec: HmarkSpec, arg: XtArg): void {
  for (const word of arg.text.split(',')) {
    const known = TUPLE.get(word);
    if (word === 'ct') spec.ct = true;
    else if (known === undefined)
      throw new XtError(`HMARK: unknown tuple part \`${word}'`, `${[...TUPLE.keys()].join(', ')}, ct`, 0);
    else {
      spec.values.set(known[0], known[0].endsWith('prefix') ? whole(arg) : known[1]);
      spec.tuple.add(known[0]);
    }
  }
}

function option(key: Key, max: (arg: XtArg) => number): XtOption<HmarkSpec> {
  return {
    name: `hmark-${key}`,
    parse: (spec, arg) => {
      if (spec.tuple.has(key))
        throw new XtError(`HMARK: option "--hmark-${key}" can only be used once`, undefined, 0);
      spec.values.set(key, uintArg(arg, 0, max(arg)));
    },
  };
}

function save(spec: HmarkSpec): string {
  const words = SAVED.flatMap(([key, digits]) => {
    const value = spec.values.get(key);
    if (value === undefined || (key === 'offset' && value === 0)) return [];
    const text = digits === 0 ? `${value}` : `0x${value.toString(16).padStart(digits, '0')}`;
    return [`--hmark-${key} ${text}`];
  });
  return [...words, ...(spec.ct ? ['--hmark-tuple ct'] : [])].join(' ');
}

const port = (): number => 0xffff;
const word = (): number => 0xffffffff;

/** `-j HMARK`: a mark by a hash of the packet's addresses and ports. */
export const TARGET_HMARK: Extension<HmarkSpec> = {
  kind: 'target',
  name: 'HMARK',
  families: XT_BOTH,
  options: [
    { name: 'hmark-tuple', parse: tuple },
    option('mod', word),
    option('offset', word),
    option('rnd', word),
    option('src-prefix', whole),
    option('dst-prefix', whole),
    option('sport-mask', port),
    option('dport-mask', port),
    option('spi-mask', word),
    option('sport', port),
    option('dport', port),
    option('spi', word),
    option('proto-mask', port),
  ],
  init: () => ({ values: new Map(), ct: false, tuple: new Set() }),
  finish: (spec, seen) => {
    if (!seen.has('hmark-mod') || spec.values.get('mod') === 0) throw new XtError('--hmark-mod is mandatory');
    if (!seen.has('hmark-rnd')) throw new XtError('--hmark-rnd is mandatory');
    const said = [...spec.values.keys()].some((k) => k !== 'mod' && k !== 'rnd' && k !== 'offset');
    if (!said && !spec.ct) throw new XtError('you have to specify --hmark-tuple at least');
  },
  save,
  lower: () => [new UnknownExpr('the hash of HMARK is not supported')],
};
