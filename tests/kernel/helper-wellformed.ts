/** Messages as clients and servers of each helper's protocol really send them, for others to damage. */
import * as P from './helper-pptp-messages.ts';
import { Chance, numberOf } from './helper-scene.ts';
import { snmpMessage } from './helper-snmp-messages.ts';
import { address, portOf, type Speaker } from './helper-speaker.ts';
import { q931, ras } from './helper-wellformed-h323.ts';

/** A helper's protocol. */
export interface Protocol {
  readonly name: string;
  readonly helper: string;
  readonly proto: 'tcp' | 'udp';
  readonly port: number;
  readonly v6: boolean;
  readonly isText: boolean;
  /** What is said, undamaged, before anything else. */
  readonly greeting: readonly (readonly [0 | 1, string | Uint8Array])[];
  speak(s: Speaker): string | Uint8Array;
}

const FTP_CLIENT: readonly string[] = [
  'USER a\r\n',
  'PASV\r\n',
  'EPSV\r\n',
  'EPSV ALL\r\n',
  'LIST\r\n',
  'RETR x\r\n',
];
const FTP_SERVER: readonly string[] = [
  '220 ready\r\n',
  '200 ok\r\n',
  '331 x\r\n',
  '227-x\r\n',
  '229-x\r\n',
  '226 done\r\n',
];

function ftp(s: Speaker): string {
  const { dice, end, side } = s;
  const [at, port] = [address(s), portOf(s)];
  const v6 = at.includes(':');
  const six = `${v6 ? '127,0,0,1' : at.replaceAll('.', ',')},${port >> 8},${port & 255}`;
  const noise = end === 0 ? FTP_CLIENT : FTP_SERVER;
  const [a, b] =
    end === 0
      ? [
          `EPRT |${v6 ? 2 : 1}|${at}|${port}|\r\n`,
          `${dice.pick(['PORT', 'PORT', 'port', 'Port'])} ${six}\r\n`,
        ]
      : [`229 Entering Extended Passive Mode (|||${port}|)\r\n`, `227 Entering Passive Mode (${six}).\r\n`];
  const one = side.src.includes(':') ? dice.pick([a, a, a, b]) : dice.pick([a, b]);
  if (dice.chance(10)) return dice.pick(noise);
  if (dice.chance(10)) return one + dice.pick(noise);
  return dice.chance(10) ? dice.pick(noise) + one : one;
}

function irc(s: Speaker): string {
  const { dice } = s;
  const command = dice.pick([
    'SEND file.txt',
    'SEND "a b"',
    'CHAT chat',
    'MOVE x',
    'TSEND y',
    'SCHAT chat',
    'RESUME f',
  ]);
  const offer = `PRIVMSG bob :\x01DCC ${command} ${numberOf(address(s))} ${portOf(s)}${dice.pick([' 1234', ''])}\x01\r\n`;
  return dice.chance(15) ? dice.pick(['JOIN #a\r\n', 'PING x\r\n', '\r\n']) + offer : offer;
}

const SDP_MEDIA = ['audio', 'video', 'image'];

function sdp(s: Speaker): string {
  const { dice } = s;
  const word = s.side.src.includes(':') ? 'IN IP6' : 'IN IP4';
  const own = address(s);
  const media = Array.from({ length: dice.between(1, 3) }, (_, i) => {
    const line = `m=${dice.pick(SDP_MEDIA)} ${portOf(s) + 2 * i} RTP/AVP 0 8\r\n`;
    return `${line}${dice.chance(30) ? `c=${word} ${address(s)}\r\n` : ''}a=rtpmap:0 PCMU/8000\r\n`;
  }).join('');
  const common = dice.chance(85) ? `c=${word} ${own}\r\n` : '';
  return `v=0\r\no=alice 28908 1 ${word} ${own}\r\ns=-\r\n${common}t=0 0\r\n${media}`;
}

function sipUri(s: Speaker, user: string, isPeer: boolean): string {
  const { side } = s;
  const at = isPeer ? side.dst : address(s);
  const host = at.includes(':') ? `[${at}]` : at;
  const port = isPeer ? side.dport : s.dice.chance(75) ? side.sport : portOf(s);
  return `sip:${user}@${host}${s.dice.chance(85) ? `:${port}` : ''}`;
}

