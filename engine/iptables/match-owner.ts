import { IPPROTO_ICMP, IPPROTO_ICMPV6 } from '../packet/protocols.ts';
import type { Expr } from '../rules/expr.ts';
import { mayHaveSocket, NO_PROCESS } from '../rules/expr-meta.ts';
import { NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING } from '../rules/family.ts';
import type { HookState } from '../rules/hook-state.ts';
import { NF_UNKNOWN, NFT_BREAK, NFT_CONTINUE } from '../rules/verdict.ts';
import { type Extension, XT_BOTH, type XtArg, XtError, type XtOption } from './extension.ts';
import { DEBIAN_GROUPS, DEBIAN_USERS } from './users.ts';
import { readUint } from './values.ts';

interface Ids {
  readonly from: number;
  readonly to: number;
  readonly inverted: boolean;
}

interface OwnerSpec {
  uid: Ids | null;
  gid: Ids | null;
  /** Null if not asked. */
  socketExists: { readonly inverted: boolean } | null;
  supplGroups: boolean;
}

/** Whose socket sent the packet. A forwarded packet has none; whose it is otherwise no capture says. */
class OwnerMatch implements Expr {
  readonly name = 'match';
  readonly unknowable: string = NO_PROCESS;
  /** Without a socket it matches only if all that is asked is negated (measured). */
  private readonly withoutSocket: number;
  /** With a socket of the kernel's own, which no process has open (measured). */
  private readonly withKernelSocket: number;

  constructor({ uid, gid, socketExists }: OwnerSpec) {
    const ids = [uid, gid].filter((a) => a !== null).every((a) => a.inverted);
    this.withoutSocket = ids && socketExists?.inverted !== false ? NFT_CONTINUE : NFT_BREAK;
    this.withKernelSocket = ids && socketExists?.inverted !== true ? NFT_CONTINUE : NFT_BREAK;
  }

  eval(state: HookState): number {
    const { proto } = state.pkt;
    // Linux sends ICMP errors by a socket of its own, resets without one.
    if (state.isAnswer && (proto === IPPROTO_ICMP || proto === IPPROTO_ICMPV6)) return this.withKernelSocket;
    if (!mayHaveSocket(state)) return this.withoutSocket;
    state.unknown = this.unknowable;
    return NF_UNKNOWN;
  }
}

function ids(arg: XtArg, names: ReadonlyMap<string, number>): Ids {
  // Measured: a colon stands between as well.
  const [first, second] = arg.text.split(/[-:](.*)/s) as [string, string | undefined];
  // Names are those of the machine that the ruleset is for; some are the same on every Debian.
  const named = names.get(arg.text);
  if (named !== undefined) return { from: named, to: named, inverted: arg.inverted };
  const from = readUint(first, 0, 0xfffffffe);
  const to = second === undefined ? from : readUint(second, 0, 0xfffffffe);
  if (from === undefined || to === undefined)
    throw new XtError(
      `owner: Bad value for "--${arg.name}" option: "${arg.text}"`,
      'names beyond those of every Debian are not known here: write the number',
      0,
    );
  return { from, to, inverted: arg.inverted };
}

function option(name: string, key: 'uid' | 'gid'): XtOption<OwnerSpec> {
  return {
    name,
    invert: true,
    parse: (spec, arg) => {
      spec[key] = ids(arg, key === 'uid' ? DEBIAN_USERS : DEBIAN_GROUPS);
    },
  };
}

function text(name: string, r: Ids | null): string[] {
  if (r === null) return [];
  return [`${r.inverted ? '! ' : ''}--${name} ${r.from === r.to ? r.from : `${r.from}-${r.to}`}`];
}

/** `-m owner`: the user or group whose process sent the packet. */
export const MATCH_OWNER: Extension<OwnerSpec> = {
  kind: 'match',
  name: 'owner',
  families: XT_BOTH,
  hooks: (1 << NF_INET_LOCAL_OUT) | (1 << NF_INET_POST_ROUTING),
  options: [
    option('uid-owner', 'uid'),
    option('gid-owner', 'gid'),
    {
      name: 'socket-exists',
      args: 0,
      invert: true,
      parse: (spec, arg) => {
        spec.socketExists = { inverted: arg.inverted };
      },
    },
    {
      name: 'suppl-groups',
      args: 0,
      parse: (spec) => {
        if (spec.gid === null)
          throw new XtError(
            'owner: Bad value for "--suppl-groups" option: "you need to use --gid-owner first"',
          );
        spec.supplGroups = true;
      },
    },
  ],
  init: () => ({ uid: null, gid: null, socketExists: null, supplGroups: false }),
  finish: (_, seen) => {
    if (seen.size === 0)
      throw new XtError('owner: At least one of --uid-owner, --gid-owner or --socket-exists is required');
  },
  check: (spec) => {
    for (const r of [spec.uid, spec.gid])
      if (r !== null && r.from > r.to) throw new XtError('owner: the range ends before it begins');
  },
  save: (spec) =>
    [
      ...(spec.socketExists === null ? [] : [`${spec.socketExists.inverted ? '! ' : ''}--socket-exists`]),
      ...text('uid-owner', spec.uid),
      ...text('gid-owner', spec.gid),
      ...(spec.supplGroups ? ['--suppl-groups'] : []),
    ].join(' '),
  lower: (spec) => [new OwnerMatch(spec)],
};
