/** Dialogues of damaged messages, and of those who come for what they told of. */
import type { Expectation } from '../../engine/conntrack/expectation.ts';
import { T_DST, T_KIND, T_PORTS, T_SRC } from '../../engine/conntrack/tuple.ts';
import { ipv4Text, ipv6Text } from '../../engine/packet/address.ts';
import { AF_INET } from '../../engine/packet/packet.ts';
import { Dice } from '../traffic/dice.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side, watchChance } from './dialogue-live.ts';
import { ACK, PSH, payloadBytes, SYN, tcpPacket, udpPacket } from './dialogue-tcp.ts';
import { MOST_CLIENTS, type Scene, sceneRules } from './helper-mutated-scenes.ts';
import { mutated } from './helper-mutations.ts';
import * as P from './helper-pptp-messages.ts';
import type { Protocol } from './helper-wellformed.ts';
import { ScrambledTcp } from './scrambled-tcp.ts';

/** One connection, or the like of it by UDP. */
interface Talk {
  side(end: 0 | 1): Side | null;
  say(end: 0 | 1, bytes: Uint8Array): void;
}

function overTcp(live: LiveDialogue, dice: Dice, scene: Scene, n: number, port: number): Talk | null {
  const seq = [dice.pick([1000, 0xffffff00]), dice.pick([5000, 0x7fffff00])] as const;
  const tcp = new LiveTcp(live, scene.client(n, port), scene.serverFrom, seq);
  if (!tcp.open()) return null;
  const say = (end: 0 | 1, bytes: Uint8Array): void => {
    const at = tcp.next(end);
    const cutAt = dice.chance(10) ? dice.below(bytes.length + 1) : bytes.length;
    const came = tcp.say(end, bytes.subarray(0, cutAt));
    if (cutAt < bytes.length) tcp.say(end, came === null ? bytes : bytes.subarray(cutAt));
    // Sent again, all or in part.
    if (dice.chance(8))
      tcp.send(end, PSH | ACK, bytes.subarray(0, 1 + dice.below(bytes.length + 1)), { seq: at });
    if (dice.chance(15)) tcp.send(end === 0 ? 1 : 0, ACK);
  };
  return { side: (end) => tcp.side(end), say };
}

function overUdp(live: LiveDialogue, dice: Dice, scene: Scene, n: number, port: number): Talk {
  const sides: [Side, Side | null] = [scene.client(n, port), null];
  const say = (end: 0 | 1, bytes: Uint8Array): void => {
    for (let times = dice.chance(8) ? 2 : 1; times > 0; times--) {
      const came = liveUdp(live, sides[end]!, bytes).find((one) => one.dport !== 0);
      if (end === 1 || came === undefined || sides[1] !== null) continue;
      sides[1] = {
        from: scene.serverFrom,
        src: came.dst,
        sport: came.dport,
        dst: came.src,
        dport: came.sport,
      };
    }
  };
  return { side: (end) => sides[end], say };
}

/** As {@link overTcp}, by a bad network: in pieces, late, twice, overlapping and in another order. */
function overBadTcp(live: LiveDialogue, dice: Dice, scene: Scene, n: number, port: number): Talk | null {
  const tcp = new ScrambledTcp(live, dice, scene.client(n, port));
  if (!tcp.open()) return null;
  const say = (end: 0 | 1, bytes: Uint8Array): void => {
    tcp.write(end, bytes);
    for (let i = dice.below(10); i > 0 && !tcp.isDone(); i--)
      tcp.step(dice.chance(75) ? end : end === 0 ? 1 : 0);
  };
  return { side: (end) => tcp.side(end), say };
}

/** As {@link overUdp}, by a bad network: twice, late and in another order. */
function overBadUdp(live: LiveDialogue, dice: Dice, scene: Scene, n: number, port: number): Talk {
  const good = overUdp(live, dice, scene, n, port);
  const waiting: (readonly [0 | 1, Uint8Array])[] = [];
  const say = (end: 0 | 1, bytes: Uint8Array): void => {
    waiting.push([end, bytes]);
    while (waiting.length > 0 && dice.chance(65)) {
      const at = dice.below(waiting.length);
      good.say(...waiting[at]!);
      if (dice.chance(75)) waiting.splice(at, 1);
    }
  };
  return { side: good.side, say };
}

