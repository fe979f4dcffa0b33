/** SIP messages at random: most are nearly right, all stand at the edges of what Linux's helper reads. */
import type { Dice } from '../traffic/dice.ts';

/** Who sends a message to whom, and what else stands in it. */
export interface Talkers {
  /** As the sender sees it. */
  readonly src: string;
  readonly sport: number;
  readonly dst: string;
  readonly dport: number;
  /** Addresses of either end before or behind translation, and of nobody. */
  readonly others: readonly string[];
  readonly transport: 'UDP' | 'TCP';
}

const METHODS = { INVITE: 8, REGISTER: 6, ACK: 2, BYE: 2, UPDATE: 2, PRACK: 2, OPTIONS: 1, CANCEL: 1 };
const CODES = ['200', '200', '200', '180', '183', '100', '401', '486', '302', '299', '0', '1000'];
const EOL = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\n\n', '\r\n '];
const NUMBERS = [
  ...['1', '1', '1', '2', '2', '0', '3', '42', '99999', '4294967295', '4294967296', '00000000001'],
  ...['000000000001', 'x', '', '-1', '1x', '0x10', '18446744073709551617'],
];
const SECONDS = [
  '60',
  '60',
  '3600',
  '0',
  '7200',
  '1000000',
  '4294967295',
  '4294967296',
  '00000000060',
  '',
  'x',
  '010',
];
const PORTS = [
  '5060',
  '5060',
  '5060',
  '5061',
  '1024',
  '65535',
  '65536',
  '1023',
  '0',
  '',
  '05060',
  '005060',
  'x',
  '5060x',
];
const MEDIA_PORTS = [
  ...[
    '40000',
    '40000',
    '5060',
    '40002',
    '40001',
    '40004',
    '1024',
    '65534',
    '65535',
    '65533',
    '0',
    '1023',
    '65536',
  ],
  ...['4294967296', '00000040000', '000000040000', 'x', '', '-5', '40000/2'],
];

/** A port as text, mostly the sender's. */
function portText(dice: Dice, own: number): string {
  return dice.chance(70) ? String(own) : dice.pick(PORTS);
}

/** An address as text: of the sender, of the receiver, another, or malformed. */
function addressText(dice: Dice, t: Talkers): string {
  const address = dice.chance(60) ? t.src : dice.pick([t.dst, ...t.others]);
  if (dice.chance(94)) return address;
  const odd = ['x', 'a', '.', ':', ':1', '1', ']', ' ', '0', '%1'];
  return dice.pick([
    address + dice.pick(odd),
    dice.pick(odd) + address,
    address.slice(0, -1),
    address.replace(/[.:]/, '$&0'),
    address.replace(/:/, '::'),
    'example.org',
    '',
  ]);
}

/** An address as it stands in URIs. */
function host(dice: Dice, t: Talkers): string {
  const address = addressText(dice, t);
  return t.src.includes(':') !== dice.chance(2) ? `[${address}]` : address;
}

function hostPort(dice: Dice, t: Talkers): string {
  const at = host(dice, t);
  if (dice.chance(15)) return at;
  return `${at}:${portText(dice, at.includes(t.dst) ? t.dport : t.sport)}`;
}

function uri(dice: Dice, t: Talkers): string {
  const user = dice.chance(80) ? `${dice.pick(['alice', 'bob', '', 'a;b', 'a:b'])}@` : '';
  return `${dice.pick(['sip:', 'sip:', 'sip:', 'SIP:', 'sips:'])}${user}${hostPort(dice, t)}`;
}

function parameters(dice: Dice, names: readonly (() => string)[]): string {
  let text = '';
  while (dice.chance(45)) text += dice.pick([';', ';', ' ;', '; ', ';\r\n ']) + dice.pick(names)();
  return text;
}

