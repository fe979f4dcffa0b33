import { SourceError } from '../base/error.ts';
import type { Status } from './script-tools.ts';
import { expandPattern, expandText, expandWord } from './shell-expand.ts';
import type { ShellHost } from './shell-host.ts';
import { shellTest, type TestWord } from './shell-test.ts';
import { plainText, type ShellWord } from './shell-word.ts';

/** What `[ … ]`, `test …` or `[[ … ]]` says. @param base the first of its words */
export function bracketTest(words: readonly ShellWord[], base: string, shell: ShellHost): Status {
  const last = plainText(words.at(-1));
  const end = base !== 'test' && (last === ']' || last === ']]') ? -1 : undefined;
  const isDouble = base === '[[';
  const inner = words.slice(1, end);
  const all = inner.flatMap((word) => (isDouble ? [doubleWord(word, shell)] : singleWords(word, shell)));
  return shellTest(all, {
    isDouble,
    exists: (path) => shell.files.exists(path),
    matched: (groups) => {
      const items = new Map(groups.map((group, i) => [String(i), group]));
      shell.variables.setArray('BASH_REMATCH', { isMap: false, items });
    },
  });
}

/** Within `[[ … ]]` nothing is split. */
function doubleWord(word: ShellWord, shell: ShellHost): TestWord {
  const text = expandText(word, shell);
  const pattern = expandPattern(word, shell);
  return {
    text: typeof text === 'string' ? text : null,
    pattern: typeof pattern === 'string' ? pattern : null,
    plain: plainText(word),
  };
}

function singleWords(word: ShellWord, shell: ShellHost): TestWord[] {
  const plain = plainText(word);
  try {
    const words = expandWord(word, shell, { unset: 'empty' });
    return words.map(({ text }) => ({ text, pattern: null, plain: plain || text }));
  } catch (error) {
    if (error instanceof SourceError) return [{ text: null, pattern: null, plain: '' }];
    throw error;
  }
}
