/** What is said on the connections of each helper of TCP, and dialogues of several at once. */
import { T_DST, T_KIND, T_PORTS, T_SRC } from '../../engine/conntrack/tuple.ts';
import { ipv4Text } from '../../engine/packet/address.ts';
import { Dice } from '../traffic/dice.ts';
import { LiveDialogue, type Side, watchChance } from './dialogue-live.ts';
import { SYN, tcpPacket, udpPacket } from './dialogue-tcp.ts';
import * as M from './h323-messages.ts';
import * as P from './helper-pptp-messages.ts';
import { endsOf, type Nat, natText, numberOf } from './helper-scene.ts';
import type { Source } from './rules-types.ts';
import { ScrambledTcp } from './scrambled-tcp.ts';
import { sipMessage } from './sip-messages.ts';

/** One message of an end, whose addresses it knows. `n` is another one each time. */
type Speak = (dice: Dice, end: 0 | 1, side: Side, n: number) => string | Uint8Array;

const commas = (side: Side, port: number): string =>
  `${side.src.replaceAll('.', ',')},${port >> 8},${port & 255}`;

const ftp: Speak = (dice, end, side, n) => {
  const port = 2000 + n * 3;
  if (end === 0)
    return dice.pick([
      `PORT ${commas(side, port)}\r\n`,
      `EPRT |1|${side.src}|${port}|\r\n`,
      'NOOP\r\n',
      'USER x\r\nPASS y\r\n',
    ]);
  return dice.pick([
    `227 Entering Passive Mode (${commas(side, port)})\r\n`,
    `229 Entering Extended Passive Mode (|||${port}|)\r\n`,
    '200 ok\r\n',
    '220-a\r\n220 b\r\n',
  ]);
};

const irc: Speak = (dice, end, side, n) =>
  end === 0 && dice.chance(70)
    ? `PRIVMSG bob :\x01DCC ${dice.pick(['SEND f', 'CHAT chat'])} ${numberOf(side.src)} ${3000 + n}\x01\r\n`
    : ':x PRIVMSG #a :hello\r\n';

const sip: Speak = (dice, end, side) => {
  const { src, sport, dst, dport } = side;
  const others = ['10.0.0.1', '198.51.100.1', '203.0.113.9'];
  return sipMessage(dice, { src, sport, dst, dport, others, transport: 'TCP' }, dice.chance(end * 50 + 25));
};

const pptp: Speak = (dice, end, side) => {
  const [own, peer] = [dice.chance(90) ? 0x1000 : 0x1001, dice.chance(90) ? 0x2000 : 0x2001];
  // The client's call id as the server sees it: translated ones are its port.
  const outer = dice.pick([0x1000, side.dport]);
  if (end === 0)
    return dice.pick([P.outgoingRequest(own), P.outgoingRequest(own), P.linkInfo(peer), P.clearRequest(own)]);
  const reply = P.outgoingReply(peer, outer);
  return dice.pick([reply, reply, reply, P.linkInfo(outer), P.disconnectNotify(peer)]);
};

const h323: Speak = (dice, _end, side, n) => {
  const address = M.transport(side.src, 4000 + n);
  const kind = dice.pick(['setup', 'callProceeding', 'connect', 'alerting', 'releaseComplete']);
  if (kind === 'releaseComplete') return M.call(kind);
  const media = M.h2250(M.channel(side.src, 6000 + 2 * n), M.channel(side.src, 6001 + 2 * n));
  const fast = dice.chance(40) ? { fastStart: [M.fastStart(M.openChannel(media))] } : {};
  return M.call(kind, { h245Address: address, ...(fast as object) } as never);
};

const sane: Speak = (dice, end, _side, n) => {
  const bytes = Buffer.alloc(end === 0 ? 8 : 12);
  bytes.writeUInt32BE(end === 0 ? dice.pick([7, 7, 1]) : 0, 0);
  bytes.writeUInt32BE(end === 0 ? 1 : 7000 + n, 4);
  return bytes;
};

/** A helper by its name, and the port that rules know it by. */
interface Kind {
  readonly name: string;
  readonly port: number;
  readonly speak: Speak;
}

const GREETINGS: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  ftp: ['USER x\r\n', '220 ready\r\n'],
  pptp: [P.startRequest(), P.startReply()],
};