/** The packet that is expected, or nearly so; null for one that nobody could send. */
function expectedPacket(
  live: LiveDialogue,
  { tuple }: Expectation,
  n: number,
): readonly ['eth0' | 'eth1', Buffer] | null {
  const { pool } = live.run.run.firewall.conntrack;
  const isIpv4 = tuple[T_KIND]! >>> 8 === AF_INET;
  const text = (word: number): string => {
    if (isIpv4) return ipv4Text(word);
    const [a, b, c, d] = word === 0 ? [0, 0, 0, 0] : [0, 1, 2, 3].map((i) => pool.word(word, i));
    return ipv6Text(a!, b!, c!, d!);
  };
  const [src, dst] = [text(tuple[T_SRC]!), text(tuple[T_DST]!)];
  // fd00:1:: and 2001:db8:1:: are the router itself (RFC 4291, 2.6.1).
  const isNobody = (one: string): boolean =>
    /^(127\.|0\.|::1?$|22[4-9]\.|2[3-5]\d\.|ff|fe80|fd00:1::$|2001:db8:1::$)/.test(one);
  if (isNobody(dst)) return null;
  const peer = isNobody(src) ? (isIpv4 ? '198.51.100.77' : '2001:db8:5::77') : src;
  const from = /^(10\.|192\.168\.|fd)/.test(peer) ? 'eth1' : 'eth0';
  const port = tuple[T_PORTS]! & 0xffff;
  const proto = tuple[T_KIND]! & 255;
  if (proto === 47) return [from, P.grePacket(peer, dst, port)];
  if (proto === 17) return [from, udpPacket(peer, 30000 + n, dst, port, 'media')];
  return [from, tcpPacket(peer, 30000 + n, dst, port, { flags: SYN, seq: 1, ack: 0 })];
}

function follow(dice: Dice, live: LiveDialogue, n: number): void {
  const all = live.run.run.firewall.conntrack.expectations.all();
  const packet = all.length === 0 ? null : expectedPacket(live, dice.pick(all), n);
  if (packet !== null) live.send(...packet);
}

/** Tells of the packet with which chance decided something: what it and those behind it do cannot be foretold. */
function watchSending(live: LiveDialogue): { at: number } {
  const isChance = watchChance(live);
  const first = { at: -1 };
  const send = live.send.bind(live);
  live.send = (from, bytes) => {
    const left = send(from, bytes);
    if (first.at < 0 && isChance()) first.at = live.packets.length - 1;
    return left;
  };
  return first;
}

/** How messages go, and how many of a hundred are damaged. */
const NETWORKS = {
  good: { tcp: overTcp, udp: overUdp, damaged: 80 },
  bad: { tcp: overBadTcp, udp: overBadUdp, damaged: 15 },
} as const;
/** By which network. */
export type Network = keyof typeof NETWORKS;

/** A dialogue of a protocol through a scene. */
export function mutatedDialogue(
  seed: number,
  protocol: Protocol,
  scene: Scene,
  steps: number,
  network: Network = 'good',
): LiveDialogue {
  const dice = new Dice(seed);
  const { helper, proto, port, isText } = protocol;
  const live = new LiveDialogue(sceneRules(scene, helper, proto, port));
  const chance = watchSending(live);
  const isChance = (): boolean => chance.at >= 0;
  const talks: Talk[] = [];
  let n = 1;
  const open = (): void => {
    const talk = NETWORKS[network][proto](live, dice, scene, talks.length, port);
    if (talk === null) return;
    talks.push(talk);
    if (dice.chance(92)) for (const [end, text] of protocol.greeting) talk.say(end, payloadBytes(text));
  };
  open();
  for (let i = 0; i < steps && !isChance() && talks.length > 0; i++) {
    if (talks.length < MOST_CLIENTS && dice.chance(15)) open();
    const talk = dice.pick(talks);
    const end = dice.chance(55) ? 0 : 1;
    const side = talk.side(end);
    if (side === null) {
      talk.say(0, Buffer.from('x'));
      continue;
    }
    const text = payloadBytes(protocol.speak({ dice, end, side, others: scene.others, n: n++ }));
    const bytes = dice.chance(NETWORKS[network].damaged) ? mutated(dice, text, isText) : text;
    talk.say(end, bytes);
    // The next message should begin where a line does.
    if (isText && proto === 'tcp' && bytes.at(-1) !== 10 && !isChance() && dice.chance(75))
      talk.say(end, Buffer.from('\r\n'));
    if (dice.chance(25) && !isChance()) follow(dice, live, n);
  }
  if (isChance()) live.packets.length = chance.at;
  return live;
}
