/**
 * The short ways of packets that rules before tracking see, and of those that are translated (hook/pipeline.ts,
 * nat/translate-plain.ts), do what the general way does: the same packets through two firewalls, of which one never sees
 * a plain packet because its link type says LINKTYPE_IPV4.
 */
import { describe, expect, test } from 'vitest';
import { readFlow } from '../engine/conntrack/flow-record.ts';
import { ROW_WORDS } from '../engine/conntrack/flow-table.ts';
import { Settings } from '../engine/conntrack/settings.ts';
import { IPS_NAT_MASK } from '../engine/conntrack/status.ts';
import { Firewall } from '../engine/hook/firewall.ts';
import { Ruleset } from '../engine/hook/ruleset.ts';
import { gateway } from '../engine/hook/testing.mts';
import { icmpErrorPacket, icmpPacket, tcpPacket, udpPacket } from '../engine/packet/build.ts';
import { viewOf } from '../engine/packet/build-bytes.ts';
import { DLT_IPV4, DLT_RAW } from '../engine/packet/link.ts';
import { CHECKSUM_UNNECESSARY, Packet, resetPacket } from '../engine/packet/packet.ts';
import { TH_ACK, TH_FIN, TH_PUSH, TH_RST, TH_SYN } from '../engine/packet/tcp.ts';
import type { RuleTable } from '../engine/rules/chain.ts';
import { Dice } from './traffic/dice.ts';

const SEED = Number(process.env.KEEPSTATE_SEED ?? Math.floor(Date.now() / 86_400_000));
const COUNT = 3000;

const ACCEPT_ESTABLISHED = `table ip filter {
	chain forward { type filter hook forward priority filter; policy accept; ct state established,related counter accept; counter; }
}
`;
/** Chains of type nat with the rules that begin with their names. */
const nat = (rules: readonly string[]): string =>
  ['prerouting dstnat', 'postrouting srcnat']
    .map((place) => place.split(' '))
    .map(([hook, priority]) => {
      const own = rules.filter((rule) => rule.startsWith(hook!)).map((rule) => rule.slice(hook!.length));
      return [`chain ${hook} {`, `type nat hook ${hook} priority ${priority}`, ...own, '}'].join('\n');
    })
    .join('\n');
const RULES: Readonly<Record<string, readonly string[]>> = {
  'source to one address': ['postrouting ip saddr 10.0.0.0/24 snat to 203.0.113.9'],
  'source to few ports': [
    'postrouting ip saddr 10.0.0.0/24 meta l4proto { tcp, udp } snat to 203.0.113.9:5000-5040',
  ],
  masqueraded: ['postrouting oifname "eth0" masquerade'],
  'network by network': ['postrouting snat ip prefix to ip saddr map { 10.0.0.0/24 : 100.0.0.0/24 }'],
  'destination, from outside': [
    'prerouting iifname "eth0" ip daddr 203.0.113.1 meta l4proto { tcp, udp } dnat to 10.0.0.3:8080',
  ],
  'both ends': ['prerouting ip daddr 203.0.113.1 dnat to 10.0.0.3', 'postrouting masquerade'],
  'to this host': ['prerouting tcp dport 80 redirect to :8080', 'postrouting masquerade'],
};
/** What sees packets before they are tracked. */
const RAW: Readonly<Record<string, readonly string[]>> = {
  none: [],
  'a port': ['tcp dport 8080 counter'],
  more: [
    'icmp type echo-request counter meta mark set 7',
    'udp sport 5000-5010 notrack',
    'ip ttl 0-2 counter drop',
  ],
};
const raw = (rules: readonly string[]): string =>
  ['table ip raw {', 'chain pre {', 'type filter hook prerouting priority raw', ...rules, '}', '}'].join(
    '\n',
  );

/** One of the two firewalls. */
class Side {
  readonly firewall: Firewall;
  readonly pkt = new Packet();
  private readonly linktype: number;
  private readonly tables: readonly RuleTable[];

