import { didYouMean } from '../base/suggest.ts';
import { IPPROTO_DCCP } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { type GivenPorts, givenPortOptions, givenPortWords, noPortsGiven, portHolds } from './port-test.ts';
import type { Negatable } from './rule.ts';
import { uintArg } from './values.ts';

interface DccpSpec extends GivenPorts {
  /** Bits 1 << type. */
  types: Negatable<number> | null;
  option: Negatable<number> | null;
}

/** Packet types by number (RFC 4340 section 5.1); INVALID stands for the reserved ones. */
const TYPES = [
  'REQUEST',
  'RESPONSE',
  'DATA',
  'ACK',
  'DATAACK',
  'CLOSEREQ',
  'CLOSE',
  'RESET',
  'SYNC',
  'SYNCACK',
  'INVALID',
];
/** Its place in {@link TYPES}, and the bits that it stands for: types 10 to 15 (measured). */
const INVALID = 10;
const RESERVED_TYPES = 0xfc00;
const DCCP_HEADER = 12;

function readTypes(text: string): number {
  let types = 0;
  for (const word of text.split(',')) {
    if (word === '') continue;
    const type = TYPES.indexOf(word.toUpperCase());
    if (type < 0) {
      const near = didYouMean(word.toUpperCase(), TYPES);
      throw new XtError(`Unknown DCCP type \`${word}'`, near, 0);
    }
    types |= type === INVALID ? RESERVED_TYPES : 1 << type;
  }
  return types;
}

function save(spec: DccpSpec): string {
  const words = givenPortWords(spec);
  const put = (inverted: boolean, text: string): void => {
    words.push(`${inverted ? '! ' : ''}${text}`);
  };
  const { types, option } = spec;
  if (types !== null)
    put(types.inverted, `--dccp-types ${TYPES.filter((_, i) => types.value & (1 << i)).join(',')}`);
  if (option !== null) put(option.inverted, `--dccp-option ${option.value}`);
  return words.join(' ');
}

/** `-m dccp`: ports, packet types, whether an option is there. */
export const MATCH_DCCP: Extension<DccpSpec> = {
  kind: 'match',
  name: 'dccp',
  families: XT_BOTH,
  protocols: [IPPROTO_DCCP],
  options: [
    ...givenPortOptions<DccpSpec>(undefined),
    {
      name: 'dccp-types',
      invert: true,
      parse(spec, arg) {
        spec.types = { value: readTypes(arg.text), inverted: arg.inverted };
      },
    },
    {
      name: 'dccp-option',
      invert: true,
      parse(spec, arg) {
        spec.option = { value: uintArg(arg, 1, 255), inverted: arg.inverted };
      },
    },
  ],
  init: () => ({ ...noPortsGiven(), types: null, option: null }),
  save,
  lower: (spec) => [new DccpMatch(spec)],
};

/** The kernel's dccp match: a header that is cut off drops the packet, a later fragment does not match. */
class DccpMatch implements Expr {
  readonly name = 'match';
  private readonly spec: DccpSpec;

  constructor(spec: DccpSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { l4, view, end, frag } = state.pkt;
    const { spec } = this;
    if (frag >= 8) return NFT_BREAK;
    if (l4 < 0 || l4 + DCCP_HEADER > end) return NF_DROP;
    if (!portHolds(spec.sport, view.getUint16(l4)) || !portHolds(spec.dport, view.getUint16(l4 + 2)))
      return NFT_BREAK;
    const type = (view.getUint8(l4 + 8) >> 1) & 0x0f;
    if (spec.types !== null && ((spec.types.value >> type) & 1) === (spec.types.inverted ? 1 : 0))
      return NFT_BREAK;
    if (spec.option === null) return NFT_CONTINUE;
    const found = findOption(view, l4, end, type, spec.option.value);
    if (found < 0) return NF_DROP;
    return (found === 1) !== spec.option.inverted ? NFT_CONTINUE : NFT_BREAK;
  }
}

/** What each type adds to the generic header before the options, of 12 bytes and 16 (measured); those not named add 12. */
const TYPE_LENGTHS: readonly number[] = [4, 12, 0, 8, 8, 8, 8, 12, 8, 8];

function headerLength(view: DataView, l4: number, type: number): number {
  const generic = (view.getUint8(l4 + 8) & 1) === 1 ? 16 : DCCP_HEADER;
  return generic + (TYPE_LENGTHS[type] ?? 12);
}

/** Options below this have no length: to the kernel it is not the 32 of RFC 4340, section 5.8 (measured). */
const WITH_LENGTH = 2;

/** @returns 1 if the option is there, 0 if not, -1 if the header is malformed */
function findOption(view: DataView, l4: number, end: number, type: number, option: number): number {
  const length = view.getUint8(l4 + 4) * 4;
  let at = l4 + headerLength(view, l4, type);
  const last = l4 + length;
  if (length < DCCP_HEADER || at > last || last > end) return -1;
  while (at < last) {
    const kind = view.getUint8(at);
    if (kind === option) return 1;
    if (kind < WITH_LENGTH) at++;
    else at += (at + 1 < last ? view.getUint8(at + 1) : 0) || 1;
  }
  return 0;
}
