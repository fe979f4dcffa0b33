/** SIP dialogues at random: telephones inside, a server outside, with and without translation between them. */
import type { Conntrack } from '../../engine/conntrack/conntrack.ts';
import type { Expectation } from '../../engine/conntrack/expectation.ts';
import { F_DST, F_SRC } from '../../engine/conntrack/flow-table.ts';
import { T_DST, T_KIND, T_PORTS } from '../../engine/conntrack/tuple.ts';
import { ipv4Text, ipv6Text } from '../../engine/packet/address.ts';
import { Dice } from '../traffic/dice.ts';
import { LiveDialogue, LiveTcp, liveUdp, type Side, watchChance } from './dialogue-live.ts';
import type { Source } from './rules-types.ts';
import { sipAnswer, sipMessage, type Talkers } from './sip-messages.ts';

/** Rules, and who speaks through them. */
export interface Scene {
  readonly name: string;
  readonly sources: readonly Source[];
  /** Who may open a flow, each with its receiver. */
  readonly openers: readonly Side[];
  /** Other addresses that stand in messages. */
  readonly others: readonly string[];
}

const HELPER = `*raw
-A PREROUTING -p udp -m multiport --dports 5060,5062 -j CT --helper sip
-A PREROUTING -p tcp -m multiport --dports 5060,5062 -j CT --helper sip
-A OUTPUT -p udp --dport 5060 -j CT --helper sip
-A OUTPUT -p tcp --dport 5060 -j CT --helper sip
COMMIT
`;

function nat(...rules: readonly string[]): string {
  return `*nat\n${rules.map((rule) => `-A ${rule}\n`).join('')}COMMIT\n`;
}

const INSIDE4: readonly Side[] = [
  { from: 'eth1', src: '10.0.0.1', sport: 5060, dst: '198.51.100.2', dport: 5060 },
  { from: 'eth1', src: '10.0.0.7', sport: 5062, dst: '198.51.100.2', dport: 5060 },
  { from: 'eth1', src: '10.0.0.1', sport: 40123, dst: '198.51.100.2', dport: 5060 },
];
const OUTSIDE4: readonly Side[] = [
  { from: 'eth0', src: '198.51.100.2', sport: 5060, dst: '203.0.113.77', dport: 5060 },
  { from: 'eth0', src: '192.0.2.9', sport: 5070, dst: '203.0.113.77', dport: 5060 },
];
const OTHERS4 = ['10.0.0.1', '10.0.0.7', '198.51.100.2', '192.0.2.9', '203.0.113.77', '0.0.0.0'];
const INSIDE6: readonly Side[] = [
  { from: 'eth1', src: 'fd00::1', sport: 5060, dst: '2001:db8:7::2', dport: 5060 },
  { from: 'eth1', src: 'fd00::7', sport: 5062, dst: '2001:db8:7::2', dport: 5060 },
];
const OUTSIDE6: readonly Side[] = [
  { from: 'eth0', src: '2001:db8:7::2', sport: 5060, dst: '2001:db8:1::77', dport: 5060 },
];
const OTHERS6 = ['fd00::1', 'fd00::7', '2001:db8:7::2', '2001:db8:1::77', '::', '2001:db8::ffff:1.2.3.4'];

function scene4(name: string, openers: readonly Side[], ...rules: readonly string[]): Scene {
  const text = rules.length > 0 ? HELPER + nat(...rules) : HELPER;
  return { name, openers, others: OTHERS4, sources: [{ kind: 'iptables-legacy', text }] };
}

function scene6(name: string, openers: readonly Side[], ...rules: readonly string[]): Scene {
  const text = rules.length > 0 ? HELPER + nat(...rules) : HELPER;
  return { name, openers, others: OTHERS6, sources: [{ kind: 'ip6tables-legacy', text }] };
}

const SNAT4 = 'POSTROUTING -o eth0 -j SNAT --to-source 203.0.113.77';
const DNAT4 = 'PREROUTING -i eth0 -d 203.0.113.77 -p udp --dport 5060 -j DNAT --to-destination';

