import type { Span } from '../base/error.ts';
import { lexWhole } from './shell-lex.ts';
import type { LexFrom } from './shell-token.ts';
import type { ShellPart, ShellWord } from './shell-word.ts';

const NAME = /^([A-Za-z_]\w*|[0-9]+|[@*#?$!-])(?:\[([^\]]*)\])?/;
const OPERATORS = [
  ':-',
  ':=',
  ':?',
  ':+',
  '-',
  '=',
  '?',
  '+',
  '##',
  '#',
  '%%',
  '%',
  '//',
  '/#',
  '/%',
  '/',
].concat(['^^', '^', ',,', ',', ':']);

/**
 * Reads what stands within `${…}`.
 * @param from where that text begins
 * @param how whether it stands in double quotes, and where
 */
export function readParameter(
  text: string,
  from: LexFrom,
  how: { readonly quoted: boolean; readonly at: Span },
): ShellPart {
  const { quoted, at } = how;
  const opaque: ShellPart = { kind: 'opaque', what: `\${${text}}`, quoted, at };
  const prefix = /^[#!](?=[A-Za-z_0-9@*])/.exec(text)?.[0] ?? '';
  const m = NAME.exec(text.slice(prefix.length));
  if (m === null) return opaque;
  const subscript = m[2] === undefined ? null : lexWhole(m[2], from, 'plain');
  const rest = text.slice(prefix.length + m[0].length);
  const part = { kind: 'variable', name: m[1]!, quoted, subscript, at } as const;
  if (prefix !== '') {
    if (rest !== '') return opaque;
    const isKeys = prefix === '!' && (m[2] === '@' || m[2] === '*');
    const operator = prefix === '#' ? 'length' : isKeys ? 'keys' : 'indirect';
    return { ...part, operator, operand: null, second: null };
  }
  if (rest === '') return { ...part, operator: '', operand: null, second: null };
  const operator = OPERATORS.find((o) => rest.startsWith(o));
  if (operator === undefined) return opaque;
  const body = rest.slice(operator.length);
  const lex = (piece: string): ShellWord =>
    lexWhole(
      piece,
      { ...from, depth: (from.depth ?? 0) + 1 },
      quoted && /^:?[-=?+]$/.test(operator) ? 'quoted' : 'plain',
    );
  const isSplit = operator === ':' || operator.startsWith('/');
  const cut = isSplit ? splitAt(body, operator === ':' ? ':' : '/') : -1;
  if (cut < 0) return { ...part, operator, operand: lex(body), second: null };
  return { ...part, operator, operand: lex(body.slice(0, cut)), second: lex(body.slice(cut + 1)) };
}

/** Where a character first stands that is neither escaped nor quoted nor in `${…}`, -1 if nowhere. */
function splitAt(text: string, mark: string): number {
  let depth = 0;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === '\\') i++;
    else if (quote !== '') quote = c === quote ? '' : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === '{') depth++;
    else if (c === '}') depth--;
    else if (c === mark && depth === 0) return i;
  }
  return -1;
}
