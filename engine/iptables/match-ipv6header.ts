import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_IPV6, XtError } from './extension.ts';
import { XtMatch } from './xt-match.ts';

interface Ipv6headerSpec {
  headers: number;
  inverted: boolean;
  soft: boolean;
}

/** Bits, short and long name, number. */
const HEADERS: readonly (readonly [number, string, string, number])[] = [
  [128, 'hop', 'hop-by-hop', 0],
  [64, 'dst', 'ipv6-opts', 60],
  [32, 'route', 'ipv6-route', 43],
  [16, 'frag', 'ipv6-frag', 44],
  [8, 'auth', 'ah', 51],
  [4, 'esp', 'esp', 50],
  [2, 'none', 'ipv6-nonxt', 59],
  [1, 'prot', 'protocol', -1],
];
/** What else the names stand for: 255 is what comes behind all headers (measured). */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ['255', 'prot'],
  ['hopopt', 'hop'],
]);
const PROTOCOL = 1;
const NO_NEXT = 59;
const ESP = 50;

/** Which extension headers a packet has. */
class Ipv6headerMatch extends XtMatch {
  private readonly spec: Ipv6headerSpec;

  constructor(spec: Ipv6headerSpec) {
    super();
    this.spec = spec;
  }

  matches(state: HookState): boolean {
    const { headers, inverted, soft } = this.spec;
    const found = headersOf(state);
    if (found < 0) return false;
    if (soft) return ((found ^ headers ^ (inverted ? 255 : 0)) & headers) === 0;
    return (found === headers) !== inverted;
  }
}

/** Bits of the headers, -1 if one is cut. */
function headersOf(state: HookState): number {
  const { view, off, end } = state.pkt;
  let next = view.getUint8(off + 6);
  let at = off + 40;
  let found = 0;
  for (;;) {
    const bit = bitOf(next);
    if (next === NO_NEXT) {
      found |= bit;
      break;
    }
    if (bit === 0) break;
    if (end - at < 2) return -1;
    const size = view.getUint8(at + 1);
    found |= bit;
    const length = next === 44 ? 8 : next === 51 ? (size + 2) << 2 : (size + 1) << 3;
    next = view.getUint8(at);
    at += length;
    if (at > end) break;
  }
  // Encrypted payload is neither a header that is stepped over nor a protocol.
  return next === NO_NEXT || next === ESP ? found : found | PROTOCOL;
}

/** The bit of a header that is stepped over, 0 for what is none. */
function bitOf(next: number): number {
  switch (next) {
    case 0:
      return 128;
    case 60:
      return 64;
    case 43:
      return 32;
    case 44:
      return 16;
    case 51:
      return 8;
    case NO_NEXT:
      return 2;
    default:
      return 0;
  }
}

function read(text: string): number {
  let bits = 0;
  for (const word of text.split(',')) {
    if (word === '') continue;
    const name = ALIASES.get(word.toLowerCase()) ?? word;
    const known = HEADERS.find(
      ([, short, long, n]) => name === short || name === long || (n >= 0 && name === `${n}`),
    );
    if (known === undefined)
      throw new XtError(
        `unknown header \`${word}' specified`,
        HEADERS.map(([, short]) => short).join(', '),
        0,
      );
    bits |= known[0];
  }
  if (bits === 0) throw new XtError('ip6t_ipv6header: cannot parse header names', undefined, 0);
  return bits;
}

/** `-m ipv6header`: which extension headers there are. */
export const MATCH_IPV6HEADER: Extension<Ipv6headerSpec> = {
  kind: 'match',
  name: 'ipv6header',
  families: XT_IPV6,
  options: [
    {
      name: 'header',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        spec.headers = read(arg.text);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'soft',
      args: 0,
      parse: (spec) => {
        spec.soft = true;
      },
    },
  ],
  init: () => ({ headers: 0, inverted: false, soft: false }),
  save: (spec) => {
    const names = HEADERS.filter(([bit]) => (spec.headers & bit) !== 0).map(([, , long]) => long);
    return `${spec.inverted ? '! ' : ''}--header ${names.join(',')}${spec.soft ? ' --soft' : ''}`;
  },
  lower: (spec) => [new Ipv6headerMatch(spec)],
};
