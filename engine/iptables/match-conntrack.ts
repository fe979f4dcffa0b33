import { didYouMean } from '../base/suggest.ts';
import * as F from '../conntrack/flow-table.ts';
import { IPS_ASSURED, IPS_CONFIRMED, IPS_EXPECTED, IPS_SEEN_REPLY } from '../conntrack/status.ts';
import { NFT_CT_STATE } from '../rules/ct-keys.ts';
import type { Expr } from '../rules/expr.ts';
import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import { CmpExpr, NFT_CMP_EQ, NFT_CMP_NEQ } from '../rules/expr-cmp.ts';
import * as S from '../rules/expr-ct.ts';
import { addressText } from './address.ts';
import { ConntrackMatch, type ConntrackTests, STATE_DNAT, STATE_SNAT } from './conntrack-match.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { optionMaskText, optionNetwork } from './option-address.ts';
import { portRangeText, readLooseRange } from './ports.ts';
import { readProtocol } from './protocols.ts';
import type { Negatable } from './rule.ts';
import { rangeArg } from './values.ts';

type Names = readonly (readonly [string, number])[];

/** In the order of the listing. */
const STATES: Names = [
  ['INVALID', S.NF_CT_STATE_INVALID],
  ['NEW', S.NF_CT_STATE_NEW],
  ['RELATED', S.NF_CT_STATE_RELATED],
  ['ESTABLISHED', S.NF_CT_STATE_ESTABLISHED],
  ['UNTRACKED', S.NF_CT_STATE_UNTRACKED],
];
const CTSTATES: Names = [...STATES, ['SNAT', STATE_SNAT], ['DNAT', STATE_DNAT]];
const STATUSES: Names = [
  ['NONE', 0],
  ['EXPECTED', IPS_EXPECTED],
  ['SEEN_REPLY', IPS_SEEN_REPLY],
  ['ASSURED', IPS_ASSURED],
  ['CONFIRMED', IPS_CONFIRMED],
];

/** Names or their beginnings with commas between, in any case of letters. */
function readNames(arg: XtArg, names: Names, what: string): number {
  let bits = 0;
  for (const word of arg.text.split(',')) {
    const upper = word.toUpperCase();
    if (upper === '')
      throw new XtError(
        `"--${arg.name}" requires a list of ${what === 'state' ? 'states' : 'statuses'} with no spaces, e.g. ${names[3]![0]}`,
        undefined,
        0,
      );
    const found = names.find(([name]) => name.startsWith(upper));
    if (found === undefined) {
      const near = didYouMean(
        upper,
        names.map(([name]) => name),
      );
      throw new XtError(`Bad ${what} "${word}"`, near, 0);
    }
    bits |= found[1];
  }
  return bits;
}

function namesText(bits: number, names: Names): string {
  return names
    .filter(([, bit]) => (bits & bit) !== 0)
    .map(([name]) => name)
    .join(',');
}

function negated(test: Negatable<unknown>, text: string): string {
  return `${test.inverted ? '! ' : ''}${text}`;
}

/** The test of the state as `ct state` does it. */
function lowerState(state: Negatable<number>): Expr[] {
  const zero = new Uint8Array(4);
  return [
    new S.CtExpr(1, NFT_CT_STATE),
    new BitwiseExpr(1, 1, 4, Uint8Array.of(state.value & 0xff, state.value >> 8, 0, 0), zero),
    new CmpExpr(1, state.inverted ? NFT_CMP_EQ : NFT_CMP_NEQ, zero),
  ];
}

const ADDRESSES = ['ctorigsrc', 'ctorigdst', 'ctreplsrc', 'ctrepldst'];
const ADDRESS_FIELDS = [F.F_SRC, F.F_DST, F.F_RSRC, F.F_RDST];
const PORTS = ['ctorigsrcport', 'ctorigdstport', 'ctreplsrcport', 'ctrepldstport'];
const PORT_FIELDS = [F.F_PORTS, F.F_PORTS, F.F_RPORTS, F.F_RPORTS];

function addressOption(name: string, index: number): XtOption<ConntrackTests> {
  return {
    name,
    invert: true,
    parse(spec, arg) {
      spec.addresses[index] = {
        value: optionNetwork(arg),
        inverted: arg.inverted,
        field: ADDRESS_FIELDS[index]!,
      };
    },
  };
}

function portOption(name: string, index: number): XtOption<ConntrackTests> {
  return {
    name,
    invert: true,
    parse(spec, arg) {
      const shift = index % 2 === 0 ? 16 : 0;
      spec.ports[index] = {
        value: readLooseRange(arg.text),
        inverted: arg.inverted,
        field: PORT_FIELDS[index]!,
        shift,
      };
    },
  };
}

