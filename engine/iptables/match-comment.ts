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
        if (utf8Length(arg.text) > COMMENT_MAX)
          throw new XtError(`comment: a comment has at most ${COMMENT_MAX} characters`, undefined, 0);
        spec.text = arg.text;
      },
    },
  ],
  init: () => ({ text: '' }),
  save: (spec) => `--comment ${quote(spec.text)}`,
  lower: () => [],
};

function utf8Length(text: string): number {
  let length = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    length += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return length;
}
