import {
  NF_INET_FORWARD,
  NF_INET_LOCAL_IN,
  NF_INET_LOCAL_OUT,
  NF_INET_POST_ROUTING,
} from '../rules/family.ts';
import { type Extension, XT_IPV4 } from './extension.ts';
import { type NamedTest, namedArg, namedHolds, namedText } from './named-mask.ts';
import { XtMatch } from './xt-match.ts';

interface RealmSpec {
  test: NamedTest;
}

/** The realm of the packet's route; the routes here have none, which is 0. */
class RealmMatch extends XtMatch {
  private readonly answer: boolean;

  constructor(test: NamedTest) {
    super();
    this.answer = namedHolds(test, 0);
  }

  matches(): boolean {
    return this.answer;
  }
}

/** `-m realm`: the realm of the route. */
export const MATCH_REALM: Extension<RealmSpec> = {
  kind: 'match',
  name: 'realm',
  families: XT_IPV4,
  hooks:
    (1 << NF_INET_LOCAL_IN) | (1 << NF_INET_FORWARD) | (1 << NF_INET_LOCAL_OUT) | (1 << NF_INET_POST_ROUTING),
  options: [
    {
      name: 'realm',
      invert: true,
      required: true,
      parse: (spec, arg) => {
        spec.test = namedArg(arg, 'cosmos');
      },
    },
  ],
  init: () => ({ test: { value: 0, mask: 0xffffffff, inverted: false } }),
  save: ({ test }) => `${test.inverted ? '! ' : ''}--realm ${namedText(test, 'cosmos')}`,
  lower: ({ test }) => [new RealmMatch(test)],
};