/** RFC 3261's usual headers, and what else stands in messages of telephones and proxies. */
function sip(transport: 'UDP' | 'TCP'): (s: Speaker) => string {
  return (s) => {
    const { dice, n } = s;
    const method = dice.pick([
      'INVITE',
      'INVITE',
      'INVITE',
      'REGISTER',
      'REGISTER',
      'ACK',
      'BYE',
      'UPDATE',
      'PRACK',
      'CANCEL',
      'OPTIONS',
    ]);
    const isAnswer = dice.chance(s.end === 0 ? 15 : 65);
    const isShort = dice.chance(15);
    const name = (long: string, short: string): string => (isShort ? short : long);
    const peer = sipUri(s, 'bob', true);
    const own = sipUri(s, 'alice', false);
    const cseq = dice.pick([1, 1, 1, 2, n]);
    const hasBody = ['INVITE', 'UPDATE', 'PRACK', 'ACK'].includes(method) ? dice.chance(85) : false;
    const body = hasBody ? sdp(s) : '';
    const hostport = /@(.*)$/.exec(isAnswer ? peer : own)![1]!;
    const received = dice.chance(30) ? `;received=${dice.chance(50) ? s.side.dst : address(s)}` : '';
    const rport = dice.chance(30) ? `;rport${dice.chance(60) ? `=${s.side.dport}` : ''}` : '';
    const expires = dice.chance(40) ? `;expires=${dice.pick([0, 60, 3600])}` : '';
    const contact = isAnswer && method === 'REGISTER' ? peer : own;
    const lines = [
      `${name('Via', 'v')}: SIP/2.0/${transport} ${hostport};branch=z9hG4bK${n}${received}${rport}`,
      dice.chance(25) ? `Record-Route: <${sipUri(s, 'p', dice.chance(50)).replace('p@', '')};lr>` : '',
      dice.chance(15) ? `Route: <${peer};lr>` : '',
      'Max-Forwards: 70',
      `${name('From', 'f')}: Alice <${isAnswer ? peer : own}>;tag=1`,
      `${name('To', 't')}: "Bob, B" <${isAnswer ? own : peer}>`,
      `${name('Call-ID', 'i')}: ${n}@example.org`,
      `CSeq: ${cseq} ${method}`,
      dice.chance(90) ? `${name('Contact', 'm')}: <${contact}>${method === 'REGISTER' ? expires : ''}` : '',
      method === 'REGISTER' && dice.chance(70) ? `Expires: ${dice.pick([0, 60, 600])}` : '',
      hasBody ? `${name('Content-Type', 'c')}: application/sdp` : '',
      `${name('Content-Length', 'l')}: ${body.length}`,
    ].filter((line) => line !== '');
    const first = isAnswer
      ? `SIP/2.0 ${dice.pick(['200 OK', '200 OK', '183 Progress', '100 Trying', '486 Busy Here', '401 Unauthorized'])}`
      : `${method} ${peer} SIP/2.0`;
    return `${[first, ...lines].join('\r\n')}\r\n\r\n${body}`;
  };
}

function tftp({ dice, end }: Speaker): string {
  if (end === 1)
    return dice.pick(['\0\x03\0\x01data', '\0\x05\0\x01no\0', '\0\x06blksize\x001024\0', '\0\x01f\0octet\0']);
  return dice.pick([
    '\0\x01file\0octet\0',
    '\0\x02file\0netascii\0',
    '\0\x01f\0octet\0blksize\x001024\0',
    '\0\x04\0\x01',
  ]);
}

function amanda(s: Speaker): string {
  const { dice, end } = s;
  const port = portOf(s);
  if (end === 0) return 'Amanda 2.4 REQ HANDLE 000-1 SEQ 1\nSERVICE sendbackup\n';
  const index = dice.chance(60) ? ` INDEX ${port + 2}` : '';
  const state = dice.chance(20) ? ` STATE ${port + 3}` : '';
  return `Amanda 2.4 REP HANDLE 000-1 SEQ 1\nCONNECT DATA ${port} MESG ${port + 1}${index}${state}\nOPTIONS features=ff;\n`;
}