function contact(dice: Dice, t: Talkers): string {
  const values = parameters(dice, [
    () => `expires=${dice.pick(SECONDS)}`,
    () => `transport=${dice.pick(['udp', 'tcp', 'UDP', 'TCP', 'sctp', ''])}`,
    () => 'q=0.5',
    () => 'Expires=5,x',
  ]);
  const name = dice.pick(['', '', 'Alice ', '"Alice, B" ', '*']);
  return dice.chance(80) ? `${name}<${uri(dice, t)}>${values}` : `${name}${uri(dice, t)}${values}`;
}

function via(dice: Dice, t: Talkers): string {
  const values = parameters(dice, [
    () => `branch=z9hG4bK${dice.below(100)}`,
    () => `maddr=${host(dice, t)}`,
    () => `received=${dice.chance(80) ? addressText(dice, t) : host(dice, t)}`,
    () => `rport=${portText(dice, dice.pick([t.dport, t.sport]))}`,
    () => 'rport',
  ]);
  const transport = dice.chance(85) ? t.transport : dice.pick(['UDP', 'TCP', 'udp', 'TLS', 'UDP  ']);
  return `${dice.pick(['SIP/2.0/', 'SIP/2.0/', 'SIP / 2.0 / '])}${transport} ${hostPort(dice, t)}${values}`;
}

type Header = readonly [string, string, string];

/** The headers of a message, each as name, compact name, value. */
function headers(dice: Dice, t: Talkers, method: string, length: string): Header[] {
  const all: Header[] = [
    ['Via', 'v', via(dice, t)],
    ['From', 'f', `<${uri(dice, t)}>;tag=1`],
    ['To', 't', `<${uri(dice, t)}>`],
    ['Call-ID', 'i', 'a84b4c76e66710'],
    ['CSeq', 'CSeq', `${dice.chance(80) ? '1' : dice.pick(NUMBERS)} ${method}`],
  ];
  const contacts = dice.pick([0, 1, 1, 1, 1, 2, 3]);
  for (let i = 0; i < contacts; i++) {
    let value = contact(dice, t);
    while (dice.chance(15)) value += `, ${contact(dice, t)}`;
    all.push(['Contact', 'm', value]);
  }
  if (dice.chance(method === 'REGISTER' ? 80 : 5)) all.push(['Expires', 'Expires', dice.pick(SECONDS)]);
  if (dice.chance(10)) all.push(['Via', 'v', via(dice, t)]);
  if (dice.chance(10)) all.push(['Contact-Extra', 'mx', 'sip:a@10.0.0.1']);
  if (dice.chance(10)) all.push(['Subject', 's', 'x']);
  if (dice.chance(95)) all.push(['Content-Length', 'l', length]);
  if (dice.chance(10)) all.splice(dice.below(all.length), 1);
  if (dice.chance(15)) all.sort(() => dice.below(3) - 1);
  return all;
}

function headerLine(dice: Dice, [name, compact, value]: Header, eol: string): string {
  let key = dice.chance(12) ? compact : name;
  if (dice.chance(8)) key = dice.pick([key.toUpperCase(), key.toLowerCase(), `${key}x`, ` ${key}`]);
  const colon = dice.chance(90) ? ': ' : dice.pick([':', ' : ', '\t:\t', ':\r\n ', '\r\n :', ' ', '::']);
  return `${key}${colon}${value}${dice.chance(96) ? eol : dice.pick(EOL)}`;
}

