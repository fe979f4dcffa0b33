import { COMMAND_OPTIONS, type CommandLetter, OPTIONS, type OptionName } from './option-table.ts';
import { PROTOCOLS } from './protocol-table.ts';

const COMMANDS: Readonly<Record<CommandLetter, string>> = {
  L: '[TABLE] [FILTERS]: list what matches',
  G: '[TABLE] TUPLE: show one entry',
  D: '[TABLE] [FILTERS]: remove what matches',
  I: '[TABLE] TUPLE -t SECONDS: make an entry; it is an error if there is one',
  A: 'TUPLE -t SECONDS: make an entry unless there is one',
  U: '[FILTERS] CHANGES: change what matches',
  E: '[TABLE] [FILTERS]: show what happens',
  F: '[TABLE]: remove everything',
  C: '[TABLE]: how many entries there are',
  S: '[TABLE]: counters',
  h: 'this text',
  V: 'the version whose behaviour this is',
};

const MEANINGS: Readonly<Record<OptionName, string>> = {
  src: 'ADDRESS[/LENGTH]: source in the original direction',
  dst: 'ADDRESS[/LENGTH]: destination in the original direction',
  'reply-src': 'ADDRESS: source in the reply direction',
  'reply-dst': 'ADDRESS: destination in the reply direction',
  protonum: 'NAME or NUMBER: transport protocol; its own options come behind',
  timeout: 'SECONDS',
  status: 'WORDS: ASSURED SEEN_REPLY UNREPLIED FIXED_TIMEOUT EXPECTED OFFLOAD HW_OFFLOAD UNSET',
  zero: 'set counters to 0 after listing',
  'event-mask': 'WORDS: ALL NEW UPDATES DESTROY',
  'tuple-src': 'ADDRESS: source of what is expected',
  'tuple-dst': 'ADDRESS: destination of what is expected',
  'mask-src': 'ADDRESS: which bits of the source count',
  'mask-dst': 'ADDRESS: which bits of the destination count',
  mark: 'MARK[/MASK]',
  id: 'NUMBER of a flow',
  family: 'ipv4 or ipv6',
  'src-nat': '[ADDRESS[:PORT]]: source is translated (to this)',
  'dst-nat': '[ADDRESS[:PORT]]: destination is translated (to this)',
  output: 'WORDS: extended xml save json timestamp id ktimestamp labels userspace',
  secmark: 'NUMBER',
  'buffer-size': 'BYTES of the socket that -E reads',
  'any-nat': '[ADDRESS[:PORT]]: either is translated (to this)',
  zone: 'NUMBER of a zone in both directions',
  label: 'NAMES: has all these labels',
  'label-add': 'NAMES of labels to set',
  'label-del': '[NAMES] of labels to clear, all if none is named',
  'orig-zone': 'NUMBER of a zone in the original direction',
  'reply-zone': 'NUMBER of a zone in the reply direction',
};

/** What `conntrack -h` prints: keepstate's own words. */
export function usageText(): string {
  const option = (short: string | undefined, name: string): string =>
    `  ${short === undefined ? '   ' : `-${short},`} --${name.padEnd(12)} `;
  return [
    'conntrack of keepstate: what the command of conntrack-tools 1.4.7 does',
    '',
    'Commands, one of them:',
    ...COMMAND_OPTIONS.map(([letter, name]) => option(letter, name) + COMMANDS[letter]),
    '  -R, --load-file    FILE (first of all): carry out the -A, -I, -U, -D and -F lines of a file, - is standard input',
    '',
    'Tables: conntrack (if none is named), expect, dying, unconfirmed',
    '',
    'Where to look (keepstate only):',
    '  --from FILE        a dump or a capture, which is only read',
    '  --table FILE       a table that is kept in a file between commands',
    '  --control SOCKET   a running keepstate, by its socket; that of the default socket if nothing is named',
    "  --kernel           the Linux kernel's own table",
    '',
    'Options:',
    ...OPTIONS.map(({ name, short }) => option(short, name) + MEANINGS[name]),
    '',
    'Options of protocols, behind -p:',
    ...PROTOCOLS.map((p) => `  ${p.name.padEnd(8)} ${p.options.map((o) => `--${o.name}`).join(' ')}`),
    '',
  ].join('\n');
}
