import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, RuleNode } from './ast.ts';
import type { ExprNode } from './ast-expr.ts';
import type { StmtNode } from './ast-stmt.ts';
import { parseNft } from './parse.ts';
import { readCorpus } from './parse-corpus.mts';
import type { ReadFiles } from './parse-cursor.ts';

function errorsOf(text: string, read?: ReadFiles): string[] {
  return parseNft({ name: 'f', text }, read).errors.map(({ at, message, hint }) => {
    const what = message.replace(/^\w+:\d+:\d+: /, '');
    return `${at.line}:${at.col}+${at.len} ${what.replace(/ \(.*\)$/, '')}${hint === undefined ? '' : ` | ${hint}`}`;
  });
}

/** A tree without positions. */
function plain(node: unknown): unknown {
  return JSON.parse(
    JSON.stringify(node, (key, value: unknown) => (/^(at|.*At|quoted)$/.test(key) ? undefined : value)),
  );
}

function commandsOf(text: string): readonly Command[] {
  const { commands, errors } = parseNft({ name: 'f', text });
  expect(errors.map((error) => error.message)).toEqual([]);
  return commands;
}

/** The statements of a rule. */
function rule(text: string): readonly StmtNode[] {
  const [command] = commandsOf(`add rule inet t c ${text}`);
  return plain((command!.object as { rule: RuleNode }).rule.expr) as StmtNode[];
}

const symbol = (name: string): ExprNode => ({ symbol: name });
const number = (value: number): ExprNode => ({ number: value });
const dport: ExprNode = { payload: { protocol: 'tcp', field: 'dport' } };

describe('what the real tool takes and refuses', () => {
  const corpus = readCorpus();

  test('is taken', () => {
    const taken = corpus.filter(({ answer }) => answer !== 'syntax');
    expect(taken.length).toBeGreaterThan(700);
    expect(taken.filter(({ text, answer }) => answer === 'taken' && errorsOf(text).length > 0)).toEqual([]);
  });

  test('is refused if it is a mistake of the language', () => {
    const wrong = corpus.filter(({ answer }) => answer === 'syntax');
    expect(wrong.length).toBeGreaterThan(200);
    expect(wrong.filter(({ text }) => errorsOf(text).length === 0)).toEqual([]);
  });

  test('each mistake is one error, not a cascade', () => {
    const wrong = corpus.filter(({ answer }) => answer === 'syntax').map(({ text }) => text);
    expect(wrong.filter((text) => errorsOf(text).length > 1).length).toBeLessThan(wrong.length / 20);
  });
});

