/** Generated FTP control connections, with the data connections that they announce. */
import type { Dice } from '../traffic/dice.ts';
import { LiveDialogue, LiveTcp, type Side } from './dialogue-live.ts';
import { ACK, addressBytes, FIN, RST, SYN, tcpPacket } from './dialogue-tcp.ts';
import type { Source } from './rules-types.ts';

/** What stands between the two ends. */
export interface FtpScene {
  readonly name: string;
  readonly sources: readonly Source[];
  readonly v6: boolean;
  /** Side of the client number `n` as it opens its connection. */
  client(n: number): Side;
  readonly serverFrom: 'eth0' | 'eth1';
}

function nft(text: string): Source {
  return { kind: 'nft', text };
}

const HELPER = `
table inet h {
  ct helper ftp { type "ftp" protocol tcp; }
  chain pre { type filter hook prerouting priority -150; tcp dport { 21, 2121 } ct helper set "ftp"; }
}
`;

const IN4 = '192.168.1.5';
const OUT4 = '198.51.100.7';
const IN6 = 'fd00:1::5';
const OUT6 = '2001:db8:5::1';

const outgoing =
  (src: string, dst: string) =>
  (n: number): Side => ({ from: 'eth1', src, sport: 40000 + n, dst, dport: 21 });

/** All of them. */
export const SCENES: readonly FtpScene[] = [
  { name: 'IPv4', sources: [nft(HELPER)], v6: false, client: outgoing(IN4, OUT4), serverFrom: 'eth0' },
  { name: 'IPv6', sources: [nft(HELPER)], v6: true, client: outgoing(IN6, OUT6), serverFrom: 'eth0' },
  {
    name: 'IPv4 behind source translation',
    sources: [
      nft(`${HELPER}
table ip n { chain post { type nat hook postrouting priority 100; oifname "eth0" ip saddr 192.168.1.0/24 snat to 203.0.113.2; }
}`),
    ],
    v6: false,
    client: outgoing(IN4, OUT4),
    serverFrom: 'eth0',
  },
  {
    name: 'IPv6 behind source translation',
    sources: [
      nft(`${HELPER}
table ip6 n { chain post { type nat hook postrouting priority 100; oifname "eth0" snat to 2001:db8:1::1; }
}`),
    ],
    v6: true,
    client: outgoing(IN6, OUT6),
    serverFrom: 'eth0',
  },
  {
    name: 'an IPv4 server behind destination translation',
    sources: [
      nft(`${HELPER}
table ip n { chain pre { type nat hook prerouting priority -100; iifname "eth0" tcp dport 21 dnat to 192.168.1.6:2121; }
}`),
    ],
    v6: false,
    client: (n) => ({ from: 'eth0', src: OUT4, sport: 40000 + n, dst: '203.0.113.1', dport: 21 }),
    serverFrom: 'eth1',
  },
  {
    name: 'an IPv6 server behind destination translation',
    sources: [
      nft(`${HELPER}
table ip6 n { chain pre { type nat hook prerouting priority -100; iifname "eth0" tcp dport 21 dnat to [fd00:1::6]:2121; }
}`),
    ],
    v6: true,
    client: (n) => ({ from: 'eth0', src: OUT6, sport: 40000 + n, dst: '2001:db8:1::1', dport: 21 }),
    serverFrom: 'eth1',
  },
  {
    name: 'IPv4 behind masquerading, with rules of iptables',
    sources: [
      {
        kind: 'iptables-legacy',
        text: `*raw
-A PREROUTING -p tcp --dport 21 -j CT --helper ftp
COMMIT
*nat
-A POSTROUTING -o eth0 -j MASQUERADE
COMMIT
`,
      },
    ],
    v6: false,
    client: outgoing('10.1.2.3', OUT4),
    serverFrom: 'eth0',
  },
];

const NOISE: readonly (readonly string[])[] = [
  ['USER anonymous\r\n', 'LIST\r\n', 'PASV\r\n', 'EPSV\r\n', 'RETR x\r\n', 'P\r\n', 'NOOP\n', 'abc', ''],
  ['220 ready\r\n', '331 password\r\n', '200 ok\r\n', '227-x\r\n', '150 opening\r\n', '22', '2\n'],
];

/** An address as PORT and 227 have it. */
function commas(address: string): string {
  return address.includes(':') ? '127,0,0,1' : address.replaceAll('.', ',');
}

function mutate(dice: Dice, text: string): string {
  const at = dice.below(text.length);
  const letters = ' ,|.()\r\n0123456789:-aPE\0\xff';
  const letter = letters[dice.below(letters.length)]!;
  switch (dice.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + letter + text.slice(at);
    case 2:
      return text.slice(0, at) + letter + text.slice(at + 1);
    default:
      return text.slice(0, Math.max(1, at));
  }
}

/** An announcement of the client's (`end` 0) or server's. */
function announce(dice: Dice, end: 0 | 1, address: string, port: number): string {
  const pair = `${port >> 8},${port & 255}`;
  if (end === 0) {
    const family = address.includes(':') ? 2 : 1;
    const delimiter = dice.pick(['|', '|', '|', '!', ',']);
    const extended = `EPRT ${delimiter}${family}${delimiter}${address}${delimiter}${port}${delimiter}\r\n`;
    return dice.pick([
      `PORT ${commas(address)},${pair}\r\n`,
      extended,
      `port ${commas(address)},${pair}\r\n`,
    ]);
  }
  return dice.pick([
    `227 Entering Passive Mode (${commas(address)},${pair})\r\n`,
    `227 =${commas(address)},${pair}\r\n`,
    `229 Entering Extended Passive Mode (|||${port}|)\r\n`,
    `229 x (!!!${port}!)\r\n`,
  ]);
}