  constructor(rules: string, linktype: number, inPlace: boolean) {
    const ruleset = new Ruleset();
    expect(ruleset.load({ name: 'r.nft', text: rules }).map(String)).toEqual([]);
    this.tables = ruleset.tables();
    this.firewall = new Firewall({ settings: new Settings(), host: gateway(), rules: this.tables });
    this.firewall.inPlace = inPlace;
    this.linktype = linktype;
  }

  /** What rules counted. */
  counted(): unknown[] {
    const rules = this.tables.flatMap(({ chains }) => [...chains.values()].flatMap((chain) => chain.rules));
    return rules.flatMap(({ exprs }) => exprs.filter(({ name }) => name === 'counter'));
  }

  /** All that there is to know of a packet afterwards. */
  receive(bytes: Uint8Array, now: number, ifin: number): string {
    const { pkt, firewall } = this;
    const copy = bytes.slice();
    resetPacket(pkt, copy, viewOf(copy), 0, copy.length);
    pkt.ifin = ifin;
    const verdict = firewall.receive(pkt, this.linktype, now);
    const { off, end, l4, proto, flow, ctinfo, status, reason, ifout } = pkt;
    const { verdict: name, hook, chain, rule, ifin: from, ifout: to } = firewall.outcome;
    const { table } = firewall.conntrack;
    return [
      [verdict, off, end, l4, proto, flow, ctinfo, status, reason, pkt.ifin, ifout],
      [name, hook, chain?.name, chain === null || rule === null ? -1 : chain.rules.indexOf(rule), from, to],
      flow === 0 ? [] : table.words.slice(flow * ROW_WORDS, (flow + 1) * ROW_WORDS),
      pkt.bytes.subarray(off, end),
      // Of a packet that stands as it leaves, what it was is of no interest any more.
      firewall.inPlace ? [] : copy,
    ]
      .map((part) => part.join(' '))
      .join(' | ');
  }
}

/** Clients on both sides who speak with servers on the other, and answer what they get. */
class Conversations {
  private readonly dice: Dice;
  private readonly flows: {
    src: string;
    dst: string;
    sport: number;
    dport: number;
    proto: 'tcp' | 'udp' | 'icmp';
    row: number;
  }[] = [];

  constructor(dice: Dice) {
    this.dice = dice;
    for (let i = 0; i < 60; i++) {
      const isOut = dice.chance(70);
      const src = isOut ? `10.0.0.${dice.between(2, 5)}` : `198.51.100.${dice.between(1, 3)}`;
      const dst = isOut ? dice.pick(['198.51.100.7', '198.51.100.8', '203.0.113.1']) : '203.0.113.1';
      this.flows.push({
        src,
        dst,
        sport: dice.between(4990, 5020),
        dport: dice.pick([80, 8080, 53]),
        proto: dice.weighted({ tcp: 5, udp: 3, icmp: 2 }),
        row: 0,
      });
    }
  }

  /** Plays a packet to both sides; returns whether it was one that translation changed on the short way. */
  step(short: Side, general: Side, now: number): boolean {
    const { dice } = this;
    const flow = dice.pick(this.flows);
    const { conntrack } = short.firewall;
    const isKnown = flow.row !== 0 && conntrack.table.words[flow.row * ROW_WORDS] !== 0;
    const isAnswer = isKnown && dice.chance(50);
    const { src, dst, sport, dport } = isAnswer ? replyOf(conntrack, flow.row) : flow;
    const ip = { ttl: dice.chance(2) ? dice.below(3) : 64, ...(dice.chance(2) ? { id: dice.below(9) } : {}) };
    const payload = dice.bytes(dice.chance(3) ? 1500 : dice.below(40));
    const bytes = packetOf(dice, flow.proto, isAnswer, { src, dst, sport, dport, ip, payload });
    if (dice.chance(1)) bytes[dice.below(bytes.length)]! ^= 1 << dice.below(8);
    const isInside = src.startsWith('10.');
    const ifin = dice.chance(90) ? 0 : isInside ? 3 : 2;
    const got = short.receive(bytes, now, ifin);
    expect(got, `seed ${SEED}`).toBe(general.receive(bytes, now, ifin));
    if (!isAnswer && short.pkt.flow !== 0) flow.row = short.pkt.flow;
    if (dice.chance(1)) this.complain(short, general, bytes, now);
    return (short.pkt.status & IPS_NAT_MASK) !== 0 && short.pkt.checksum === CHECKSUM_UNNECESSARY;
  }