describe('trees', () => {
  test('a comparison without an operator is implicit, with one it says which', () => {
    expect(rule('tcp dport 22')).toEqual([{ match: { op: 'implicit', left: dport, right: number(22) } }]);
    expect(rule('tcp dport != ssh')).toEqual([{ match: { op: '!=', left: dport, right: symbol('ssh') } }]);
    expect(rule('tcp dport ge 0x16')).toEqual([{ match: { op: '>=', left: dport, right: number(22) } }]);
  });

  test('numbers are octal with a leading 0, and exact up to 64 bits', () => {
    expect(rule('tcp dport 010')).toEqual([{ match: { op: 'implicit', left: dport, right: number(8) } }]);
    const [command] = commandsOf('add rule ip t c ct bytes 18446744073709551615');
    const { expr } = (command!.object as { rule: RuleNode }).rule;
    expect((expr[0] as { match: { right: { number: bigint } } }).match.right.number).toBe(2n ** 64n - 1n);
  });

  test('operators bind as in C, words the same as signs', () => {
    const mark: ExprNode = { meta: { key: 'mark' } };
    const and = { binop: { op: '&', left: mark, right: number(255) } };
    const value = { binop: { op: '|', left: and, right: number(1) } };
    expect(rule('meta mark set mark and 0xff or 1')).toEqual([{ mangle: { key: mark, value } }]);
    expect(rule('meta mark set mark & 0xff | 1')).toEqual([{ mangle: { key: mark, value } }]);
  });

  test('flags with a mask are compared under the mask', () => {
    const flags: ExprNode = { payload: { protocol: 'tcp', field: 'flags' } };
    const mask = { list: [symbol('syn'), symbol('ack')] };
    const left = { binop: { op: '&', left: flags, right: mask } };
    expect(rule('tcp flags syn / syn,ack')).toEqual([{ match: { op: '==', left, right: symbol('syn') } }]);
    expect(rule('tcp flags != syn / syn,ack')).toEqual([{ match: { op: '!=', left, right: symbol('syn') } }]);
  });

  test('keywords are values on the right and begin the next statement elsewhere', () => {
    const protocol: ExprNode = { payload: { protocol: 'ip', field: 'protocol' } };
    expect(rule('ip protocol tcp tcp dport 22 accept')).toEqual([
      { match: { op: 'implicit', left: protocol, right: symbol('tcp') } },
      { match: { op: 'implicit', left: dport, right: number(22) } },
      { accept: null },
    ]);
  });

  test('an anonymous map has pairs, with prefixes, ranges and verdicts in them', () => {
    const prefix: ExprNode = { prefix: { addr: symbol('10.0.0.0'), len: 8 } };
    const range: ExprNode = { range: [symbol('1.1.1.1'), symbol('1.1.1.9')] };
    expect(rule('ip saddr vmap { 10.0.0.0/8 : accept, 1.1.1.1-1.1.1.9:jump x, * : drop }')).toEqual([
      {
        vmap: {
          key: { payload: { protocol: 'ip', field: 'saddr' } },
          data: {
            set: [
              { pair: [prefix, { accept: null }] },
              { pair: [range, { jump: { target: 'x' } }] },
              { pair: [{ wildcard: true }, { drop: null }] },
            ],
          },
        },
      },
    ]);
  });

  test('IPv6 addresses end where a port begins', () => {
    expect(rule('dnat ip6 to [fe80::1]:80 random')).toEqual([
      {
        dnat: {
          family: 'ip6',
          addr: symbol('[fe80::1]'),
          port: number(80),
          flags: ['random'],
          type_flags: [],
        },
      },
    ]);
  });

  test('a block is spelt out in the order in which the kernel is told', () => {
    const commands = commandsOf(`table inet t {
      chain c { type filter hook input priority filter - 5; policy drop; ip saddr @s accept; }
      set s { type ipv4_addr; flags interval; elements = { 1.1.1.1 }; }
      counter n { packets 1 bytes 2 }
    }`);
    expect(commands.map(({ object }) => Object.keys(object)[0])).toEqual([
      ...['table', 'chain', 'counter', 'set', 'element', 'rule'],
    ]);
    expect(plain(commands[1]!.object)).toEqual({
      chain: {
        ...{ family: 'inet', table: 't', name: 'c', type: 'filter', hook: 'input', policy: 'drop' },
        prio: { name: 'filter', offset: -5 },
      },
    });
  });

  test('positions are those of the text, also behind continued lines and comments', () => {
    const { commands, sources } = parseNft({ name: 'f', text: '# x\n\nadd rule t c \\\n  tcp dport 22\n' });
    const [match] = (commands[0]!.object as { rule: RuleNode }).rule.expr;
    expect(sources.span(match!.at)).toEqual({ file: 'f', line: 4, col: 3, len: 12 });
  });
});

describe('variables and included files', () => {
  test('a variable is its value, wherever the tool takes one', () => {
    const defines = 'define p = { 22, 80 }\ndefine c = x\ndefine prio = "filter - 5"\n';
    const commands = commandsOf(
      `${defines}add chain t c { type filter hook input priority $prio; }; add rule t c tcp dport $p jump $c`,
    );
    expect(plain(commands[0]!.object)).toMatchObject({ chain: { prio: { name: 'filter', offset: -5 } } });
    expect(plain((commands[1]!.object as { rule: RuleNode }).rule.expr)).toEqual([
      { match: { op: 'implicit', left: dport, right: { set: [number(22), number(80)] } } },
      { jump: { target: 'x' } },
    ]);
  });

  test('sets in sets are spelt out', () => {
    const [command] = commandsOf('define a = { 1, 2 }; add rule t c tcp dport { $a, 3 }');
    const { expr } = (command!.object as { rule: RuleNode }).rule;
    expect(plain(expr)).toMatchObject([
      { match: { right: { set: [{ number: 1 }, { number: 2 }, { number: 3 }] } } },
    ]);
  });

  test('a variable of a block ends with the block', () => {
    expect(errorsOf('table t { define x = 1\n}\nadd rule t c meta mark $x')).toEqual([
      "3:25+1 unknown variable 'x'",
    ]);
  });

  test('a file comes in the place of its include, and errors in it are its own', () => {
    const read: ReadFiles = (path) =>
      path === 'a.nft' ? [{ name: 'a.nft', text: 'chain c {\n accpet\n}\n' }] : null;
    const { errors } = parseNft({ name: 'f', text: 'table t {\n include "a.nft"\n chain d { }\n}\n' }, read);
    expect(errors.map(({ at, hint }) => ({ ...at, hint }))).toEqual([
      { file: 'a.nft', line: 2, col: 2, len: 6, hint: "did you mean 'accept'?" },
    ]);
  });

  test('files of a pattern come in their order; none is no error, a missing one is', () => {
    const one = (name: string) => ({ name, text: `add table ${name}\n` });
    const read: ReadFiles = (path) => (path === 'd/*' ? [one('a'), one('b')] : null);
    const { commands } = parseNft({ name: 'f', text: 'include "d/*"\nadd table z\ninclude "no/*"\n' }, read);
    expect(commands.map(({ object }) => (object as { table: { name: string } }).table.name)).toEqual([
      ...['a', 'b', 'z'],
    ]);
    expect(errorsOf('include "x"\n', read)).toEqual(['1:1+11 file not found: x']);
  });

  test('a file that includes itself is an error, not an endless loop', () => {
    const read: ReadFiles = () => [{ name: 'self', text: 'include "self"\n' }];
    expect(errorsOf('include "self"\n', read)).toEqual([
      '1:1+14 include nested too deeply, at most 16 levels',
    ]);
  });

  test('variables from the command line count as defined', () => {
    const { errors } = parseNft({ name: 'f', text: 'add rule t c tcp dport $p' }, () => null, {
      p: '{ 1, 2 }',
    });
    expect(errors).toEqual([]);
  });
});

