import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import { BitwiseExpr } from '../rules/expr-bitwise.ts';
import { CmpExpr, NFT_CMP_EQ, NFT_CMP_NEQ } from '../rules/expr-cmp.ts';
import { NFT_PAYLOAD_TRANSPORT_HEADER, PayloadExpr } from '../rules/expr-payload.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_DROP, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, type XtArg, XtError } from './extension.ts';
import {
  anyPorts,
  isAny,
  joinMatches,
  lowerPorts,
  type PortTests,
  portHolds,
  portOptions,
  portWords,
} from './port-test.ts';
import { readUint } from './values.ts';

/** What `-m tcp` tests. */
export interface TcpSpec extends PortTests {
  flags: { mask: number; value: number; inverted: boolean } | null;
  /** The TCP option looked for, 0 for none. */
  option: number;
  optionInverted: boolean;
  /** All the matches that this one stands for, null if it is alone. */
  all: readonly TcpSpec[] | null;
}

const FLAGS: readonly [string, number][] = [
  ['FIN', 1],
  ['SYN', 2],
  ['RST', 4],
  ['PSH', 8],
  ['ACK', 16],
  ['URG', 32],
];
const SYN_MASK = 0x17;
const SYN_VALUE = 0x02;
const TCP_HEADER = 20;

function readFlags(text: string): number {
  let flags = 0;
  for (const word of text.split(',')) {
    const name = word.toUpperCase();
    if (name === '' || name === 'NONE') continue;
    const flag = name === 'ALL' ? 0x3f : FLAGS.find(([known]) => known === name)?.[1];
    if (flag === undefined)
      throw new XtError(`Unknown TCP flag \`${word}'`, 'known are FIN SYN RST PSH ACK URG ALL NONE');
    flags |= flag;
  }
  return flags;
}

function flagsText(flags: number): string {
  const names = FLAGS.filter(([, flag]) => (flags & flag) !== 0).map(([name]) => name);
  return names.length === 0 ? 'NONE' : names.join(',');
}

function setFlags(spec: TcpSpec, mask: number, value: number, inverted: boolean): void {
  if (spec.flags !== null) throw new XtError("Only one of `--syn' or `--tcp-flags'  allowed");
  spec.flags = { mask, value, inverted };
}

function setOption(spec: TcpSpec, arg: XtArg): void {
  if (spec.option !== 0) throw new XtError("Only one `--tcp-option' allowed");
  const option = readUint(arg.text, 1, 255);
  if (option === undefined) throw new XtError(`Bad TCP option "${arg.text}"`, undefined, 0);
  spec.option = option;
  spec.optionInverted = arg.inverted;
}

/** Whether the flags test says anything. */
function testsFlags(spec: TcpSpec): boolean {
  return spec.flags !== null && (spec.flags.mask !== 0 || spec.flags.value !== 0);
}

function flagExprs(spec: TcpSpec): Expr[] {
  if (spec.flags === null || spec.flags.mask === 0) return [];
  const { mask, value, inverted } = spec.flags;
  return [
    new PayloadExpr(1, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1),
    new BitwiseExpr(1, 1, 1, Uint8Array.of(mask), Uint8Array.of(0)),
    new CmpExpr(1, inverted ? NFT_CMP_NEQ : NFT_CMP_EQ, Uint8Array.of(value)),
  ];
}

function given(spec: TcpSpec): boolean {
  return (
    (spec.flags?.inverted ?? testsFlags(spec)) ||
    testsFlags(spec) ||
    spec.option !== 0 ||
    spec.sport.inverted ||
    spec.dport.inverted
  );
}

/** Whether nothing is asked: iptables-nft then puts the kernel's own match into the rule. */
function isBare(spec: TcpSpec): boolean {
  return isAny(spec.sport) && isAny(spec.dport) && !given(spec);
}

