/** What the corpus says of the real tool is what the real tool says. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kernel, kernelUsable } from '../../tests/kernel/oracle.ts';
import { readCorpus } from './parse-corpus.mts';

/** For each line, a text in base64: hands it to nft, prints `ok` or the first error. */
const CHECK = `while read -r text; do
  if out=$(printf %s "$text" | base64 -d | nft -c -f - 2>&1); then echo ok
  else printf '%s\\n' "$out" | grep -m1 Error || echo 'Error: (none given)'; fi
done`;

/** Errors of nft's parser, as opposed to those of its evaluation and of the kernel. */
const SYNTAX =
  /syntax error|unknown identifier|redefinition|unknown datatype|wrong time|unknown chain|invalid log level|unknown table option|Wrong rate/;

describe.skipIf(!kernelUsable())('the corpus of inputs', () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.open({ log: false });
  });
  afterAll(() => kernel.close());

  test('has the real answers', async () => {
    const corpus = readCorpus();
    const input = corpus.map(({ text }) => `${Buffer.from(text).toString('base64')}\n`).join('');
    const { stdout } = await kernel.exec(['sh', '-c', CHECK], input);
    const answers = stdout.trimEnd().split('\n');
    expect(answers).toHaveLength(corpus.length);
    const wrong = corpus.filter(({ answer }, i) => {
      const real = answers[i]!;
      return real === 'ok'
        ? answer !== 'taken'
        : answer === 'taken' || SYNTAX.test(real) !== (answer === 'syntax');
    });
    expect(wrong).toEqual([]);
  });
});