const NO_NAT4: Scene = scene4('no translation', [...INSIDE4, { ...OUTSIDE4[0]!, dst: '10.0.0.1' }]);
const NO_NAT6: Scene = scene6('no translation, IPv6', [...INSIDE6, { ...OUTSIDE6[0]!, dst: 'fd00::1' }]);

/** This host's own telephone. */
const HOST4: readonly Side[] = [
  { from: 'host', src: '203.0.113.1', sport: 5060, dst: '198.51.100.2', dport: 5060 },
];

/** Without translation. */
export const PLAIN_SCENES: readonly Scene[] = [NO_NAT4, NO_NAT6, scene4('from the host itself', HOST4)];

/** With translation. */
export const NAT_SCENES: readonly Scene[] = [
  scene4('SNAT', INSIDE4, SNAT4),
  // One port each: of several the kernel takes one at random.
  scene4(
    'SNAT to other ports',
    INSIDE4,
    ...['udp', 'tcp'].flatMap((proto) =>
      INSIDE4.map(
        ({ src, sport }, i) =>
          `POSTROUTING -s ${src} -p ${proto} --sport ${sport} -j SNAT --to-source 203.0.113.77:${6000 + i}`,
      ),
    ),
  ),
  scene4('MASQUERADE', INSIDE4, 'POSTROUTING -o eth0 -j MASQUERADE'),
  scene4('DNAT', OUTSIDE4, `${DNAT4} 10.0.0.1`),
  scene4('DNAT to another port', OUTSIDE4, `${DNAT4} 10.0.0.1:5080`),
  scene4('SNAT and DNAT', [...INSIDE4, ...OUTSIDE4], SNAT4, `${DNAT4} 10.0.0.1`),
  scene4('both ends', OUTSIDE4, `${DNAT4} 10.0.0.1`, 'POSTROUTING -o eth1 -j SNAT --to-source 10.0.0.254'),
  scene6('SNAT, IPv6', INSIDE6, 'POSTROUTING -o eth0 -j SNAT --to-source 2001:db8:1::77'),
  scene6(
    'DNAT, IPv6',
    OUTSIDE6,
    'PREROUTING -i eth0 -d 2001:db8:1::77 -p udp --dport 5060 -j DNAT --to-destination fd00::1',
  ),
];

function talkers(side: Side, others: readonly string[], transport: Talkers['transport']): Talkers {
  const { src, sport, dst, dport } = side;
  return { src, sport, dst, dport, others, transport };
}

/** The other way round, from the other device. */
function back(side: Omit<Side, 'from'>, from: Side['from']): Side {
  const { src, sport, dst, dport } = side;
  return { from: from === 'eth0' ? 'eth1' : 'eth0', src: dst, sport: dport, dst: src, dport: sport };
}

/** A packet that is expected, nearly. */
function medium(dice: Dice, conntrack: Conntrack, one: Expectation): Side {
  const isIpv4 = one.tuple[T_KIND]! >>> 8 === 2;
  const words = (word: number): readonly number[] =>
    isIpv4 ? [word] : [0, 1, 2, 3].map((i) => conntrack.pool.word(word, i));
  const text = (w: readonly number[]): string =>
    w.length === 1 ? ipv4Text(w[0]!) : ipv6Text(w[0]!, w[1]!, w[2]!, w[3]!);
  const dst = text(words(one.tuple[T_DST]!));
  const all = conntrack.expectations.all();
  const pair = dice.pick(all);
  // Nobody sends from no address.
  const isPaired = dice.chance(50) && pair.savedAddress.some((word) => word !== 0);
  const peers = [conntrack.addressOf(one.master, 0, F_SRC), conntrack.addressOf(one.master, 0, F_DST)];
  const src = isPaired
    ? text(pair.savedAddress)
    : text(one.sourceMask[0] === 0 ? dice.pick(peers) : words(one.tuple[0]!));
  const isInside = src.startsWith('10.') || src.startsWith('fd00:');
  return {
    from: isInside ? 'eth1' : 'eth0',
    src,
    sport: isPaired ? pair.savedPort : dice.pick([40000, 40002, 5060, 7000]),
    dst,
    dport: one.tuple[T_PORTS]! & 0xffff,
  };
}