function readDirection(arg: XtArg): number {
  const word = arg.text.toUpperCase();
  if (word === 'ORIGINAL') return 0;
  if (word === 'REPLY') return 1;
  throw new XtError(`conntrack: Bad value for "--ctdir" option: "${arg.text}"`, 'ORIGINAL or REPLY', 0);
}

const OPTIONS: readonly XtOption<ConntrackTests>[] = [
  {
    name: 'ctstate',
    invert: true,
    parse(spec, arg) {
      spec.state = { value: readNames(arg, CTSTATES, 'state'), inverted: arg.inverted };
    },
  },
  {
    name: 'ctproto',
    invert: true,
    parse(spec, arg) {
      spec.proto = { value: readProtocol(arg.text), inverted: arg.inverted };
    },
  },
  ...ADDRESSES.map(addressOption),
  ...PORTS.map(portOption),
  {
    name: 'ctstatus',
    invert: true,
    parse(spec, arg) {
      spec.status = { value: readNames(arg, STATUSES, 'ctstatus'), inverted: arg.inverted };
    },
  },
  {
    name: 'ctexpire',
    invert: true,
    parse(spec, arg) {
      spec.expire = { value: rangeArg(arg, ':', 0, 0xffffffff), inverted: arg.inverted };
    },
  },
  {
    name: 'ctdir',
    parse(spec, arg) {
      spec.direction = readDirection(arg);
    },
  },
];

function save(spec: ConntrackTests): string {
  const words: string[] = [];
  if (spec.state !== null)
    words.push(negated(spec.state, `--ctstate ${namesText(spec.state.value, CTSTATES)}`));
  if (spec.proto !== null) words.push(negated(spec.proto, `--ctproto ${spec.proto.value}`));
  for (const [i, test] of spec.addresses.entries()) {
    if (test === null) continue;
    const { addr, mask } = test.value;
    words.push(negated(test, `--${ADDRESSES[i]} ${addressText(addr)}${optionMaskText(mask)}`));
  }
  for (const [i, test] of spec.ports.entries())
    if (test !== null)
      words.push(
        negated(test, `--${PORTS[i]} ${portRangeText([test.value[0], test.value[1] || test.value[0]])}`),
      );
  if (spec.status !== null)
    words.push(negated(spec.status, `--ctstatus ${namesText(spec.status.value, STATUSES) || 'NONE'}`));
  if (spec.expire !== null)
    words.push(
      negated(spec.expire, `--ctexpire ${portRangeText([spec.expire.value[0], spec.expire.value[1]])}`),
    );
  if (spec.direction !== null) words.push(`--ctdir ${spec.direction === 0 ? 'ORIGINAL' : 'REPLY'}`);
  return words.join(' ');
}

function noTests(): ConntrackTests {
  return {
    state: null,
    proto: null,
    addresses: [null, null, null, null],
    ports: [null, null, null, null],
    status: null,
    expire: null,
    direction: null,
  };
}

function onlyPlainState(spec: ConntrackTests): boolean {
  const { state, proto, addresses, ports, status, expire, direction } = spec;
  if (state === null || state.value >= STATE_SNAT) return false;
  const others = [proto, ...addresses, ...ports, status, expire, direction];
  return others.every((test) => test === null);
}

/** `-m conntrack`: state and other facts of the packet's flow. */
export const MATCH_CONNTRACK: Extension<ConntrackTests> = {
  kind: 'match',
  name: 'conntrack',
  families: XT_BOTH,
  options: OPTIONS,
  init: noTests,
  finish(_spec, seen) {
    if (seen.size === 0) throw new XtError('conntrack: At least one option is required');
  },
  save,
  lower(spec, ctx) {
    return onlyPlainState(spec) ? lowerState(spec.state!) : [new ConntrackMatch(spec, ctx.family)];
  },
};

/** `-m state`: the older name of `-m conntrack --ctstate`. */
export const MATCH_STATE: Extension<{ state: Negatable<number> }> = {
  kind: 'match',
  name: 'state',
  families: XT_BOTH,
  options: [
    {
      name: 'state',
      invert: true,
      required: true,
      parse(spec, arg) {
        spec.state = { value: readNames(arg, STATES, 'state'), inverted: arg.inverted };
      },
    },
  ],
  init: () => ({ state: { value: 0, inverted: false } }),
  save: (spec) => negated(spec.state, `--state ${namesText(spec.state.value, STATES)}`),
  lower: (spec) => lowerState(spec.state),
};