function snmp({ dice, side, others }: Speaker): Uint8Array {
  return snmpMessage(new Chance(dice.below(1 << 30)), [side.src, side.src, side.dst, ...others.slice(0, 3)]);
}

function sane({ dice, end, n }: Speaker): Uint8Array {
  const bytes = Buffer.alloc(end === 0 ? 8 : 12);
  bytes.writeUInt32BE(end === 0 ? dice.pick([7, 7, 7, 1]) : 0, 0);
  bytes.writeUInt32BE(end === 0 ? 1 : 2000 + 20 * n, 4);
  return bytes;
}

function pptp({ dice, end, side }: Speaker): Uint8Array {
  const [own, peer] = [dice.chance(85) ? 0x1000 : dice.below(0x10000), dice.chance(85) ? 0x2000 : 0x2001];
  const outer = dice.chance(50) ? own : side.dport;
  return end === 0
    ? dice.pick([
        P.startRequest,
        () => P.outgoingRequest(own),
        () => P.outgoingRequest(own),
        () => P.incomingReply(own, peer),
        () => P.linkInfo(peer),
        () => P.clearRequest(own),
        P.stopRequest,
      ])()
    : dice.pick([
        P.startReply,
        () => P.outgoingReply(peer, outer),
        () => P.outgoingReply(peer, outer),
        () => P.outgoingReply(peer, outer),
        () => P.incomingRequest(peer),
        () => P.incomingConnected(outer),
        () => P.linkInfo(outer),
        () => P.wanError(outer),
        () => P.disconnectNotify(peer),
        P.stopReply,
      ])();
}

/** All that there are. */
export const PROTOCOLS: readonly Protocol[] = [
  {
    name: 'ftp',
    helper: 'ftp',
    proto: 'tcp',
    port: 21,
    v6: true,
    isText: true,
    greeting: [
      [1, '220 x\r\n'],
      [0, 'USER x\r\n'],
    ],
    speak: ftp,
  },
  { name: 'irc', helper: 'irc', proto: 'tcp', port: 6667, v6: false, isText: true, greeting: [], speak: irc },
  {
    name: 'sip by UDP',
    helper: 'sip',
    proto: 'udp',
    port: 5060,
    v6: true,
    isText: true,
    greeting: [],
    speak: sip('UDP'),
  },
  {
    name: 'sip by TCP',
    helper: 'sip',
    proto: 'tcp',
    port: 5060,
    v6: true,
    isText: true,
    greeting: [],
    speak: sip('TCP'),
  },
  {
    name: 'tftp',
    helper: 'tftp',
    proto: 'udp',
    port: 69,
    v6: true,
    isText: false,
    greeting: [],
    speak: tftp,
  },
  {
    name: 'amanda',
    helper: 'amanda',
    proto: 'udp',
    port: 10080,
    v6: true,
    isText: true,
    greeting: [],
    speak: amanda,
  },
  {
    name: 'netbios-ns',
    helper: 'netbios-ns',
    proto: 'udp',
    port: 137,
    v6: false,
    isText: false,
    greeting: [],
    speak: () => Buffer.alloc(50, 1),
  },
  {
    name: 'snmp',
    helper: 'snmp',
    proto: 'udp',
    port: 161,
    v6: false,
    isText: false,
    greeting: [],
    speak: snmp,
  },
  {
    name: 'snmp_trap',
    helper: 'snmp_trap',
    proto: 'udp',
    port: 162,
    v6: false,
    isText: false,
    greeting: [],
    speak: snmp,
  },
  {
    name: 'sane',
    helper: 'sane',
    proto: 'tcp',
    port: 6566,
    v6: true,
    isText: false,
    greeting: [],
    speak: sane,
  },
  {
    name: 'pptp',
    helper: 'pptp',
    proto: 'tcp',
    port: 1723,
    v6: false,
    isText: false,
    greeting: [
      [0, P.startRequest()],
      [1, P.startReply()],
    ],
    speak: pptp,
  },
  {
    name: 'Q.931',
    helper: 'Q.931',
    proto: 'tcp',
    port: 1720,
    v6: true,
    isText: false,
    greeting: [],
    speak: q931,
  },
  { name: 'RAS', helper: 'RAS', proto: 'udp', port: 1719, v6: true, isText: false, greeting: [], speak: ras },
];