/** All of TCP. */
export const KINDS: readonly Kind[] = [
  { name: 'ftp', port: 21, speak: ftp },
  { name: 'irc', port: 6667, speak: irc },
  { name: 'sip', port: 5060, speak: sip },
  { name: 'pptp', port: 1723, speak: pptp },
  { name: 'Q.931', port: 1720, speak: h323 },
  { name: 'sane', port: 6566, speak: sane },
];

function rules(kinds: readonly Kind[], nat: Nat): Source {
  const objects = kinds.map(({ name }, i) => `ct helper h${i} { type "${name}" protocol tcp; }\n`).join('');
  const assign = kinds.map(({ port }, i) => `tcp dport ${port} ct helper set "h${i}"\n`).join('');
  const text = `table inet h {
${objects}chain pre {
type filter hook prerouting priority -150
${assign}}
}
${natText(nat)}`;
  return { kind: 'nft', text };
}

/** Somebody comes for what is expected. */
function follow(dice: Dice, live: LiveDialogue, n: number): void {
  const { conntrack } = live.run.run.firewall;
  const all = conntrack.expectations.all();
  if (all.length === 0) return;
  const { tuple } = dice.pick(all);
  const proto = tuple[T_KIND]! & 255;
  const [src, dst] = [ipv4Text(tuple[T_SRC]!), ipv4Text(tuple[T_DST]!)];
  if (/^(127\.|0\.)/.test(dst) || /^(127\.)/.test(src)) return;
  const peer = src.startsWith('0.') ? '198.51.100.77' : src;
  const from = peer.startsWith('10.') ? 'eth1' : 'eth0';
  const port = tuple[T_PORTS]! & 0xffff;
  if (proto === 47) live.send(from, P.grePacket(peer, dst, port));
  else if (proto === 17) live.send(from, udpPacket(peer, 30000 + n, dst, port, 'media'));
  else if (proto === 6)
    live.send(from, tcpPacket(peer, 30000 + n, dst, port, { flags: SYN, seq: 1, ack: 0 }));
}

/** Connections of some helpers, woven. */
export function scrambled(seed: number, nat: Nat, kinds: readonly Kind[]): LiveDialogue {
  const dice = new Dice(seed);
  const live = new LiveDialogue([rules(kinds, nat)]);
  const isChance = watchChance(live);
  const open: { readonly tcp: ScrambledTcp; readonly kind: Kind }[] = [];
  for (const [i, kind] of kinds.entries())
    for (let n = dice.between(1, 2); n > 0; n--) {
      const { client } = endsOf(nat, kind.port, 1 + dice.below(2), 4000 + 10 * i + n);
      const tcp = new ScrambledTcp(live, dice, client);
      if (!tcp.open()) continue;
      open.push({ tcp, kind });
      if (!['ftp', 'pptp'].includes(kind.name) || dice.chance(15)) continue;
      // Lines of FTP are known to begin somewhere only behind a line; without a start PPTP has no calls.
      const [first, second] = kind.name === 'pptp' ? ([0, 1] as const) : ([1, 0] as const);
      for (const speaker of [first, second]) {
        tcp.write(speaker, GREETINGS[kind.name]![speaker]!);
        for (let t = 0; t < 6 && !tcp.isDone(); t++) tcp.step(speaker);
      }
    }
  for (let n = 1; n <= 12 && open.length > 0 && !isChance(); n++) {
    const { tcp, kind } = dice.pick(open);
    const end = dice.chance(60) ? 0 : 1;
    const side = tcp.side(end);
    if (side !== null) tcp.write(end, kind.speak(dice, end, side, n));
    // Often it comes through before anything else is said.
    if (dice.chance(60)) for (let i = 0; i < 8 && !tcp.isDone() && !isChance(); i++) tcp.step(end);
    for (let i = dice.below(9); i > 0 && !isChance(); i--) dice.pick(open).tcp.step(dice.chance(60) ? 0 : 1);
    if (dice.chance(20) && !isChance()) follow(dice, live, n);
  }
  for (let i = 0; i < 40 && !isChance() && !open.every(({ tcp }) => tcp.isDone()); i++)
    dice.pick(open).tcp.step(dice.chance(60) ? 0 : 1);
  if (isChance()) live.packets.pop();
  return live;
}