  /** An error about a packet, as a router on its way would send it. */
  private complain(short: Side, general: Side, quoted: Uint8Array, now: number): void {
    if (quoted[0] !== 0x45) return;
    const bytes = icmpErrorPacket({ src: '198.51.100.254', quoted, type: 3, code: 1 });
    expect(short.receive(bytes, now, 2)).toBe(general.receive(bytes, now, 2));
  }
}

interface Ends {
  readonly src: string;
  readonly dst: string;
  /** Of ICMP, the identifier. */
  readonly sport: number;
  readonly dport: number;
  readonly ip: { readonly ttl: number; readonly id?: number };
  readonly payload: Uint8Array;
}

function packetOf(dice: Dice, proto: 'tcp' | 'udp' | 'icmp', isAnswer: boolean, ends: Ends): Uint8Array {
  if (proto === 'tcp') return tcpPacket({ ...ends, ...tcpFields(dice, isAnswer) });
  if (proto === 'udp') return udpPacket({ ...ends, ...(dice.chance(10) ? { checksum: 0 } : {}) });
  return icmpPacket({ ...ends, type: isAnswer ? 0 : 8, id: ends.sport, seq: dice.below(9) });
}

function tcpFields(dice: Dice, isAnswer: boolean): { flags: number; seq: number; ack: number } {
  const flags = dice.chance(80)
    ? TH_ACK
    : dice.pick([TH_SYN, TH_SYN | TH_ACK, TH_PUSH | TH_ACK, TH_FIN | TH_ACK, TH_RST]);
  const seq = (isAnswer ? 9000 : 1000) + dice.below(3);
  return { flags, seq, ack: (isAnswer ? 1000 : 9000) + dice.below(3) };
}

function replyOf(
  conntrack: Firewall['conntrack'],
  row: number,
): { src: string; dst: string; sport: number; dport: number } {
  const { reply } = readFlow(conntrack, row)!;
  return { src: reply.src, dst: reply.dst, sport: reply.sport ?? reply.id ?? 0, dport: reply.dport ?? 0 };
}

/** Plays the same packets to both; returns how many were translated. */
function play(rules: string, inPlace: boolean): number {
  const short = new Side(rules, DLT_RAW, inPlace);
  const general = new Side(rules, DLT_IPV4, inPlace);
  const dice = new Dice(SEED);
  const conversations = new Conversations(dice);
  let translated = 0;
  for (let i = 0, now = 1_000_000; i < COUNT; i++) {
    now += dice.chance(1) ? dice.below(20_000) : dice.below(3);
    if (conversations.step(short, general, now)) translated++;
  }
  expect(short.counted()).toEqual(general.counted());
  return translated;
}

describe('a packet goes a shorter way to the same end', () => {
  const natOf = (name: string): string => `table ip nat {\n${nat(RULES[name]!)}\n}\n`;

  test.each(Object.keys(RULES).flatMap((name) => [[name, false] as const, [name, true] as const]))(
    'that is translated: %s (in place: %s)',
    (name, inPlace) => {
      const rules = `${ACCEPT_ESTABLISHED}${natOf(name)}`;
      expect(play(rules, inPlace)).toBeGreaterThan(COUNT / 20);
    },
  );

  test.each(Object.keys(RAW).flatMap((name) => [[name, 'no'] as const, [name, 'both ends'] as const]))(
    'that rules see before it is tracked: %s (translated: %s)',
    (name, translation) => {
      const rules = `${ACCEPT_ESTABLISHED}${raw(RAW[name]!)}\n${translation === 'no' ? '' : natOf(translation)}`;
      expect(play(rules, false) > 0).toBe(translation !== 'no');
    },
  );
});