describe('errors', () => {
  test.each([
    ['add rule t c accpet', "1:14+6 expected a statement, found 'accpet' | did you mean 'accept'?"],
    ['add rule t c tcp dprt 22', "1:18+4 expected a field of tcp, found 'dprt' | did you mean 'dport'?"],
    ['add rule t c ct stat new', "1:17+4 unknown ct key 'stat' | did you mean 'state'?"],
    ['add rule t c meta iifnam "x"', "1:19+6 unknown meta key 'iifnam' | did you mean 'iifname'?"],
    [
      'add rule t c tcp dport = 22',
      "1:24+1 expected a value, an operator or a set, found '=' | equality is '=='",
    ],
    ['add rule t c tcp dport', '1:23+1 expected a value, an operator or a set, found the end of the line'],
    ['add rule t c tcp dport { 22, 23', "1:24+1 the closing '}' of this set is missing"],
    [
      'add rule t c limit rate 5/sec',
      "1:27+3 expected second, minute, hour, day or week, found 'sec' | did you mean 'second'?",
    ],
    ['add rule t c log prefix "x', "1:25+1 expected the prefix, found '\"' | the closing quote is missing"],
    ["add rule t c log prefix 'x'", "1:25+1 expected the prefix, found ''' | strings stand in double quotes"],
    [
      'add rule t c iifname table',
      "1:22+5 expected a value, an operator or a set, found 'table' | 'table' is a keyword: as a name it stands in double quotes",
    ],
    ['addd table t', "1:1+4 expected a command, found 'addd' | did you mean 'add'?"],
    ['add tabel t', "1:5+5 expected what to add, found 'tabel' | did you mean 'table'?"],
    ['add table inet', '1:15+1 expected the name of a table, found the end of the line'],
    [
      'add table ip accept',
      "1:14+6 expected the name of a table, found 'accept' | 'accept' is a keyword and cannot be a name",
    ],
    [
      'add chain t c { type filter hook inptu priority 0; }',
      "1:34+5 unknown hook 'inptu' | did you mean 'input'?",
    ],
    [
      'table t { chain c { accept }\n}',
      "1:28+1 expected a newline or ';', found '}' | what stands before '}' ends with ';' or a newline",
    ],
    ['table t {\n chain c {\n accept\n', "2:10+1 the closing '}' of chain 'c' is missing"],
    [
      'table t { set s { type ipv4_adr; }; }',
      "1:24+8 unknown datatype 'ipv4_adr' | did you mean 'ipv4_addr'?",
    ],
    [
      'table t { set s { flags interval; }; }',
      "1:35+1 the set 's' has no type | it needs 'type …' or 'typeof …'",
    ],
    ['define foo = 1\nadd rule t c tcp dport $fooo', "2:25+4 unknown variable 'fooo' | did you mean '$foo'?"],
    ['add rule t c reject with icmp', '1:30+1 expected a code, found the end of the line'],
    ['add rule t c tcp dport 22 comment "x" accept', "1:39+6 expected a newline or ';', found 'accept'"],
    ['}', "1:1+1 expected a command, found '}'"],
  ])('%s', (text, expected) => {
    expect(errorsOf(`${text}\n`)).toEqual([expected]);
  });

  test('independent mistakes of one file are all reported', () => {
    const text = `define p = 1
table inet t {
  chain a {
    type filter hook inptu priority 0
    tcp dport 22 acept
    tcp dport { 22, 80 accept
  }
  sett s { type ipv4_addr; }
  chain b {
    ct state nwe,, accept
    ip saddr $nope drop
    accept
  }
}
add rul inet t b drop
`;
    expect(errorsOf(text).map((line) => line.split('+')[0])).toEqual([
      ...['4:22', '5:18', '6:24', '8:3', '10:18', '11:15', '15:5'],
    ]);
  });

  test('an element list that never ends does not hide what stands before it', () => {
    expect(errorsOf('add rule t c accpet\nadd rule t c tcp dport { 22,\nadd rule t c drop\n').length).toBe(2);
  });

  test('nesting too deep is an error of its own', () => {
    for (const open of ['(', '{ ', 'jump { ']) {
      const [error] = errorsOf(`add rule t c meta mark set ${open.repeat(20_000)}`);
      expect(error).toMatch(/nested more than 100 deep|expected|no sets/);
    }
    expect(errorsOf(`add rule t c meta mark set ${'('.repeat(20_000)}`)).toEqual([
      '1:128+1 nested more than 100 deep',
    ]);
    expect(errorsOf(`add rule t c meta mark set ${'1|'.repeat(20_000)}1`)).toEqual([
      expect.stringContaining('more than 500 operations in a row'),
    ]);
  });
});

