import { encodeUtf8 } from '../base/utf8.ts';
import { type Extension, XT_BOTH, XtError } from './extension.ts';
import { quote } from './values.ts';

/** Longest comment, without the zero at its end (measured). */
const COMMENT_MAX = 255;

/** `-m comment`: says something and tests nothing. */
export const MATCH_COMMENT: Extension<{ text: string }> = {
  kind: 'match',
  name: 'comment',
  families: XT_BOTH,
  options: [
    {
      name: 'comment',
      required: true,
      parse(spec, arg) {
        if (encodeUtf8(arg.text).length > COMMENT_MAX)
          throw new XtError(`comment: a comment has at most ${COMMENT_MAX} characters`, undefined, 0);
        spec.text = arg.text;
      },
    },
  ],
  init: () => ({ text: '' }),
  save: (spec) => `--comment ${quote(spec.text)}`,
  lower: () => [],
};