/** Somebody opens a connection to what was announced. */
function connect(dialogue: LiveDialogue, dice: Dice, side: Side): void {
  const data = new LiveTcp(dialogue, side, side.from === 'eth0' ? 'eth1' : 'eth0', [
    dice.below(1 << 30),
    dice.below(1 << 30),
  ]);
  if (data.open() && dice.below(2) === 0) {
    data.say(dice.below(2) as 0 | 1, 'data');
    data.send(0, FIN | ACK);
    data.send(1, FIN | ACK);
  }
}

/** What an announcement that came through says, as a stranger reads it. */
function announced(text: string, fallback: string): readonly [string, number] | null {
  const six = /(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)/.exec(text);
  if (six !== null) return [six.slice(1, 5).join('.'), (Number(six[5]) * 256 + Number(six[6])) & 0xffff];
  const extended = /([|!,])[12]\1([\d.a-f:]+)\1(\d+)\1/.exec(text);
  if (extended !== null) return [extended[2]!, Number(extended[3]) & 0xffff];
  const passive = /([|!])\1\1(\d+)\1/.exec(text);
  return passive === null ? null : [fallback, Number(passive[2]) & 0xffff];
}

/** One step of the dialogue of one control connection. */
function step(dialogue: LiveDialogue, dice: Dice, control: LiveTcp, port: number): void {
  const end = dice.below(2) as 0 | 1;
  const own = control.side(end);
  const peer = control.side(end === 0 ? 1 : 0);
  if (own === null || peer === null) return;
  const what = dice.below(12);
  if (what < 4) {
    control.say(end, dice.pick(NOISE[end]!));
    return;
  }
  if (what === 4) {
    control.send(end, ACK);
    return;
  }
  const address = dice.below(8) === 0 ? '192.0.2.1' : own.src;
  let text = announce(dice, end, address, port);
  if (dice.below(4) === 0) text = mutate(dice, text);
  if (dice.below(10) === 0) text = `${dice.pick(NOISE[end]!)}${text}`;
  const seq = control.next(end);
  const came = dice.below(6) === 0 ? sayInPieces(dice, control, end, text) : control.say(end, text);
  // A retransmission, of all or of some of it.
  if (dice.below(6) === 0) control.send(end, ACK, dice.below(3) === 0 ? text.slice(0, 9) : text, { seq });
  const target = came === null ? null : announced(came.toString('latin1'), peer.dst);
  if (target === null || dice.below(6) === 0 || !isReachable(target[0], peer)) return;
  const sport = end === 0 && dice.below(2) === 0 ? 20 : 50000 + dice.below(9000);
  connect(dialogue, dice, { from: peer.from, src: peer.src, sport, dst: target[0], dport: target[1] });
}

/** Whether a packet can be sent there; of IPv6 only to the other end, since fd00:1:: is the router itself (RFC 4291, 2.6.1). */
function isReachable(target: string, peer: Side): boolean {
  if (!peer.src.includes(':')) return !target.includes(':');
  return target.includes(':') && Buffer.compare(addressBytes(target), addressBytes(peer.dst)) === 0;
}

function sayInPieces(dice: Dice, control: LiveTcp, end: 0 | 1, text: string): Buffer | null {
  const at = 1 + dice.below(Math.max(1, text.length - 1));
  const first = control.say(end, text.slice(0, at));
  // What was dropped is sent again, whole.
  return control.say(end, first === null ? text : text.slice(at));
}

/** How a control connection ends, if it does. */
function finish(dialogue: LiveDialogue, dice: Dice, control: LiveTcp): void {
  const end = dice.below(2) as 0 | 1;
  const side = control.side(end);
  if (side === null) return;
  const what = dice.below(4);
  if (what === 0) control.send(end, FIN | ACK);
  else if (what === 1) control.send(end, RST | ACK);
  else if (what === 2) {
    const { src, sport, dst, dport } = side;
    dialogue.send(side.from, tcpPacket(src, sport, dst, dport, { flags: SYN, seq: 1, ack: 0 }));
  }
}

/** A dialogue of some connections, one after the other or woven. */
export function ftpDialogue(scene: FtpScene, dice: Dice, connections: number, steps: number): LiveDialogue {
  const dialogue = new LiveDialogue(scene.sources);
  const open: LiveTcp[] = [];
  for (let n = 0; n < connections; n++) {
    const seq = dice.pick([1000, 0xffffffe0, dice.below(1 << 30)]);
    const control = new LiveTcp(dialogue, scene.client(n), scene.serverFrom, [seq, dice.below(1 << 30)]);
    if (!control.open(dice.below(2) === 0 ? [2, 4, 5, 0xb4, 4, 2, 3, 3, 7] : [])) continue;
    // Lines are known to begin somewhere only behind a line.
    if (dice.below(8) !== 0) control.say(1, '220 ready\r\n');
    if (dice.below(8) !== 0) control.say(0, 'USER x\r\n');
    open.push(control);
  }
  for (let i = 0; i < steps; i++) {
    const control = dice.pick(open);
    step(dialogue, dice, control, 2000 + i * 7 + dice.below(7));
    if (dice.below(20) === 0) finish(dialogue, dice, control);
  }
  return dialogue;
}