const WORDS = [
  ...'table chain set map rule add delete flush ruleset ip ip6 inet tcp udp dport saddr ct state meta mark'.split(
    ' ',
  ),
  ...'accept drop jump goto counter limit rate log prefix vmap elements type typeof flags hook priority'.split(
    ' ',
  ),
  ...'policy define include $x @s @th , . : ; { } ( ) [ ] / - + == != < >> & | ! = * " # \\ \n'.split(' '),
  ...'ipv4_addr 22 0x1f 1.2.3.4 ::1 10.0.0.0/8 1h30m eth0 "eth*" "a b" new,established ssh filter input'.split(
    ' ',
  ),
  ...['\n', ';\n', ' {\n', '}\n', '\r', '\u0000', 'é', '😀', '18446744073709551616'],
];

describe('any text', () => {
  test('gives a tree or errors with positions inside it, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...WORDS), { maxLength: 60 }), (words) => {
        const text = words.join(' ');
        const lines = text.split('\n');
        for (const { at } of parseNft({ name: 'f', text }).errors) {
          expect(at.line).toBeLessThanOrEqual(lines.length);
          expect(at.col).toBeLessThanOrEqual(lines[at.line - 1]!.length + 1);
          expect(at.len).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('also if a right one is cut or has a character changed', () => {
    const corpus = readCorpus().filter(({ answer }) => answer === 'taken');
    fc.assert(
      fc.property(
        fc.constantFrom(...corpus),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        ({ text }, place, more) => {
          const i = place % text.length;
          parseNft({ name: 'f', text: text.slice(0, i) + more + text.slice(i + (more.length % 2)) });
        },
      ),
      { numRuns: 3000 },
    );
  });

  test.each([
    ...['{', '(', '"', '1|', 'a:', ':', '1.', 'table x {', 'a-', '$x ', '\\\n', '# \n', 'a . ', '@', '1,'],
  ])('takes time in proportion to its length: %j', (part) => {
    const time = (count: number): number => {
      const text = `add rule t c meta mark ${part.repeat(count)}`;
      const begin = performance.now();
      parseNft({ name: 'f', text });
      return performance.now() - begin;
    };
    time(1000);
    const short = Math.min(time(2000), time(2000), time(2000));
    expect(Math.min(time(16_000), time(16_000))).toBeLessThan(150 + short * 8 * 5);
  });
});

test('variables that hold each other twice, and so on, are refused before they fill the memory', () => {
  const names = Array.from({ length: 30 }, (_, i) => `define a${i + 1} = { $a${i}, $a${i} }\n`);
  const [error] = errorsOf(`define a0 = { 1, 2 }\n${names.join('')}`);
  expect(error).toBe('18:17+3 variables stand for more than 5000000 values');
});