/** `-m tcp`: ports, flags, whether an option is there. */
export const MATCH_TCP: Extension<TcpSpec> = {
  kind: 'match',
  name: 'tcp',
  families: XT_BOTH,
  options: [
    ...portOptions<TcpSpec>('tcp', (name) => `Only one \`--${name}' allowed`),
    {
      name: 'syn',
      args: 0,
      invert: true,
      many: true,
      parse: (spec, arg) => setFlags(spec, SYN_MASK, SYN_VALUE, arg.inverted),
    },
    {
      name: 'tcp-flags',
      args: 2,
      invert: true,
      many: true,
      parse: (spec, arg) => setFlags(spec, readFlags(arg.words[0]!), readFlags(arg.words[1]!), arg.inverted),
    },
    { name: 'tcp-option', invert: true, many: true, parse: setOption },
  ],
  // Field by field: V8 makes a class of its own for each object that is spread here.
  init: () => {
    const { sport, dport } = anyPorts();
    return { sport, dport, flags: null, option: 0, optionInverted: false, all: null };
  },
  finish(_spec, _seen, ctx) {
    if (ctx.proto !== IPPROTO_TCP || (ctx.protoInverted && ctx.backend === 'legacy'))
      throw new XtError("TCP match requires '-p tcp'");
  },
  check(spec, facts) {
    // Without ports and flags, or with an option, iptables-nft puts the kernel's own match into the rule (measured).
    if (facts.protoInverted && (isBare(spec) || spec.option !== 0))
      throw new XtError('tcp match: only valid for protocol 6');
  },
  save(spec, ctx) {
    const words = portWords(spec, ctx);
    if (spec.option !== 0) words.push(`${spec.optionInverted ? '! ' : ''}--tcp-option ${spec.option}`);
    if (spec.flags !== null && (spec.flags.mask !== 0 || (spec.flags.inverted && ctx.backend === 'legacy')))
      words.push(
        `${spec.flags.inverted ? '! ' : ''}--tcp-flags ${flagsText(spec.flags.mask)} ${flagsText(spec.flags.value)}`,
      );
    return words.join(' ');
  },
  vanishes: (spec) =>
    given(spec) && spec.option === 0 && lowerPorts(spec).length === 0 && flagExprs(spec).length === 0,
  merge: mergeTcp,
  lower(spec, ctx) {
    if (ctx.backend === 'legacy' || spec.option !== 0) return [new TcpMatch(spec)];
    return (spec.all ?? [spec]).flatMap((one) => [...flagExprs(one), ...lowerPorts(one)]);
  },
};

function mergeTcp(spec: TcpSpec, second: TcpSpec): boolean {
  if (spec.option !== 0 || second.option !== 0 || isBare(spec) || isBare(second)) return false;
  joinMatches(spec, second);
  if (second.flags !== null)
    spec.flags = { ...second.flags, inverted: second.flags.inverted || spec.flags?.inverted === true };
  return true;
}

/** The kernel's own tcp match: a header that is cut off drops the packet, a later fragment does not match. */
class TcpMatch implements Expr {
  readonly name = 'match';
  private readonly spec: TcpSpec;

  constructor(spec: TcpSpec) {
    this.spec = spec;
  }

  eval(state: HookState): number {
    const { pkt } = state;
    const { spec } = this;
    // A fragment that begins within the header (RFC 1858) is dropped, other later ones just have no header.
    if (pkt.frag >= 8) return pkt.frag >>> 3 === 1 ? NF_DROP : NFT_BREAK;
    const { l4, view } = pkt;
    if (l4 < 0 || l4 + TCP_HEADER > pkt.end) return NF_DROP;
    if (!portHolds(spec.sport, view.getUint16(l4)) || !portHolds(spec.dport, view.getUint16(l4 + 2)))
      return NFT_BREAK;
    const { flags } = spec;
    if (flags !== null && ((view.getUint8(l4 + 13) & flags.mask) === flags.value) === flags.inverted)
      return NFT_BREAK;
    if (spec.option === 0) return NFT_CONTINUE;
    const length = (view.getUint8(l4 + 12) >> 4) << 2;
    if (length < TCP_HEADER || l4 + length > pkt.end) return NF_DROP;
    return hasOption(view, l4 + TCP_HEADER, l4 + length, spec.option) !== spec.optionInverted
      ? NFT_CONTINUE
      : NFT_BREAK;
  }
}

/** Walks over options by their lengths; one of length 0 or without a length counts as one byte. */
function hasOption(view: DataView, from: number, to: number, option: number): boolean {
  for (let at = from; at < to; ) {
    const kind = view.getUint8(at);
    if (kind === option) return true;
    if (kind < 2) at++;
    else at += (at + 1 < to ? view.getUint8(at + 1) : 0) || 1;
  }
  return false;
}