/** A session description. */
function description(dice: Dice, t: Talkers, eol: string): string {
  const word = t.src.includes(':') ? 'IN IP6 ' : 'IN IP4 ';
  const at = (): string =>
    `${dice.chance(95) ? word : dice.pick(['IN IP4 ', 'IN IP6 ', 'in ip4 ', 'IN  IP4'])}${addressText(dice, t)}`;
  const lines = [`v=${dice.chance(95) ? '0' : dice.pick(['', 'x', '12'])}`];
  if (dice.chance(95)) lines.push(`o=alice 2890844526 1 ${at()}`);
  lines.push('s=-');
  if (dice.chance(85)) lines.push(`c=${at()}`);
  lines.push('t=0 0');
  const media = dice.pick([1, 1, 1, 2, 2, 3, 4, 0]);
  for (let i = 0; i < media; i++) {
    const type = dice.pick([
      'audio',
      'audio',
      'video',
      'image',
      'application',
      'AUDIO',
      'audiox',
      'audio ',
      '',
    ]);
    lines.push(`m=${type} ${dice.pick(MEDIA_PORTS)}${dice.pick([' RTP/AVP 0', ' RTP/AVP 0', ''])}`);
    if (dice.chance(25)) lines.push(`c=${at()}`);
    if (dice.chance(30)) lines.push('a=rtpmap:0 PCMU/8000');
  }
  if (dice.chance(8)) lines.sort(() => dice.below(3) - 1);
  return lines
    .map(
      (line) =>
        (dice.chance(99) ? line : line.replace(/^./, (c) => c.toUpperCase())) +
        (dice.chance(97) ? eol : dice.pick(EOL)),
    )
    .join('');
}

const NOISE = [
  ' ',
  '\t',
  '\r\n',
  '\n',
  '\r',
  ',',
  ';',
  ':',
  '@',
  '<',
  '0',
  '9',
  'a',
  '=',
  'sip:',
  '\0',
  '\xe9',
  '\xd7',
];

/** Damages a text here and there. */
function damage(dice: Dice, text: string): string {
  let out = text;
  do {
    const at = dice.below(out.length + 1);
    const cut = dice.pick([0, 0, 1, 2, 5]);
    out = out.slice(0, at) + (dice.chance(70) ? dice.pick(NOISE) : '') + out.slice(at + cut);
  } while (dice.chance(40));
  return dice.chance(20) ? out.slice(0, dice.below(out.length + 1)) : out;
}

/** A message as its sender writes it, one byte a character. */
export function sipMessage(dice: Dice, t: Talkers, isResponse: boolean): string {
  const method = dice.weighted(METHODS);
  const eol = dice.chance(96) ? '\r\n' : dice.pick(EOL);
  const hasBody = dice.chance(method === 'INVITE' || method === 'UPDATE' || method === 'PRACK' ? 90 : 15);
  const body = hasBody ? description(dice, t, eol) : '';
  const length = dice.chance(95)
    ? String(body.length)
    : dice.pick([...NUMBERS, '00012', String(body.length + 1)]);
  const first = isResponse
    ? `${dice.chance(97) ? 'SIP/2.0 ' : dice.pick(['SIP/2.0', 'sip/2.0 ', 'SIP/2.1 '])}${dice.pick(CODES)} OK`
    : `${method}${dice.chance(98) ? ' ' : '  '}${dice.chance(70) ? uri(dice, { ...t, src: t.dst, sport: t.dport }) : uri(dice, t)} SIP/2.0`;
  const head = headers(dice, t, method, length).map((one) => headerLine(dice, one, eol));
  const text = `${first}${eol}${head.join('')}${eol}${body}`;
  return dice.chance(12) ? damage(dice, text) : text;
}

/** The answer to a request: its headers again, with a description if it had one. */
export function sipAnswer(dice: Dice, t: Talkers, heard: string): string {
  const lines = heard.split('\r\n\r\n')[0]!.split('\r\n').slice(1);
  const body = heard.includes('m=') && dice.chance(85) ? description(dice, t, '\r\n') : '';
  const kept = lines.map((line) => {
    if (/^(content-length|l)\b/i.test(line)) return `Content-Length: ${body.length}`;
    return dice.chance(95) ? line : `${line};expires=${dice.pick(SECONDS)}`;
  });
  const text = `SIP/2.0 ${dice.pick(CODES)} OK\r\n${kept.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
  return dice.chance(5) ? damage(dice, text) : text;
}
