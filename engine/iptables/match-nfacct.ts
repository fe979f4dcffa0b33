import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { XtMatch } from './xt-match.ts';

interface NfacctSpec {
  name: string;
}

/** Counts for nfacct(8), and always matches: accounts with a quota are not known. */
class NfacctMatch extends XtMatch {
  matches(): boolean {
    return true;
  }
}

/** `-m nfacct`: counts packets in an account of nfacct(8). */
export const MATCH_NFACCT: Extension<NfacctSpec> = {
  kind: 'match',
  name: 'nfacct',
  families: XT_BOTH,
  options: [
    {
      name: 'nfacct-name',
      required: true,
      parse: (spec, arg) => {
        if (arg.text === '' || arg.text.length > 31)
          throw new XtError('nfacct: the name has 1 to 31 characters', undefined, 0);
        spec.name = arg.text;
      },
    },
  ],
  init: () => ({ name: '' }),
  save: (spec) => `--nfacct-name ${spec.name}`,
  lower: () => [new NfacctMatch()],
};
