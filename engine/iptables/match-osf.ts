import { OsfExpr } from '../rules/expr-unknowable.ts';
import { NF_INET_FORWARD, NF_INET_LOCAL_IN, NF_INET_PRE_ROUTING } from '../rules/family.ts';
import { type Extension, XT_IPV4 } from './extension.ts';
import { uintArg } from './values.ts';

interface OsfSpec {
  genre: string;
  inverted: boolean;
  ttl: number | null;
  log: number | null;
}

/** `-m osf`: the sender's operating system by its SYN. */
export const MATCH_OSF: Extension<OsfSpec> = {
  kind: 'match',
  name: 'osf',
  families: XT_IPV4,
  protocols: [6],
  hooks: (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_PRE_ROUTING) | (1 << NF_INET_FORWARD),
  options: [
    {
      name: 'genre',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        spec.genre = arg.text.slice(0, 31);
        spec.inverted = arg.inverted;
      },
    },
    {
      name: 'ttl',
      parse: (spec, arg) => {
        spec.ttl = uintArg(arg, 0, 2);
      },
    },
    {
      name: 'log',
      parse: (spec, arg) => {
        spec.log = uintArg(arg, 0, 2);
      },
    },
  ],
  init: () => ({ genre: '', inverted: false, ttl: null, log: null }),
  save: (spec) =>
    [
      // The real tool does not quote it, so that a name with blanks does not read back.
      `${spec.inverted ? '! ' : ''}--genre ${spec.genre}`,
      ...(spec.ttl === null ? [] : [`--ttl ${spec.ttl}`]),
      ...(spec.log === null ? [] : [`--log ${spec.log}`]),
    ].join(' '),
  lower: (spec) => [new OsfExpr(1, spec.ttl ?? 0, 0)],
};
