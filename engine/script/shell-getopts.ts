import type { Status } from './script-tools.ts';
import type { ShellHost } from './shell-host.ts';

/** `getopts letters NAME [words]`: the next option of the arguments. Where these are not known there are none. */
export function getopts(words: readonly string[], shell: ShellHost): Status {
  const [letters, name, ...given] = words;
  const { variables } = shell;
  if (letters === undefined || name === undefined) return null;
  const args = given.length > 0 ? given : variables.frame.args;
  const index = Number(variables.get('OPTIND') ?? 1);
  const word = args[index - 1];
  const at = variables.optionAt === 0 ? 1 : variables.optionAt;
  if (word === undefined || !/^-./.test(word) || word === '--') {
    if (word === '--') variables.set('OPTIND', String(index + 1));
    variables.set(name, '?');
    return false;
  }
  const letter = word[at]!;
  const known = letters.indexOf(letter);
  const takes = known >= 0 && letters[known + 1] === ':';
  const isLast = at + 1 >= word.length;
  variables.optionAt = isLast || takes ? 0 : at + 1;
  variables.set('OPTIND', String(index + (takes && isLast ? 2 : isLast || takes ? 1 : 0)));
  const value = takes ? (isLast ? args[index] : word.slice(at + 1)) : undefined;
  variables.set(name, known < 0 || letter === ':' || (takes && value === undefined) ? '?' : letter);
  if (value === undefined) variables.unset('OPTARG');
  else variables.set('OPTARG', value);
  return true;
}
