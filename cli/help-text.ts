import type { Command } from './command.ts';
import { ADDRESS_FIELDS, FAMILY_WORDS, NUMBER_FIELDS, PROTOCOL_WORDS, WORD_FIELDS } from './filter-words.ts';
import { OPTIONS, type OptionSpec, takes } from './options.ts';

const WIDTH = 80;
/** Column in which explanations of options begin. */
const EXPLAIN_AT = 26;

/** Text in lines of at most 80 characters, each indented. */
export function wrapped(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((l) => ' '.repeat(indent) + l).join('\n');
}

/** An option as it is written: `-o, --output WORDS`. */
function optionText(o: OptionSpec): string {
  const value = o.value === undefined ? '' : ` ${o.value}`;
  return `${o.short === undefined ? '    ' : `-${o.short}, `}--${o.name}${value}`;
}

/** `term` in one column, what it means in the other. */
function entry(term: string, meaning: string): string {
  const text = wrapped(meaning, EXPLAIN_AT);
  const left = `  ${term}`;
  return left.length < EXPLAIN_AT - 1 ? left.padEnd(EXPLAIN_AT) + text.trimStart() : `${left}\n${text}`;
}

/** What `keepstate --help` prints. */
export function generalHelp(commands: readonly Command[]): string {
  return [
    'keepstate: connection tracking and firewall rules as Linux does them, on',
    'captures and on live traffic',
    '',
    'Usage: keepstate COMMAND [OPTION…] FILE…',
    '',
    'Commands:',
    ...commands.map((c) => entry(`${c.name} ${c.takes}`.trimEnd(), c.summary)),
    '',
    wrapped(
      'FILE is a pcap or pcapng capture, gzip or not; - is standard input. Several files are one timeline.',
      0,
    ),
    '',
    'Examples:',
    ...commands.flatMap((c) => c.examples.slice(0, 1)).map((e) => `  ${e.command}`),
    '',
    wrapped(
      "'keepstate help COMMAND' explains a command and its options, 'keepstate help filter' the language of " +
        '--filter. Exit status: 0 fine; 1 something was found that --check or check asks for, or failed; 2 wrong ' +
        'usage or unreadable input; 3 trace --check: a verdict is unknown.',
      0,
    ),
    '',
  ].join('\n');
}

/** What `keepstate COMMAND --help` prints. */
export function commandHelp(command: Command): string {
  const options = OPTIONS.filter((o) => takes(command.name, o));
  return [
    `keepstate ${command.name}: ${command.summary}`,
    '',
    `Usage: keepstate ${command.name} [OPTION…] ${command.takes}`.trimEnd(),
    '',
    ...command.about.flatMap((paragraph) => [wrapped(paragraph, 0), '']),
    'Options:',
    ...options.map((o) => entry(optionText(o), o.help)),
    '',
    ...(command.examples.length === 0 ? [] : ['Examples:']),
    ...command.examples.flatMap((e) => [`  ${e.command}`, `      ${e.says}`]),
    '',
  ].join('\n');
}

/** What `keepstate help filter` prints. */
export function filterHelp(): string {
  const only = ({ packets, top }: { packets?: boolean; top?: boolean }): string =>
    packets === true ? ' (trace only)' : top === true ? ' (top only)' : '';
  return [
    '--filter EXPR: show only packets (trace) or flows (flows, events, top) that match',
    '',
    wrapped(
      "EXPR joins words with 'and', 'or', 'not' and parentheses; 'not' binds closest, then 'and', then 'or'. " +
        '&&, || and ! are the same. Upper and lower case are the same.',
      0,
    ),
    '',
    'Addresses, or networks such as 10.0.0.0/8 and fd00::/8:',
    ...ADDRESS_FIELDS.map((f) => entry(`${f.word} ADDRESS`, f.help)),
    '',
    'Numbers; also a range 1000-2000 or a list 80,443:',
    ...NUMBER_FIELDS.map((f) => entry(`${f.word} N`, f.help + only(f))),
    '',
    'Words; also a list NEW,RELATED:',
    ...WORD_FIELDS.map((f) => {
      const known = f.values.length > 20 ? 'see docs/reasons.md' : f.values.join(' ');
      return entry(`${f.word} WORD`, `${f.help}${only(f)}: ${known}`);
    }),
    '',
    'Alone:',
    entry(PROTOCOL_WORDS.slice(0, 3).join(' '), `protocols, also ${PROTOCOL_WORDS.slice(3).join(' ')}`),
    entry(FAMILY_WORDS.join(' '), 'families'),
    '',
    wrapped('Flows match by their original direction: src is who sent the first packet.', 0),
    '',
    'Examples:',
    "  --filter 'src 10.0.0.0/8 and tcp and dport 80 and state ESTABLISHED'",
    "  --filter 'host fd00::1 and not (port 53 or icmpv6)'",
    "  --filter 'ctstate INVALID and not reason tcp-checksum'",
    '',
  ].join('\n');
}