/** Where a message came to: who may answer, and what it said there. */
interface Place {
  readonly side: Side;
  readonly text: string;
}

/** What is said next, and by whom. */
function nextMessage(dice: Dice, { openers, others }: Scene, places: readonly Place[]): Place {
  const isBack = places.length > 0 && dice.chance(50);
  const { side, text } = isBack ? dice.pick(places) : { side: dice.pick(openers), text: '' };
  const t = talkers(side, others, 'UDP');
  // An answer to just that, or what was heard elsewhere, as a server passes it on.
  if (isBack && dice.chance(55)) return { side, text: sipAnswer(dice, t, text) };
  if (isBack && dice.chance(20)) return { side, text: dice.pick(places).text };
  return { side, text: sipMessage(dice, t, dice.chance(isBack ? 50 : 15)) };
}

/** Messages by UDP on a few flows, and packets that they made expected. */
export function udpDialogue(seed: number, scene: Scene): LiveDialogue {
  const dice = new Dice(seed);
  const live = new LiveDialogue(scene.sources);
  const places: Place[] = [];
  const { conntrack } = live.run.run.firewall;
  const isChance = watchChance(live);
  for (let steps = dice.between(1, 12); steps > 0 && !isChance(); steps--) {
    let next = nextMessage(dice, scene, places);
    const expected = conntrack.expectations.all();
    if (expected.length > 0 && dice.chance(20)) {
      const side = medium(dice, conntrack, dice.pick(expected));
      const text = dice.chance(60) ? 'media' : sipMessage(dice, talkers(side, scene.others, 'UDP'), false);
      next = { side, text };
    }
    for (const came of liveUdp(live, next.side, next.text))
      places.push({ side: back(came, next.side.from), text: came.payload.toString('latin1') });
  }
  if (isChance()) live.packets.pop();
  return live;
}

/** A text in one to four pieces. */
function pieces(dice: Dice, text: string): string[] {
  if (dice.chance(70) || text.length < 4) return [text];
  const cuts = [0, text.length];
  for (let i = dice.below(3); i >= 0; i--) cuts.push(dice.below(text.length));
  cuts.sort((a, b) => a - b);
  return cuts
    .slice(1)
    .map((cut, i) => text.slice(cuts[i], cut))
    .filter((piece) => piece !== '');
}

/** Messages by TCP, several in a segment or one in several. */
export function tcpDialogue(seed: number, scene: Scene): LiveDialogue {
  const dice = new Dice(seed);
  const live = new LiveDialogue(scene.sources);
  const client = dice.pick(scene.openers);
  let heard = '';
  const tcp = new LiveTcp(live, client, client.from === 'eth0' ? 'eth1' : 'eth0', [1000, 5000]);
  if (!tcp.open()) return live;
  for (let steps = dice.between(1, 8); steps > 0; steps--) {
    const end = dice.chance(55) ? 0 : 1;
    const side = tcp.side(end);
    if (side === null) break;
    let text = '';
    const t = talkers(side, scene.others, 'TCP');
    do text += dice.chance(25) ? sipAnswer(dice, t, heard) : sipMessage(dice, t, dice.chance(end * 50 + 25));
    while (dice.chance(35));
    heard = '';
    for (const piece of pieces(dice, text).flatMap((one) => one.match(/[\s\S]{1,1200}/g) ?? [])) {
      const seq = tcp.next(end);
      const came = tcp.say(end, piece);
      heard += came?.toString('latin1') ?? '';
      // Some are sent again.
      if (came !== null && dice.chance(8)) tcp.send(end, 24, piece, { seq });
    }
  }
  return live;
}
