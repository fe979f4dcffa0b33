import type { ShellRedirect } from './shell-ast.ts';
import type { ShellWord } from './shell-word.ts';

/** Whether errors go to /dev/null: then the script counts on them. */
export function silences(redirects: readonly ShellRedirect[]): boolean {
  const isErrors = ({ operator, word }: ShellRedirect): boolean =>
    /^(2>>?|&>>?)$/.test(operator) && isNull(word);
  return redirects.some(isErrors) || mergesErrors(redirects);
}

function isNull(word: ShellWord | null): boolean {
  const text = word?.parts.map((part) => (part.kind === 'text' ? part.text : '$')).join('');
  return text === '/dev/null' || text === '-';
}

/** `>/dev/null 2>&1`, `>&/dev/null` */
function mergesErrors(redirects: readonly ShellRedirect[]): boolean {
  if (redirects.some(({ operator, word }) => operator === '>&' && isNull(word))) return true;
  const toNull = redirects.some(({ operator, word }) => /^>>?$/.test(operator) && isNull(word));
  return toNull && redirects.some(({ operator }) => operator === '2>&');
}
