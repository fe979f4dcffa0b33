import { UnknownExpr } from '../rules/expr.ts';
import { NF_INET_PRE_ROUTING, NFPROTO_IPV4 } from '../rules/family.ts';
import { addressText } from './address.ts';
import { type Extension, XT_BOTH } from './extension.ts';
import { optionAddress } from './option-address.ts';
import { readLoosePort } from './ports.ts';
import { hex, valueMaskArg } from './values.ts';

interface TproxySpec {
  port: number;
  ip: readonly number[];
  mark: number;
  mask: number;
}

/** `-j TPROXY`: hands the packet to a proxy on this machine. */
export const TARGET_TPROXY: Extension<TproxySpec> = {
  kind: 'target',
  name: 'TPROXY',
  families: XT_BOTH,
  tables: ['mangle'],
  hooks: 1 << NF_INET_PRE_ROUTING,
  protocols: [6, 17],
  options: [
    {
      name: 'on-port',
      required: true,
      parse: (spec, arg) => {
        spec.port = readLoosePort(arg.text);
      },
    },
    {
      name: 'on-ip',
      parse: (spec, arg) => {
        spec.ip = optionAddress(arg.text, arg.ctx.family);
      },
    },
    {
      name: 'tproxy-mark',
      parse: (spec, arg) => {
        const { value, mask } = valueMaskArg(arg);
        spec.mark = value;
        spec.mask = mask;
      },
    },
  ],
  init: (ctx) => ({ port: 0, ip: ctx.family === NFPROTO_IPV4 ? [0] : [0, 0, 0, 0], mark: 0, mask: 0 }),
  save: (spec) =>
    `--on-port ${spec.port} --on-ip ${addressText(spec.ip)} --tproxy-mark ${hex(spec.mark)}/${hex(spec.mask)}`,
  lower: () => [new UnknownExpr('whether a proxy listens is not known')],
};
