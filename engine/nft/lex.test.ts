import { expect, test } from 'vitest';
import { Lexer, T_EOF, T_JUNK, T_NEWLINE, T_NUMBER, T_PUNCT, T_STRING, T_WORD } from './lex.ts';

const KINDS: Readonly<Record<number, string>> = {
  [T_NEWLINE]: 'newline',
  [T_WORD]: 'word',
  [T_STRING]: 'string',
  [T_NUMBER]: 'number',
  [T_PUNCT]: 'punct',
  [T_JUNK]: 'junk',
};

function tokens(text: string): string[] {
  const lexer = new Lexer(text, 0);
  const out: string[] = [];
  for (let token = lexer.next(); token.kind !== T_EOF; token = lexer.next()) {
    out.push(token.kind === T_NEWLINE ? 'newline' : `${KINDS[token.kind]} ${token.text}`);
  }
  return out;
}

// Each was compared with `nft --debug=scanner`.
test.each([
  ['x-y_z.b/c', ['word x-y_z.b/c']],
  ['eth*', ['word eth*']],
  ['a\\*', ['word a\\*']],
  ['filter -10', ['word filter', 'punct -', 'number 10']],
  ['filter-10', ['word filter-10']],
  ['22-25', ['number 22', 'punct -', 'number 25']],
  ['5/minute', ['number 5', 'punct /', 'word minute']],
  ['1h30m5s', ['word 1h30m5s']],
  ['5ms', ['word 5ms']],
  ['5a', ['number 5', 'word a']],
  ['09', ['word 09']],
  ['0x1g', ['number 0x1', 'word g']],
  ['99999999999999999999', ['word 99999999999999999999']],
  ['10.0.0.1-10.0.0.5', ['word 10.0.0.1', 'punct -', 'word 10.0.0.5']],
  ['1.1.1.1:accept', ['word 1.1.1.1', 'punct :', 'word accept']],
  ['fe80::1/64', ['word fe80::1', 'punct /', 'number 64']],
  ['::ffff:1.2.3.4', ['word ::ffff:1.2.3.4']],
  ['[::1]:80', ['word [::1]', 'punct :', 'number 80']],
  ['fe80::accept', ['word fe80::acce', 'word pt']],
  ['1:2:3:4:5:6:7:8', ['word 1:2:3:4:5:6:7:8']],
  ['0:11:22:33:44:55', ['word 0:11:22:33:44:55']],
  ['22:drop', ['number 22', 'punct :', 'word drop']],
  ['1:2 ', ['word 1:2']],
  ['1:2;', ['number 1', 'punct :', 'number 2', 'punct ;']],
  ['addr[1]', ['word addr', 'punct [', 'number 1', 'punct ]']],
  ['a<<2>=3!=4', ['word a', 'punct <<', 'number 2', 'punct >=', 'number 3', 'punct !=', 'number 4']],
  ['. .a a.b', ['punct .', 'word .a', 'word a.b']],
  ['"a b" "x # y"', ['string a b', 'string x # y']],
  ['a # b\nc', ['word a', 'newline', 'word c']],
  ['a\n  # b\n#c\nd', ['word a', 'newline', 'word d']],
  ['a \\\n b', ['word a', 'word b']],
  ['"a', ['junk "', 'word a']],
  ["'a'\r", ["junk '", 'word a', "junk '", 'junk \r']],
  ['😀', ['junk 😀']],
])('%j', (text, expected) => {
  expect(tokens(`${text}\n`)).toEqual([...expected, 'newline']);
});
