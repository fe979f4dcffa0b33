import { didYouMean } from '../base/suggest.ts';
import { IPPROTO_TCP } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import { NFT_REJECT_ICMP_UNREACH, NFT_REJECT_TCP_RST, RejectExpr } from '../rules/expr-reject.ts';
import { NF_INET_FORWARD, NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT, NFPROTO_IPV4 } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';

/** A kind of answer: name, other name, code of ICMP or ICMPv6, -1 for a TCP reset. */
type RejectKind = readonly [name: string, alias: string, code: number];

const RESET: RejectKind = ['tcp-reset', 'tcp-rst', -1];

/** In the real tool's order, since the beginning of a name is enough and the first that has it is taken (measured). */
const KINDS4: readonly RejectKind[] = [
  ['icmp-net-unreachable', 'net-unreach', 0],
  ['icmp-host-unreachable', 'host-unreach', 1],
  ['icmp-proto-unreachable', 'proto-unreach', 2],
  ['icmp-port-unreachable', 'port-unreach', 3],
  ['icmp-net-prohibited', 'net-prohib', 9],
  ['icmp-host-prohibited', 'host-prohib', 10],
  RESET,
  ['icmp-admin-prohibited', 'admin-prohib', 13],
];
const KINDS6: readonly RejectKind[] = [
  ['icmp6-no-route', 'no-route', 0],
  ['icmp6-adm-prohibited', 'adm-prohibited', 1],
  ['icmp6-addr-unreachable', 'addr-unreach', 3],
  ['icmp6-port-unreachable', 'port-unreach', 4],
  RESET,
  ['icmp6-policy-fail', 'policy-fail', 5],
  ['icmp6-reject-route', 'reject-route', 6],
];

function kindsOf(family: number): readonly RejectKind[] {
  return family === NFPROTO_IPV4 ? KINDS4 : KINDS6;
}

function readKind(text: string, family: number): RejectKind {
  const lower = text.toLowerCase();
  const kinds = kindsOf(family);
  const kind = kinds.find(([name, alias]) => name.startsWith(lower) || alias.startsWith(lower));
  if (kind !== undefined) return kind;
  const near = didYouMean(
    lower,
    kinds.map(([name]) => name),
  );
  throw new XtError(`unknown reject type "${text}"`, near, 0);
}

/** `-j REJECT`: drops the packet and answers it. */
export const TARGET_REJECT: Extension<{ kind: RejectKind }> = {
  kind: 'target',
  name: 'REJECT',
  families: XT_BOTH,
  tables: ['filter'],
  hooks: (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_FORWARD) | (1 << NF_INET_LOCAL_OUT),
  options: [
    {
      name: 'reject-with',
      parse(spec, arg) {
        spec.kind = readKind(arg.text, arg.ctx.family);
      },
    },
  ],
  init: (ctx) => ({ kind: kindsOf(ctx.family)[3]! }),
  check(spec, facts) {
    if (spec.kind === RESET && (facts.proto !== IPPROTO_TCP || facts.protoInverted))
      throw new XtError('REJECT target: --reject-with tcp-reset is invalid for non-TCP: it requires -p tcp');
  },
  save: (spec) => `--reject-with ${spec.kind[0]}`,
  lower(spec) {
    const code = spec.kind[2];
    return [new RejectTarget(code < 0 ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH, Math.max(0, code))];
  },
};

/** Rejects as nf_tables' expression does, which calls the same functions of the kernel. */
class RejectTarget implements Expr {
  readonly name = 'target';
  private readonly reject: RejectExpr;

  constructor(type: number, code: number) {
    this.reject = new RejectExpr(type, code);
  }

  eval(state: HookState): number {
    return this.reject.eval(state);
  }
}
