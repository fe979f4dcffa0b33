import { UnknownExpr } from '../rules/expr.ts';
import { NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from '../rules/family.ts';
import { type Extension, XT_BOTH, type XtOption } from './extension.ts';

interface SocketSpec {
  transparent: boolean;
  nowildcard: boolean;
  restore: boolean;
}

function flag(name: string, key: keyof SocketSpec): XtOption<SocketSpec> {
  return {
    name,
    args: 0,
    parse: (spec) => {
      spec[key] = true;
    },
  };
}

/** `-m socket`: whether a socket of this machine would get the packet. */
export const MATCH_SOCKET: Extension<SocketSpec> = {
  kind: 'match',
  name: 'socket',
  families: XT_BOTH,
  hooks: (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_LOCAL_IN),
  options: [
    flag('transparent', 'transparent'),
    flag('nowildcard', 'nowildcard'),
    flag('restore-skmark', 'restore'),
  ],
  init: () => ({ transparent: false, nowildcard: false, restore: false }),
  save: (spec) =>
    [
      ...(spec.transparent ? ['--transparent'] : []),
      ...(spec.nowildcard ? ['--nowildcard'] : []),
      ...(spec.restore ? ['--restore-skmark'] : []),
    ].join(' '),
  lower: () => [new UnknownExpr('which sockets exist is not known')],
};
